"""Text from outside, made inert for where it goes: names in windows, paths, terminals, CSV, Markdown.

A name of a model, a tag or a file is data from strangers. Each medium has one function here, so that what is
written there shows the name and does nothing else. SQL has its own: `recost.analytics.engine.literal` and
`identifier`.
"""

from __future__ import annotations

import re
from typing import Final

from recost._patterns import LazyPattern

__all__ = ["cells", "csv_cell", "markdown", "printable"]

_JOINERS: Final = frozenset("\u200c\u200d")
"""Format characters that words and emoji are spelled with. They change neither direction nor position."""
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that begin a formula in the cell of a spreadsheet, full-width forms included.
Source: OWASP, CSV injection, read 2026-11-29."""
_ENTITIES: Final = {
    **{character: f"&#{ord(character)};" for character in "<>[]!&`*_~$"},
    "@": "&#64;&#8203;",
    "#": "&#35;&#8203;",
    ":": "&#58;&#8203;",
    "\\": "\\\\",
    "|": "\\|",
}
"""Markup as entities, which form no structure. A mention, an issue or an address is also recognised in the
finished text, so a space of no width follows its mark."""
_MARKUP: Final = LazyPattern(r"[<>\[\]!&`*~$@#\\|]|:(?=//)|(?<![^\W_])_|_(?![^\W_])")
_WWW: Final = LazyPattern(r"\bwww\.", re.IGNORECASE)


def printable(text: str) -> str:
    """Return a text without characters that control a terminal.

    Control and format characters (escape sequences, line ends, direction marks), surrogates and
    unassigned characters become ``?``. Spaces of any width become a plain one.
    """
    if text.isprintable():
        return text
    return "".join(map(_inert, text))


def _inert(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() and character not in "\n\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029" else "?"


def csv_cell(text: str) -> str:
    """Return a text as a CSV cell that a spreadsheet does not evaluate as a formula.

    An apostrophe is put before the characters that begin a formula: ``=``, ``+``, ``-``, ``@``.
    """
    clean = printable(text)
    return f"'{clean}" if clean.lstrip(" '\"").startswith(_FORMULA) else clean


def markdown(text: str) -> str:
    """Escape a text for a line or a table cell of Markdown."""
    clean = _MARKUP.sub(lambda found: _ENTITIES[found.group()], printable(text))
    return _WWW.sub(lambda found: f"{found.group()[:3]}&#8203;.", clean)


def cells(text: str) -> int:
    """Count the cells of a terminal that a printable text takes.

    East Asian characters and emoji take two, combining marks and joiners take no room. Source: Unicode TR11.
    """
    if text.isascii():
        return len(text)
    return sum(map(_cells_of, text))


def _cells_of(character: str) -> int:
    import unicodedata  # noqa: PLC0415 - for tables of commands only

    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
