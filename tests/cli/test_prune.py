from __future__ import annotations

import gzip
import os
import stat
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from recost.cli import main
from recost.delivery.transports.file import FileTransport
from recost.events import MetricEntry, WindowSummary
from tests.analytics.test_store import line, window

CUT = "2026-03-27T00:05"
"""Between the windows 4 and 5."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    (tmp_path / "shop.jsonl").write_bytes(b"".join(map(line, range(4, 8))) + b"torn\n")
    (tmp_path / "shop.1.jsonl").write_bytes(b"".join(map(line, range(4))))
    (tmp_path / "shop.2.jsonl.gz").write_bytes(gzip.compress(line(1) + line(9)))
    for path in tmp_path.iterdir():
        path.chmod(0o600)
    return tmp_path


def prune(*arguments: str) -> int:
    return main(["prune", "--tz", "UTC", "--older-than", CUT, *arguments])


def test_a_dry_run_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert prune() == 0
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    out = capsys.readouterr().out
    assert "Nothing was changed: --yes deletes them." in out
    rows = {row.split()[0]: row.split()[1:] for row in out.splitlines() if row.startswith("shop")}
    assert {name: (row[0], *row[-2:]) for name, row in rows.items()} == {
        "shop.1.jsonl": ("4", "0", "0"),
        "shop.2.jsonl.gz": ("1", "1", "0"),
        "shop.jsonl": ("1", "3", "1"),
    }


def test_what_is_old_goes_and_the_rest_stays(folder: Path) -> None:
    assert prune("--yes") == 0
    assert sorted(path.name for path in folder.iterdir()) == ["shop.2.jsonl.gz", "shop.jsonl"]
    assert (folder / "shop.jsonl").read_bytes() == b"".join(map(line, range(5, 8))) + b"torn\n"
    assert gzip.decompress((folder / "shop.2.jsonl.gz").read_bytes()) == line(9)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert prune("--yes") == 0
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times


def test_a_file_that_cannot_be_done_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = (folder / "shop.2.jsonl.gz").read_bytes()[:-9]
    (folder / "shop.2.jsonl.gz").write_bytes(data)
    assert prune("--yes") == 2
    assert "shop.2.jsonl.gz: it is truncated" in capsys.readouterr().err
    assert (folder / "shop.2.jsonl.gz").read_bytes() == data
    assert not list(folder.glob(".prune*"))


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be replaced there")
def test_nothing_that_is_written_meanwhile_is_lost(folder: Path) -> None:
    now = datetime.now(timezone.utc)
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        transport = FileTransport(folder, "shop")
        while not stop.is_set():
            at = (now + timedelta(seconds=len(written))).timestamp() * 1000
            entry = MetricEntry("p", "new", "GET", 1, 0, 1.0, 1.0, 1.0, 0, 0, 0.0)
            transport.send(WindowSummary("", "test", "python", "0", at, at + 1, (entry,)), 5.0)
            transport.send(window(1), 5.0)
            written.append(1)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(20):
            assert prune("--yes") == 0
    finally:
        stop.set()
        thread.join()
    assert prune("--yes") == 0
    lines = (folder / "shop.jsonl").read_bytes().splitlines()
    assert sum(b'"endpoint":"new"' in each for each in lines) == len(written)
    assert not any(b"2026-03-27T00:01" in each for each in lines)


def test_mistakes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune"]) == 2
    assert main(["prune", "--older-than", "soon"]) == 2
    assert "--older-than: invalid time 'soon'" in capsys.readouterr().err
    assert prune("-") == 2
    assert prune(str(folder / "none.jsonl")) == 2
