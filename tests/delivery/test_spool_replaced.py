"""A refused window of the spool and its halves: at every moment either it counts, or they do."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recost.delivery import spool_file
from recost.delivery.frozen import halves
from recost.delivery.spool import SpooledWindow
from recost.delivery.transports.base import encode
from recost.events import WindowSummary
from tests.delivery.samples import metric
from tests.delivery.test_spool import Folder, calls_of, emptied, named

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks and SIGKILL")

_OPERATIONS = ("write", "pwrite", "fsync", "ftruncate", "lseek", "pread")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "telemetry")


def wide(count: int = 5) -> WindowSummary:
    """Return a window whose metrics have 1, 2, 4 … calls: a sum says which of them were added up."""
    return named(
        metrics=tuple(metric(f"k{bit}", request_count=1 << bit, error_count=0) for bit in range(count))
    )


def same(found: list[WindowSummary], expected: list[WindowSummary]) -> bool:
    """Return whether windows are sent as the same lines: times are whole milliseconds there."""
    return list(map(encode, found)) == list(map(encode, expected))


class Killer:
    """Operations on files, of which the one with this number kills the process: before it, or amid it."""

    def __init__(self, number: int, *, amid: bool) -> None:
        self._left = number
        self._amid = amid

    def __getattr__(self, name: str) -> Any:
        original = getattr(os, name)
        if name not in _OPERATIONS:
            return original

        def counted(*arguments: Any) -> Any:
            self._left -= 1
            if self._left < 0:
                if self._amid and name == "write":
                    original(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments)

        return counted


def in_a_child(work: Callable[[], object]) -> int:
    """Do work in a process of its own. Return how that ended: 0 if well, negative for a signal."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        work()
    except BaseException:  # noqa: BLE001 - the parent sees the status
        os._exit(1)
    os._exit(0)


def replace_until_killed(folder: Folder, number: int, *, amid: bool) -> None:
    """Replace the oldest window in a process that is killed."""
    spool = folder.spool()
    found = spool.next()
    assert found is not None
    spool_file.os = Killer(number, amid=amid)  # type: ignore[attr-defined, assignment]
    assert spool.replace(found, halves(found.summary))


@pytest.mark.parametrize("amid", [False, True])
def test_a_kill_at_any_step_neither_loses_nor_doubles(folder: Folder, amid: bool) -> None:
    seen, number, over = set(), 0, False
    while not over:
        folder.leave(wide(), named(100))
        status = in_a_child(partial(replace_until_killed, folder, number, amid=amid))
        assert status in (0, -signal.SIGKILL)
        over = status == 0
        found = emptied(folder.spool())
        assert sum(map(calls_of, found)) == 31 + 100, f"killed at operation {number}"
        assert len({each.window_id for each in found}) == len(found)
        assert folder.files == []
        seen.add(len(found))
        number += 1
    assert seen == {2, 3}  # the whole or its halves, and the other one
    assert number > 5
    assert folder.errors in ([], ["recost: 1 damaged lines of a spool were skipped"] * len(folder.errors))


def test_a_part_of_a_window_that_is_still_there_does_not_count(folder: Folder) -> None:
    whole = wide()
    path = folder.leave(whole)
    first, second = map(encode, halves(whole))
    with path.open("ab") as file:
        file.write(b"*" + first + b"\t%016x\n" % 0 + b"*" + second + b"\t%016x" % 0)
    assert same(emptied(folder.spool()), [whole])
    assert folder.files == []


@pytest.mark.parametrize(
    "reference", [b"", b"\t", b"\t-1", b"\t" + b"f" * 16, b"\tzz", b"\t" + b"f" * 99, b"\t\xff", b"\t0000"]
)
def test_a_part_with_a_damaged_reference_does_not_count(folder: Folder, reference: bytes) -> None:
    path = folder.leave(named(7))
    with path.open("ab") as file:
        file.write(b"*" + encode(wide()) + reference + b"\n")
    assert [calls_of(each) for each in emptied(folder.spool())] == [7]
    assert folder.files == []


def test_parts_are_replaced_by_their_parts(folder: Folder) -> None:
    folder.leave(wide(8))
    taker = folder.spool()
    for _ in range(3):
        found = taker.next()
        assert found is not None
        assert taker.replace(found, halves(found.summary))
    taker.close()
    assert sum(map(calls_of, left := emptied(folder.spool()))) == 255
    assert sorted(len(each.metrics) for each in left) == [2, 2, 2, 2]


def test_a_line_that_a_killed_process_has_torn_does_not_take_parts_with_it(folder: Folder) -> None:
    path = folder.leave(wide())
    with path.open("ab") as file:
        file.write(b"+" + encode(named(9))[:50])
    taker = folder.spool()
    found = taker.next()
    assert found is not None
    assert taker.replace(found, halves(found.summary))
    taker.close()
    assert sum(map(calls_of, emptied(folder.spool()))) == 31


def test_without_room_a_window_stays_whole(folder: Folder) -> None:
    whole = wide()
    path = folder.leave(whole)
    for options in ({"max_bytes": path.stat().st_size + 100}, {"max_file_bytes": path.stat().st_size + 100}):
        spool = folder.spool(**options)  # type: ignore[arg-type]
        found = spool.next()
        assert isinstance(found, SpooledWindow)
        assert not spool.replace(found, halves(found.summary))
        spool.close()
    assert same(emptied(folder.spool()), [whole])


def test_with_a_full_disk_a_window_stays_whole(folder: Folder) -> None:
    whole = wide()
    path = folder.leave(whole)

    def replace() -> None:
        spool = folder.spool()
        found = spool.next()
        assert found is not None
        sys.dont_write_bytecode = True
        size = path.stat().st_size + 700
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        assert not spool.replace(found, halves(found.summary))
        spool.pass_over(found)
        assert spool.next() is None
        spool.close()

    assert in_a_child(replace) == 0
    assert same(emptied(folder.spool()), [whole])
