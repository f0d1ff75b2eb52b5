"""Definition of a budget: limit, period, matching calls, and the reaction to the limit."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Callable, Final, Literal, Optional, Union

from recost._money import as_written
from recost._patterns import LazyPattern
from recost._validate import as_items, as_path, invalid, is_number, is_text
from recost.budgets.calendar import PERIODS, Per, load_zone
from recost.globs import ANYTHING, Glob

__all__ = ["Budget"]

Amount = Union[Decimal, int, float, str]

_MAX_TEXT: Final = 200
_MOST: Final = Decimal(10) ** 12
_MOST_FRACTION: Final = 100
_DATED: Final = LazyPattern(
    r"[-@](?:\d{8}|\d{6}|\d{4}|\d{3}|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{2}-\d{2}|latest)"
)
"""Suffix with which providers name one version of a model."""
_DATED_LENGTHS: Final = (4, 5, 6, 7, 8, 9, 11)


@dataclass(frozen=True)
class Budget:
    """A limit on the cost of matching calls in a period.

    Raises:
        ValueError: A field is invalid. The message names the field, the given value and what is expected.
    """

    limit_usd: Amount
    """US dollars for one period. Converted to a `Decimal`."""
    per: Per = "day"
    """Length of a period, which begins at the zone's midnight, a week on Monday. ``"total"`` never ends."""
    name: Optional[str] = None
    """Name of the spending in files (default: made from the other fields)."""
    provider: Optional[str] = None
    """Count only calls to this provider."""
    model: Optional[str] = None
    """Count only responses of this model, including its dated versions. ``*`` is a wildcard."""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Count only calls with all of these tags."""
    on_exceed: Literal["callback", "raise"] = "callback"
    """``"raise"``: the next call that matches is refused with `RecostBudgetExceededError`."""
    callback: Optional[Callable[[Budget, Decimal, float], Any]] = None
    """Called with the budget, what is spent, and the fraction, once for each fraction in a period."""
    fractions: tuple[float, ...] = (0.5, 0.8, 1.0)
    """Fractions of the limit at which ``callback`` is called."""
    timezone: str = "UTC"
    """Time zone of the midnight at which periods begin, such as ``"Europe/Berlin"``."""
    unpriced: Union[Literal["ignore", "refuse"], Amount] = "ignore"
    """Calls of unknown cost are ignored, refused, or counted as this many US dollars each."""
    file: Optional[Union[str, os.PathLike[str]]] = None
    """File that keeps the spending, shared by all processes that name the same file.

    Without it, the processes of a project share their spending in local mode. With an API key, each process
    counts alone.
    """

    def __post_init__(self) -> None:
        self._set("limit_usd", _amount("limit_usd", self.limit_usd, zero=False))
        if self.per not in PERIODS:
            raise _invalid("per", self.per, f"one of {', '.join(PERIODS)}")
        for name in ("name", "provider", "model"):
            _check_text(name, getattr(self, name))
        self._set("tags", _checked_tags(self.tags))
        self._check_what_is_done()
        self._set("fractions", _checked_fractions(self.fractions))
        self._check_unpriced()
        try:
            load_zone(str(self.timezone))
        except ValueError as error:
            raise _invalid("timezone", self.timezone, str(error)) from None
        if self.file is not None:
            self._set("file", _checked_path(self.file))
        if self.name is None:
            self._set("name", self._described())

    @property
    def limit(self) -> Decimal:
        """``limit_usd`` as a `Decimal`."""
        return Decimal(self.limit_usd)

    def matches_model(self, model: Optional[str]) -> bool:
        """Return True if a model is the one that this budget is for."""
        if self.model is None or model is None:
            return self.model is None
        name, glob = model.lower(), _glob(self.model)
        dated = (size for size in _DATED_LENGTHS if _DATED.fullmatch(name, max(len(name) - size, 0)))
        return glob.matches(name) or any(glob.matches(name[:-size]) for size in dated)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_what_is_done(self) -> None:
        if self.on_exceed not in ("callback", "raise"):
            raise _invalid("on_exceed", self.on_exceed, "'callback' or 'raise'")
        if self.callback is None and self.on_exceed == "callback":
            raise _invalid("callback", None, "a function, because on_exceed is 'callback'")
        if self.callback is not None and not callable(self.callback):
            raise _invalid("callback", self.callback, "a function of the budget, the amount and the fraction")

    def _check_unpriced(self) -> None:
        if self.unpriced not in ("ignore", "refuse"):
            expected = "'ignore', 'refuse', or an amount of US dollars for each call"
            self._set("unpriced", _amount("unpriced", self.unpriced, zero=True, expected=expected))
        elif self.unpriced == "refuse" and self.on_exceed != "raise":
            raise _invalid("unpriced", self.unpriced, "'ignore' or an amount, unless on_exceed is 'raise'")

    def _described(self) -> str:
        parts = [self.provider, self.model, *(f"{name}={value}" for name, value in sorted(self.tags.items()))]
        period = "in total" if self.per == "total" else f"per {self.per}"
        zone = "" if self.timezone == "UTC" or self.per == "total" else f" ({self.timezone})"
        return " ".join([*filter(None, parts), period]) + zone


@lru_cache(maxsize=256)
def _glob(model: str) -> Glob:
    first, *more = re.split(r"\*+", model.lower())
    return Glob([first, *(part for text in more for part in (ANYTHING, text))])


def _invalid(name: str, given: object, expected: str) -> ValueError:
    return invalid(f"Budget.{name}", given, expected)


def _amount(name: str, given: object, *, zero: bool, expected: str = "") -> Decimal:
    """Return an amount of US dollars as the decimal number that it was written as."""
    least = "of 0 or more" if zero else "above 0"
    expected = expected or f"an amount of US dollars {least}, such as 50 or Decimal('0.05')"
    if isinstance(given, bool) or not isinstance(given, (Decimal, int, float, str)):
        raise _invalid(name, given, expected)
    try:
        amount = as_written(given)
        if not 0 <= amount <= _MOST or (not zero and not amount):
            raise _invalid(name, given, expected)
    except InvalidOperation:  # no number, or NaN, which can't be compared
        raise _invalid(name, given, expected) from None
    return amount


def _check_text(name: str, given: object) -> None:
    if given is not None and not is_text(given, _MAX_TEXT):
        raise _invalid(name, given, f"1 to {_MAX_TEXT} characters, not blank, without control characters")


def _checked_tags(given: object) -> dict[str, str]:
    """Return tags as `recost.tag` keeps them: values are texts."""
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(name, str) and name for name in given):
        raise _invalid("tags", given, "a mapping of names to values, as given to recost.tag")
    found = {name: str(value) for name, value in given.items()}
    for value in found.values():
        _check_text("tags", value)
    return found


def _checked_fractions(given: object) -> tuple[float, ...]:
    expected = f"numbers above 0, up to {_MOST_FRACTION}, such as (0.5, 1.0)"
    items = as_items(given)
    if items is None:
        raise _invalid("fractions", given, expected)
    for item in items:
        if not is_number(item) or not 0 < item <= _MOST_FRACTION:
            raise _invalid("fractions", item, expected)
    return tuple(sorted({float(item) for item in items}))


def _checked_path(given: object) -> str:
    """Return a path, absolute: the application may change its working directory later."""
    text = as_path(given)
    if text is None or text.endswith(("/", os.sep)):
        raise _invalid("file", given, "the path of a file")
    return os.path.abspath(os.path.expanduser(text))  # noqa: PTH100, PTH111 - importing pathlib takes longer
