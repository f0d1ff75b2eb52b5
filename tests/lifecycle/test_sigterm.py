"""``flush_on_sigterm``: what was recorded is sent, and the process ends as it would have without it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recost.delivery.frozen import call_count, thaw
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, environment, run_script, windows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

PRELUDE = """
import os, signal, sys, threading, time, urllib.request
import recost

url, folder = sys.argv[1], sys.argv[2]

def call(path="/plain"):
    with urllib.request.urlopen(url + path) as response:
        response.read()

def ready():
    print("ready", flush=True)

def wait():
    # In short pieces: Python does not see a signal that comes just before a call that blocks.
    for _ in range(1200):
        time.sleep(0.05)
"""
INIT = "recost.init(local_dir=folder, flush_on_sigterm=True, shutdown_flush_timeout_ms=20_000)\n"
"""With much time, as the machine may be busy."""
REFUSING = """
import _thread

def refuse(*_):
    raise RuntimeError("can't start new thread")

threading.Thread.start = _thread.start_new_thread = refuse
"""
WAIT = "call(); ready(); wait()"

ENDINGS = {
    "the default action": (INIT + WAIT, -signal.SIGTERM),
    "from the environment": (
        "os.environ['RECOST_FLUSH_ON_SIGTERM'] = 'on'\nrecost.init(local_dir=folder)\n" + WAIT,
        -signal.SIGTERM,
    ),
    "a handler that was there": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n" + INIT + WAIT,
        5,
    ),
    "a handler that was there, and leaves at once": (
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(6))\n" + INIT + WAIT,
        6,
    ),
    "a handler that comes later": (
        INIT + "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n" + WAIT,
        5,
    ),
    "a handler that comes later, and calls the one before": (
        INIT
        + "before = signal.getsignal(signal.SIGTERM)\n"
        + "signal.signal(signal.SIGTERM, lambda *arguments: before(*arguments))\n"
        + WAIT,
        -signal.SIGTERM,
    ),
    "reset before the first call, as servers do": (
        INIT + "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n" + WAIT,
        -signal.SIGTERM,
    ),
    "a second init()": (INIT + "call()\n" + INIT + WAIT, -signal.SIGTERM),
    "asyncio, with nothing about signals": (
        INIT + "import asyncio\ncall(); ready()\nasyncio.run(asyncio.sleep(60))",
        -signal.SIGTERM,
    ),
    "asyncio's own handler": (
        INIT
        + """
import asyncio

async def main():
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await asyncio.to_thread(call)
    ready()
    await asked.wait()

asyncio.run(main())
""",
        0,
    ),
    "while the main thread waits for a lock": (
        INIT + "call(); lock = threading.Lock(); lock.acquire(); ready(); lock.acquire()",
        -signal.SIGTERM,
    ),
    "while it flushes, again and again": (
        INIT + "handle = " + INIT + "call(); ready()\n" + "while True: handle.flush_blocking()",
        -signal.SIGTERM,
    ),
    "while it starts threads": (
        INIT + "call(); ready()\nwhile True: threading.Thread(target=len, args=('',)).start()",
        -signal.SIGTERM,
    ),
    "while it forks": (
        INIT + "call(); ready()\nwhile True: os.waitpid(os.fork() or os._exit(0), 0)",
        -signal.SIGTERM,
    ),
    "while it begins and ends, again and again": (
        f"{INIT}call(); ready()\nwhile True: {INIT.strip()}.dispose()",
        -signal.SIGTERM,
    ),
    "while no thread can be started": (REFUSING + INIT + WAIT, -signal.SIGTERM),
    "while it flushes, and no thread can be started": (
        REFUSING + "handle = " + INIT + "call(); ready()\nwhile True: handle.flush_blocking()",
        -signal.SIGTERM,
    ),
    "a handler that was there, while it flushes": (
        "signal.signal(signal.SIGTERM, lambda *_: os._exit(6))\nhandle = "
        + INIT
        + "call(); ready()\nwhile True: handle.flush_blocking()",
        6,
    ),
}


def start(code: str, server: Loopback, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, server.url, str(folder)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


BLOCKING = ("asyncio, with nothing about signals", "while the main thread waits for a lock")
"""Here the main thread waits in one piece: a signal that comes just before takes effect after that."""


def wait_until_blocked(process: subprocess.Popen[str]) -> None:
    """Return once the main thread has slept for a while without being woken."""
    status = Path(f"/proc/{process.pid}/task/{process.pid}/status")
    if not status.exists():
        time.sleep(1)
        return

    def state() -> list[str]:
        wanted = ("State:", "voluntary", "nonvoluntary")
        return [line for line in status.read_text().splitlines() if line.startswith(wanted)]

    def blocked() -> bool:
        before = state()
        time.sleep(0.2)  # one that waits for its turn in Python is woken every 5 ms
        return before == state() and before[0].startswith("State:\tS")

    assert wait_until(blocked, 30)


@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_is_recorded(ending: str, server: Loopback, tmp_path: Path) -> None:
    code, status = ENDINGS[ending]
    process = start(code, server, tmp_path)
    if ending in BLOCKING:
        wait_until_blocked(process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    # The one warning there may be: what was recorded is kept all the same.
    refused = "no thread can be started" in ending
    assert [line.partition(" now")[0] for line in errors.splitlines()] == [
        "recost: no thread can be started"
    ] * refused
    assert calls(windows(tmp_path)) == {"/plain": len(server.log)}


@pytest.mark.parametrize(
    ("handler", "status"),
    [("signal.SIG_DFL", -signal.SIGTERM), ("lambda *_: os._exit(6)", 6), ("lambda *_: sys.exit(5)", 5)],
)
def test_a_window_that_the_main_thread_is_writing_is_written(
    handler: str, status: int, server: Loopback, tmp_path: Path
) -> None:
    code = f"""
