"""Wildcard templates, matched in one pass over the text.

A regular expression with several wildcards takes time that grows with a power of the text's length, and the
text comes from strangers. Here every position in the template is a bit of one number, and each character of
the text moves all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Union

__all__ = ["ANYTHING", "Glob", "Wild"]


class Wild(NamedTuple):
    """A wildcard of a template."""

    without: str = ""
    """A character that it does not span. An empty text spans everything."""
    least: int = 0
    """Characters that it stands for, at least: 0 or 1."""


ANYTHING: Final = Wild()


class Glob:
    """A template of plain text and wildcards.

    Args:
        parts: Texts that stand for themselves, and wildcards between them.
    """

    __slots__ = ("_loops", "_loops_at", "_others", "_prefix", "_size", "_steps")

    def __init__(self, parts: Iterable[Union[str, Wild]]) -> None:
        steps: list[Union[str, Wild]] = []
        loops: dict[int, set[str]] = {}
        for part in parts:
            if isinstance(part, str):
                steps.extend(part)
                continue
            steps.extend([part] * part.least)
            loops.setdefault(len(steps), set()).add(part.without)
        wild = [*loops, *(at for at, step in enumerate(steps) if isinstance(step, Wild))]
        self._prefix = "".join(map(str, steps[: min(wild, default=len(steps))]))
        self._size = len(steps)
        named = {step for step in steps if isinstance(step, str)}
        named.update(*loops.values(), (step.without for step in steps if isinstance(step, Wild)))
        self._steps = {
            char: _mask(at for at, step in enumerate(steps) if _takes(step, char)) for char in named
        }
        self._loops_at = {
            char: _mask(at for at, without in loops.items() if without != {char}) for char in named
        }
        self._others = _mask(at for at, step in enumerate(steps) if isinstance(step, Wild))
        self._loops = _mask(loops)

    def matches(self, text: str) -> bool:
        """Return True if the whole text is one that the template describes."""
        if not text.startswith(self._prefix):
            return False
        steps, loops_at, others, loops = self._steps, self._loops_at, self._others, self._loops
        at = 1 << len(self._prefix)
        for char in text[len(self._prefix) :]:
            at = ((at & steps.get(char, others)) << 1) | (at & loops_at.get(char, loops))
            if not at:
                return False
        return bool(at >> self._size & 1)


def _takes(step: Union[str, Wild], char: str) -> bool:
    return step == char if isinstance(step, str) else step.without != char


def _mask(positions: Iterable[int]) -> int:
    mask = 0
    for at in positions:
        mask |= 1 << at
    return mask
