"""Tables of plain text within the columns of a terminal, and figures that people can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Optional

from recost._text import cells, printable
from recost.cli._shared.terminal import WIDTH, Style

__all__ = ["Column", "Table", "padded", "shorten", "wrap"]

_ELLIPSIS: Final = "..."
_LEAST_ROOM: Final = 8
"""For text beside its heading."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, and how its cells stand."""

    title: str
    right: bool = False
    """Figures stand to the right."""
    least: int = 4
    """The width below which the column is never shortened."""
    rank: int = 1
    """Where there is no room for all columns, those of the lowest rank go first, the last of them first."""


@dataclass
class Table:
    """Rows under headings, and perhaps a row with the totals."""

    columns: Sequence[Column]
    rows: list[Sequence[str]] = field(default_factory=list)
    total: Sequence[str] = ()

    def render(self, style: Style, width: int = WIDTH) -> str:
        """Return the table.

        Where it would be wider than ``width``, columns of text are shortened, and then columns left out.
        """
        shown = self.fitting(width)
        widths = self.widths(width, shown)
        lines = [style(self._line([column.title for column in self.columns], widths), "bold")]
        rule = "-" * (sum(widths.values()) + len(widths) - 1)
        lines.append(rule)
        lines += [self._line(row, widths) for row in self.rows]
        if self.total:
            lines += [rule, style(self._line(self.total, widths), "bold")]
        return "\n".join(lines)

    def widths(self, width: int, shown: Optional[Sequence[int]] = None) -> dict[int, int]:
        """Return the width of each of the columns where the table is to be at most ``width`` wide."""
        shown = range(len(self.columns)) if shown is None else shown
        widths = {index: self._natural(index) for index in shown}
        shrinkable = [index for index in shown if not self.columns[index].right]
        while sum(widths.values()) + len(widths) - 1 > width:
            widest = max(
                shrinkable, key=lambda index: widths[index] - self.columns[index].least, default=None
            )
            if widest is None or widths[widest] <= self.columns[widest].least:
                break
            widths[widest] -= 1
        return widths

    def _natural(self, index: int) -> int:
        rows = [[column.title for column in self.columns], *self.rows, *([self.total] if self.total else [])]
        return max(cells(printable(row[index])) for row in rows)

    def fitting(self, width: int) -> list[int]:
        """Return the columns that there is room for; the first always is one."""
        shown = list(range(len(self.columns)))
        natural = [self._natural(index) for index in shown]
        least = [
            size if column.right else min(size, column.least) for column, size in zip(self.columns, natural)
        ]
        while len(shown) > 2 and sum(least[index] for index in shown) + len(shown) - 1 > width:
            shown.remove(min(shown[1:], key=lambda index: (self.columns[index].rank, -index)))
        return shown

    def _line(self, row: Sequence[str], widths: Mapping[int, int]) -> str:
        parts = (
            padded(row[index], width, right=self.columns[index].right) for index, width in widths.items()
        )
        return " ".join(parts).rstrip()


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return printable text that takes as many cells as ``width``, with spaces beside what is shorter."""
    shown = shorten(text, width)
    space = " " * (width - cells(shown))
    return space + shown if right else shown + space


def shorten(text: str, width: int) -> str:
    """Return printable text of at most ``width`` cells, with ``...`` in place of what is left out."""
    clean = printable(text)
    if cells(clean) <= width:
        return clean
    room, kept = max(width - len(_ELLIPSIS), 0), ""
    for character in clean[: 4 * room + 1]:
        if cells(kept + character) > room:
            break
        kept += character
    return kept + _ELLIPSIS[:width]


def wrap(heading: str, text: str, width: int = WIDTH) -> str:
    """Return a text under its heading, broken between words, further lines indented as far as the first.

    A word that is longer than a line is broken, too; a path or an address stays whole.
    """
    indent = " " * cells(heading)
    room = max(width - len(indent), _LEAST_ROOM)
    lines: list[str] = []
    for word in printable(" ".join(text.split("\n"))).split():
        if lines and cells(lines[-1]) + 1 + cells(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines += [word] if "/" in word else _pieces(word, room)
    return f"\n{indent}".join([f"{heading}{lines[0] if lines else ''}", *lines[1:]])


def _pieces(word: str, room: int) -> list[str]:
    """Return a word in pieces of at most so many cells."""
    pieces, taken = [""], 0
    for character in word:
        taken += cells(character)
        if taken > room:
            pieces.append("")
            taken = cells(character)
        pieces[-1] += character
    return pieces
