"""How old the list of prices of tokens is that this environment uses."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from typing import Optional

from recost.config import settled
from recost.pricing.list_place import ListPlace
from recost.pricing.price_list import OLD_AFTER_DAYS, builtin_day, day_of

__all__ = ["age_of_list", "is_old", "old_list"]


def age_of_list(day: Optional[date], today: date) -> str:
    """Return the age in words."""
    if day is None:
        return "of an unknown day"
    days = (today - day).days
    return f"of {day} ({days:,} {'day' if days == 1 else 'days'} old)"


def is_old(day: Optional[date], today: date) -> bool:
    """Tell whether it is so old that models and prices are likely to be missing."""
    return day is not None and (today - day).days > OLD_AFTER_DAYS


def old_list(today: date) -> Optional[str]:
    """Return what is to be said of the list below figures; None where it is recent, or there is none."""
    if find_spec("genai_prices") is None:
        return None
    try:
        place = ListPlace.of(settled("prices_file"))
    except ValueError:  # doctor says so
        return None
    listed = None if place is None else day_of(place.path, today)
    builtin = builtin_day(today)
    day = (
        listed
        if place is not None and place.chosen and listed
        else max(filter(None, (listed, builtin)), default=None)
    )
    if not is_old(day, today):
        return None
    return f"the list here is {age_of_list(day, today)}: 'recost prices update' fetches the latest"
