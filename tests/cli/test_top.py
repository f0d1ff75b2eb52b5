"""``recost top`` on a pseudo-terminal of its own, read as a terminal reads it, and through pipes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Optional

import pyte
import pytest

from recost import wire
from recost.cli import main
from recost.cli._shared.footnotes import FLAT
from recost.events import MetricEntry, ModelEntry, WindowSummary
from tests.scripts import environment


def line(
    calls: int, cents: float, *, ago_s: float = 1, provider: str = "openai", errors: int = 0, **more: Any
) -> bytes:
    """Make a window that ended so many seconds ago."""
    end = time.time() * 1000 - ago_s * 1000
    entry = MetricEntry(
        provider, "chat", "POST", calls, errors, 5.0 * calls, 5.0, more.pop("p95", 9.0), 1, 2, cents, **more
    )
    summary = WindowSummary("", "test", "python", "0.2.0", end - 30_000, end, (entry,))
    return wire.encode_window(summary) + b"\n"


def _takes_terminal() -> None:
    """Have a process that begins a session take its terminal, and end when that hangs up."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored, and top leaves it so


class Terminal:
    """The command on a terminal."""

    def __init__(
        self, folder: Path, *arguments: object, size: tuple[int, int] = (80, 24), term: str = "xterm"
    ):
        self.controller, terminal = pty.openpty()
        self.seen = b""
        self.screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.resize(*size)
        self.before = termios.tcgetattr(terminal)
        env = environment(RECOST_LOCAL_DIR=str(folder), TERM=term)
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            env.pop(name, None)
        command = [sys.executable, "-m", "recost", "top", "--tz", "UTC", *map(str, arguments)]
        self.process = subprocess.Popen(
            command, env=env, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
            preexec_fn=_takes_terminal,  # noqa: PLW1509 - no threads here
        )  # fmt: skip
        self.terminal = terminal

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)
        fcntl.ioctl(self.controller, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, text: str) -> None:
        os.write(self.controller, text.encode())

    def text(self) -> str:
        return "\n".join(row.rstrip() for row in self.screen.display)

    def until(self, holds: Callable[[str], object], within_s: float = 30) -> str:
        """Wait until the screen shows something, and nothing more comes; return it."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if select.select([self.controller], [], [], 0.1)[0]:
                try:
                    data = os.read(self.controller, 65536)
                except OSError:  # the other side is closed
                    break
                self.seen += data
                self._stream.feed(data)
            elif holds(self.text()):
                return self.text()
        if holds(self.text()):
            return self.text()
        raise AssertionError(self.text())

    def shows(self, *patterns: str) -> str:
        """Wait for all of it: a screen may come in pieces, the upper part first."""
        return self.until(lambda text: all(re.search(pattern, text) for pattern in patterns))

    def begins(self, row: str, order: str) -> None:
        """Wait until the rows are in an order that the line above names, and begin with this one."""
        self.shows(f"{order}[^─]*─{{20,}}\n+{row}")

    def ended(self, *, drawn: bool = True) -> int:
        """Wait for the end; the terminal must be as it was."""
        self.until(lambda _: self.process.poll() is not None)
        with contextlib.suppress(AssertionError):
            self.until(lambda _: False, 0.5)
        assert termios.tcgetattr(self.terminal) == self.before
        assert self.seen.count(b"\x1b[?1049h") == self.seen.count(b"\x1b[?1049l")
        assert not drawn or self.seen.rfind(b"\x1b[?25h") > self.seen.rfind(b"\x1b[?25l")
        assert self.process.returncode is not None
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.controller)
        os.close(self.terminal)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*arguments: object, **more: Any) -> Terminal:
        started.append(Terminal(tmp_path, *arguments, **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_windows_as_they_come_and_q(tmp_path: Path, terminals: Any) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(line(1000, 9e5, ago_s=3600) + line(60, 600))
    top = terminals()
    text = top.shows("openai chat")
    assert "60 calls, $6.00 in" in text
    append(shop, line(40, 400, provider="stripe", errors=10) + b"torn\n")
    text = top.shows(
        r"100 calls, \$10.00 in",
        r"stripe chat .* 25.0% ",
        r"total .* 10.0% ",
        "projections",
        "skipped: 1 line",
    )
    assert max(map(len, text.split("\n"))) <= 80
    top.press("q")
    assert top.ended() == 0
    assert b"\x1b[?1049h" in top.seen


def test_the_keys(tmp_path: Path, terminals: Any) -> None:
    models = (ModelEntry("gpt-4o", 60, 600.0, 0, 5, 6),)
    (tmp_path / "shop.jsonl").write_bytes(
        line(60, 600, models=models, unpriced_count=0)
        + line(90, 1, provider="stripe", errors=45, p95=50.0)
        + line(10, 0, provider="unknown", p95=900.0, unpriced_count=10)
    )
    top = terminals()
    top.begins("openai chat", "most cost first")
    top.shows(r"unknown chat .* unknown ", r"10 calls \(6.2%\) without a known price")
    top.press("a")
    top.begins("stripe chat", "most calls first")
    top.press("p")
    top.begins("unknown chat", "most p95 first")
    top.press("\x1b[Aec")  # an arrow means nothing
    top.shows("most cost first")
    top.press("e")
    top.begins("stripe chat", "most errors first")
    for by, names in (
        ("model", "gpt-4o"),
        ("project", "shop"),
        ("provider", "openai"),
        ("endpoint", "openai"),
    ):
        top.press("g")
        top.shows(f"by {by},", names)
    top.press("h")
    top.shows("sort by errors")
    top.press("h")
    top.shows("calls/min")
    top.press(" ")
    top.shows("PAUSED")
    append(tmp_path / "shop.jsonl", line(7, 1, provider="later"))
    time.sleep(1.5)
    top.press("g")
    assert "later" not in top.shows("by model,")
    top.press(" ")
    assert "PAUSED" not in top.shows("later")
    top.press("q")
    assert top.ended() == 0


def test_a_resize_and_more_rows_than_there_is_room(tmp_path: Path, terminals: Any) -> None:
    names = [f"provider-{number}" for number in range(30)]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(line(2, 100, provider=name) for name in names))
    top = terminals()
    top.shows("others", "\ntotal", "q quit")
    top.resize(200, 50)
    everything = ("cost over time", r"60 calls, \$30.00", *(f"{name} " for name in names), "q quit")
    assert "others" not in top.shows(*everything)
    top.resize(80, 10)
    top.shows("30 others|29 others", "q quit")
    top.press("q")
    assert top.ended() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_a_signal_leaves_the_terminal_as_it_was(
    number: int, code: int, tmp_path: Path, terminals: Any
) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600))
    top = terminals()
    top.shows("openai chat")
    top.process.send_signal(number)
    assert top.ended() == code
    assert b"Traceback" not in top.seen


def test_ctrl_c_and_ctrl_z_as_they_are_typed(tmp_path: Path, terminals: Any) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600))
    top = terminals()
    top.shows("openai chat")
    top.press("\x1a")
    top.until(lambda _: b"\x1b[?1049l" in top.seen)
    assert os.waitpid(top.process.pid, os.WUNTRACED)[1] == (signal.SIGSTOP << 8) | 0x7F
    assert termios.tcgetattr(top.terminal) == top.before
    top.process.send_signal(signal.SIGCONT)
    top.until(lambda text: top.seen.count(b"\x1b[?1049h") == 2 and "openai chat" in text)
    top.press("\x03")
    assert top.ended() == 130


def test_an_exception_leaves_the_terminal_as_it_was(tmp_path: Path, terminals: Any) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("Linux only")
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600))
    top = terminals()
    top.shows("openai chat")
    resource.prlimit(top.process.pid, resource.RLIMIT_NOFILE, (3, 3))  # no file can be opened any more
    assert top.ended() == 2
    assert b"Too many open files" in top.seen


def test_a_dumb_terminal_gets_blocks(tmp_path: Path, terminals: Any) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600))
    top = terminals("--every", "0.5", term="dumb", size=(80, 100))
    top.until(lambda text: text.count("recost top") >= 2)
    assert b"\x1b" not in top.seen
    top.press("\x03")
    assert top.ended(drawn=False) == 130


def once(
    folder: Path, *arguments: str, env: Optional[dict[str, str]] = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recost", "top", "--once", "--tz", "UTC", *arguments]
    return subprocess.run(
        command, env=environment(RECOST_LOCAL_DIR=str(folder), **(env or {})), capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip


def test_one_block(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600, ago_s=30) + line(60, 600, ago_s=0))
    done = once(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[1].startswith("120 calls, $12.00 in 1 min of the last 5 min; latest window")
    cells = lines[5].split()
    assert cells[:2] == ["openai", "chat"]
    assert float(cells[2]) == pytest.approx(120, rel=0.1)
    assert float(cells[3].strip("$")) == pytest.approx(12, rel=0.1)
    assert float(cells[4].strip("$").replace(",", "")) == pytest.approx(17_280, rel=0.1)
    assert float(cells[5].strip("$").replace(",", "")) == pytest.approx(518_400, rel=0.1)
    assert cells[6:] == ["0.0%", "9", "ms"]
    assert max(map(len, lines)) <= 80
    narrow = once(tmp_path, env={"COLUMNS": "40"}).stdout
    assert max(map(len, narrow.splitlines())) <= 40
    assert "120 calls, $12.00 in 1 min of the last 5 min" in " ".join(narrow.split())


def test_flat_estimates_are_called_so(tmp_path: Path, terminals: Any) -> None:
    shop = tmp_path / "shop.jsonl"
    shop.write_bytes(line(60, 123_456, cost_source={"estimated": 123_456.0}, attempts=60, unpriced_count=0))
    assert "flat" not in once(tmp_path).stdout, "its answers were looked at"
    append(shop, line(60, 123_456, cost_source={"estimated": 123_456.0}, unpriced_count=2))
    told = f"$1,234.56 are {FLAT}"
    said = once(tmp_path).stdout
    assert f"cost       {told}\n" in said
    assert "2 calls (1.7%) without a known price" in said
    top = terminals()
    assert f"\ncost: {told}\n" in top.shows("flat estimates"), "as a whole, in 80 columns"
    top.press("q")
    assert top.ended() == 0


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(6, 6, provider="\x1b[2Jevil[red]"))
    assert "?[2Jevil[red]" in once(tmp_path, "--by", "provider").stdout


def test_long_ago(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600, ago_s=86_400 * 3))
    day = datetime.now(timezone.utc) - timedelta(days=3)
    assert f"no calls in the last 5 min; latest window {day:%Y-%m-%d}" in once(tmp_path).stdout


def test_all_of_the_span_is_read_however_many_windows_it_has(tmp_path: Path) -> None:
    lines = [line(1, 1, ago_s=200 - index / 20) for index in range(2980)]  # a busy machine takes its time
    (tmp_path / "shop.jsonl").write_bytes(line(10**6, 1, ago_s=1000) + b"".join(lines))
    assert re.search(r"^2,980 calls", once(tmp_path).stdout, re.MULTILINE)


def test_the_blocks_end_with_their_reader(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(60, 600))
    done = subprocess.run(
        f"{sys.executable} -m recost top --every 0.2 | head -n 1; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.stdout.splitlines()[-1], done.stderr) == ("141", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/nowhere.jsonl"], "no such file"),
        (["-"], "top cannot follow stdin: expected files"),
        (["--over", "10s"], "invalid time span '10s': expected 1m to 1d"),
        (["--over", "2d"], "invalid time span '2d'"),
        (["--over", "0m"], "invalid time span '0m'"),
        (["--over", "2026-01-01"], "invalid time span"),
        (["--over", f"{datetime.now(timezone.utc):%Y%m%d}"], "invalid time span"),
        (["--every", "0"], "invalid number '0': expected 0.1 to 86400"),
        (["--every", "nan"], "invalid number 'nan'"),
        (["--tz", "Mars"], "--tz: invalid time zone"),
        (["--once", "--every", "5"], "--every has no effect with --once"),
        (["--by", "model", "--sort", "p95"], "invalid --sort 'p95': it is not recorded by model"),
        (["--by", "day"], "invalid value 'day': expected one of provider"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_nothing_recorded(tmp_path: Path) -> None:
    done = once(tmp_path / "later")
    assert done.returncode == 2
    assert "nothing recorded in" in done.stderr
