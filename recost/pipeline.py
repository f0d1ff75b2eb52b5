"""Steps for one finished exchange: exclude, resolve, price, aggregate.

A target is resolved once, so a repeated call costs a few field reads and an addition.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import repeat, starmap
from typing import Any, Callable, Final, Optional

from recost._late import importing
from recost._pacing import rest
from recost.aggregation.aggregator import MAX_LATENCY_MS, CallRecord, UnlockedAggregator
from recost.aggregation.breakdown import Facts
from recost.aggregation.window import TargetCounts, Window
from recost.events import RawEvent
from recost.interceptors.context import CostScope
from recost.interceptors.exchange import CallTarget, Exchange
from recost.interceptors.targets import clean_path, origin, shown_method
from recost.metering import Meter
from recost.pricing.cost import Cost
from recost.pricing.hosts import canonical_host
from recost.pricing.route import LONGEST_REMEMBERED, REMEMBERED, Route, Routes, Terms
from recost.pricing.usage.fields import add
from recost.pricing.usage.model import Number

__all__ = ["Pipeline"]

_MOST_PORTS: Final = 16
"""Ports of one target for which the exclusion is remembered."""
_OF_VALUES: Final = (ArithmeticError, AttributeError, TypeError, ValueError)
"""Errors of comparing and adding what is not a number."""
_FAILED: Final = Facts(Decimal(0), metered=False, source="computed", error=True)
"""Facts of a failed call that is free."""


class _Targets(dict[CallTarget, TargetCounts]):
    """Counts of the open window by target. A target with a query has the counts of the one without it."""

    def __missing__(self, target: CallTarget) -> Optional[TargetCounts]:
        scheme, host, port, path, method = target
        if "?" in path or "#" in path:
            return self.get((scheme, host, port, clean_path(path), method))
        return None


class Pipeline:
    """The steps that add finished exchanges to the open window. Not locked: one thread at a time.

    Args:
        routes: Resolves the targets of calls.
        aggregator: Adds the calls to the window.
        exclude_patterns: A call whose URL (without query) or host contains one of these is dropped.
        exclude_hosts: A call to one of these hosts is dropped.
        meter: Prices calls by more than their target. If None, only the flat prices of rules count.
        metered: Add up tokens, models and sources of cost, because responses are read.
        template_paths: Replace identifiers and secrets in paths.
        on_capture: Receives each call that is counted, with provider and endpoint.
        on_full: Receives a window that is closed because it has as many buckets as it may have.
        report: Receives errors. Nothing is raised.
    """

    def __init__(
        self,
        routes: Routes,
        aggregator: UnlockedAggregator,
        *,
        exclude_patterns: Iterable[str] = (),
        exclude_hosts: Iterable[str] = (),
        meter: Optional[Meter] = None,
        metered: bool = False,
        template_paths: bool = True,
        on_capture: Optional[Callable[[RawEvent], Any]] = None,
        on_full: Callable[[Window], Any],
        report: Callable[[BaseException], Any],
    ) -> None:
        self._routes = routes
        self._aggregator = aggregator
        self._patterns = tuple(pattern for pattern in exclude_patterns if pattern)
        self._excluded = frozenset(map(_canonical, exclude_hosts))
        self._excludes = bool(self._patterns or self._excluded)
        self._meter = meter
        self._metered = metered
        self._template_paths = template_paths
        self._on_capture = on_capture
        self._on_full = on_full
        self._report = report
        self._call = CallRecord()
        self._targets = _Targets()
        self._counts_targets = not metered and on_capture is None
        self._edition = 0

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        return self._aggregator.size

    def drain(self, inbox: deque[Exchange], limit: int = sys.maxsize) -> None:
        """Add up the calls that are in the inbox now: `process` for each, with the usual case in one place.

        Each call is counted once, whatever interrupts this. ``limit`` is the most that are taken.
        """
        self._forget_old_prices()
        exchange: Optional[Exchange] = None
        targets, window, number, counting = self._targets, self._aggregator.window, 0, False
        before = window.call_count
        try:
            for exchange in starmap(inbox.popleft, repeat((), min(len(inbox), limit))):
                try:
                    counts, status = targets[exchange.target], exchange.status
                    sent, received = exchange.request_bytes, exchange.response_bytes
                    latency_ms = (exchange.ended_ns - exchange.started_ns) / 1e6
                    usual = 0.0 <= latency_ms <= MAX_LATENCY_MS and sent >= 0 <= received and status >= 0
                except Exception as error:  # noqa: BLE001 - whatever fails here, the call has been made
                    usual = self._is_usual(error)
                if not usual or counts is None or exchange.costs or exchange.scope is not None:
                    before, window.call_count, number = before + number, before + number, 0
                    self._count_alone(exchange)
                    exchange, window = None, self._aggregator.window  # noqa: PLW2901 - it is counted
                    before = window.call_count
                    rest()
                    continue
                samples = counts.samples
                size = len(samples)
                calls = counts.calls + 1
                failed = counts.failed if 0 < status < 400 else counts.failed + 1
                sent += counts.sent
                received += counts.received
                counting = True
                counts.calls, counts.failed, counts.sent, counts.received = calls, failed, sent, received
                samples.append(latency_ms)
                exchange = None  # noqa: PLW2901 - it is counted
                counting = False
                number += 1
                if size >= counts.bucket.limit:
                    window.fold(counts.bucket)
        except BaseException as error:
            if counting:  # the same once more
                counts.calls, counts.failed, counts.sent, counts.received = calls, failed, sent, received
                if len(samples) == size:
                    samples.append(latency_ms)
            elif exchange is not None and self._aggregator.window is window and window.call_count == before:
                self._count_alone(exchange)
            elif isinstance(error, IndexError) and not inbox:
                return  # handed over meanwhile: a finaliser on this very thread may call `init`
            raise
        finally:
            window.call_count += number

    def process(self, exchange: Exchange) -> None:
        """Add one call, unless it is excluded. Malformed calls are recorded with whatever is known."""
        self._processed(exchange)

    def _processed(self, exchange: Exchange) -> Optional[Route]:
        """Process a call. Return its route, or None if it is excluded or malformed."""
        found: Optional[Route] = None
        try:
            route = exchange.route
            if route is None:  # the common case, without a call of `Routes.of`
                _, host, _, path, method = exchange.target
                route = exchange.route = self._routes.find((host, path, method))
            elif route.routes is not self._routes:
                route = self._routes.of(exchange)
            endpoint = route.endpoint or self._endpoint(route)
            excluded = self._excludes and self._is_excluded(exchange, route)
            failed = exchange.status == 0 or exchange.status >= 400
            latency_ms = (exchange.ended_ns - exchange.started_ns) / 1e6
            found = None if excluded else route
        except Exception as error:  # noqa: BLE001 - malformed or not, the call has been made
            self._report(error)
            route, endpoint, excluded = self._routes.find(("", "/", "")), "/", False
            failed, latency_ms = not _succeeded(exchange), 0.0
        if not excluded:
            self._count(exchange, route, endpoint, failed, latency_ms)
        if exchange.scope is not None and self._meter is not None:
            self._price_for(exchange.scope)
        return found

    def take(self) -> Optional[Window]:
        """Close the window and return it. None if it is empty."""
        self._targets.clear()  # before the window is closed, which adds up the counts
        return self._aggregator.take()

    def cost_of(self, exchange: Exchange) -> Optional[Cost]:
        """Return the cost of a call. None if it is excluded. On any thread."""
        if self._meter is None:
            return None
        if self._excludes and self._is_excluded(exchange, self._routes.of(exchange)):
            return None
        return self._meter.cost_of(exchange)

    def _is_usual(self, error: Exception) -> bool:
        """Return False. Report an error, unless it is of a mock's values and comes again with `process`."""
        if not isinstance(error, _OF_VALUES):
            self._report(error)
        return False

    def _count_alone(self, exchange: Exchange) -> None:
        """Process a call. If its target has been met before, have `drain` count the next calls to it."""
        usual = not exchange.costs and exchange.scope is None
        route = self._processed(exchange)
        if route is None or not usual or not self._counts_targets:
            return
        if route.met and len(route.path) <= LONGEST_REMEMBERED:
            try:
                self._count_target(exchange, route)
            except Exception as error:  # noqa: BLE001 - it has been counted
                self._report(error)
        route.met = True

    def _count_target(self, exchange: Exchange, route: Route) -> None:
        endpoint, failing = route.endpoint or self._endpoint(route), self._fixed_facts(route, failed=True)
        window = self._aggregator.window
        key = route.provider, endpoint, shown_method(exchange.method)
        if failing is None or key not in window.buckets:
            return
        if len(self._targets) >= REMEMBERED:
            self._forget_targets()
        scheme, _, port, _, _ = exchange.target
        self._targets[scheme, route.host, port, route.path, route.method] = window.count_target(
            key, self._fixed_facts(route, failed=False), failing
        )

    def _forget_targets(self) -> None:
        self._targets.clear()
        self._aggregator.window.settle()

    def _forget_old_prices(self) -> None:
        if self._meter is not None and self._meter.edition != self._edition:
            self._edition = self._meter.edition
            self._forget_targets()

    def _fixed_facts(self, route: Route, *, failed: bool) -> Optional[Facts]:
        """Return the facts of a call. None if they depend on more than its target and its failure."""
        terms = route.terms
        if not terms.priced:
            return _FAILED if failed and not terms.failed_calls_billed else terms.facts or _flat_facts(terms)
        costs = None if self._meter is None else self._meter.fixed_costs(route)
        if costs is None:
            return None
        cost = costs[failed]
        return Facts(cost.cents, metered=False, source=cost.source, error=failed)

    def _price_for(self, scope: CostScope) -> None:
        try:
            for collector in scope.collectors:
                collector.price_calls(self.cost_of)
        except Exception as error:  # noqa: BLE001 - as above
            self._report(error)

    def _count(
        self, exchange: Exchange, route: Route, endpoint: str, failed: bool, latency_ms: float
    ) -> None:
        call = self._call
        call.provider = route.provider
        call.endpoint_category = endpoint
        call.method = shown_method(exchange.target[4])
        call.latency_ms = latency_ms
        call.request_bytes = exchange.request_bytes
        call.response_bytes = exchange.response_bytes
        call.error = failed
        aggregator = self._aggregator
        cost_cents: Optional[Decimal] = None
        facts: Optional[Facts] = None
        try:
            known = exchange.costs and self._meter is not None and self._meter.has_priced(exchange)
            if not (known or exchange.scope is not None or self._metered):
                facts = self._fixed_facts(route, failed=failed)
            if facts is not None:
                cost_cents = facts.cost_cents
            else:
                cost_cents, facts = self._described(exchange, failed)
            if aggregator.would_overflow(call):
                self._make_room()
            aggregator.ingest(call, cost_cents, facts)
            if self._on_capture is not None:
                self._on_capture(self._event(exchange, route))
        except Exception as error:  # noqa: BLE001 - the next call must be counted all the same
            self._report(error)

    def _described(self, exchange: Exchange, failed: bool) -> tuple[Optional[Decimal], Optional[Facts]]:
        """Return the cost of a call in cents, and its facts."""
        if self._meter is None:
            return None, None
        cost = self._meter.cost_of(exchange)
        tags = () if exchange.scope is None else exchange.scope.tags
        facts = Facts(
            cost.cents,
            metered=self._metered,
            source=cost.source,
            model=_shown_model(cost, failed=failed),
            tokens=_tokens(cost),
            tags=tags,
            attempts=cost.attempts,
            error=failed,
        )
        return cost.cents, facts

    def _make_room(self) -> None:
        window = self.take()
        if window is None:
            return
        try:
            self._on_full(window)
        except Exception as error:  # noqa: BLE001 - the call that found the window full is still to be counted
            self._report(error)

    def _event(self, exchange: Exchange, route: Route) -> RawEvent:
        path = route.template if self._template_paths else route.path
        return replace(
            exchange.to_event(),
            url=origin(exchange.scheme, exchange.host, exchange.port) + path,
            path=path,
            provider=route.provider,
            endpoint_category=self._endpoint(route),
        )

    def _endpoint(self, route: Route) -> str:
        """Return the category that the rule names, or the path that may be shown."""
        endpoint: str = route.category or (route.template if self._template_paths else route.path)
        route.endpoint = endpoint
        return endpoint

    def _is_excluded(self, exchange: Exchange, route: Route) -> bool:
        where = exchange.scheme, exchange.port
        known = route.excluded.get(where)
        if known is None:
            if len(route.excluded) >= _MOST_PORTS:
                route.excluded.clear()
            known = route.excluded[where] = self._excludes_url(
                route, origin(exchange.scheme, route.host, exchange.port)
            )
        return known

    def _excludes_url(self, route: Route, origin_of: str) -> bool:
        host, url = route.host, origin_of + route.path
        if self._excluded and _canonical(host) in self._excluded:
            return True
        return any(pattern in url or pattern.lower() in host for pattern in self._patterns)


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    return canonical_host(host) or host.lower()


