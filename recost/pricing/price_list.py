"""A price list in a file, in the form that genai-prices publishes: its location, content and day.

The file has the list as it is published, or an object that `recost prices update` writes. This has the list
under ``providers``, and the time of the download under ``fetched``. The content is checked before it is used,
because the file may be damaged, or somebody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Final, NamedTuple, Optional

from recost._documents import parse_json, read_document
from recost._files import reason_of
from recost._patterns import LazyPattern
from recost._text import printable
from recost.pricing.list_place import ListPlace, how_to_install

__all__ = [
    "LIST_URL",
    "MOST_BYTES",
    "OLD_AFTER_DAYS",
    "ListDay",
    "ListFile",
    "PriceList",
    "PriceListError",
    "builtin_day",
    "day_in_use",
    "day_of",
    "enveloped",
    "is_quick",
    "list_in_use",
    "parse_list",
    "read_list",
]

LIST_URL: Final = (
    "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json"
)
"""Address of the list of genai-prices, as in its ``update_prices.py`` of 2026-11."""
MOST_BYTES: Final = 16 << 20
OLD_AFTER_DAYS: Final = 60

_Signature = tuple[int, int, int]
_MOST_MODELS: Final = 50_000
_MOST_USD: Final = Decimal(1_000_000)
"""Bound on the price of one unit or of a million tokens."""
_LONGEST_REGEX: Final = 200
_MOST_REPEATS: Final = 1
_MOST_CHOICES: Final = 8
_REPEATS: Final = LazyPattern(r"[*+]|\{[0-9]{0,6},[0-9]{0,6}\}")
_CHOICES: Final = LazyPattern(r"[*+|]|(?<!\()\?|\{[0-9]{0,6},")
_NESTED: Final = LazyPattern(r"\)[*+{]|\{[0-9]{3}")
"""Constructs that make a pattern slow: a repeated group, or a long count."""
_FETCHED: Final = LazyPattern(r'\{"fetched": "([0-9]{4})-([0-9]{2})-([0-9]{2})T')
_STARTS: Final = LazyPattern(
    r'"start_date": ?"([0-9]{4})-([0-9]{2})-([0-9]{2})"'
    r"|start_date=datetime\.date\(([0-9]{4}), ([0-9]{1,2}), ([0-9]{1,2})\)"
)
_NO_LIST: Final = "invalid list: expected providers, as genai-prices publishes them"


class PriceListError(ValueError):
    """A list of prices can't be used. The message has the reason, but not the path."""


class ListDay(NamedTuple):
    """The day of a price list."""

    day: date
    fetched: bool
    """True if it is the day of the download. Otherwise it is the day of the list's latest dated price."""


class PriceList(NamedTuple):
    """A list that may be used."""

    providers: list[Any]
    """Objects of ``genai_prices.types.Provider``."""
    day: Optional[ListDay]
    """Day of the list. None if unknown."""
    models: int
    left_out: int
    """Models that this version of genai-prices can't use."""


def read_list(path: Path, today: date) -> PriceList:
    """Return the list in a file.

    Raises:
        PriceListError: The list is missing or invalid.
    """
    try:
        text = read_document(path, MOST_BYTES)
    except OSError as error:
        raise PriceListError(f"it can't be read: {reason_of(error)}") from None
    except ValueError as error:
        raise PriceListError(str(error)) from None
    return parse_list(text, today)


def parse_list(text: str, today: date) -> PriceList:
    """Return the list that a text of JSON holds.

    Raises:
        PriceListError: The list is missing or invalid.
    """
    try:
        document = parse_json(text)
    except (ValueError, InvalidOperation) as error:
        raise PriceListError(f"it is not JSON that can be used: {error}") from None
    raw = document.get("providers") if isinstance(document, dict) else document
    if not isinstance(raw, list) or not raw:
        raise PriceListError(_NO_LIST)
    if sum(len(each["models"]) for each in raw if _has_models(each)) > _MOST_MODELS:
        raise PriceListError(f"it has more than {_MOST_MODELS:,} models")
    reading = _Reading()
    providers = [provider for each in raw for provider in reading.provider(each)]
    models = sum(len(provider.models) for provider in providers)
    if not models:
        raise PriceListError(f"this genai-prices can use no model of its {reading.left_out:,}")
    return PriceList(providers, _day_in(text, today), models, reading.left_out)


