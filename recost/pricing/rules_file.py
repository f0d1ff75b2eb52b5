"""Rules in a file of the user's: TOML or JSON, with the fields of `ProviderDef`.

    [[providers]]
    host_pattern = "*.proxy.example.com"
    provider = "proxy"
    usd_per_gb = 3.50

    [[providers.prices]]
    path = "/v1/*/render"
    usd_per_call = 0.002

JSON has the same: ``{"providers": [{"host_pattern": …}]}``, or only the list.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from datetime import date
from decimal import Decimal
from json import JSONDecoder
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple, Optional, Union

from recost._documents import TomlError, parse_json, parse_toml, read_document
from recost._validate import suggest
from recost.pricing.model import PathCase, PriceCase, ProviderDef

__all__ = ["Positions", "RulesFileError", "json_positions", "load_rules", "toml_positions"]

_HEADER: Final = re.compile(r"^[ \t]*\[\[[ \t]*providers[ \t]*\]\]", re.MULTILINE)
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_CASE: Final = re.compile(r"(\w+)\[(\d+)\]\Z")

_TABLE: Final = "providers"
_NESTED: Final[Mapping[str, Any]] = {"prices": PriceCase, "path_cases": PathCase}
_REFUSAL: Final = re.compile(r"recost: \w+\.([\w.-]+): (.*)", re.DOTALL)


class RulesFileError(ValueError):
    """The error of a rules file that can't be used. The message names the file, the line and the field."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        where = f"{path}, line {line}" if line else str(path)
        super().__init__(f"recost: providers_file: {where}: {problem}")
        self.path = path
        self.line = line
        """Line of the mistake, from 1. 0 if the mistake is not in one line."""


class _Source(NamedTuple):
    """A file, and the positions of its rules and their fields."""

    path: Path
    positions: Positions

    def refuse(self, number: int, field: str, problem: str) -> RulesFileError:
        name = f"{_TABLE}[{number}]" + (f".{field}" if field else "")
        return RulesFileError(self.path, self.positions.line(number, field), f"{name}: {problem}")


def load_rules(path: Union[str, os.PathLike[str]]) -> tuple[ProviderDef, ...]:
    """Return the rules of a ``.toml`` or ``.json`` file, in their order.

    Raises:
        RulesFileError: It can't be read or parsed, or a rule in it is refused.
    """
    file = Path(path)
    try:
        text = read_document(file)
    except OSError as error:
        raise RulesFileError(file, 0, f"it can't be read: {error.strerror}") from None
    except ValueError as error:  # of the content, or a path with NUL in it
        raise RulesFileError(file, 0, str(error)) from None
    readers: dict[str, tuple[Callable[[Path, str], Any], Callable[[str], Positions]]] = {
        ".json": (_read_json, json_positions),
        ".toml": (_read_toml, toml_positions),
    }
    if file.suffix.lower() not in readers:
        raise RulesFileError(file, 0, "its name must end in .toml or .json")
    read, locate = readers[file.suffix.lower()]
    items = _items(file, read(file, text))
    source = _Source(file, locate(text))
    return tuple(_rule(source, number, item) for number, item in enumerate(items))


def _read_json(file: Path, text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        line, problem = getattr(error, "lineno", 0), getattr(error, "msg", str(error))
        raise RulesFileError(file, line, f"it is not JSON: {problem}") from None


def _read_toml(file: Path, text: str) -> Any:
    try:
        return parse_toml(text)
    except TomlError as error:
        remedy = "; or write the rules as JSON" if error.missing else ""
        raise RulesFileError(file, error.line, f"{error}{remedy}") from None


def _items(file: Path, document: Any) -> list[Any]:
    items = document.get(_TABLE) if isinstance(document, dict) else document
    if isinstance(document, dict) and document.keys() - {_TABLE}:
        odd = min(document.keys() - {_TABLE})
        raise RulesFileError(file, 0, f"got {odd!r} at the top, expected {_TABLE!r} only")
    if not isinstance(items, list):
        raise RulesFileError(file, 0, f"expected a list of rules under {_TABLE!r}")
    return items


def _rule(source: _Source, number: int, item: Any) -> ProviderDef:
    values = _table(source, number, "", item, ProviderDef)
    for name, kind in _NESTED.items():
        if name in values:
            values[name] = _cases(source, number, name, values[name], kind)
    return _make(source, number, "", values, ProviderDef)  # type: ignore[no-any-return]


def _cases(source: _Source, number: int, name: str, items: Any, kind: Any) -> tuple[Any, ...]:
    if not isinstance(items, list):
        raise source.refuse(number, name, "expected a list of tables")
    found = []
    for index, item in enumerate(items):
        inside = f"{name}[{index}]"
        found.append(_make(source, number, inside, _table(source, number, inside, item, kind), kind))
    return tuple(found)


def _table(source: _Source, number: int, inside: str, item: Any, kind: Any) -> dict[str, Any]:
    """Return a table of the fields of a class."""
    if not isinstance(item, dict):
        raise source.refuse(number, inside, "expected a table of fields")
    known = [field.name for field in fields(kind)]
    for name in item:
        if name not in known:
            raise source.refuse(number, _join(inside, name), f"invalid field: {suggest(name, known)}")
    return dict(item)


def _make(source: _Source, number: int, inside: str, values: dict[str, Any], kind: Any) -> Any:
    cents, day = values.get("cost_per_request_cents"), values.get("price_date")
    if isinstance(cents, Decimal):
        values["cost_per_request_cents"] = float(cents)
    if isinstance(day, date):  # TOML has dates of its own
        values["price_date"] = day.isoformat()[:10]
    try:
        return kind(**values)
    except TypeError:
        needed = [field.name for field in fields(kind) if _is_needed(field)]
        missing = [name for name in needed if name not in values]
        raise source.refuse(number, inside, f"{', '.join(missing)} is missing") from None
    except ValueError as error:
        found = _REFUSAL.match(str(error))
        if found is None:
            raise source.refuse(number, inside, str(error)) from None
        raise source.refuse(number, _join(inside, found[1]), found[2]) from None


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _join(inside: str, name: str) -> str:
    return f"{inside}.{name}" if inside else name


class Positions(NamedTuple):
    """Positions of the rules of a text."""

    text: str
    spans: Sequence[tuple[int, int]]
    key: Callable[[str], re.Pattern[str]]
    """Returns the pattern of a field of that name."""
    header: Optional[Callable[[str], re.Pattern[str]]]
    """Returns the pattern of the table of a case of that name. None for JSON, which has no tables."""

    def line(self, number: int, field: str) -> int:
        """Return the line of a rule's field, or the nearest known line. 0 if unknown.

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
        """Return the position of a name, and an upper bound of the end of its value."""
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
    """Return the positions of the tables ``[[providers]]``."""
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
    """Return the positions of the objects of the list."""
    at = _skip_space(text, 0)
    if text[at : at + 1] == "{":
        found = re.compile(r'"providers"[ \t\r\n]*:').search(text)
        at = -1 if found is None else _skip_space(text, found.end())
    return Positions(text, _json_spans(text, at), _json_key, None)


def _json_spans(text: str, at: int) -> list[tuple[int, int]]:
    """Return the positions of the items of an array, up to the first malformed one."""
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
