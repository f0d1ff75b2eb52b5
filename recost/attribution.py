"""Attribution of costs: `track` adds up the calls of a block, `tag` labels them.

Both are scopes: they hold across awaits, tasks that are started inside, and threads that are started with a
copied context, and they nest. A call belongs to the scopes that it began in, whenever it ends.
"""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from contextvars import Token
from decimal import Decimal
from types import TracebackType
from typing import Any, Callable, Final, Optional, TypeVar, cast

from recost._money import EXACT
from recost._validate import InvalidError, check_tag
from recost.interceptors.context import EMPTY, CostScope, cost_scope
from recost.interceptors.exchange import Exchange
from recost.interceptors.responses import exchange_of
from recost.lifecycle import current_cost_of
from recost.pricing.cost import Cost

__all__ = ["Spend", "cost_for", "provider_for", "tag", "track"]

_F = TypeVar("_F", bound=Callable[..., Any])
_PriceOf = Callable[[Exchange], Optional[Cost]]

_MANY: Final = 1000
_LONGEST_WAIT: Final = 1.0
"""Seconds for which a reader waits for a thread that prices. At the interpreter's end it may never go on."""
_MAX_TAGS: Final = 10
_WRAPPED_AS: Final = ("http_response", "_http_response", "raw_response", "response", "_response", "raw")
"""Attributes under which SDKs and requests keep the response of the client below."""


class Spend:
    """Cost of the calls of a scope. Exact for the calls that have ended, and readable at any time."""

    def __init__(self, price_of: Optional[_PriceOf] = None) -> None:
        self._price_of = price_of
        self._pending: deque[Exchange] = deque()
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._adding = False
        self._cost = Decimal(0)
        self._calls = self._unpriced = 0
        self._by_provider: dict[str, Decimal] = {}
        self._by_model: dict[str, Decimal] = {}

    @property
    def cost(self) -> Decimal:
        """US dollars, without the calls whose cost isn't known."""
        self.price_calls()
        return self._cost

    @property
    def calls(self) -> int:
        """Number of calls that have ended."""
        self.price_calls()
        return self._calls

    @property
    def unpriced(self) -> int:
        """Number of calls whose cost isn't known."""
        self.price_calls()
        return self._unpriced

    @property
    def by_provider(self) -> Mapping[str, Decimal]:
        """US dollars by provider."""
        self.price_calls()
        with self._lock:
            return dict(self._by_provider)

    @property
    def by_model(self) -> Mapping[str, Decimal]:
        """US dollars by model, for the calls whose responses name one."""
        self.price_calls()
        with self._lock:
            return dict(self._by_model)

    def collect(self, exchange: Exchange) -> None:
        """Add a call that has ended. It may run in a finaliser, so it only appends."""
        self._pending.append(exchange)

    def call_begins(self) -> None:
        """Price the collected calls if recost's thread has not: without ``init()``, or when it is behind."""
        if len(self._pending) > _MANY:
            self.price_calls()

    def price_calls(self, price_of: Optional[_PriceOf] = None) -> None:
        """Price the collected calls, and wait for a thread that is at it."""
        # From the application's own `init`, even if another listener comes first.
        price_of = self._price_of or current_cost_of(price_of) or _no_price
        if self._pid != os.getpid():  # another thread of the parent may have held it
            self._pid, self._lock, self._adding = os.getpid(), threading.RLock(), False
        if not self._lock.acquire(timeout=_LONGEST_WAIT):
            return
        try:
            if not self._adding:  # or further up on this very thread, which a handler or finaliser interrupts
                self._add_up(price_of)
        finally:
            self._lock.release()

    def __repr__(self) -> str:
        unpriced = f", {self._unpriced} unpriced" if self.unpriced else ""
        return f"<Spend ${self._cost} in {self._calls} calls{unpriced}>"

    def _add_up(self, price_of: _PriceOf) -> None:
        self._adding = True
        try:
            # By number: a finaliser may add a call at any point, also while this thread is in here.
            for _ in range(len(self._pending)):
                try:
                    cost = price_of(self._pending[0])
                finally:  # until here, a process that is forked meanwhile has the call, too
                    self._pending.popleft()
                if cost is not None:
                    self._add(cost)
        finally:
            self._adding = False

    def _add(self, cost: Cost) -> None:
        self._calls += 1
        if cost.usd is None:
            self._unpriced += 1
            return
        self._cost = EXACT.add(self._cost, cost.usd)
        self._by_provider[cost.provider] = EXACT.add(
            self._by_provider.get(cost.provider, Decimal(0)), cost.usd
        )
        if cost.model is not None:
            self._by_model[cost.model] = EXACT.add(self._by_model.get(cost.model, Decimal(0)), cost.usd)


