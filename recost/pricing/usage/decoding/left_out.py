"""Documents with members that `recost.thinning` replaced by a short text.

Most of these members don't matter: a list of tools, an embedding. Only the extractor knows which ones do, so
its lookups are recorded. If it looks one of them up, the usage is partial.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from recost.thinning import LEFT_OUT

__all__ = ["Lookups", "mark"]

_STAND_IN: Final = LEFT_OUT.decode().strip('"')


class Lookups:
    """Record of lookups of members that were left out."""

    __slots__ = ("missed",)

    def __init__(self) -> None:
        self.missed = False


class _Document(dict[str, Any]):
    """A document, or an object within it, without some of its members."""

    __slots__ = ("_lookups",)

    def __init__(self, members: dict[str, Any], lookups: Lookups) -> None:
        super().__init__(members)
        self._lookups = lookups

    def get(self, key: str, default: Any = None) -> Any:
        value = super().get(key, default)
        if value == _STAND_IN:
            self._lookups.missed = True
        return value

    def __getitem__(self, key: str) -> Any:
        return self.get(key) if key in self else super().__getitem__(key)


def mark(documents: Sequence[dict[str, Any]], lookups: Lookups) -> list[dict[str, Any]]:
    """Return the documents such that lookups of left-out members are recorded."""
    return [_marked(document, lookups, 2) for document in documents]


def _marked(members: dict[str, Any], lookups: Lookups, levels: int) -> dict[str, Any]:
    if levels > 1:
        members = {
            key: _marked(value, lookups, levels - 1) if isinstance(value, dict) else value
            for key, value in members.items()
        }
    return _Document(members, lookups) if _STAND_IN in members.values() else members
