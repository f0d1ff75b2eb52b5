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
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple, Union

from recost._documents import parse_decimal, parse_json, read_document
from recost._validate import suggest
from recost.pricing.model import PathCase, PriceCase, ProviderDef
from recost.pricing.positions import Positions, json_positions, toml_positions

__all__ = ["RulesFileError", "load_rules"]

_TABLE: Final = "providers"
_NESTED: Final[Mapping[str, Any]] = {"prices": PriceCase, "path_cases": PathCase}
_REFUSAL: Final = re.compile(r"recost: \w+\.([\w.-]+): (.*)", re.DOTALL)
_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")
_PIP: Final = "pip install tomli"


class RulesFileError(ValueError):
    """A file with rules can't be used; names the file, the line and the field."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        where = f"{path}, line {line}" if line else str(path)
        super().__init__(f"recost: providers_file: {where}: {problem}")
        self.path = path
        self.line = line
        """Counted from 1; 0 where no line is to blame."""


class _Source(NamedTuple):
    """A file, and where its rules and their fields stand."""

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
    toml = _toml(file)
    try:
        return toml.loads(text, parse_float=parse_decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:  # TOMLDecodeError is a ValueError
        found = _AT_LINE.search(str(error))
        line = 0 if found is None else int(found[1] or text.count("\n") + 1)
        raise RulesFileError(file, line, f"it is not TOML: {_AT_LINE.sub('', str(error))}") from None


def _toml(file: Path) -> Any:
    """Return ``tomllib`` of Python 3.11, or ``tomli``, which is the same."""
    for name in ("tomllib", "tomli"):
        try:
            return import_module(name)
        except ModuleNotFoundError:  # noqa: PERF203 - two turns
            continue
    raise RulesFileError(file, 0, f"before Python 3.11, TOML needs tomli: {_PIP}; or write the rules as JSON")


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
