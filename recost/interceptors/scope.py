"""What a piece of the application asks of the calls that are made inside it: tags, and who sums them up.

The scope is a context variable, so it follows awaits, tasks, and threads that are started with a copied
context. A call keeps the scope that it began in.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recost.interceptors.exchange import Exchange

__all__ = ["EMPTY", "Collector", "LateScope", "Scope", "TagSource", "scope"]


class Collector(Protocol):
    """Sums up calls: a `recost.attribution.Spend`."""

    def collect(self, exchange: Exchange) -> None:
        """Take a call that has ended. May run in a finaliser: it must only append."""
        ...

    def call_begins(self) -> None:
        """Price what has piled up, if that is a lot; on the caller's thread, when it makes a call."""
        ...

    def settle(self, price_of: Callable[[Exchange], Any]) -> None:
        """Price what has been collected; on recost's thread."""
        ...


class TagSource(Protocol):
    """Knows tags that are found out while the code inside the scope runs."""

    def find(self) -> Mapping[str, Optional[str]]:
        """Return the tags as they are known now: the same object as before where nothing has changed.

        Called when a call begins, on the caller's thread: it must not raise.
        """
        ...


class Scope:
    """Tags and collectors, with those of the scopes around. Never changed once made."""

    __slots__ = ("collectors", "tags")

    def __init__(
        self, tags: tuple[tuple[str, str], ...] = (), collectors: tuple[Collector, ...] = ()
    ) -> None:
        self.tags = tags
        """Names and values, sorted by name."""
        self.collectors = collectors

    def with_tags(self, tags: Mapping[str, Optional[str]]) -> Scope:
        """Return a scope inside this one; its tags win over those of the same name, and None removes one."""
        merged = {**dict(self.tags), **tags}
        kept = [(name, value) for name, value in merged.items() if value is not None]
        return Scope(tuple(sorted(kept)), self.collectors)

    def with_collector(self, collector: Collector) -> Scope:
        """Return a scope inside this one whose calls one more collector gets."""
        return Scope(self.tags, (*self.collectors, collector))

    def settled(self) -> Scope:
        """Return the scope as a call that begins now keeps it."""
        return self


class LateScope(Scope):
    """A scope with tags that are found when a call begins: a request's route shows while it is served.

    They win over those of the scopes around; the scopes inside win over them.
    """

    __slots__ = ("_latest", "_outer", "_over", "source")

    def __init__(
        self,
        outer: Scope,
        source: TagSource,
        over: Optional[Mapping[str, Optional[str]]] = None,
        collectors: Optional[tuple[Collector, ...]] = None,
    ) -> None:
        super().__init__(outer.tags, outer.collectors if collectors is None else collectors)
        self.source = source
        self._outer = outer
        self._over: Mapping[str, Optional[str]] = {} if over is None else over
        self._latest: Optional[tuple[object, Scope, Scope]] = None

    def with_tags(self, tags: Mapping[str, Optional[str]]) -> Scope:
        """Return a scope inside this one, whose tags are found late as well."""
        return LateScope(self._outer, self.source, {**self._over, **tags}, self.collectors)

    def with_collector(self, collector: Collector) -> Scope:
        """Return a scope inside this one whose calls one more collector gets."""
        return LateScope(self._outer, self.source, self._over, (*self.collectors, collector))

    def settled(self) -> Scope:
        """Return the scope with the tags that are known now."""
        outer, found = self._outer.settled(), self.source.find()
        latest = self._latest
        if latest is None or latest[0] is not found or latest[1] is not outer:
            merged = Scope(outer.tags, self.collectors).with_tags({**found, **self._over})
            self._latest = latest = (found, outer, merged)
        return latest[2]


EMPTY: Final = Scope()

scope: ContextVar[Optional[Scope]] = ContextVar("recost_scope", default=None)
"""The scope of the running code; None outside all of them."""
