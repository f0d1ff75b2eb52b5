"""Comparison of served and recorded calls, one by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from recost.events import RawEvent
from tests.loopback import Loopback, wait_until

__all__ = ["ENDINGS", "Events", "seen", "truth"]

Events = list[RawEvent]

ENDINGS = [
    "/plain?n=100",
    "/plain?n=70000",
    "/plain?n=0",
    "/chunked?n=1003&k=7",
    "/sse",
    "/gzip?n=5000",
    "/close?n=3000",
]
"""Paths whose bodies end in each way that HTTP has."""


def truth(server: Loopback) -> Counter[Any]:
    wait_until(lambda: all(s.complete or s.path == "/truncate" for s in server.log), 2)
    return Counter((s.method, s.path, s.status, s.request_bytes, s.response_bytes) for s in server.log)


def seen(events: Events) -> Counter[Any]:
    return Counter((e.method, e.path, e.status_code, e.request_bytes, e.response_bytes) for e in events)
