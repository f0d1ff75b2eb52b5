"""Prices of a rule, and of those of its calls with a certain host, path or method."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Callable, Final, Optional, Union

from recost._validate import invalid
from recost.globs import ANYTHING, Glob, Wild
from recost.pricing.checking import (
    check_date,
    check_name,
    check_names,
    check_text,
    check_type,
    check_usd,
    check_usd_per_unit,
)

__all__ = ["CALLS", "NO_USAGE", "PRICE_FIELDS", "PriceCase", "Prices", "check_prices", "computed_once"]

CALLS: Final = "calls"
"""The unit of ``free_units`` that counts calls."""
NO_USAGE: Final = "none"
"""Value of ``usage`` for responses that are not read."""

_PER_BYTES: Final = ("usd_per_gb", "usd_per_gb_up", "usd_per_gb_down")
_AMOUNTS: Final = ("usd_per_call", *_PER_BYTES, "fixed_usd", "minimum_usd")
_FACTOR: Final = "genai_factor"
_METHOD: Final = re.compile(r"[A-Z]+(?:\|[A-Z]+)*\Z")
_COMPILED: Final = 4096


class computed_once:  # noqa: N801 - used like a property
    """A property that is computed at the first access and then an ordinary attribute.

    `functools.cached_property` holds a lock while it computes, up to Python 3.11. After a fork the child may
    inherit that lock locked.
    """

    def __init__(self, compute: Callable[[Any], Any]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, owner: Any, kind: object = None) -> Any:
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._compute(owner)
        return value


@dataclass(frozen=True)
class Prices:
    """Shape of the responses, and prices. `ProviderDef` documents each field.

    Raises:
        ValueError: A field is blank, malformed or of the wrong type.
    """

    usage: Optional[str] = None
    genai_provider: Optional[str] = None
    genai_factor: Optional[Decimal] = None
    usd_per_call: Optional[Decimal] = None
    usd_per_gb: Optional[Decimal] = None
    usd_per_gb_up: Optional[Decimal] = None
    usd_per_gb_down: Optional[Decimal] = None
    usd_per_unit: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    fixed_usd: Optional[Decimal] = None
    free_units: Mapping[str, Decimal] = field(default_factory=dict, hash=False)
    minimum_usd: Optional[Decimal] = None
    leaves_out: tuple[str, ...] = ()
    price_source: Optional[str] = None
    price_date: Optional[str] = None

    def __post_init__(self) -> None:
        check_prices(type(self).__name__, self)

    @property
    def shape(self) -> Optional[str]:
        """Name of the response's shape. None if usage is not read."""
        return None if self.usage == NO_USAGE else self.usage

    @computed_once
    def by_size(self) -> bool:
        """True if bytes have a price."""
        return any(getattr(self, name) is not None for name in _PER_BYTES)

    @computed_once
    def is_priced(self) -> bool:
        """True if anything has a price of its own, even 0."""
        return bool(self.usd_per_unit) or any(getattr(self, name) is not None for name in _AMOUNTS)

    @computed_once
    def is_priced_unread(self) -> bool:
        """True if anything has a price that is known without the response's usage."""
        return any(getattr(self, name) is not None for name in _AMOUNTS)


PRICE_FIELDS: Final = tuple(Prices.__dataclass_fields__)


@dataclass(frozen=True)
class PriceCase(Prices):
    """Prices of some calls of a rule, selected by host, path or method.

    The first match replaces the prices of the rule, but not its provider and category.
    ``usage``, ``genai_provider`` and ``genai_factor`` are the rule's where they are None.

    Raises:
        ValueError: A field is blank, malformed or of the wrong type.
    """

    path: Optional[str] = None
    """A template: ``*`` is anything within a segment, ``**`` anything at all. None matches every path.

    Example: ``/2010-04-01/Accounts/*/Messages.json``, ``/v1/files/**``.
    """
    method: Optional[str] = None
    """``"POST"``, ``"GET|HEAD"``. None matches every method."""
    host: Optional[str] = None
    """A template: ``*`` is anything within a label, a leading ``*.`` any labels. None matches every host."""

    def __post_init__(self) -> None:
        expected = "None, or a path that begins with '/', without query"
        if self.path is not None:
            check_type("PriceCase.path", self.path, str, expected)
            if not self.path.startswith("/") or "?" in self.path:
                raise invalid("PriceCase.path", self.path, expected)
        if self.host is not None:
            check_text("PriceCase.host", self.host)
        if self.method is not None:
            expected = "None, or methods in upper case, such as 'POST' or 'GET|HEAD'"
            check_type("PriceCase.method", self.method, str, expected)
            if _METHOD.match(self.method) is None:
                raise invalid("PriceCase.method", self.method, expected)
        check_prices("PriceCase", self)

    def matches(self, host: str, path: str, method: str) -> bool:
        """Return True if a call that the rule matches is one of these."""
        return self.matches_host(host, method) and self.matches_path(path)

    def matches_host(self, host: str, method: str) -> bool:
        """Return True if some paths of a host are among these, with this method."""
        if self.method is not None and method.upper() not in self.method.split("|"):
            return False
        return self.host is None or _host_glob(self.host).matches(host.rstrip(".").lower())

    def matches_path(self, path: str) -> bool:
        """Return True if a path is one of these."""
        return self.path is None or _path_glob(self.path).matches(path)


def check_prices(owner: str, prices: Any) -> None:
    """Check the fields of `Prices`, and convert their numbers to exact ones."""
    values: dict[str, Any] = prices.__dict__  # frozen, but not yet made
    for name in ("usage", "genai_provider"):
        if values[name] is not None:
            check_name(f"{owner}.{name}", values[name])
    for name in (*_AMOUNTS, _FACTOR):
        if values[name] is not None:
            values[name] = check_usd(f"{owner}.{name}", values[name])
    for name in ("usd_per_unit", "free_units"):
        if values[name] != {}:
            values[name] = check_usd_per_unit(f"{owner}.{name}", values[name])
    if values["leaves_out"] != ():
        values["leaves_out"] = check_names(f"{owner}.leaves_out", values["leaves_out"])
    if values["price_source"] is not None:
        check_text(f"{owner}.price_source", values["price_source"])
    if values["price_date"] is not None:
        check_date(f"{owner}.price_date", values["price_date"])


@lru_cache(maxsize=_COMPILED)
def _host_glob(template: str) -> Glob:
    name = template.lower()
    beginning: list[Union[str, Wild]] = [Wild(least=1), "."] if name.startswith("*.") else []
    return Glob([*beginning, *_between(Wild("."), name[2:].split("*") if beginning else name.split("*"))])


@lru_cache(maxsize=_COMPILED)
def _path_glob(template: str) -> Glob:
    pieces = [list(_between(Wild("/", least=1), piece.split("*"))) for piece in template.split("**")]
    first, *more = pieces
    return Glob([*first, *(part for piece in more for part in (ANYTHING, *piece))])


def _between(wild: Wild, texts: Sequence[str]) -> Iterator[Union[str, Wild]]:
    for number, text in enumerate(texts):
        if number:
            yield wild
        yield text
