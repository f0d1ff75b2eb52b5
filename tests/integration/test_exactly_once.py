"""Arrived + spooled + reported as dropped = served, whatever ends the processes; no window counts twice."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recost.delivery.frozen import call_count, thaw
from tests.collector_process import collector
from tests.integration.losing_proxy import losing_proxy
from tests.loopback import Loopback, free_port, wait_until
from tests.scripts import environment, run_script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and forks")

PRODUCER = """
import os, sys, time, urllib.request
import recost

url, collector, folder, ending = sys.argv[1:5]

def call(path="/plain"):
    urllib.request.urlopen(url + path).read()

def told(error):
    os.write(1, f"{error}\\n".encode())

handle = recost.init(
    api_key="rc-0123456789abcdef", project_id="proj-1", base_url=collector, local_dir=folder, max_retries=1,
    on_error=told,
)
"""
ENDINGS = {
    "end of the script": "call(); handle.flush_blocking(5); call(); call()",
    "sys.exit": "call(); sys.exit(3)",
    "an exception": "call(); raise LookupError",
    "dispose": "call(); handle.dispose(); os._exit(0)",
    "fork": """
call()
if os.fork() == 0:
    call(); call()
    sys.exit(0)
os.wait()
call()
""",
    "multiprocessing": """
import multiprocessing
call(); handle.flush_blocking(5)
children = [multiprocessing.get_context("fork").Process(target=call) for _ in range(3)]
for child in children: child.start()
for child in children: child.join()
""",
    "a second init": """
call()
recost.init(api_key="rc-0123456789abcdef", project_id="proj-1", base_url=collector, local_dir=folder,
            max_retries=0, on_error=told)
call()
""",
}
TAKER = """
call("/own")
handle.flush_blocking(20)
os.write(1, b"flushed\\n")
while os.path.exists(ending):
    call("/own")
    handle.flush_blocking(20)
    time.sleep(0.01)
"""
NOBODY = "http://127.0.0.1:9"


def dropped(output: str) -> int:
    """Return the number of calls that were reported as dropped."""
    found = re.findall(r"(\d+) calls in \d+ windows (?:could not be delivered(?!: they are in)|were)", output)
    return sum(map(int, found))


def spooled(folder: Path) -> list[int]:
    """Return the calls of each window that is pending in the spool."""
    lines = [line for file in folder.glob("*.spool") for line in file.read_bytes().splitlines()]
    summaries = [thaw(line[1:]) for line in lines if line[:1] in (b"+", b"?")]
    return [call_count(each) for each in summaries if each is not None]


def served(server: Loopback, path: str = "/plain") -> int:
    return sum(each.path == path for each in server.log)


def start(server: Loopback, collector_url: str, folder: Path, flag: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRODUCER + TAKER, server.url, collector_url, str(folder), str(flag)],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "telemetry"
    yield path
    assert not [each for each in path.glob("*") if each.stat().st_mode & 0o077]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_process_could_not_deliver_is_delivered_by_the_next_one(
    ending: str, server: Loopback, folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    first = run_script(PRODUCER + ENDINGS[ending], server.url, url, folder, "-")
    expected = served(server)
    assert expected
    assert dropped(first.stdout) == 0
    assert sum(spooled(folder)) == expected
    with collector(tmp_path / "log", port) as accepted:
        second = run_script(PRODUCER + "call('/own')", server.url, url, folder, "-")
        assert (second.stdout, second.stderr) == ("", "")
        assert accepted.total("/plain") == expected
        assert accepted.total("/own") == 1
        assert len(accepted.ids) == len(set(accepted.ids))
    assert spooled(folder) == []
    assert list(folder.glob("*.spool")) == []


def test_of_two_that_start_at_once_exactly_one_takes_a_spool(
    server: Loopback, folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    for _ in range(3):
        run_script(PRODUCER + ENDINGS["end of the script"], server.url, url, folder, "-")
    expected, flag = served(server), tmp_path / "go on"
    assert sum(spooled(folder)) == expected
    flag.touch()
    with collector(tmp_path / "log", port) as accepted:
        both = [start(server, url, folder, flag) for _ in range(2)]
        assert wait_until(lambda: accepted.total("/plain") == expected, 60)
        flag.unlink()
        for each in both:
            output, errors = each.communicate(timeout=60)
            assert (each.returncode, output, errors) == (0, "flushed\n", "")
        assert len(accepted.ids) == len(set(accepted.ids))
        assert accepted.total("/own") == served(server, "/own")
    assert list(folder.glob("*.spool")) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_takers_that_are_killed_behind_a_proxy_that_loses_answers(
    seed: int, server: Loopback, folder: Path, tmp_path: Path
) -> None:
    port, dealt = free_port(), random.Random(seed)
    flag = tmp_path / "go on"
    flag.touch()
    with collector(tmp_path / "log", port) as accepted, losing_proxy(accepted.url, 0.3, seed) as proxy:
        proxy.down = True
        many = "\nfor _ in range(12): call(); handle.flush_blocking(5)"
        for _ in range(2):
            run_script(PRODUCER.replace("retries=1", "retries=0") + many, server.url, proxy.url, folder, "-")
        proxy.down, expected = False, served(server)
        assert sum(spooled(folder)) == expected == 24
        for _ in range(6):
            taker = start(server, proxy.url, folder, flag)
            assert taker.stdout is not None
            taker.stdout.readline()
            time.sleep(dealt.random() * 0.1)
            taker.send_signal(signal.SIGKILL)
            taker.communicate(timeout=30)
        last = start(server, proxy.url, folder, flag)
        assert wait_until(lambda: not list(folder.glob("*.spool")), 120)
        flag.unlink()
        last.communicate(timeout=60)
        assert accepted.total("/plain") == expected
        assert all(len(bodies) == 1 for bodies in accepted.contents().values())
        repeats = len(accepted.ids) - len(set(accepted.ids))
        assert repeats <= proxy.lost + 7  # what a proxy lost, and what a process was killed over


def test_without_a_folder_it_is_as_before_and_reported(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run_script(
        PRODUCER + ENDINGS["end of the script"], server.url, NOBODY, tmp_path / "file" / "telemetry", "-"
    )
    assert result.returncode == 0
    assert dropped(result.stdout) == served(server) == 3
    assert result.stdout.count("cannot write the spool") == 1


def test_frames_for_the_websocket_are_left_to_the_next_process(
    server: Loopback, folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("websockets.sync.server")
    from websockets.sync.server import serve

    program = PRODUCER.replace('api_key="rc-0123456789abcdef", ', "").replace(
        "base_url=collector", 'local_transport="ws", local_port=int(collector)'
    )
    port, frames = free_port(), list[str]()
    first = run_script(program + ENDINGS["end of the script"], server.url, port, folder, "-")
    assert dropped(first.stdout) == 0
    assert sum(spooled(folder)) == served(server) == 3

    def collect(connection: Any) -> None:
        frames.extend(connection)

    with serve(collect, "127.0.0.1", port) as websocket:
        thread = threading.Thread(target=websocket.serve_forever)
        thread.start()
        # From Python 3.12 on, no connection can begin at the very end of a process: it needs a thread.
        own = program + "call('/own')\nhandle.flush_blocking(20)\n"
        second = run_script(own, server.url, port, folder, "-")
        websocket.shutdown()
        thread.join()
    assert second.stdout == ""
    summaries = [thaw(frame.encode()) for frame in frames]
    assert sum(call_count(each) for each in summaries if each is not None) == 4
    assert len({each.window_id for each in summaries if each is not None}) == len(frames)
    assert list(folder.glob("*.spool")) == []
