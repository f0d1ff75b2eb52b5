"""Tables of plain text that fit a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Union

from recost._money import format_column
from recost._text import cells, printable
from recost.cli._shared.formats import UNKNOWN, Costed, is_unknown
from recost.cli._shared.terminal import WIDTH, Style

__all__ = ["Cell", "Column", "Table", "Usd", "cost_cell", "padded", "shorten", "texts_of", "wrap"]

_ELLIPSIS: Final = "..."
_LEAST_ROOM: Final = 8
"""The least width of a text beside its heading."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Alignment to the right, for figures, which are never shortened."""
    least: int = 4
    """The width to which the column may be shortened."""
    rank: int = 1
    """The order in which columns are dropped on a narrow terminal: the lowest rank first, from the right."""


@dataclass(frozen=True)
class Usd:
    """An amount of US dollars in a cell. All amounts of a column have the same number of places."""

    amount: Decimal
    mark: str = ""
    """Text after the amount."""


Cell = Union[str, Usd]


def cost_cell(sums: Costed) -> Cell:
    """Return the cell of a cost."""
    return UNKNOWN if is_unknown(sums) else Usd(sums.cost_usd)


def texts_of(rows: Sequence[Sequence[Cell]], *, alike: bool = False) -> list[list[str]]:
    """Return rows with their amounts as text. ``alike`` gives all columns the same number of places."""
    if alike:
        texts = iter(_texts([cell for row in rows for cell in row]))
        return [[next(texts) for _ in row] for row in rows]
    columns = [_texts(column) for column in zip(*rows)]
    return [list(row) for row in zip(*columns)]


def _texts(column: Sequence[Cell]) -> list[str]:
    amounts = iter(format_column([cell.amount for cell in column if isinstance(cell, Usd)]))
    return [next(amounts) + cell.mark if isinstance(cell, Usd) else cell for cell in column]


@dataclass
class Table:
    """Rows under headings, with an optional row of totals."""

    columns: Sequence[Column]
    rows: list[Sequence[Cell]] = field(default_factory=list)
    total: Sequence[Cell] = ()
    alike: bool = False
    """True if the amounts of all columns have the same number of places."""

    def texts(self) -> list[list[str]]:
        """Return the cells as text: the headings, the rows, and the totals if there are any."""
        titles = [column.title for column in self.columns]
        rows = [*self.rows, *([self.total] if self.total else [])]
        return [titles, *texts_of(rows, alike=self.alike)]

    def render(self, style: Style, width: int = WIDTH) -> str:
        """Return the table.

        Columns of text are shortened to fit into ``width``, and the least important columns are dropped.
        """
        texts = self.texts()
        widths = _widths(self.columns, texts, width)
        lines = [self._line(row, widths) for row in texts]
        rule = "-" * (sum(widths.values()) + len(widths) - 1)
        lines[:1] = [style(lines[0], "bold"), rule]
        if self.total:
            lines[-1:] = [rule, style(lines[-1], "bold")]
        return "\n".join(lines)

    def widths(self, width: int) -> dict[int, int]:
        """Return the columns that fit into ``width``, each with its own width."""
        return _widths(self.columns, self.texts(), width)

    def _line(self, row: Sequence[str], widths: Mapping[int, int]) -> str:
        parts = (
            padded(row[index], width, right=self.columns[index].right) for index, width in widths.items()
        )
        return " ".join(parts).rstrip()


def _widths(columns: Sequence[Column], texts: Sequence[Sequence[str]], width: int) -> dict[int, int]:
    natural = [max(cells(printable(text)) for text in column) for column in zip(*texts)]
    widths = {index: natural[index] for index in _fitting(columns, natural, width)}
    shrinkable = [index for index in widths if not columns[index].right]
    while sum(widths.values()) + len(widths) - 1 > width:
        widest = max(shrinkable, key=lambda index: widths[index] - columns[index].least, default=None)
        if widest is None or widths[widest] <= columns[widest].least:
            break
        widths[widest] -= 1
    return widths


def _fitting(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Return the columns that fit. The first column always does."""
    shown = list(range(len(columns)))
    least = [size if column.right else min(size, column.least) for column, size in zip(columns, natural)]
    while len(shown) > 2 and sum(least[index] for index in shown) + len(shown) - 1 > width:
        shown.remove(min(shown[1:], key=lambda index: (columns[index].rank, -index)))
    return shown


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return printable text of exactly ``width`` cells."""
    shown = shorten(text, width)
    space = " " * (width - cells(shown))
    return space + shown if right else shown + space


def shorten(text: str, width: int) -> str:
    """Return printable text of at most ``width`` cells. A shortened text ends with ``...``."""
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
    """Return a text beside its heading, broken between words and indented.

    A word that is longer than a line is broken. A path or an address stays whole.
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
    """Return a word in pieces of at most ``room`` cells."""
    pieces, taken = [""], 0
    for character in word:
        taken += cells(character)
        if taken > room:
            pieces.append("")
            taken = cells(character)
        pieces[-1] += character
    return pieces
