"""One client under one observer, making calls while ``valgrind`` counts instructions.

Reads ``N`` from a line of standard input and makes N calls, or ``N flush`` and also finishes the work that
they have caused on other threads. It replies with the number of calls since the start. At the end of its
input it replies with that number and the number of calls that the observer has seen.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import itertools
import os
import sys
from functools import partial
from typing import Any, Callable, ClassVar, Final

from observers import OBSERVERS, Observer, Recost

_FLUSH_S: Final = 60.0
_A_CALL_S: Final = 1e-4
_HELD_S: Final = 3600.0


class HeldRecost(Recost):
    """recost with the defaults, whose worker adds nothing up before the flush.

    The time at which the worker would wake by itself differs under valgrind.
    """

    settings: ClassVar[dict[str, Any]] = {"flush_interval_ms": 2**31 - 1, "max_batch_size": 2**31 - 1}

    def flush(self) -> None:
        self._handle.flush_blocking(_FLUSH_S)

    def seen(self) -> int:
        self.flush()  # without a limit that is too short for a program under valgrind
        return super().seen()


class Metered(HeldRecost):
    """recost that reads the usage of responses."""

    settings: ClassVar[dict[str, Any]] = {**HeldRecost.settings, "capture_usage": True}


class Budgeted(HeldRecost):
    """recost with a budget that refuses calls, and is far from its limit.

    Twenty times a second its thread charges what has ended, and once a second a call that begins exchanges
    sums with other processes in a file. Under valgrind a second has so few calls that this would be most of
    what is counted. So the thread is held back until the flush, like the worker, and the budget's time passes
    by the number of looks at the clock, as it does where a call takes 0.1 ms.
    """

    def __init__(self, client: str) -> None:
        recost: Any = importlib.import_module("recost")
        enforcer: Any = importlib.import_module("recost.budgets.enforcer")
        enforcer._REST_S = _HELD_S  # noqa: SLF001 - applications have no use for another one
        parameters = enforcer.BudgetEnforcer.__init__.__kwdefaults__
        parameters["monotonic"] = partial(next, itertools.count(0.0, _A_CALL_S))
        self.settings = {**self.settings, "budgets": [recost.Budget(1_000_000, on_exceed="raise")]}  # type: ignore[misc]
        super().__init__(client)


class Tagged(HeldRecost):
    """recost with tags that are the same for all calls of a group."""

    def group(self) -> contextlib.AbstractContextManager[Any]:
        recost: Any = importlib.import_module("recost")
        group: contextlib.AbstractContextManager[Any] = recost.tag(tenant="acme", feature="search")
        return group


class Wrapped(Observer):
    """The client's method in a wrapper of wrapt's that does nothing."""

    _METHODS: Final = {
        "httpx": ("httpx", "Client.send", "AsyncClient.send"),
        "httpx2": ("httpx2", "Client.send", "AsyncClient.send"),
        "aiohttp": ("aiohttp", "ClientSession._request"),
        "requests": ("urllib3.connectionpool", "HTTPConnectionPool.urlopen"),
        "urllib3": ("urllib3.connectionpool", "HTTPConnectionPool.urlopen"),
        "urllib.request": ("http.client", "HTTPConnection.getresponse"),
    }

    def __init__(self, client: str) -> None:
        wrapt: Any = importlib.import_module("wrapt")
        module, *methods = self._METHODS[client]
        for method in methods:
            wrapt.wrap_function_wrapper(importlib.import_module(module), method, _nothing)


def _nothing(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


WATCHING: Final[dict[str, Callable[[str], Observer]]] = {
    "bare": OBSERVERS["bare"],
    "recost": HeldRecost,
    "plain": HeldRecost,
    "metered": Metered,
    "budget": Budgeted,
    "tags": Tagged,
    "otel": OBSERVERS["otel"],
    "sentry": OBSERVERS["sentry"],
    "wrapt": Wrapped,
}


GROUP: Final = 100
"""Calls of a group, such as a transaction of Sentry's."""


def main() -> None:
    """Set up, and take orders."""
    parser = argparse.ArgumentParser()
    parser.add_argument("client")
    parser.add_argument("observer", choices=list(WATCHING))
    parser.add_argument("--response", default="small", help="as `payload` names it")
    parser.add_argument("--events", default="500", help="of a response that is a stream")
    options = parser.parse_args()
    os.environ.update(BENCHMARK_RESPONSE=options.response, BENCHMARK_EVENTS=options.events)
    import clients  # noqa: PLC0415 - reads the environment

    observer = WATCHING[options.observer](clients.module_of(options.client))
    calls = clients.make(options.client, None, stream=options.response == "events")
    made = 0
    print("ready", flush=True)
    for line in sys.stdin:
        count, _, flush = line.strip().partition(" ")
        gc.collect()
        gc.freeze()  # else a round may pay for a pass over the whole heap, or not
        for made_now in range(0, int(count), GROUP):
            with observer.group():
                calls(min(GROUP, int(count) - made_now))
        if flush:
            observer.flush()
        made += int(count)
        print(made, flush=True)
    print(made, observer.seen(), flush=True)


if __name__ == "__main__":
    main()
