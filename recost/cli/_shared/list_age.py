"""The age of the list of token prices in use."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from typing import Optional

from recost.config import resolve_one
from recost.pricing.list_place import ListPlace
from recost.pricing.price_list import OLD_AFTER_DAYS, ListDay, day_in_use

__all__ = ["age_of_list", "is_old", "old_list"]


def age_of_list(found: Optional[ListDay], today: date) -> str:
    """Return the age in words."""
    if found is None:
        return "not known"
    days = (today - found.day).days
    what = "fetched on" if found.fetched else "its latest price is of"
    return f"{what} {found.day} ({days:,} {'day' if days == 1 else 'days'} ago)"


def is_old(found: Optional[ListDay], today: date) -> bool:
    """Return True if models and prices are likely to be missing in a list of this age."""
    return found is not None and (today - found.day).days > OLD_AFTER_DAYS


def old_list(today: date) -> Optional[str]:
    """Return a warning about an old list, or None if it is recent or missing."""
    if find_spec("genai_prices") is None:
        return None
    try:
        place = ListPlace.of(resolve_one("prices_file"))
    except ValueError:  # doctor says so
        return None
    listed = day_in_use(place, today)
    if not is_old(listed, today):
        return None
    age = age_of_list(listed, today)
    return f"the list of prices is old, {age}: 'recost prices update' fetches the latest"
