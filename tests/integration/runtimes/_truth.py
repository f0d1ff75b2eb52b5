"""What the server served, and what the telemetry says, in the same form."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tests.loopback import Loopback
from tests.scripts import windows


class Sum(NamedTuple):
    """What the calls of one method and path add up to."""

    calls: int = 0
    failed: int = 0
    sent: int = 0
    received: int = 0

    def plus(self, calls: int, failed: int, sent: int, received: int) -> Sum:
        return Sum(self.calls + calls, self.failed + failed, self.sent + sent, self.received + received)


Sums = dict[str, Sum]
"""By ``METHOD /path``."""

LEFT = {"GET /stall"}
"""Left before the end: how much of the answer the server got rid of is not the client's to know."""


def served(server: Loopback) -> Sums:
    """Add the server's log up."""
    sums: defaultdict[str, Sum] = defaultdict(Sum)
    for request in list(server.log):
        key = f"{request.method} {request.path}"
        failed = request.status == 0 or request.status >= 400
        received = 0 if key in LEFT else request.response_bytes
        sums[key] = sums[key].plus(1, failed, request.request_bytes, received)
    return dict(sums)


def recorded(folder: Path) -> Sums:
    """Add up the windows of all files in a folder."""
    sums: defaultdict[str, Sum] = defaultdict(Sum)
    for window in windows(folder):
        for metric in window["metrics"]:
            key = f"{metric['method']} {metric['endpoint']}"
            sums[key] = sums[key].plus(
                metric["requestCount"],
                metric["errorCount"],
                metric["totalRequestBytes"],
                0 if key in LEFT else metric["totalResponseBytes"],
            )
    return dict(sums)
