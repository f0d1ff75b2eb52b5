"""On which line of a TOML or JSON file a rule and its fields stand. Parsers don't say; an error must."""

from __future__ import annotations

import re
from collections.abc import Sequence
from json import JSONDecoder
from typing import Callable, Final, NamedTuple, Optional

__all__ = ["Positions", "json_positions", "toml_positions"]

_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*providers[ \t]*\]\]", re.MULTILINE)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_CASE: Final = re.compile(r"(\w+)\[(\d+)\]\Z")


class Positions(NamedTuple):
    """Where the rules of a text begin and end."""

    text: str
    spans: Sequence[tuple[int, int]]
    key: Callable[[str], re.Pattern[str]]
    """Returns the pattern of a field of that name."""
    header: Optional[Callable[[str], re.Pattern[str]]]
    """Returns the pattern of the table of a case of that name; None where there are no tables."""

    def line(self, number: int, field: str) -> int:
        """Return the line of a rule's field, or as near as can be told; 0 where nothing can be.

        Args:
            number: Of the rule, from 0.
            field: ``"usd_per_call"``, ``"usd_per_unit.characters"``, ``"prices[1].path"``.
        """
        if number >= len(self.spans):
            return 0
        at, end = self.spans[number]
        for name in field.split(".") if field else ():
            found, end = self._find(name, at, end)
            if found < 0:
                break
            at = found
        return self.text.count("\n", 0, at) + 1

    def _find(self, name: str, start: int, end: int) -> tuple[int, int]:
        """Return where a name stands, and where what it names ends at the latest."""
        case = _CASE.match(name)
        if case is not None:
            return self._find_case(case[1], int(case[2]), start, end)
        found = self.key(name).search(self.text, start, end)
        return (-1, end) if found is None else (found.start("name"), end)

    def _find_case(self, name: str, index: int, start: int, end: int) -> tuple[int, int]:
        if self.header is not None:
            found = [match.start("name") for match in self.header(name).finditer(self.text, start, end)]
            if index < len(found):
                return found[index], ([*found, end])[index + 1]
        first, end = self._find(name, start, end)
        spans = _json_spans(self.text, self.text.find("[", first)) if first >= 0 else ()
        return spans[index] if index < len(spans) else (first, end)


def toml_positions(text: str) -> Positions:
    """Return where the tables ``[[providers]]`` stand."""
    starts = [match.end() - len(match[0].lstrip()) for match in _HEADER.finditer(text)]
    spans = list(zip(starts, [*starts[1:], len(text)]))
    return Positions(text, spans, _toml_key, _toml_header)


def _toml_key(name: str) -> re.Pattern[str]:
    return re.compile(rf'(?:^|[{{,\n])[ \t]*"?(?P<name>{re.escape(name)})"?[ \t]*[=.]', re.MULTILINE)


def _toml_header(name: str) -> re.Pattern[str]:
    header = rf"^[ \t]*(?P<name>\[\[[ \t]*providers[ \t]*\.[ \t]*{re.escape(name)}[ \t]*\]\])"
    return re.compile(header, re.MULTILINE)


def _json_key(name: str) -> re.Pattern[str]:
    return re.compile(rf'(?P<name>"{re.escape(name)}")[ \t\r\n]*:')


def json_positions(text: str) -> Positions:
    """Return where the objects of the list stand."""
    at = _skip_space(text, 0)
    if text[at : at + 1] == "{":
        found = re.compile(r'"providers"[ \t\r\n]*:').search(text)
        at = -1 if found is None else _skip_space(text, found.end())
    return Positions(text, _json_spans(text, at), _json_key, None)


def _json_spans(text: str, at: int) -> list[tuple[int, int]]:
    """Return where the items of an array stand, as far as it is one."""
    spans: list[tuple[int, int]] = []
    decoder = JSONDecoder()
    if at < 0 or text[at : at + 1] != "[":
        return spans
    at += 1
    while True:
        at = _skip_space(text, at)
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            return spans
        spans.append((at, end))
        at = _skip_space(text, end)
        if text[at : at + 1] != ",":
            return spans
        at += 1


def _skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
