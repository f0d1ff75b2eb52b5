"""Twenty processes and a server that takes few POSTs: what was recorded has arrived, or is in the spool."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.api import Api
from tests.loopback import Loopback
from tests.scripts import environment

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")

PROCESSES = 20
HOUR_S = 5.0
"""Seconds of this test that are an hour for the server."""

PROGRAM = """
import os, sys, time, urllib.request
import recost

url, api, folder = sys.argv[1:4]
recost.init(api_key="rc-0123456789abcdef", project_id="proj-1", base_url=api, local_dir=folder,
            flush_interval_ms=100, max_batch_size=1, shutdown_flush_timeout_ms=10_000)
end, count = time.monotonic() + float(sys.argv[4]), 0
while time.monotonic() < end or count < 5:
    with urllib.request.urlopen(url + "/plain") as response:
        response.read()
    count += 1
    time.sleep(0.05)
print(count)
"""


def spooled(folder: Path) -> int:
    lines = [line for path in folder.glob("*.spool") for line in path.read_bytes().splitlines()]
    frames = [json.loads(line[1:]) for line in lines if line.startswith(b"+")]
    return sum(metric["requestCount"] for frame in frames for metric in frame["metrics"])


@pytest.mark.parametrize("limit", [1000, 20])
def test_what_was_recorded_arrives_or_waits(limit: int, server: Loopback, tmp_path: Path) -> None:
    began = time.time()
    with Api(
        clock=lambda: began + (time.time() - began) * 3600 / HOUR_S, hourly_limit=limit, retry_after=1
    ) as api:
        command = [sys.executable, "-c", PROGRAM, server.url, api.url, str(tmp_path), "8"]
        started = [
            subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(PROCESSES)
        ]
        done = [process.communicate(timeout=120) for process in started]
        counts = [int(out) for out, _ in done]
        statuses = Counter(post.status for post in api.posts)
        arrived, waiting = api.total("requestCount"), spooled(tmp_path)
        print(f"limit {limit}: {sum(counts)} = {arrived} + {waiting}, {statuses}", file=sys.stderr)
        assert sum(counts) == len(server.log) == arrived + waiting
        assert len({each["windowId"] for each in api.windows}) == len(api.windows)
        if limit == 1000:
            assert statuses.keys() == {202}
            assert len(api.posts) <= 150 + 15
        else:
            assert statuses[429] <= PROCESSES
        assert next(tmp_path.glob("*.pace")).stat().st_mode & 0o777 == 0o600
