"""Documents with members that were left out: `recost.thinning` puts a text in their place.

Most of these matter to nobody: a list of tools, an embedding. Which ones do, only the reader of a shape
knows. So it is noticed when one of them is asked for. What was read then is not all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from recost.thinning import LEFT_OUT

__all__ = ["Asked", "mark"]

_STAND_IN: Final = LEFT_OUT.decode().strip('"')


class Asked:
    """Whether a member was asked for that is not there."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        self.any = False


class _Document(dict[str, Any]):
    """A document, or an object within it, some members of which were left out."""

    __slots__ = ("_asked",)

    def __init__(self, members: dict[str, Any], asked: Asked) -> None:
        super().__init__(members)
        self._asked = asked

    def get(self, key: str, default: Any = None) -> Any:
        value = super().get(key, default)
        if value == _STAND_IN:
            self._asked.any = True
        return value

    def __getitem__(self, key: str) -> Any:
        return self.get(key) if key in self else super().__getitem__(key)


def mark(documents: Sequence[dict[str, Any]], asked: Asked) -> list[dict[str, Any]]:
    """Return the documents such that it is noticed when a member that was left out is asked for."""
    return [_marked(document, asked, 2) for document in documents]


def _marked(members: dict[str, Any], asked: Asked, levels: int) -> dict[str, Any]:
    if levels > 1:
        members = {
            key: _marked(value, asked, levels - 1) if isinstance(value, dict) else value
            for key, value in members.items()
        }
    return _Document(members, asked) if _STAND_IN in members.values() else members
