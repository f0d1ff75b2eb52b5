"""What the application gives recost to call may be slow, hang, raise anything, or call recost."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import pytest

import recost
from recost.lifecycle.notifier import Notifier
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, environment, run_script, windows

PACKAGE = Path(recost.__file__).parent
BOUNDARY = {"lifecycle/reporting.py", "lifecycle/notifier.py"}
"""The modules that may call the application's functions, on a thread of their own."""
ON_THE_CALLERS_THREAD = {
    ("interceptors/__init__.py", "callback"),  # recost.install(): as it is documented
    ("frameworks/tagging.py", "function"),  # the tags of a request, which needs them now
    ("interceptors/hub.py", "on_error"),  # a Reporter
    ("attribution.py", "function"),  # the decorated function itself
}
FOREIGN = {"on_error", "_on_error", "callback", "callbacks", "excepthook", "unraisablehook"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log", "handle", "emit"}
COMMANDS = {"cli", "analytics", "collector"}
"""Rooms that run in recost's own commands, never in the application's process."""


def foreign_calls() -> Iterator[tuple[str, str, int]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.partition("/")[0] in COMMANDS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = called_name(node.func)
                if called is not None:
                    yield name, called, node.lineno


def called_name(function: ast.expr) -> Optional[str]:
    """Return the name of a function of the application's, a log method or a stream; None for others."""
    if isinstance(function, ast.Name):
        return function.id if function.id in FOREIGN else None
    if not isinstance(function, ast.Attribute):
        return None
    owner = ast.unparse(function.value)
    logs = function.attr in LOG_METHODS and "log" in owner.lower() and "math" not in owner
    prints = function.attr in {"write", "flush"} and owner.rpartition(".")[2] in {
        "stderr",
        "stdout",
        "stream",
    }
    tags = function.attr == "function" and owner == "self"
    return function.attr if function.attr in FOREIGN or logs or prints or tags else None


def test_foreign_code_is_called_at_the_boundary_only() -> None:
    found = list(foreign_calls())
    assert {name for name, _, _ in found} >= BOUNDARY - {"lifecycle/notifier.py"}, "finds nothing"
    elsewhere = [
        f"{name}:{line} calls {called}"
        for name, called, line in found
        if name not in BOUNDARY and (name, called) not in ON_THE_CALLERS_THREAD
    ]
    # The cloud transport is handed a stream by `lifecycle.compose`, which only queues the lines.
    assert [entry for entry in elsewhere if "transports/cloud.py" not in entry] == []


PRELUDE = """
import os, sys, threading, time, urllib.request
import recost
url, folder = sys.argv[1], sys.argv[2]

def call(path="/plain"):
    with urllib.request.urlopen(url + path) as response:
        response.read()
"""

CLOUD = """
handle = recost.init(api_key="rc-abcdefgh1", project_id="p", base_url="http://127.0.0.1:9", max_retries=0,
                     flush_interval_ms=50, on_error=on_error, shutdown_flush_timeout_ms=1000)
"""

ON_ERRORS = {
    "never returns": "threading.Event().wait()",
    "is slow": "time.sleep(0.5)",
    "raises SystemExit": "sys.exit(3)",
    "raises KeyboardInterrupt": "raise KeyboardInterrupt",
    "raises a BaseException of its own": "raise type('Mine', (BaseException,), {})",
    "raises what can't be shown": "raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})",
    "flushes": "handle.flush_blocking(5)",
    "disposes": "handle.dispose()",
    "initialises": "recost.init(local_dir=folder)",
    "calls": "call('/alert')",
    "starts a thread that flushes": "t = threading.Thread(target=handle.flush_blocking); t.start(); t.join()",
}


@pytest.mark.parametrize("deed", ON_ERRORS)
def test_whatever_on_error_does_calls_flushes_forks_and_the_end_are_quick(
    deed: str, server: Loopback, tmp_path: Path
) -> None:
    code = f"""
heard = threading.Event()
def on_error(error):
    heard.set()
    {ON_ERRORS[deed]}
{CLOUD}
call()
assert heard.wait(30)
slowest = 0.0
for _ in range(5):
    began = time.monotonic()
    call()
    handle.flush_blocking(0.5)
    slowest = max(slowest, time.monotonic() - began)
began = time.monotonic()
pid = os.fork() if hasattr(os, "fork") else 0
if pid == 0 and hasattr(os, "fork"):
    os._exit(0)
forked = time.monotonic() - began
print(slowest, forked)
began = time.monotonic()
recost.lifecycle.current_handle() and recost.lifecycle.current_handle().dispose()
print(time.monotonic() - began)
"""
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    slowest, forked, end = result.stdout.split()
    assert float(slowest) < 20
    assert float(forked) < 20
    assert float(end) < 1 + 20


@pytest.mark.slow
@pytest.mark.parametrize("deed", [deed for deed in ON_ERRORS if deed not in {"disposes", "initialises"}])
def test_whatever_on_error_does_delivery_goes_on(deed: str, server: Loopback, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    code = f"""
import pathlib
heard = threading.Event()
def on_error(error):
    heard.set()
    {ON_ERRORS[deed]}
blocker = pathlib.Path(folder)
blocker.write_text("a file where the folder is to be")
handle = recost.init(local_dir=folder, flush_interval_ms=50, on_error=on_error)
call()
assert heard.wait(30)
blocker.unlink()
call()
"""
    result = run_script(PRELUDE + code, server.url, folder)
    assert (result.returncode, result.stderr) == (0, "")
    recorded = calls(windows(folder))
    recorded.pop("/alert", None)
    assert recorded == {"/plain": 2}


LOGGING = {
    "a filter that raises": "def filter(self, record): record.request_id",
    "a handler that exits": "def filter(self, record): sys.exit(1)",
    "a handler that hangs": "def filter(self, record): threading.Event().wait()",
    "a handler that flushes": "def filter(self, record): return bool(handle.flush_blocking(0.2))",
}


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("deed", LOGGING)
def test_whatever_the_applications_logging_does_delivery_goes_on(
    deed: str, debug: bool, server: Loopback, tmp_path: Path
) -> None:
    code = f"""
import logging
class Odd(logging.Filter):
    {LOGGING[deed]}
odd = logging.NullHandler() if {debug} else logging.StreamHandler(open(os.devnull, "w"))
odd.handle = Odd().filter
logging.getLogger().addHandler(odd)
logging.getLogger().setLevel(logging.DEBUG)
handle = recost.init(local_dir=folder, flush_interval_ms=50, debug={debug}, shutdown_flush_timeout_ms=1000)
for _ in range(5):
    call()
    handle.flush_blocking(2)
"""
    began = time.monotonic()
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/plain": 5}
    assert time.monotonic() - began < 30


HANDLERS = {
    "recost's own": "",
    "the application's": "import logging; logging.basicConfig(level=logging.DEBUG)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="polls a pipe")
@pytest.mark.parametrize("whose", HANDLERS)
def test_a_stderr_that_nobody_reads_holds_nothing_up(whose: str, server: Loopback, tmp_path: Path) -> None:
    code = f"""
{HANDLERS[whose]}
handle = recost.init(local_dir=folder, debug=True, shutdown_flush_timeout_ms=1000)
from recost.interceptors import interception
from recost.interceptors.exchange import unfinished
for _ in range(3000):
    exchange = interception.begin("httpx", ("http", "api.example.com", 80, "/" + "x" * 50, "GET"))
    unfinished[exchange] = None
    exchange.finish()
assert handle.flush_blocking(30)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, server.url, str(tmp_path)],
        env=environment(),
        stderr=subprocess.PIPE,
    )
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()
    assert sum(calls(windows(tmp_path)).values()) == 3000


def test_a_message_whose_wake_up_went_to_another_thread_does_not_wait_for_the_next_one() -> None:
    called = list[int]()
    notifier = Notifier(linger_s=3600.0)
    notifier.post(lambda: called.append(1))
    assert wait_until(lambda: called == [1])
    notifier._queue.append(lambda: called.append(2))  # as a lender leaves it, which has taken the wake-up
    assert notifier.drain(time.monotonic() + 20)
    assert called == [1, 2]
    notifier.close(time.monotonic() + 20)
