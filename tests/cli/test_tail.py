"""``recost tail`` as a process that follows files which others write."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.analytics.follow import last_lines
from recost.cli import main
from recost.delivery.transports.file import FileTransport
from recost.wire.parsing import parse_window
from tests.analytics.corpora import Plain, good_lines
from tests.analytics.test_store import line, window
from tests.scripts import environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals, terminals and pipes of POSIX")


class Tail:
    """The command, and its lines as they come."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        command = [sys.executable, "-m", "recost", "tail", "--tz", "UTC", *map(str, arguments)]
        env = environment(RECOST_LOCAL_DIR=str(folder))
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._lines.put(text.rstrip("\n"))

    def next(self) -> str:
        """Wait for a line."""
        return self._lines.get(timeout=20)

    def calls(self, count: int) -> list[int]:
        """Wait for so many lines; return the calls of each."""
        return [calls_of(self._lines.get(timeout=20)) for _ in range(count)]

    def none(self, within_s: float = 0.7) -> bool:
        """Return whether no line comes."""
        time.sleep(within_s)
        return self._lines.empty()

    def stop(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and what was said on stderr."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        code = self.process.wait(20)
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return code, said


def calls_of(text: str) -> int:
    return int(text[-34:-27].replace(",", ""))  # figures stand to the right, in columns of their own


@pytest.fixture
def tails() -> Iterator[Any]:
    """Start the command; end it when the test is over."""
    started: list[Tail] = []

    def start(folder: Path, *arguments: object) -> Tail:
        started.append(Tail(folder, *arguments))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.stop()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_the_last_ten_then_what_comes_and_ctrl_c(tmp_path: Path, tails: Any) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(b"".join(line(number, number) for number in range(1, 16)))
    tail = tails(tmp_path)
    assert tail.calls(10) == list(range(6, 16))
    append(shop, line(16, 16))
    append(tmp_path / "other.jsonl", line(17, 17))
    assert sorted(tail.calls(2)) == [16, 17]
    assert tail.none()
    code, said = tail.stop()
    assert (code, said.strip()) == (130, "")


def test_a_line_that_is_being_written_waits_for_its_end(tmp_path: Path, tails: Any) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(line(1, 1) + line(2, 2)[:40])
    tail = tails(tmp_path)
    assert tail.calls(1) == [1]
    append(shop, line(2, 2)[40:-1])
    assert tail.none()
    append(shop, b"\n" + b"torn\n" + line(3, 3))
    assert tail.calls(2) == [2, 3]
    assert "shop: a line is not a window" in tail.stop()[1]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("backups", [0, 1, 3])
def test_rotation(named: bool, backups: int, tmp_path: Path, tails: Any) -> None:
    transport = FileTransport(tmp_path, "shop", max_bytes=700, backups=backups)
    transport.send(window(1, 1), 5)
    tail = tails(tmp_path, *([tmp_path / "shop.jsonl"] if named else []))
    assert tail.calls(1) == [1]
    for number in range(2, 30):
        transport.send(window(number, number), 5)
        assert tail.calls(1) == [number]
    assert tail.none()


def test_a_burst_over_one_rotation_is_whole(tmp_path: Path, tails: Any) -> None:
    transport = FileTransport(tmp_path, "shop", max_bytes=4000, backups=3)
    transport.send(window(1, 1), 5)
    tail = tails(tmp_path)
    assert tail.calls(1) == [1]
    for number in range(2, 24):
        transport.send(window(number, number), 5)
    assert sorted(tail.calls(22)) == list(range(2, 24))
    assert tail.none()


def test_what_prune_leaves_is_not_shown_again(
    tmp_path: Path, tails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(line(1, 1) + line(2, 2) + line(2000, 3))
    tail = tails(tmp_path)
    assert tail.calls(3) == [1, 2, 3]
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    inode = shop.stat().st_ino
    assert main(["prune", "--older-than", "2026-03-28", "--yes"]) == 0
    assert shop.stat().st_ino != inode
    append(shop, line(2001, 4))
    assert tail.calls(1) == [4]
    assert tail.none()


def test_a_file_that_is_emptied_begins_anew(tmp_path: Path, tails: Any) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(line(1, 1) + line(2, 2))
    tail = tails(tmp_path)
    assert tail.calls(2) == [1, 2]
    os.truncate(shop, 0)
    assert tail.none()
    append(shop, line(3, 3))
    assert tail.calls(1) == [3]


def test_a_line_for_each_metric(tmp_path: Path, tails: Any) -> None:
    two = line(1, 5).replace(b'"metrics":[', b'"metrics":[' + METRIC + b",")
    (tmp_path / "shop.jsonl").write_bytes(line(0, 1) + two)
    tail = tails(tmp_path, "--metrics", "-n", 2)
    assert tail.calls(2) == [7, 5]
    assert tail.stop()[0] == 130


METRIC = (
    b'{"provider":"stripe","endpoint":"/v1/charges","method":"POST","requestCount":7,"errorCount":1,'
    b'"totalLatencyMs":1,"p50LatencyMs":1,"p95LatencyMs":1,"totalRequestBytes":1,"totalResponseBytes":1,'
    b'"estimatedCostCents":0,"unpricedCount":7}'
)


def test_names_are_whole_for_another_program(tmp_path: Path, tails: Any) -> None:
    """Such as ``grep``: a name that is cut would not be found."""
    (tmp_path / "shop.jsonl").write_bytes(line(1, 5).replace(b'"chat"', b'"' + b"x" * 100 + b'"'))
    tail = tails(tmp_path, "--metrics")
    assert "x" * 100 in tail.next()
    assert tail.stop()[0] == 130


def test_the_lines_fit_80_columns(tmp_path: Path) -> None:
    long = line(1, 123_456).replace(b'"chat"', b'"' + b"x" * 100 + b'"').replace(b":0.25", b":123456789.5")
    (tmp_path / "a-project-of-a-long-name.jsonl").write_bytes(long + METRIC_LINE)
    for more in ([], ["--metrics"]):
        lines = in_a_terminal(tmp_path, *more)
        assert [len(text) for text in lines] == [80, 80], lines
        assert lines[0].endswith("123,456      0        0 $1,234,568")
        assert lines[1].endswith("7      1        7    unknown")
        assert lines[0].startswith("03-27 00:01 a-proje...")


def in_a_terminal(folder: Path, *arguments: str) -> list[str]:
    """Return the first two lines below the heading in a terminal of 80 columns."""
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "recost", "tail", "--tz", "UTC", *arguments]
    env = environment(RECOST_LOCAL_DIR=str(folder), COLUMNS="80", NO_COLOR="1")
    with subprocess.Popen(command, env=env, stdin=follower, stdout=follower, stderr=follower) as process:
        os.close(follower)
        seen = b""
        while seen.count(b"\n") < 3:
            seen += os.read(leader, 65536)
        process.terminate()
    os.close(leader)
    return seen.decode().replace("\r", "").split("\n")[1:3]


METRIC_LINE = line(2, 1)[: line(2, 1).index(b"[")] + b"[" + METRIC + b"]}\n"


def test_a_reader_that_goes_away_ends_it(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1, 1) * 50)
    done = subprocess.run(
        f"{sys.executable} -m recost tail -n 50 | head -n 3; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 4
    assert (done.stdout.splitlines()[-1], done.stderr) == ("141", "")


def test_it_waits_where_nothing_is_yet(tmp_path: Path, tails: Any) -> None:
    tail = tails(tmp_path / "later")
    assert tail.process.stderr.readline().startswith("recost: waiting for the first window in")
    assert tail.none()
    FileTransport(tmp_path / "later", "shop").send(window(1, 1), 5)
    assert tail.calls(1) == [1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere.jsonl"], "no such file"),
        (["-"], "cannot follow stdin"),
        (["-n", "-1"], "invalid number '-1'"),
        (["--tz", "Mars"], "invalid time zone"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_compressed_files_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shop.1.jsonl.gz").write_bytes(b"")
    assert main(["tail", str(tmp_path)]) == 2
    assert "use recost report" in capsys.readouterr().err


@given(good_lines)
def test_figures_are_those_of_the_line(text: bytes) -> None:
    found, plain = parse_window(text, "shop"), Plain.of(text)
    assert found is not None
    total = plain.total()
    assert sum(metric.calls for metric in found.metrics) == total.calls
    assert sum(metric.unpriced for metric in found.metrics) == total.unpriced
    assert found.cost_usd == total.cost_usd
    assert found.started == plain.entries[0][0]


@settings(max_examples=50)
@given(
    st.lists(st.binary(max_size=50).filter(lambda text: b"\n" not in text)), st.binary(), st.integers(0, 9)
)
def test_last_lines(lines: list[bytes], torn: bytes, count: int) -> None:
    import tempfile

    torn = torn.replace(b"\n", b"")
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(text + b"\n" for text in lines) + torn)
        found, end = last_lines(file, count)
        assert found == [text + b"\n" for text in lines][max(len(lines) - count, 0) :]
        assert end == sum(len(text) + 1 for text in lines)


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"7", b"[" * 10**5, b'{"protocolVersion":1,"metrics":[]}']
)
def test_what_is_no_window(text: bytes) -> None:
    found: Optional[object] = parse_window(text, "shop")
    assert found is None
