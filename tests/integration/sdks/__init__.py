"""The official SDKs of providers, driven against servers on loopback that speak like the providers.

One file per SDK, ``NAME_sdk.py``, found by its name. It has:

    PACKAGE       import name; the SDK is left out where it is not installed
    NEEDS         further packages without which it is left out; may be missing
    DISTRIBUTION  its name on the index
    REQUIRES      requirements of an environment for it
    TRANSPORT     what carries its calls
    HOSTS         the names that the SDK talks to
    EXPECTED      (provider, endpoint, method) and the number of calls and of failed calls
    LEFT          those of them of which some answers are not read to their end, and their paths
    ENVIRONMENT   variables that are set before the SDK is imported; may be missing
    answer()      what the provider says to a request; runs in the test
    use()         makes the calls; runs in a process of its own, with the names mapped to the server

The file itself is imported in the test, where the SDK may be missing: it imports the SDK in `use`.
To try one: ``python -m tests.integration.matrix --here NAME``.
"""

from __future__ import annotations

import importlib
import importlib.util
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any, Callable

_SUFFIX = "_sdk.py"

SDKS = tuple(sorted(path.name[: -len(_SUFFIX)] for path in Path(__file__).parent.glob(f"*{_SUFFIX}")))

THREADS = 8
CALLS_PER_THREAD = 5


def load(name: str) -> Any:
    """Return the file of an SDK."""
    return importlib.import_module(f"tests.integration.sdks.{name}_sdk")


def installed(package: str) -> bool:
    """Tell whether this Python has a package; the name may have dots."""
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def missing(name: str) -> str:
    """Return what this Python lacks of an SDK; nothing if it has all."""
    sdk = load(name)
    return ", ".join(
        package for package in (sdk.PACKAGE, *getattr(sdk, "NEEDS", ())) if not installed(package)
    )


def on_threads(call: Callable[[], Any], *, in_turn: bool = False) -> None:
    """Make a call 40 times: 8 threads share what it uses, and make 5 calls each.

    Args:
        call: What each thread does.
        in_turn: One thread after the other.
    """
    turn = Lock() if in_turn else nullcontext()

    def work() -> None:
        for _ in range(CALLS_PER_THREAD):
            with turn:
                call()

    with ThreadPoolExecutor(THREADS) as pool:
        for thread in [pool.submit(work) for _ in range(THREADS)]:
            thread.result()


def refuses(call: Callable[[], Any], error: type[BaseException]) -> Any:
    """Make a call that must raise; return what it raises."""
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was not raised")
