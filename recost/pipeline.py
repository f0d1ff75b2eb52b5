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
from typing import Any, Callable, Final, Optional

from recost.aggregation.aggregator import CallRecord, UnlockedAggregator
from recost.aggregation.breakdown import Facts, Tags
from recost.aggregation.window import Key, TargetCounts, Window
from recost.events import RawEvent
from recost.grouping import GroupKey, Groups, Kind
from recost.interceptors.context import CostScope
from recost.interceptors.exchange import CallTarget, Exchange
from recost.interceptors.targets import origin, shown_method
from recost.metering import Meter, shown_model, tokens_of
from recost.pricing.cost import Cost
from recost.pricing.hosts import canonical_host
from recost.pricing.route import LONGEST_REMEMBERED, REMEMBERED, Route, Routes, Terms

__all__ = ["Counted", "Pipeline"]

Counted = Callable[[Exchange, Route, Optional[Facts]], Any]
_MOST_PORTS: Final = 16
"""Ports of one target for which the exclusion is remembered."""
_BothFacts = tuple[Optional[Facts], Optional[Facts]]
"""Facts of a call that succeeded, and of one that failed."""
_FAILED: Final = Facts(Decimal(0), metered=False, source="computed", error=True)
"""Facts of a failed call that is free."""


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
        on_counted: Receives each call that is counted, its route and its facts, None if these are unknown.
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
        on_counted: Optional[Counted] = None,
        on_full: Callable[[Window], Any],
        report: Callable[[BaseException], Any],
    ) -> None:
        self._routes = routes
        self._aggregator = aggregator
        self._patterns = tuple(pattern for pattern in exclude_patterns if pattern)
        self._excluded = frozenset(map(_canonical, exclude_hosts))
        self._excludes = bool(self._patterns or self._excluded)
        self._origin_of = lru_cache(maxsize=1024)(self._origin_excluded)
        self._meter = meter
        self._metered = metered
        self._template_paths = template_paths
        self._on_counted = on_counted if on_capture is None else self._with_events(on_capture, on_counted)
        self._on_full = on_full
        self._report = report
        self._call = CallRecord()
        self._counts_targets = not metered and self._on_counted is None
        alone = self._count_alone if self._counts_targets else self._processed
        self._groups = Groups(aggregator, kind_of=self._kind_of, add_alone=alone, report=report)
        self._edition = 0
        self.excluded = 0
        """Number of calls that were excluded."""

    @property
    def size(self) -> int:
        """Number of calls in the open window."""
        return self._aggregator.size

    def drain(self, inbox: deque[Exchange], limit: int = sys.maxsize) -> None:
        """Add up the calls that are in the inbox now, by themselves with `process` or in groups.

        Each call is counted once, whatever interrupts this. ``limit`` is the most that are taken.
        """
        self._forget_old_prices()
        self._groups.drain(inbox, limit)

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
        if excluded:
            self.excluded += 1
        else:
            self._count(exchange, route, endpoint, failed, latency_ms)
        if exchange.scope is not None and exchange.scope.collectors and self._meter is not None:
            self._price_for(exchange.scope)
        return found

    def take(self) -> Optional[Window]:
        """Close the window and return it. None if it is empty."""
        self._groups.close()  # before the window is closed, which adds up the counts
        return self._aggregator.take()

    def cost_of(self, exchange: Exchange) -> Optional[Cost]:
        """Return the cost of a call. None if it is excluded. On any thread."""
        if self._meter is None:
            return None
        if self._excludes and self._is_excluded(exchange, self._routes.of(exchange)):
            return None
        return self._meter.cost_of(exchange)

    def fixed_cost_of(self, exchange: Exchange) -> Optional[Cost]:
        """Return the cost of a call that has ended, as `cost_of` does. A fixed one isn't kept on the call."""
        route = self._routes.of(exchange)
        costs = None if self._meter is None else self._meter.fixed_costs(route)
        if costs is None:
            return self.cost_of(exchange)
        if self._excludes and self._is_excluded(exchange, route):
            return None
        return costs[not 0 < exchange.status < 400]

    def _kind_of(self, exchange: Exchange) -> Optional[Kind]:
        """Return the kind of a call that may be grouped. None if it is excluded or has a group of its own."""
        if not self._counts_targets:
            return None
        route = exchange.route
        if route is None:
            _, host, _, path, method = exchange.target
            route = exchange.route = self._routes.find((host, path, method))
        elif route.routes is not self._routes:
            route = self._routes.of(exchange)
        if route.met or (self._excludes and self._excludes_url(exchange, route)):
            return None
        route.met = True
        return route.terms, route.endpoint or self._endpoint(route)

    def _count_alone(self, exchange: Exchange) -> None:
        """Process a call. Group the next ones of its kind, and those to its target if it isn't the first."""
        scope = exchange.scope
        usual = not exchange.costs and (scope is None or not scope.collectors)
        route = self._processed(exchange)
        if route is None or not usual:
            return
        try:
            self._count_target(exchange, route)
        except Exception as error:  # noqa: BLE001 - it has been counted
            self._report(error)
        route.met = True

    def _count_target(self, exchange: Exchange, route: Route) -> None:
        window, scope = self._aggregator.window, exchange.scope
        endpoint = route.endpoint or self._endpoint(route)
        key = route.provider, endpoint, shown_method(exchange.method)
        bucket = window.buckets.get(key)
        if bucket is None or not (route.met or (scope is None and len(bucket.samples) > 1)):
            return
        facts = self._fixed_facts(route, failed=False), self._fixed_facts(route, failed=True)
        scheme, _, port, _, _ = exchange.target
        target: CallTarget = scheme, route.host, port, route.path, route.method
        grouped: GroupKey = target if scope is None else (target, scope.tags)
        if facts[1] is None or grouped in self._groups:
            return
        if max(len(self._groups), self._groups.kind_count) >= REMEMBERED:
            self._forget_groups()
        if scope is not None:
            counts = self._count_tagged(key, facts, scope.tags)
        else:
            counts = self._count_kind(key, facts, (route.terms, endpoint))
        if counts is not None and route.met and len(route.path) <= LONGEST_REMEMBERED:
            self._groups.open(grouped, counts)

    def _count_kind(self, key: Key, facts: _BothFacts, kind: Kind) -> TargetCounts:
        counts = self._groups.shared(kind)
        if counts is None:
            counts = self._aggregator.window.count_target(key, *facts)
            self._groups.share(kind, counts)
        return counts

    def _count_tagged(self, key: Key, facts: _BothFacts, tags: Tags) -> Optional[TargetCounts]:
        window = self._aggregator.window
        succeeding, failing = facts
        if succeeding is None or failing is None or (tags and not window.keeps_apart(tags)):
            return None
        return window.count_target(
            key, succeeding._replace(tags=tags, error=False), failing._replace(tags=tags, error=True)
        )

    def _forget_groups(self) -> None:
        self._groups.close()
        self._aggregator.window.add_target_counts()

    def _forget_old_prices(self) -> None:
        if self._meter is not None and self._meter.edition != self._edition:
            self._edition = self._meter.edition
            self._forget_groups()

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
            if not (self._metered or exchange.scope is not None):
                known = exchange.costs and self._meter is not None and self._meter.has_priced(exchange)
                facts = None if known else self._fixed_facts(route, failed=failed)
            if facts is not None:
                cost_cents = facts.cost_cents
            else:
                cost_cents, facts = self._described(exchange, failed)
            if aggregator.would_overflow(call):
                self._make_room()
            aggregator.ingest(call, cost_cents, facts)
            if self._on_counted is not None:
                self._on_counted(exchange, route, facts)
        except Exception as error:  # noqa: BLE001 - the next call must be counted all the same
            self._report(error)

    def _described(self, exchange: Exchange, failed: bool) -> tuple[Optional[Decimal], Optional[Facts]]:
        """Return the cost of a call in cents, and its facts."""
        if self._meter is None:
            return None, None
        cost = self._meter.cost_of(exchange)
        cents = cost.cents
        tags = () if exchange.scope is None else exchange.scope.tags
        facts = Facts(
            cents,
            metered=self._metered,
            source=cost.source,
            model=shown_model(cost, failed=failed),
            tokens=tokens_of(cost),
            tags=tags,
            attempts=cost.attempts,
            error=failed,
        )
        return cents, facts

    def _make_room(self) -> None:
        self._call = CallRecord()  # the other one is in use, while calls of a group are added by themselves
        window = self.take()
        if window is None:
            return
        try:
            self._on_full(window)
        except Exception as error:  # noqa: BLE001 - the call that found the window full is still to be counted
            self._report(error)

    def _with_events(self, on_capture: Callable[[RawEvent], Any], on_counted: Optional[Counted]) -> Counted:
        def both(exchange: Exchange, route: Route, facts: Optional[Facts]) -> None:
            if on_counted is not None:
                on_counted(exchange, route, facts)
            on_capture(self._event(exchange, route))

        return both

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
        if route.excluded is None or len(route.excluded) >= _MOST_PORTS:
            route.excluded = {}
        known = route.excluded.get(where)
        if known is None:
            known = route.excluded[where] = self._excludes_url(exchange, route)
        return known

    def _excludes_url(self, exchange: Exchange, route: Route) -> bool:
        scheme, _, port, _, _ = exchange.target
        origin_of, excluded = self._origin_of(scheme, route.host, port)
        if excluded:
            return True
        url = origin_of + route.path
        for pattern in self._patterns:  # noqa: SIM110 - `any` would take as long as all the rest
            if pattern in url:
                return True
        return False

    def _origin_excluded(self, scheme: str, host: str, port: int) -> tuple[str, bool]:
        """Return the beginning of a URL, and True if the host of the URL is excluded."""
        excluded = bool(self._excluded) and _canonical(host) in self._excluded
        return origin(scheme, host, port), excluded or any(
            pattern.lower() in host for pattern in self._patterns
        )


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    return canonical_host(host) or host.lower()


def _flat_facts(terms: Terms) -> Facts:
    """Return the facts of a call that succeeded, if its cost depends on the target only."""
    cents = terms.flat_cents
    source = "unknown" if cents is None else "computed" if terms.own else "estimated"
    facts = terms.facts = Facts(cents, metered=False, source=source)
    return facts


def _succeeded(exchange: Exchange) -> bool:
    """Return True if a malformed call has a status below 400."""
    return isinstance(exchange.status, int) and 0 < exchange.status < 400