class _Reading:
    """Conversion of a raw list. Models that genai-prices can't read are skipped and counted."""

    def __init__(self) -> None:
        try:
            types: Any = import_module("genai_prices.types")
            units: Any = import_module("genai_prices.data_units")
            self._read: Any = types._providers_from_raw  # noqa: SLF001 - a public one is missing
            self._keys = {unit["price_key"] for unit in units.unit_data.values()}
        except (ImportError, AttributeError, KeyError) as error:
            reason = f"genai-prices can't read it ({type(error).__name__})"
            raise PriceListError(f"{reason}: {how_to_install()}") from None
        self.left_out = 0

    def provider(self, raw: Any) -> Iterator[Any]:
        """Yield a provider, unless nothing of it can be used."""
        if not _has_models(raw):
            return
        models = [made for model in raw["models"] for made in self._model(model)]
        # Recost finds providers by its own rules, and reads usage itself.
        frame = self._made({**raw, "api_pattern": "", "model_match": None, "extractors": None, "models": []})
        if frame is not None and models:
            frame.models = models
            yield frame
        else:
            models = []
        self.left_out += len(raw["models"]) - len(models)

    def _model(self, raw: Any) -> Iterator[Any]:
        if not isinstance(raw, dict):
            return
        model = {**raw}
        for name in ("prices", "price_variants"):
            if name in model:
                model[name] = self._known(model[name])
        if all(map(_is_sound, _tables(model))):
            made = self._made({"id": "of", "name": "of", "api_pattern": "", "models": [model]})
            if made is not None:
                yield made.models[0]

    def _made(self, raw: dict[str, Any]) -> Any:
        try:
            return self._read([raw])[0] if all(map(is_quick, _regexes(raw))) else None
        except Exception:  # noqa: BLE001 - whatever that package finds wrong about it
            return None

    def _known(self, value: Any) -> Any:
        """Return prices without those of units that this genai-prices doesn't know: it would warn of each."""
        if isinstance(value, list):
            return [
                {**each, "prices": self._known(each.get("prices"))} if isinstance(each, dict) else each
                for each in value
            ]
        if not isinstance(value, dict):
            return value
        return {key: usd for key, usd in value.items() if key in self._keys}


def _has_models(raw: Any) -> bool:
    return isinstance(raw, dict) and isinstance(raw.get("models"), list)


def _tables(model: Mapping[str, Any]) -> Iterator[Any]:
    """Yield what a model's units cost: always, from a day on, at some hours, or with a tier."""
    for value in (model.get("prices"), model.get("price_variants")):
        for each in value if isinstance(value, list) else [{"prices": value}]:
            yield each.get("prices") if isinstance(each, dict) else each


def _is_sound(table: Any) -> bool:
    """Return True if the prices in a table are amounts."""
    if table is None:
        return True
    if not isinstance(table, dict):
        return False
    amounts: list[Any] = []
    for price in table.values():
        if isinstance(price, dict):
            tiers = price.get("tiers")
            amounts.append(price.get("base"))
            amounts += [each.get("price") for each in tiers] if isinstance(tiers, list) else [None]
        elif price is not None:
            amounts.append(price)
    return all(type(usd) in (int, Decimal) and 0 <= usd <= _MOST_USD for usd in amounts)


def _regexes(raw: Any) -> Iterator[Any]:
    if isinstance(raw, list):
        for each in raw:
            yield from _regexes(each)
    elif isinstance(raw, dict):
        for key, value in raw.items():
            if key == "regex":
                yield value
            else:
                yield from _regexes(value)


