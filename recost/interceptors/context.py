"""Context variables of outbound calls: the call that the running code is part of, and its cost scope.

A context variable follows awaits, tasks, and threads that are started with a copied context.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Callable, Final, Optional, Protocol

from recost.interceptors.exchange import NOTHING_BENEATH, Exchange, begin, nowhere

__all__ = [
    "EMPTY",
    "SUPPRESSED",
    "Collector",
    "CostScope",
    "LateCostScope",
    "TagSource",
    "cost_scope",
    "current",
    "get_cost_scope",
    "get_current",
    "reset_current",
    "scoped",
    "set_current",
]

current: ContextVar[Optional[Exchange]] = ContextVar("recost_exchange", default=None)
"""The exchange that the running code is part of.

A task that is spawned during a call keeps the context, so the exchange is made inactive when the client's
transport is done.
"""


class _Suppressed(Exchange):
    """The exchange of recost's own traffic: no call inside it is recorded."""

    __slots__ = ()

    def covers(self, layer: str, host: str, port: int) -> bool:  # noqa: ARG002 - the signature of the rule
        return True


SUPPRESSED: Final[Exchange] = _Suppressed()
"""Value of `current` for code whose calls are not recorded."""
begin(SUPPRESSED, nowhere, "recost", NOTHING_BENEATH)


class Collector(Protocol):
    """A sum of calls: a `recost.attribution.Spend`."""

    def collect(self, exchange: Exchange) -> None:
        """Add a call that has ended. May run in a finaliser, so it must only append."""
        ...

    def call_begins(self) -> None:
        """Price the collected calls if there are many. Runs on the thread that makes a call."""
        ...

    def price_calls(self, price_of: Callable[[Exchange], Any]) -> None:
        """Price the collected calls. Runs on recost's thread."""
        ...


class TagSource(Protocol):
    """A source of tags that become known while the code inside the scope runs."""

    def find(self) -> Mapping[str, Optional[str]]:
        """Return the tags that are known now: the same object as before if nothing has changed.

        Runs on the thread that makes a call, and must not raise.
        """
        ...


scoped: Final[list[bool]] = []
"""Empty until the process makes a cost scope: until then, no call needs to look for one."""


class CostScope:
    """Tags and collectors of the calls that are made inside it, with those of outer scopes. Immutable."""

    __slots__ = ("collectors", "tags")

    def __init__(
        self, tags: tuple[tuple[str, str], ...] = (), collectors: tuple[Collector, ...] = ()
    ) -> None:
        scoped[:] = [True]
        self.tags = tags
        """Names and values, sorted by name."""
        self.collectors = collectors

    def with_tags(self, tags: Mapping[str, Optional[str]]) -> CostScope:
        """Return an inner scope with these tags. They replace tags of the same name. None removes one."""
        merged = {**dict(self.tags), **tags}
        kept = [(name, value) for name, value in merged.items() if value is not None]
        return CostScope(tuple(sorted(kept)), self.collectors)

    def with_collector(self, collector: Collector) -> CostScope:
        """Return an inner scope with one more collector."""
        return CostScope(self.tags, (*self.collectors, collector))

    def without_collectors(self) -> CostScope:
        """Return the scope with its tags only."""
        return CostScope(self.tags)

    def resolved(self) -> CostScope:
        """Return the scope for a call that begins now."""
        return self


class LateCostScope(CostScope):
    """A scope with tags that are found when a call begins, such as the route of a request that is served.

    They replace tags of outer scopes, and are replaced by tags of inner ones.
    """

    __slots__ = ("_latest", "_outer", "_over", "source")

    def __init__(
        self,
        outer: CostScope,
        source: TagSource,
        over: Optional[Mapping[str, Optional[str]]] = None,
        collectors: Optional[tuple[Collector, ...]] = None,
    ) -> None:
        super().__init__(outer.tags, outer.collectors if collectors is None else collectors)
        self.source = source
        self._outer = outer
        self._over: Mapping[str, Optional[str]] = {} if over is None else over
        self._latest: Optional[tuple[object, CostScope, CostScope]] = None

    def with_tags(self, tags: Mapping[str, Optional[str]]) -> CostScope:
        """Return an inner scope with these tags, which still finds the late ones."""
        return LateCostScope(self._outer, self.source, {**self._over, **tags}, self.collectors)

    def with_collector(self, collector: Collector) -> CostScope:
        """Return an inner scope with one more collector, which still finds the late tags."""
        return LateCostScope(self._outer, self.source, self._over, (*self.collectors, collector))

    def resolved(self) -> CostScope:
        """Return the scope with the tags that are known now."""
        outer, found = self._outer.resolved(), self.source.find()
        latest = self._latest
        if latest is None or latest[0] is not found or latest[1] is not outer:
            merged = CostScope(outer.tags, self.collectors).with_tags({**found, **self._over})
            self._latest = latest = (found, outer, merged)
        return latest[2]


EMPTY: Final = CostScope()
scoped.clear()  # that one has nothing for a call

cost_scope: ContextVar[Optional[CostScope]] = ContextVar("recost_scope", default=None)
"""The cost scope of the running code, or None outside of all scopes."""

# For wrappers that run in each call: an attribute less to look up.
get_current: Final = current.get
set_current: Final = current.set
reset_current: Final = current.reset
"""Cheaper than to set the former value: in an application without other context variables, half of it.

Raises ValueError in another context, as a coroutine may be resumed in one.
"""
get_cost_scope: Final = cost_scope.get
