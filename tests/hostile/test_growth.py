"""A line that is eight times as long costs about eight times the work, counted in bytes read."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recost.analytics import follow
from recost.analytics.follow import Follower, last_lines
from recost.analytics.ingest import content, fingerprint
from recost.analytics.ingest.sources import Source
from recost.wire import parsing
from tests.fuzz.lines import GOOD

SMALL = 1 << 20
SLACK = 1.5


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.work = 0

    def read(self, size: Any = -1, /) -> bytes:
        found = super().read(size)
        self.work += len(found)
        return found

    def readline(self, size: Any = -1, /) -> bytes:
        found = super().readline(size)
        self.work += len(found)
        return found


def work_of_last_lines(size: int) -> int:
    file = Counting(b"x" * size + b"\n" + b"y" * size)
    assert last_lines(file, 10) == ([b"x" * size + b"\n"], size + 1)
    return file.work


def work_of_finding_a_line(size: int) -> int:
    file = Counting(b"x" * size + b"\n" + b"y" * size + b"\n")
    assert follow._after(file, b"z") == 0
    return file.work


def work_of_following(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Follow a line that comes in pieces of 64 KB, and look after each."""
    path = tmp_path / f"{size}.jsonl"
    path.touch()
    follower = Follower(lambda: [Source(path, "x")])
    follower.start(1)
    (each,) = follower._open.values()
    work = 0

    class Real:
        def __getattr__(self, name: str) -> Any:
            return getattr(original, name)

        def read(self, size: int) -> bytes:
            nonlocal work
            found: bytes = original.read(size)
            work += len(found)
            return found

    original, each.file = each.file, Real()  # type: ignore[assignment]
    with path.open("ab") as file:
        for _ in range(size >> 16):
            file.write(b"x" * (1 << 16))
            file.flush()
            assert list(follower.news()) == []
        file.write(b"\n")
    assert [len(line) for _, line in follower.news()] == [size + 1]
    follower.close()
    return work


@pytest.mark.parametrize("work", [work_of_last_lines, work_of_finding_a_line])
def test_reading_from_the_end(work: Callable[[int], int]) -> None:
    assert work(8 * SMALL) <= 8 * SLACK * work(SMALL)
    assert work(SMALL) <= 3 * SMALL


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a file is opened anew each time")
def test_following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, eight = (work_of_following(size, tmp_path, monkeypatch) for size in (SMALL, 8 * SMALL))
    assert eight <= 8 * SLACK * one
    assert one <= 2 * SMALL


def test_a_line_over_the_limit_takes_no_more_memory_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_LINE_BYTES", 1000)
    blocks = (b"x" * 100 for _ in range(1000))
    assert max(len(piece.data) for piece in content.pieces(blocks)) <= 1100
    monkeypatch.setattr(follow, "MAX_LINE_BYTES", 1 << 17)
    file = io.BytesIO(b"x" * (1 << 20) + b"\n" + GOOD + b"\n")
    assert [len(line) for line in last_lines(file, 2)[0]] == [follow._SHOWN + 1, len(GOOD) + 1]


def test_where_the_last_line_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(GOOD + b"\n" + b"x" * (1 << 20))
    assert fingerprint.ready_bytes(path) == len(GOOD) + 1
    path.write_bytes(b"[" * (1 << 20))
    assert fingerprint.ready_bytes(path) == 0
    path.write_bytes(GOOD + b"\n" + GOOD)
    assert fingerprint.ready_bytes(path) == path.stat().st_size
    monkeypatch.setattr(fingerprint, "MAX_LINE_BYTES", 1 << 17)
    path.write_bytes(GOOD + b"\n" + b"x" * (1 << 20))
    assert fingerprint.ready_bytes(path) == len(GOOD) + 1


@pytest.mark.parametrize(
    "piece",
    [
        b"[",
        b'{"a":',
        b'"\\"',
        b'"]",',
        b'["]",',
        b",]",
        b"nan",
        b'"',
        b"\\",
        b"-",
        b"[]",
        b'"[]"',
        b"\x00",
        b"\xff",
    ],
)
def test_a_line_of_one_thing(piece: bytes) -> None:
    """None of these may take more than linear time: it would not end within the time-out."""
    line = piece * ((8 << 20) // len(piece))
    assert parsing.parse_window(line) is None
    assert parsing.parse_window(GOOD[:-1] + b',"more":' + line + b"}") is None


def test_a_bomb_is_unpacked_block_by_block(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "x.gz").write_bytes(gzip.compress(b"\0" * (32 << 20)))

    def sizes() -> Iterator[int]:
        yield from map(len, content.unpack(tmp_path / "x.gz"))

    assert max(sizes()) <= 1 << 16
