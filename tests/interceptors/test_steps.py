"""Bytecodes of recost in a call on the caller's thread, so that they don't become more unnoticed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

import recost
from recost import ProviderDef
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


CLIENTS: Final = {"httpx": (_with_httpx, 420, 555), "urllib3": (_with_urllib3, 375, 655)}
"""Each with the steps that a call may take: without metering, and with it."""


@pytest.mark.parametrize("metered", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_takes_no_more_steps_than_it_did(
    client: str, metered: bool, server: Loopback, tmp_path: Path
) -> None:
    make, *most = CLIENTS[client]
    call = make(f"{server.url}/plain?n=2000", _CALLS)
    rule = ProviderDef("127.0.0.1", "house", endpoint_category="chat", usage="openai")
    with recost.init(local_dir=tmp_path, capture_usage=metered, custom_providers=[rule]):
        call()
        assert 0 < _steps(call) / _CALLS <= most[metered]
