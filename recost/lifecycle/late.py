"""A pipeline that is imported and made when the first call is added up, on recost's own thread."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost._late import compiled_text, importing
from recost._pacing import rest, short_turns

if TYPE_CHECKING:
    from recost.aggregation.window import Window
    from recost.interceptors.exchange import Exchange
    from recost.metering import Meter
    from recost.pipeline import Pipeline
    from recost.pricing.cost import Cost

__all__ = ["MODULES", "LatePipeline"]

_STANDARD: Final = "ast dis tokenize inspect dataclasses decimal json pathlib"
_OWN: Final = """
    _money wire events aggregation.breakdown aggregation.quantiles aggregation.window aggregation.aggregator
    captured pricing.usage pricing.cost pricing.list_place pricing.genai_data pricing.rates pricing.modalities
    pricing.genai globs pricing.hosts pricing.checking pricing.prices pricing.paths pricing.model
    pricing.index pricing.registry pricing.usage.fields pricing.usage.names pricing.usage.request_fields
    pricing.route pricing.units pricing.resale pricing.pricer metering grouping pipeline lifecycle.rules
    pricing.sources pricing.providers endpoints.vocabulary endpoints.words endpoints.names endpoints.shapes
    endpoints.segments endpoints.templating delivery.stats_file
"""
MODULES: Final = (*_STANDARD.split(), *(f"recost.{name}" for name in _OWN.split()))
"""Modules that the first call needs, each behind what it imports: other threads may run in between."""


class LatePipeline:
    """The stand-in for a pipeline that takes longer to import than all the rest of ``init()``.

    Where that fails (a process without free file descriptors), calls stay in the inbox until the next turn.

    Args:
        make: Imports and returns the pipeline and its meter. It receives the time at which the window began,
            in seconds since the epoch.
        report: Receives errors of `cost_of`, which is called by the application.
    """

    def __init__(
        self, make: Callable[[float], tuple[Pipeline, Meter]], *, report: Callable[[BaseException], None]
    ) -> None:
        self._make = make
        self._report = report
        self._made: Optional[tuple[Pipeline, Meter]] = None
        self._since = time.time()

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        return 0 if self._made is None else self._made[0].size

    @property
    def excluded(self) -> int:
        """Number of calls that were excluded."""
        return 0 if self._made is None else self._made[0].excluded

    def drain(self, inbox: deque[Exchange], limit: int) -> None:
        """Add up the calls that are in the inbox now, at most ``limit``, and remove them from it."""
        if inbox:
            self._load()[0].drain(inbox, limit)

    def take(self) -> Optional[Window]:
        """Close the open window and return it. None when it is empty."""
        if self._made is None:
            self._since = time.time()
            return None
        return self._made[0].take()

    def cost_of(self, exchange: Exchange) -> Optional[Cost]:
        """Return the cost of a call. None if it is excluded. On any thread."""
        try:
            pipeline, _ = self._load()
        except Exception as error:  # noqa: BLE001 - the application has asked, and must not get this
            self._report(error)
            return None
        return pipeline.cost_of(exchange)

    def refresh(self) -> None:
        """Look for newer prices."""
        if self._made is not None:
            self._made[1].refresh()

    def _load(self) -> tuple[Pipeline, Meter]:
        if self._made is None:
            from importlib import import_module  # noqa: PLC0415 - later than `init`

            # Also while it is made: there is only one, whose window all calls are in.
            with importing(), short_turns():
                for name in MODULES:
                    with suppress(ImportError, OSError):  # reported by what needs the module
                        import_module(name)
                    rest()
                made = self._make(self._since)
                self._made = self._made or made  # a finaliser on this very thread may have been first
            compiled_text()
        return self._made