def is_quick(pattern: Any) -> bool:
    """Return True if a regular expression can be searched in any name without much backtracking.

    Patterns of models are simple. They need no repeated group and few alternatives.
    """
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_REGEX or _NESTED.search(pattern):
        return False
    if len(_REPEATS.findall(pattern)) > _MOST_REPEATS or len(_CHOICES.findall(pattern)) > _MOST_CHOICES:
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def enveloped(text: str, fetched: datetime, url: str) -> str:
    """Return a list as it is stored: with its URL and the time of the download.

    Raises:
        PriceListError: The text can't be a list.
    """
    if not (text.lstrip().startswith("[") and text.rstrip().endswith("]")):
        raise PriceListError(_NO_LIST)
    head = f'"fetched": "{fetched:%Y-%m-%dT%H:%M:%SZ}", "url": {json.dumps(url)}'
    return f'{{{head}, "providers": {text.strip()}}}\n'


def day_of(path: Path, today: date) -> Optional[ListDay]:
    """Return the day of the list in a file, without checking the list. None if unknown."""
    try:
        return _day_in(read_document(path, MOST_BYTES), today)
    except (OSError, ValueError):
        return None


def builtin_day(today: date) -> Optional[ListDay]:
    """Return the day of the list that genai-prices comes with, without importing it.

    Nothing in it says when it was made.
    """
    try:
        spec = find_spec("genai_prices")
        source = None if spec is None or spec.origin is None else Path(spec.origin).with_name("data.py")
    except (ImportError, ValueError):
        return None
    return None if source is None else day_of(source, today)


def list_in_use(place: ListPlace, today: date) -> Optional[PriceList]:
    """Return the list in a file. None if the list of genai-prices is used, because it is newer.

    Raises:
        PriceListError: The file has no list that can be used.
    """
    found = read_list(place.path, today)
    return None if _is_superseded(place, found.day, today) else found


def day_in_use(place: Optional[ListPlace], today: date) -> Optional[ListDay]:
    """Return the day of the list that is used, without checking the list. None if unknown."""
    found = None if place is None else day_of(place.path, today)
    if place is None or found is None or _is_superseded(place, found, today):
        return builtin_day(today)
    return found


def _is_superseded(place: ListPlace, found: Optional[ListDay], today: date) -> bool:
    """Return True if genai-prices has been updated since a list was fetched, so that its own is used."""
    builtin = None if place.chosen else builtin_day(today)
    return builtin is not None and found is not None and found.day < builtin.day


def _day_in(text: str, today: date) -> Optional[ListDay]:
    fetched = _FETCHED.match(text)
    found = [fetched.groups()] if fetched else [tuple(filter(None, each)) for each in _STARTS.findall(text)]
    days = []
    for parts in set(found):
        with suppress(ValueError):  # no day of the calendar
            days.append(date(*map(int, parts)))
    latest = max((day for day in days if day <= today), default=None)  # prices are announced beforehand
    return None if latest is None else ListDay(latest, fetched is not None)


class ListFile:
    """File that may hold a list of prices. Not locked: one thread at a time.

    Args:
        place: Where it is.
        report: Receives the problem and the error, once for each content.
    """

    def __init__(self, place: ListPlace, report: Callable[[str, Exception], None]) -> None:
        self._place = place
        self._report = report
        self._seen: Optional[_Signature] = None

    def changed(self) -> bool:
        """Return True if the file has changed since it was read."""
        return self._signature() != self._seen

    def read(self, today: date) -> tuple[Optional[PriceList], bool]:
        """Return the list, or None for the one of genai-prices, and True if it must replace the current one.

        False: what is there now can't be used, so whatever was in use before stays.
        """
        signature = self._seen = self._signature()
        if signature is None and not self._place.chosen:
            return None, True
        try:
            return list_in_use(self._place, today), True
        except PriceListError as error:
            self._report(f"price list {printable(str(self._place.path))}: {error}; it is not used", error)
            return None, False

    def _signature(self) -> Optional[_Signature]:
        try:
            status = self._place.path.stat()
        except (OSError, ValueError):
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
