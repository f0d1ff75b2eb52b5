"""A check of token prices: the list in use, and its age."""

from __future__ import annotations

from datetime import date
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Optional

from recost._text import printable
from recost.cli._shared.list_age import age_of_list, is_old
from recost.cli.doctor.findings import CheckLines
from recost.pricing.list_place import ListPlace, how_to_install
from recost.pricing.price_list import (
    PriceList,
    PriceListError,
    builtin_day,
    list_in_use,
)

if TYPE_CHECKING:
    from recost.config import Settings

__all__ = ["check_prices"]


def check_prices(settings: Settings, today: date) -> CheckLines:
    """Look for genai-prices and for a list that is used in place of its own."""
    if find_spec("genai_prices") is None:
        note = f"without genai-prices, capture_usage=True has no price of tokens: {how_to_install()}"
        return CheckLines(["genai-prices  not installed"], notes=[note])
    found = CheckLines([f"genai-prices  {metadata.version('genai-prices')}"])
    place, listed = ListPlace.of(settings.prices_file), None
    if place is not None and (place.chosen or place.path.exists()):
        listed = _look_at(place, today, found)
    if listed is None:
        found.lines.append("list          that of genai-prices")
    day = builtin_day(today) if listed is None else listed.day
    found.lines.append(f"age           {age_of_list(day, today)}")
    if is_old(day, today):
        found.notes.append("the list is old: 'recost prices update' fetches the latest")
    return found


def _look_at(place: ListPlace, today: date, found: CheckLines) -> Optional[PriceList]:
    """Return the list in a file, if it is used."""
    path = printable(str(place.path))
    try:
        listed = list_in_use(place, today)
    except PriceListError as error:
        found.problems.append(f"price list {path}: {error}; the list of genai-prices is used in its place")
        return None
    if listed is None:
        found.notes.append(f"{path} is older than the list of genai-prices, and not used")
        return None
    found.lines += [f"file          {path}", f"list          {listed.models:,} models"]
    if listed.left_out:
        found.notes.append(f"{listed.left_out:,} models of the list can't be used by this genai-prices")
    return listed