def _flat_facts(terms: Terms) -> Facts:
    """Return the facts of a call that succeeded, if its cost depends on the target only."""
    cents = terms.flat_cents
    source = "unknown" if cents is None else "computed" if terms.own else "estimated"
    facts = terms.facts = Facts(cents, metered=False, source=source)
    return facts


@lru_cache(maxsize=1)
def _model_name() -> Callable[..., Optional[str]]:
    with importing():
        from recost.endpoints.models import model_name  # noqa: PLC0415 - slow, as above

    return model_name


def _succeeded(exchange: Exchange) -> bool:
    """Return True if a malformed call has a status below 400."""
    return isinstance(exchange.status, int) and 0 < exchange.status < 400


def _shown_model(cost: Cost, *, failed: bool) -> Optional[str]:
    """Return the model as windows show it. If the response names no model, it is from the path."""
    if cost.model is None:
        return None
    return _model_name()(cost.model, from_path=cost.usage is None or cost.usage.model is None, failed=failed)


def _tokens(cost: Cost) -> dict[str, int]:
    """Return the tokens of a call by kind."""
    if cost.usage is None:
        return {}
    found: dict[str, Number] = {}
    for unit, number in cost.usage.units.items():
        kind = _TOKENS.get(unit)
        if kind is not None:
            found[kind] = number if kind not in found else add(found[kind], number)
    return {kind: whole for kind, number in found.items() if (whole := int(number))}


_TOKENS: Final = {
    "input_tokens": "input",
    "output_tokens": "output",
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "cache_write_1h_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}
