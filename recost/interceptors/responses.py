"""The exchange of a response, found by the response: what ``cost_for(response)`` looks up.

It is not an attribute of the response, which would show in copies, pickles and ``vars``. If the client gives
each response an object of its own that nobody looks at, it is an attribute of that. Else it stands in a table
that doesn't keep responses alive.
"""

from __future__ import annotations

import weakref
from typing import Any, Final, Optional, cast

from recost.interceptors.exchange import Exchange

__all__ = ["exchange_of", "remember"]

_HOLDERS: Final = ("stream", "_original_response")
"""Attributes of a response whose object may have the exchange as its ``_recost_exchange``."""

_exchanges: Final[dict[weakref.ref[Any], Exchange]] = {}
"""Exchanges by their response. Responses compare by identity."""
_forget: Final = _exchanges.pop
"""Called with the reference when a response dies. A Python function would take longer."""


def remember(response: Any, exchange: Exchange) -> None:
    """Note which exchange a response belongs to."""
    _exchanges[weakref.ref(response, _forget)] = exchange


def exchange_of(response: Any) -> Optional[Exchange]:
    """Return the exchange of a response, or None if it was not seen."""
    held = getattr(response, "__dict__", {})
    for name in _HOLDERS:
        exchange = getattr(held.get(name), "__dict__", {}).get("_recost_exchange")
        if exchange is not None:
            return cast("Exchange", exchange)
    computed = held.get("_cache")  # aiohttp's, of the response's properties
    if isinstance(computed, dict) and "_recost_exchange" in computed:
        return cast("Exchange", computed["_recost_exchange"])
    try:
        return _exchanges.get(weakref.ref(response))
    except TypeError:  # not a response: it can't be weakly referenced, or not hashed
        return None