import fcntl
start = threading.Thread.start
{REFUSING}
signal.signal(signal.SIGTERM, {handler})
handle = {INIT}
call(); handle.flush_blocking(); call()
held = open(next(entry.path for entry in os.scandir(folder) if entry.name.endswith(".jsonl")))
fcntl.flock(held, fcntl.LOCK_EX)

def meanwhile():
    time.sleep(0.5); os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.5); fcntl.flock(held, fcntl.LOCK_UN)

start(threading.Thread(target=meanwhile, daemon=True))
handle.flush_blocking(20); wait()
"""
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert result.returncode == status
    assert all(line.startswith("recost: no thread can be started") for line in result.stderr.splitlines())
    assert calls(windows(tmp_path)) == {"/plain": 2}


@pytest.mark.parametrize("where", ["wait()", "handle.flush_blocking(60)", "handle.dispose()"])
def test_a_collector_that_hangs_holds_it_up_for_the_shutdown_timeout_at_most(
    where: str, server: Loopback, tmp_path: Path
) -> None:
    options = 'api_key="rc-key", project_id="p", base_url=url + "/hang", shutdown_flush_timeout_ms=1000'
    code = f"handle = recost.init(flush_on_sigterm=True, {options})\ncall(); ready(); {where}"
    process = start(code, server, tmp_path)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)  # a minute, were it not for the bound
    server.release.set()
    assert process.returncode == -signal.SIGTERM
    assert all(line.startswith("recost: ") for line in errors.splitlines())


def test_a_second_sigterm_waits_for_nothing(server: Loopback, tmp_path: Path) -> None:
    options = 'api_key="rc-key", project_id="p", base_url=url + "/hang", shutdown_flush_timeout_ms=60_000'
    process = start(f"recost.init(flush_on_sigterm=True, {options})\n" + WAIT, server, tmp_path)
    process.send_signal(signal.SIGTERM)
    assert wait_until(lambda: len(server.log) >= 2, 30)  # the window has been sent
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)  # a minute, if it waited
    server.release.set()
    assert process.returncode == -signal.SIGTERM


def test_a_lock_that_the_flush_needs_is_held_by_the_main_thread(server: Loopback, tmp_path: Path) -> None:
    code = "import logging\nrecost.init(local_dir=folder, flush_on_sigterm=True, debug=True)\ncall()\n"
    code += "[handler.acquire() for handler in logging.getLogger('recost').handlers]; ready(); wait()"
    process = start(code, server, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM


def test_a_process_that_ignores_it_goes_on(server: Loopback, tmp_path: Path) -> None:
    code = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + INIT
    code += "os.kill(os.getpid(), signal.SIGTERM); call()"
    result = run_script(PRELUDE + code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_dispose_puts_back_what_was_there(server: Loopback, tmp_path: Path) -> None:
    code = """
    import signal, recost, sys
    before = signal.getsignal(signal.SIGTERM)
    for _ in range(3):
        handle = recost.init(flush_on_sigterm=True, local_dir=sys.argv[2])
        assert signal.getsignal(signal.SIGTERM) is not before
    handle.dispose()
    assert signal.getsignal(signal.SIGTERM) is before
    recost.init(local_dir=sys.argv[2])
    assert signal.getsignal(signal.SIGTERM) is before
    """
    result = run_script(code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


def test_off_the_main_thread_it_says_that_it_is_not_in_effect(server: Loopback, tmp_path: Path) -> None:
    code = (
        PRELUDE
        + """
errors = []
options = {"local_dir": folder, "flush_on_sigterm": True, "on_error": errors.append}
thread = threading.Thread(target=lambda: recost.init(**options))
thread.start(); thread.join(); call()
print(*errors)
"""
    )
    result = run_script(code, server.url, tmp_path)
    message = "recost: flush_on_sigterm: not in effect: signal handlers can only be set on the main thread"
    assert result.returncode == 0
    assert result.stdout.startswith(message)
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_a_child_that_gets_it_at_once_ends_by_it(server: Loopback, tmp_path: Path) -> None:
    code = (
        PRELUDE
        + INIT
        + """
call()
for _ in range(300):
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    assert os.waitpid(child, 0)[1] == signal.SIGTERM
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
"""
    )
    result = run_script(code, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/plain": 1}


@pytest.mark.parametrize("where", ["wait()", "while True: handle.flush_blocking(1)"])
def test_what_could_not_be_sent_is_left_to_the_next_process(
    where: str, server: Loopback, tmp_path: Path
) -> None:
    options = 'api_key="rc-key", project_id="p", base_url="http://127.0.0.1:9", local_dir=folder'
    code = f"handle = recost.init(flush_on_sigterm=True, {options})\ncall(); call(); ready()\n{where}"
    process = start(code, server, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    (file,) = tmp_path.glob("*.spool")
    summaries = [thaw(line[1:]) for line in file.read_bytes().splitlines()]
    assert sum(call_count(each) for each in summaries if each is not None) == len(server.log) == 2
