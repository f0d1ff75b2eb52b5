"""Small files that people and other programs write (rules, baselines, budgets): read within bounds."""

from __future__ import annotations

import os
import re
import stat
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from recost._files import FOLLOWING_FLAGS
from recost.wire.parsing import MAX_DEPTH, too_deep

__all__ = ["TomlError", "parse_decimal", "parse_json", "parse_toml", "read_document"]

_MAX_BYTES: Final = 16 << 20
_MAX_DIGITS: Final = 60
_MAX_EXPONENT: Final = 60
_MAX_DOTS: Final = 1000
"""In one line of TOML. The parser takes time in the square of the parts of a dotted name."""
_NUMBER: Final = re.compile(r"[+-]?([0-9_]{0,100})\.?([0-9_]{0,100})(?:[eE]([+-]?[0-9_]{1,20}))?")
_AT_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


class TomlError(ValueError):
    """The error of a text that cannot be read as TOML."""

    def __init__(self, problem: str, line: int = 0, *, missing: bool = False) -> None:
        super().__init__(problem)
        self.line = line
        """Line of the mistake, from 1. 0 if it is not in one line."""
        self.missing = missing
        """True if no parser is installed."""


def read_document(path: Path, max_bytes: int = _MAX_BYTES) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        OSError: It can't be read.
        ValueError: It is not a regular file, too large, or not UTF-8.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | FOLLOWING_FLAGS), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"it has more than {max_bytes >> 20} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def parse_json(text: str) -> Any:
    """Return what a text of JSON holds. Fractions and powers are `Decimal`.

    Raises:
        ValueError: It is not JSON, has a name twice, is nested too deep, or has a number out of range.
    """
    import json  # noqa: PLC0415 - slow to import

    if too_deep(text.encode("utf-8", "surrogatepass")):
        raise ValueError(f"it has brackets nested deeper than {MAX_DEPTH}")
    try:
        return json.loads(
            text,
            parse_int=_parse_int,
            parse_float=parse_decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_once,
        )
    except RecursionError:
        raise ValueError(f"it has brackets nested deeper than {MAX_DEPTH}") from None


def parse_toml(text: str) -> dict[str, Any]:
    """Return the content of a TOML text. Fractions and powers are `Decimal`.

    Raises:
        TomlError: The text is invalid, has a number out of range, or Python before 3.11 lacks tomli.
    """
    for at, row in enumerate(text.split("\n"), 1):
        if row.count(".") > _MAX_DOTS:
            raise TomlError(f"it has more than {_MAX_DOTS:,} dots in one line", at)
    toml = _toml()
    try:
        found: dict[str, Any] = toml.loads(text, parse_float=parse_decimal)
    except (ValueError, RecursionError, ArithmeticError) as error:  # TOMLDecodeError is a ValueError
        place = _AT_LINE.search(str(error))
        line = 0 if place is None else int(place[1] or text.count("\n") + 1)
        raise TomlError(f"it is not TOML: {_AT_LINE.sub('', str(error))}", line) from None
    return found


def _toml() -> Any:
    """Return ``tomllib`` of Python 3.11, or ``tomli``, which is the same."""
    for name in ("tomllib", "tomli"):
        try:
            return import_module(name)
        except ModuleNotFoundError:  # noqa: PERF203 - two turns
            continue
    raise TomlError("before Python 3.11, TOML needs tomli: pip install tomli", missing=True)


def parse_decimal(text: str) -> Decimal:
    """Return a number of JSON or TOML.

    Raises:
        ValueError: It has more digits, or is larger or smaller, than any amount.
    """
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:20]!r} is not a number of at most {_MAX_DIGITS} digits")
    whole, fraction, exponent = found.groups()
    if len(whole) + len(fraction) > _MAX_DIGITS or abs(int(exponent or 0)) > _MAX_EXPONENT:
        raise ValueError(f"{text[:20]!r} is out of range: expected a number of at most {_MAX_DIGITS} digits")
    return Decimal(text)


def _parse_int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"{text[:20]!r}... is out of range: expected at most {_MAX_DIGITS} digits")
    return int(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"it has the name {twice[:40]!r} twice in one object")
    return found
