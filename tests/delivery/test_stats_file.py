"""Files with the numbers of running processes: private, removed in time, and harmless whatever is in them."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost import DestinationStats, Stats
from recost.delivery.stats_file import StatsFile, running
from tests.loopback import Loopback
from tests.scripts import run_script

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a locked file can't be replaced there")

PREFIX = "shop.0123456789ab01234567"


def numbers(sent: int = 3, failure: Optional[tuple[str, str]] = None) -> dict[str, Any]:
    found = DestinationStats("cloud", "ok", 1, 0, sent, 0, {"rejected": 2}, failure)
    return Stats(sent + 3, 0, {"cloud": found}).to_dict()


def opened(folder: Path) -> StatsFile:
    return StatsFile(str(folder), "shop", 1_700_000_000_000.0, own_folder=False)


def held(folder: Path, content: bytes, name: str = f"{PREFIX}.stats") -> int:
    """Return the descriptor of a file as a running process would have it, with any content."""
    import fcntl

    fd = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    os.write(fd, content)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd


def test_it_has_the_latest_numbers_and_is_private(tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    file = opened(folder)
    for sent in (1, 2, 3):
        file.write(numbers(sent), 1_700_000_000_500.0)
        (path,) = folder.iterdir()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (found,), unreadable = running(folder)
        assert (found["destinations"]["cloud"]["sent"], unreadable) == (sent, 0)
    assert found == {
        "project": "shop",
        "pid": os.getpid(),
        "started": 1_700_000_000_000.0,
        "written": 1_700_000_000_500.0,
        "captured": 6,
        "excluded": 0,
        "destinations": {
            "cloud": {
                "status": "ok",
                "pending": 1,
                "spooled": 0,
                "sent": 3,
                "recovered": 0,
                "dropped": {"rejected": 2},
                "error": None,
            }
        },
    }
    file.remove()
    file.remove()
    assert running(folder) == ([], 0)
    assert list(folder.iterdir()) == []


def test_it_has_the_type_of_an_error_and_not_its_text(tmp_path: Path) -> None:
    file = opened(tmp_path)
    file.write(numbers(failure=("RecostError", "https://secret.example/private: rc-0123456789")), 1.0)
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert "RecostError" in text
    assert "secret" not in text
    assert "rc-" not in text
    file.remove()


def test_it_is_small(tmp_path: Path) -> None:
    count, reasons = 2**62, dict.fromkeys("abcdefg", 2**62)
    large = DestinationStats("k", "suspended", count, count, count, count, reasons)
    most = {f"kind{number}": large for number in range(8)}
    file = opened(tmp_path)
    file.write(Stats(2**62, 2**62, most).to_dict(), 1.0)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size < 8 * 1024
    assert len(running(tmp_path)[0]) == 1
    file.remove()


def test_one_of_an_ended_process_is_removed_by_whoever_looks(tmp_path: Path) -> None:
    ended = opened(tmp_path)
    ended.write(numbers(), 1.0)
    ended.abandon()  # as the end of its process does
    living = opened(tmp_path)
    living.write(numbers(), 1.0)
    assert len(list(tmp_path.iterdir())) == 1
    assert len(running(tmp_path)[0]) == 1
    living.abandon()
    assert running(tmp_path) == ([], 0)
    assert list(tmp_path.iterdir()) == []


DAMAGED = {
    "empty": b"",
    "no JSON": b"{",
    "a list": b"[1]",
    "no destinations": b"{}",
    "deep": b"[" * 16_000,
    "too long": b" " * 16_385 + b"{}",
    "not UTF-8": b'{"a": "\xff"}',
    "a large number": json.dumps({"pid": 1, "destinations": {}}).replace("1", "1" * 9000).encode(),
    "a text where a count is": json.dumps({"pid": "1", "destinations": {}}).encode(),
    "NaN": b'{"pid":1,"captured":1,"excluded":0,"started":NaN,"written":1,"destinations":{}}',
    "escape sequences": b'{"pid":1,"captured":1,"excluded":0,"started":1,"written":1,'
    b'"destinations":{"\\u001b[31m":{"dropped":{}}}}',
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_one_is_counted(what: str, tmp_path: Path) -> None:
    fd = held(tmp_path, DAMAGED[what])
    try:
        assert running(tmp_path) == ([], 1)
    finally:
        os.close(fd)


def test_what_is_no_file_of_this_user_alone_is_counted_and_left(tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    folder.mkdir()
    other = tmp_path / "other"
    other.write_text("mine")
    (folder / f"a{PREFIX}.stats").symlink_to(other)
    os.mkfifo(folder / f"b{PREFIX}.stats")
    (folder / f"c{PREFIX}.stats").mkdir()
    os.link(other, folder / f"d{PREFIX}.stats")
    (folder / "notes.stats").write_text("not recost's")
    assert running(folder) == ([], 4)
    assert len(list(folder.iterdir())) == 5
    assert other.read_text() == "mine"
    assert stat.S_IMODE(other.stat().st_mode) != 0o777


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["destinations", "pid", "captured", "dropped", "status"]), inner
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_is_in_it_nothing_is_raised(tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    folder = tmp_path_factory.mktemp("telemetry")
    fd = held(folder, json.dumps(content).encode())
    try:
        processes, unreadable = running(folder)
    finally:
        os.close(fd)
    assert len(processes) + unreadable == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert running(tmp_path / "missing") == ([], 0)


PROGRAM = """
import os, signal, sys, time, urllib.request
from pathlib import Path
import recost
from recost.delivery.stats_file import running

url, folder, how = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

def call():
    urllib.request.urlopen(url + "/plain").read()

def shown(count):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found, unreadable = running(folder)
        captured = {each["pid"]: each["captured"] for each in found}
        if len(found) == count and not unreadable:
            return captured
        time.sleep(0.01)
    raise SystemExit(f"{found} {unreadable}")

handle = recost.init(local_dir=str(folder))
call()
assert not [name for name in os.listdir(folder) if name.endswith(".stats")] if folder.exists() else True
assert handle.flush_blocking(20)
assert shown(1) == {os.getpid(): 1}
if how == "fork":
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        call(); call()
        assert handle.flush_blocking(20)
        assert shown(2)[os.getpid()] == 2
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert set(shown(2)) == {os.getpid(), child}
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    assert set(shown(1)) == {os.getpid()}
    handle.dispose()
    assert shown(0) == {}
elif how == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("how", ["end", "fork", "kill"])
def test_a_process_has_one_from_its_first_flush_to_its_end(
    how: str, server: Loopback, tmp_path: Path
) -> None:
    done = run_script(PROGRAM, server.url, tmp_path, how)
    assert (done.returncode, done.stderr, done.stdout) == (-9 if how == "kill" else 0, "", "")
    assert len(list(tmp_path.glob("*.stats"))) == (how == "kill")
    assert running(tmp_path) == ([], 0)
    assert list(tmp_path.glob("*.stats")) == []


def test_a_short_process_writes_no_such_file(server: Loopback, tmp_path: Path) -> None:
    code = """
import sys, urllib.request
import recost
recost.init(local_dir=sys.argv[2])
urllib.request.urlopen(sys.argv[1] + "/plain").read()
"""
    done = run_script(code, server.url, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["default.jsonl"]
