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

__all__ = ["EMPTY", "Collector", "Scope", "scope"]


class Collector(Protocol):
    """Sums up calls: a `recost.attribution.Spend`."""

    def collect(self, exchange: Exchange) -> None:
        """Take a call that has ended. May run in a finaliser: it must only append."""
        ...

    def settle(self, price_of: Callable[[Exchange], Any]) -> None:
        """Price what has been collected; on recost's thread."""
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


EMPTY: Final = Scope()

scope: ContextVar[Optional[Scope]] = ContextVar("recost_scope", default=None)
"""The scope of the running code; None outside all of them."""