class _Scoped:
    """A scope that is entered by ``with``, by ``async with``, or around every call of a function."""

    def __init__(self) -> None:
        self._entered: list[Token[Optional[CostScope]]] = []

    def _inside(self, outer: CostScope) -> CostScope:
        raise NotImplementedError

    def _enter(self) -> None:
        self._entered.append(cost_scope.set(self._inside(cost_scope.get() or EMPTY)))

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        # Left in another context than entered, as a generator may be: that one's scope stays.
        with suppress(ValueError):
            cost_scope.reset(self._entered.pop())

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.__exit__(kind, error, traceback)

    def _around(self, function: _F) -> _F:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"recost: {type(self).__name__}: {function.__qualname__} is a generator function, whose body "
                "runs when it is iterated over; use 'with' inside it"
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return cast("_F", coroutine)

        @functools.wraps(function)
        def plain(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast("_F", plain)

    def _again(self) -> Any:
        """Return a copy of this scope to enter, because a function may run several times at once."""
        raise NotImplementedError


class track(_Scoped):  # noqa: N801 - used like a function
    """Add up the cost of all calls that begin inside.

    ``with recost.track() as spend:`` (or ``async with``) gives a `Spend`. As a decorator, the
    function's attribute ``spend`` sums up all its calls.
    """

    def __init__(self, *, _spend: Optional[Spend] = None) -> None:
        super().__init__()
        self._spend = _spend

    def __enter__(self) -> Spend:
        self._current = Spend() if self._spend is None else self._spend
        self._enter()
        return self._current

    async def __aenter__(self) -> Spend:
        return self.__enter__()

    def __call__(self, function: _F) -> _F:
        """Decorate a function, or a coroutine function, so that all its calls are added up."""
        self._spend = Spend()
        tracked = self._around(function)
        tracked.spend = self._spend  # type: ignore[attr-defined]
        return tracked

    def _inside(self, outer: CostScope) -> CostScope:
        return outer.with_collector(self._current)

    def _again(self) -> track:
        return track(_spend=self._spend)


class tag(_Scoped):  # noqa: N801 - used like a function
    """Attribute the calls that begin inside: ``with recost.tag(tenant="acme", feature="search"):``.

    Also as ``async with`` and as a decorator. Tags of an outer scope apply inside. Of two tags with
    the same name, the inner one wins. A value of None removes an outer tag.

    Raises:
        ValueError: A name or a value is blank or longer than 100 characters, a name has characters that can't
            be printed, or there are more than 10 tags. Such characters of a value become ``?``.
    """

    def __init__(self, **tags: object) -> None:
        super().__init__()
        if len(tags) > _MAX_TAGS:
            raise ValueError(f"recost: tag: got {len(tags)} tags, expected at most {_MAX_TAGS}")
        self._tags = {name: None if value is None else _tag(name, value) for name, value in tags.items()}

    def __enter__(self) -> None:
        self._enter()

    async def __aenter__(self) -> None:
        self._enter()

    def __call__(self, function: _F) -> _F:
        """Decorate a function, or a coroutine function, so that its calls are tagged."""
        return self._around(function)

    def _inside(self, outer: CostScope) -> CostScope:
        return outer.with_tags(self._tags)

    def _again(self) -> tag:
        return tag(**self._tags)


def cost_for(response: object) -> Optional[Cost]:
    """Return the cost of the call that this response belongs to.

    Takes a response of requests, httpx, httpx2, aiohttp, urllib3 or urllib, or an SDK's object that holds one
    (openai's ``with_raw_response``). Before the body is complete, ``complete`` is False.
    Where something that was billed has no price or no count, the cost is at least ``usd``, and ``missing``
    names it.

    Returns:
        None for a response that recost did not see.
    """
    exchange = _exchange_behind(response)
    price_of = current_cost_of()
    return None if exchange is None or price_of is None else price_of(exchange)


def provider_for(response: object) -> Optional[str]:
    """Return the provider of a response, or None if recost did not see it."""
    cost = cost_for(response)
    return None if cost is None else cost.provider


def _exchange_behind(response: object) -> Optional[Exchange]:
    found = exchange_of(response)
    if found is not None:
        return found
    for name in _WRAPPED_AS:
        inner = getattr(response, name, None)
        found = None if inner is None else exchange_of(inner)
        if found is not None:
            return found
    return None


def _no_price(exchange: Exchange) -> Cost:  # noqa: ARG001
    return Cost(None, "unknown", "unknown")


def _tag(name: str, value: object) -> str:
    try:
        return check_tag(name, value)
    except InvalidError as error:
        raise ValueError(f"recost: {error}") from None
