"""Warnings of clients point to the application's line, as without recost."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import sys
import warnings
from typing import Any, Callable

import pytest
import wrapt

from recost.events import RawEvent
from recost.interceptors import _calls_importlib_bootstrap as calls
from recost.interceptors import interception
from recost.interceptors.exchange import Exchange, nowhere
from recost.interceptors.patching import Patches
from tests.exchanges import begun


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    return None


def _exchange(*_args: Any) -> Exchange:
    return begun(nowhere, "test", ("http", "host", 80, "/", "GET"))


_HOW: dict[str, Callable[..., Any]] = {
    "around": lambda o, s: calls.around(o, s, _exchange, _nothing, _nothing),
    "around, not recorded": lambda o, s: calls.around(o, s, _nothing, _nothing, _nothing),
    "before": lambda o, s: calls.before(o, s, _nothing),
    "after": lambda o, s: calls.after(o, s, _nothing),
    "resolving": lambda o, s: calls.resolving(o, s, lambda *_: True, _nothing, _nothing),
}
_ASYNC: dict[str, Callable[..., Any]] = {
    "around": lambda o, s: calls.async_around(o, s, _exchange, _nothing, _nothing),
    "after": lambda o, s: calls.async_after(o, s, _nothing),
    "resolving": lambda o, s: calls.async_resolving(o, s, lambda *_: True, _nothing, _nothing),
}


def _client() -> type:
    class Client:
        def send(self, level: int) -> None:
            warnings.warn("old", DeprecationWarning, stacklevel=level)
            logging.getLogger("client").warning("old", stacklevel=level)

        async def async_send(self, level: int) -> None:
            warnings.warn("old", DeprecationWarning, stacklevel=level)

    return Client


def _blamed(call: Callable[[], Any]) -> tuple[str, int]:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        call()
    (warning,) = shown
    return warning.filename, warning.lineno


@pytest.mark.parametrize("level", [2, 3])
@pytest.mark.parametrize("how", _HOW)
def test_a_method_is_not_counted(how: str, level: int, caplog: pytest.LogCaptureFixture) -> None:
    kind = _client()

    def helper() -> None:
        kind().send(level)

    def application() -> None:
        helper()

    bare = _blamed(application)
    (bare_record,) = caplog.records
    caplog.clear()
    Patches().replace(kind, "send", _HOW[how])
    assert _blamed(application) == bare
    (record,) = caplog.records
    if sys.version_info >= (3, 11):  # logging did not skip any frames before
        assert record.lineno == bare_record.lineno


@pytest.mark.parametrize("how", _ASYNC)
def test_a_coroutine_function_is_not_counted(how: str) -> None:
    kind = _client()

    async def helper() -> None:
        await kind().async_send(2)

    bare = _blamed(lambda: asyncio.run(helper()))
    Patches().replace(kind, "async_send", _ASYNC[how])
    assert _blamed(lambda: asyncio.run(helper())) == bare


def test_other_callables_than_functions_are_not_counted() -> None:
    kind: Any = _client()
    kind.send = functools.partialmethod(kind.send, level=2)
    original = kind.__dict__["send"]

    def helper() -> None:
        kind().send()

    bare = _blamed(helper)
    patches = Patches()
    patches.replace(kind, "send", _HOW["around"])
    assert isinstance(kind.__dict__["send"], wrapt.FunctionWrapper)
    assert _blamed(helper) == bare
    patches.remove_all()
    assert kind.__dict__["send"] is original


def test_all_wrappers_are_in_the_file_whose_frames_are_skipped(events: list[RawEvent]) -> None:
    import aiohttp
    import httpx
    import urllib3

    found = set()
    for patch in interception.patches._patches:
        if patch.switch and patch.owner.__module__.partition(".")[0] in {
            "aiohttp",
            "http",
            "httpx",
            "urllib3",
        }:
            found.add(patch.owner.__module__.partition(".")[0])
            code = patch.function.__code__
            assert "importlib" in code.co_filename, patch.name
            assert "_bootstrap" in code.co_filename, patch.name
            assert inspect.getsource(code).strip(), "a traceback shows its lines"
    assert {"aiohttp", "http", "httpx", "urllib3"} <= found, (aiohttp, httpx, urllib3)
