"""Bytecodes of recost in a call on the caller's thread, so that they don't become more unnoticed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import recost
from recost import ProviderDef
from recost.interceptors.context import scoped
from tests.loopback import Loopback

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info[:2] != (3, 11),
    reason="each version has bytecodes of its own",
)

Call = Callable[[], object]

_OURS: Final = str(Path(recost.__file__).parent)
_CALLS: Final = 3


def _steps(call: Call) -> int:
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_OURS):
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def _with_httpx(url: str, count: int) -> Call:
    import httpx

    def call() -> None:
        with httpx.Client(trust_env=False) as client:
            for _ in range(count):
                client.post(url, json={"model": "m-1"})

    return call


def _with_urllib3(url: str, count: int) -> Call:
    import urllib3

    def call() -> None:
        with urllib3.PoolManager() as manager:
            for _ in range(count):
                manager.request("POST", url, body=b'{"model": "m-1"}')

    return call


def _with_aiohttp(url: str, count: int) -> Call:
    import asyncio

    import aiohttp

    async def calls() -> None:
        async with aiohttp.ClientSession() as session:
            for _ in range(count):
                async with session.post(url, data=b'{"model": "m-1"}') as response:
                    await response.read()

    return lambda: asyncio.run(calls())


def _with_urllib_request(url: str, count: int) -> Call:
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call() -> None:
        for _ in range(count):
            with opener.open(url, b'{"model": "m-1"}') as response:
                response.read()

    return call


CLIENTS: Final = {
    "httpx": (_with_httpx, 365, 560),
    "urllib3": (_with_urllib3, 365, 650),
    "urllib.request": (_with_urllib_request, 565, 1085),
}
"""Each with the steps that a call may take: without metering, and with it."""


def _lowest_steps(call: Call) -> float:
    """Return the steps of a call, the lowest of a few: the budgets' thread may be charging others."""
    call()
    call()
    return min(_steps(call) for _ in range(5)) / _CALLS


@pytest.mark.parametrize("metered", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_takes_no_more_steps_than_it_did(
    client: str, metered: bool, server: Loopback, tmp_path: Path
) -> None:
    scoped.clear()  # as in a process without a cost scope, which earlier tests may have made
    make, *most = CLIENTS[client]
    call = make(f"{server.url}/plain?n=2000", _CALLS)
    rule = ProviderDef("127.0.0.1", "house", endpoint_category="chat", usage="openai")
    with recost.init(local_dir=tmp_path, capture_usage=metered, custom_providers=[rule]):
        assert 0 < _lowest_steps(call) <= most[metered]


WITH: Final[dict[str, Callable[[str, int], Call]]] = {
    "httpx": _with_httpx,
    "aiohttp": _with_aiohttp,
    "urllib3": _with_urllib3,
}
ADDED: Final = {"metered": 290, "budget": 210, "tags": 15}
"""Steps that a setting may add to a call, with any client."""


@pytest.mark.parametrize("setting", ADDED)
@pytest.mark.parametrize("client", WITH)
def test_a_setting_adds_no_more_steps_than_it_did(
    client: str, setting: str, server: Loopback, tmp_path: Path
) -> None:
    call = WITH[client](f"{server.url}/plain?n=2000", _CALLS)
    rule = ProviderDef("127.0.0.1", "house", usage="openai", cost_per_request_cents=0.001)
    options = {
        "metered": {"capture_usage": True},
        "budget": {"budgets": [recost.Budget(1000, on_exceed="raise")]},
        "tags": {},
    }
    with recost.init(local_dir=tmp_path / "plain", custom_providers=[rule]):
        plain = _lowest_steps(call)
    settings = options[setting]
    with (
        recost.init(local_dir=tmp_path / setting, custom_providers=[rule], **settings),  # type: ignore[arg-type]
        recost.tag(tenant="acme") if setting == "tags" else nullcontext(),
    ):
        added = _lowest_steps(call) - plain
    print(f"{client}, {setting}: {added:+.0f} steps beyond {plain:.0f}")
    assert added <= ADDED[setting]
