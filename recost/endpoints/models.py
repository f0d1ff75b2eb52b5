"""Names of models as windows show them. Text that does not look like such a name is dropped.

A name comes from a response, or from a path that a visitor of the application may have chosen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Optional

from recost._patterns import LazyPattern
from recost.endpoints.segments import is_model
from recost.endpoints.vocabulary import FIRST_NAMES, TOKENS

__all__ = ["model_name"]

_LONGEST: Final = 200
_CHARACTERS: Final = LazyPattern(r"[A-Za-z0-9._:/@+ -]+")
_AT: Final = LazyPattern(r"@(?:cf|hf)/[^@]+|[^@]*@(?:[0-9]{1,8}|default|latest)|[^@]+")
"""``@cf/meta/llama-3-8b`` and ``claude-3-5-sonnet@20240620``, but no address."""
_PIECES: Final = LazyPattern("[A-Za-z0-9]+")
_UUID: Final = LazyPattern("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", re.IGNORECASE)
_HASH: Final = LazyPattern(":[0-9a-f]{32,64}")
_ACCOUNT: Final = LazyPattern(":[0-9]{12}:")
_RUNS: Final = LazyPattern("[0-9]+|[A-Z]+|[a-z]+")
_OPAQUE: Final = 8
"""Minimum number of characters of a piece that may be a token."""
_MOST_RUNS: Final = 5
_DATE: Final = 8


@lru_cache(maxsize=512)
def model_name(name: str, *, from_path: bool = False, failed: bool = False) -> Optional[str]:
    """Return a model's name as windows show it. None where the text is not one.

    Args:
        name: A name from a response, a request or a path.
        from_path: True for a name from a path, which may be a person's.
        failed: True for a failed call. A name from its path must be of a known family.
    """
    if not name.strip() or len(name) > _LONGEST or not _CHARACTERS.fullmatch(name) or not _AT.fullmatch(name):
        return None
    if name.startswith("arn:"):
        name = _ACCOUNT.sub("::", name)
    found = _HASH.search(name)
    if found is not None and found.end() == len(name):
        name = name[: found.start()]  # owner/name:version of Replicate
    if _UUID.search(name) or any(part.startswith(TOKENS) for part in re.split("[/: ]", name)):
        return None
    fine_tuned = name.startswith("ft:")
    pieces = _PIECES.findall(name)
    if not pieces or any(_is_opaque(piece) for piece in (pieces[:-1] if fine_tuned else pieces)):
        return None
    if from_path and not FIRST_NAMES.isdisjoint(map(str.lower, pieces)):
        return None
    if from_path and failed and not is_model(name.rpartition("/")[2].partition(":")[0].partition("@")[0]):
        return None
    return name


def _is_opaque(piece: str) -> bool:
    """Return whether a piece is a token, a hash or a long number, and not a word, a version or a size."""
    if piece.isdigit():
        return len(piece) > _DATE
    if len(piece) < _OPAQUE or piece.isalpha():
        return len(piece) > 2 * _DATE and len(_RUNS.findall(piece)) > _MOST_RUNS
    digits = sum(map(str.isdigit, piece))
    return len(_RUNS.findall(piece)) > _MOST_RUNS or (digits > 2 and len(_RUNS.findall(piece)) > 3)
