"""The setting ``key_labels``: labels of API keys, by the SHA-256 of each key.

No message quotes what was given. It may be a key, where a hash is expected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from recost._documents import parse_json, read_document
from recost._files import reason_of
from recost._patterns import LazyPattern
from recost._validate import InvalidError, as_path, check_tag

__all__ = ["LONGEST", "NAME", "check_labels", "entry_of", "parse_labels"]

NAME: Final = "key"
"""Name of the tag."""
LONGEST: Final = 4096
"""Bytes of a key. A longer one is not hashed, and not in the list."""
_MOST: Final = 10_000
_MOST_BYTES: Final = 4 << 20
_PREFIX: Final = "sha256:"
_HASH: Final = LazyPattern("sha256:[0-9a-f]{64}")
_OF_NOTHING: Final = f"{_PREFIX}{sha256().hexdigest()}"
_EXPECTED: Final = (
    f"labels by '{_PREFIX}' and 64 hex digits, as `recost keys label NAME` prints them, or the path of a "
    "JSON file of them"
)


def entry_of(key: bytes, label: str) -> str:
    """Return the entry of a key, which can be pasted into Python and JSON."""
    return f"{json.dumps(_PREFIX + sha256(key).hexdigest())}: {json.dumps(label, ensure_ascii=False)}"


def parse_labels(text: str) -> Any:
    """Return what a text of JSON holds, or the text itself: it is the path of a file, or invalid."""
    if text[:1] != "{":
        return text
    try:
        return parse_json(text)
    except ValueError:
        return text


def check_labels(value: Any) -> dict[str, str]:
    """Return labels by ``sha256:`` and hex digits in lower case.

    Raises:
        InvalidError: It is neither a mapping of hashes to labels nor the path of a JSON file that has one.
    """
    if not isinstance(value, Mapping):
        value = _read(value)
    if len(value) > _MOST:
        raise InvalidError(f"at most {_MOST} labels")
    found = {}
    for number, (given, label) in enumerate(value.items(), 1):
        name = given.strip().lower() if isinstance(given, str) else ""
        if not _HASH.fullmatch(name):
            raise InvalidError(f"{_EXPECTED}; entry {number} has no such hash")
        if name == _OF_NOTHING:
            raise InvalidError(f"{_EXPECTED}; entry {number} is the hash of an empty key")
        if not isinstance(label, str):
            raise InvalidError(f"{_EXPECTED}; the label of entry {number} is not a text")
        try:
            found[name] = check_tag(NAME, label)
        except InvalidError as error:
            raise InvalidError(f"{_EXPECTED}; entry {number}: {error.expected}") from None
    return found


def _read(value: Any) -> Mapping[Any, Any]:
    path = as_path(value)
    if path is None or path.lstrip()[:1] == "{":  # JSON with a mistake
        raise InvalidError(_EXPECTED)
    try:
        found = parse_json(read_document(Path(path).expanduser(), _MOST_BYTES))
    except OSError as error:
        raise InvalidError(f"{_EXPECTED}; it can't be read: {reason_of(error)}") from None
    except (ValueError, RuntimeError):  # the text of the error may quote the file
        raise InvalidError(f"{_EXPECTED}; it is not JSON") from None
    if not isinstance(found, dict):
        raise InvalidError(f"{_EXPECTED}; it has no object")
    return found
