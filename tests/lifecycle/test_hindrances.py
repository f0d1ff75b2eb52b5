"""A refused thread, a collector that hangs and one that says wait: nobody is held up, and nothing is lost."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.scripts import calls, run_script, windows

PRELUDE = """
import os, sys, threading, time, urllib.request
import recost
url, folder = sys.argv[1], sys.argv[2]

def call(path="/plain"):
    with urllib.request.urlopen(url + path) as response:
        response.read()
"""


def test_a_thread_that_is_refused_once_is_asked_for_again(server: Loopback, tmp_path: Path) -> None:
    code = """
errors = []
recost.init(local_dir=folder, on_error=errors.append, flush_interval_ms=50)
real = threading.Thread.start
def refuse(thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
call()
call()
threading.Thread.start = real
deadline = time.monotonic() + 20
while not any(t.name == "recost-delivery" for t in threading.enumerate()) and time.monotonic() < deadline:
    time.sleep(0.1)
    call()
assert any(thread.name == "recost-delivery" for thread in threading.enumerate())
recost.lifecycle.current_handle().dispose()
assert [str(error) for error in errors if "no thread can be started" not in str(error)] == []
assert len(errors) == 1
"""
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert sum(calls(windows(tmp_path)).values()) == len(server.log)


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_fork_sends_nothing_more_to_a_collector_that_hangs(server: Loopback, tmp_path: Path) -> None:
    code = """
options = {"project_id": "p", "base_url": sys.argv[3], "shutdown_flush_timeout_ms": 300}
recost.init(api_key="rc-abcdefgh1", **options)
waits = []
for _ in range(8):
    call()
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    waits.append(time.monotonic() - began)
    os.waitpid(pid, 0)
print(sorted(waits)[4])
"""
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen(20)
        result = run_script(PRELUDE + code, server.url, tmp_path, f"http://127.0.0.1:{hung.getsockname()[1]}")
    assert result.returncode == 0, result.stderr
    assert float(result.stdout) < 1  # it was a tenth of a second, each time, and is a few milliseconds


def test_a_process_that_can_import_nothing_more_for_the_doctor_delivers_all(
    server: Loopback, tmp_path: Path
) -> None:
    """A process that has given up its rights may not read the installation any more."""
    code = """
errors = []
recost.init(local_dir=folder, on_error=errors.append, flush_interval_ms=50)
sys.modules["recost.delivery.stats_file"] = None
for _ in range(5):
    call()
    time.sleep(0.1)
assert recost.lifecycle.current_handle().flush_blocking(20)
assert errors == [], errors
"""
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert sum(calls(windows(tmp_path)).values()) == len(server.log) == 5
