"""However a process ends, its last window is there; nothing is printed, and nothing hangs."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.accounts import dropped_calls, unsure_calls
from tests.loopback import Loopback
from tests.scripts import calls, environment, run_script, windows

PRELUDE = """
import os, sys, urllib.request
import recost
url, folder = sys.argv[1], sys.argv[2]

def call(path="/plain"):
    with urllib.request.urlopen(url + path) as response:
        response.read()

handle = recost.init(local_dir=folder)
call()
"""

ENDINGS = {
    "end of the script": ("", 0, ""),
    "sys.exit": ("sys.exit(7)", 7, ""),
    "unhandled exception": ("raise LookupError('mine')", 1, "LookupError: mine"),
    "KeyboardInterrupt": ("raise KeyboardInterrupt", -2, "KeyboardInterrupt"),
    "in a thread of the application": (
        "import threading; t = threading.Thread(target=call); t.start(); t.join()",
        0,
        "",
    ),
    "while a daemon thread calls": (
        "import threading as t; t.Thread(target=lambda: [call() for _ in iter(int, 1)], daemon=True).start()",
        0,
        "",
    ),
    "in asyncio.run": (
        "import asyncio; asyncio.run(asyncio.to_thread(call))",
        0,
        "",
    ),
    "in an atexit hook of the application": ("import atexit; atexit.register(call)", 0, ""),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_last_window_is_there(ending: str, server: Loopback, tmp_path: Path) -> None:
    code, status, complaint = ENDINGS[ending]
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert result.returncode == status
    if complaint:
        assert result.stderr.rstrip().endswith(complaint)
        assert "recost" not in result.stderr.replace("tests/recost", "")
    else:
        assert result.stderr == ""
    found = windows(tmp_path)
    recorded = sum(calls(found).values())
    if ending == "while a daemon thread calls":
        # What the thread does after the SDK has ended is not recorded any more. The call that is under way
        # then counts as one that has failed, also if nothing of it has been sent yet.
        under_way = sum(metric["errorCount"] for window in found for metric in window["metrics"])
        assert under_way <= 1
        assert 1 <= recorded - under_way <= len(server.log)
    elif ending == "in an atexit hook of the application":
        assert recorded == len(server.log) == 2
    else:
        assert recorded == len(server.log)


def test_a_response_that_was_never_read_counts(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE + "\nopen_response = urllib.request.urlopen(url + '/chunked?n=1000000')\n",
        server.url,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/plain": 1, "/chunked": 1}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_in_the_middle(server: Loopback, tmp_path: Path) -> None:
    program = PRELUDE + "\nprint('ready', flush=True)\nimport time\ntime.sleep(60)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", program, server.url, str(tmp_path)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_a_collector_that_hangs_holds_the_exit_up_for_the_set_time_only(
    server: Loopback, tmp_path: Path
) -> None:
    began = time.monotonic()
    bare = run_script(
        "import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + '/plain').read()", server.url
    )
    bare_s = time.monotonic() - began
    began = time.monotonic()
    result = run_script(
        """
        import sys, urllib.request, recost
        url = sys.argv[1]
        options = {"project_id": "p", "base_url": url + "/hang", "shutdown_flush_timeout_ms": 2000}
        recost.init(api_key="rc-test-key", local_dir=sys.argv[2], **options)
        urllib.request.urlopen(url + "/plain").read()
        """,
        server.url,
        tmp_path,
    )
    took_s = time.monotonic() - began
    server.release.set()
    assert (bare.returncode, result.returncode) == (0, 0)
    assert "1 calls in 1 windows could not be delivered: they are in the spool" in result.stderr
    assert took_s < bare_s + 2 + 13  # without the bound it is 30 s


def test_auto_shutdown_handlers_off_leaves_the_end_to_the_application(
    server: Loopback, tmp_path: Path
) -> None:
    code = PRELUDE.replace("local_dir=folder", "local_dir=folder, auto_shutdown_handlers=False")
    assert run_script(code, server.url, tmp_path).stderr == ""
    assert windows(tmp_path) == []
    assert run_script(code + "\nhandle.dispose()\n", server.url, tmp_path).stderr == ""
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_no_thread_can_be_started(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        """
        import sys, threading, urllib.request
        url, folder = sys.argv[1], sys.argv[2]

        def refuse(self):
            raise RuntimeError("can't start new thread")

        threading.Thread.start = refuse
        import recost
        recost.init(local_dir=folder)
        for _ in range(3):
            urllib.request.urlopen(url + "/plain").read()
        """,
        server.url,
        tmp_path,
    )
    assert result.returncode == 0
    assert result.stderr.startswith("recost: no thread can be started now")
    assert result.stderr.count("\n") == 1
    assert calls(windows(tmp_path)) == {"/plain": 3}


def test_a_name_that_is_never_resolved_does_not_hold_up_the_end(server: Loopback, tmp_path: Path) -> None:
    program = """
    import socket, sys, threading, urllib.request
    import recost

    resolve = socket.getaddrinfo
    def hang(host, *arguments, **options):
        if host == "collector.invalid":
            print("asked", flush=True)
            threading.Event().wait()
        return resolve(host, *arguments, **options)
    socket.getaddrinfo = hang

    recost.init(
        api_key="rc-key",
        project_id="shop",
        base_url="https://collector.invalid",
        local_dir=sys.argv[2],
        shutdown_flush_timeout_ms=2000,  # an eighth of it is kept for what is told
    )
    urllib.request.urlopen(sys.argv[1]).read()
    """
    result = run_script(program, server.url + "/plain", tmp_path, timeout_s=20)
    told = "recost: 1 calls in 1 windows could not be delivered: they are in the spool, and the next process"
    assert (result.returncode, result.stderr) == (0, f"{told} sends them\n")
    assert len(list(tmp_path.glob("shop.*.spool"))) == 1
    assert "asked" in result.stdout


def test_a_worker_that_gets_no_turn_before_the_end_loses_nothing_without_a_word(
    server: Loopback, tmp_path: Path
) -> None:
    program = """
        import sys, time, urllib.request
        import recost
        from recost.lifecycle.worker import Worker

        turns = Worker.turn
        Worker.turn = lambda self: time.sleep(0.3) if self._asked else turns(self)  # as on a busy machine
        handle = recost.init(local_dir=sys.argv[2], shutdown_flush_timeout_ms=100)
        for _ in range(3):
            urllib.request.urlopen(sys.argv[1]).read()
        while handle._runtime.worker._pipeline.size < 3:
            time.sleep(0.01)  # its first turn adds the calls up, and leaves the window open
        """
    result = run_script(program, server.url, tmp_path)
    assert result.returncode == 0
    recorded, reported = sum(calls(windows(tmp_path)).values()), dropped_calls(result.stderr)
    assert len(server.log) == 3
    assert recorded + reported - unsure_calls(result.stderr) <= 3 <= recorded + reported
