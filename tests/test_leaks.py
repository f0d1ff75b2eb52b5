"""What calls leave behind does not grow with their number; `tests.leaks` has all kinds and larger numbers."""

from __future__ import annotations

import sys

import pytest

from tests.leaks import CYCLES, kinds, measure

CHOSEN = (
    "httpx plain", "httpx async stream", "aiohttp plain",
    "requests reset", "urllib3 early", "http.client unread",
    CYCLES,
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("kind", CHOSEN)
def test_calls_leave_nothing_behind(kind: str) -> None:
    assert kind in set(kinds())
    left = measure(kind, 50 if kind == CYCLES else 1500)
    assert left.flat, left
