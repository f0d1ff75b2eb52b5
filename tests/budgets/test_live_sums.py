"""What processes show each other of their spending."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from recost import _files
from recost.budgets.account import Account, BudgetedCall
from recost.budgets.live_sums import LiveSums
from recost.budgets.model import Budget

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


class Process:
    """One of several that share, with a clock that the test sets."""

    def __init__(self, folder: Path, **budget: str) -> None:
        self.now_s = 100.0
        self.slept_s: list[float] = []
        self.account = Account(Budget(1, on_exceed="raise", **budget), NOON, shared=True)  # type: ignore[arg-type]
        self.live = LiveSums(
            folder / "shop.budgets.json",
            [self.account],
            folder,
            monotonic=lambda: self.now_s,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_s += seconds

    def spend(self, usd: str) -> None:
        self.account.add(BudgetedCall("acme", "acme all", "/", (), None, Decimal(usd)))

    def sees(self) -> str:
        self.live.exchange()
        return str(self.account.known)


def test_each_sees_what_all_have_spent(tmp_path: Path) -> None:
    first, second, third = (Process(tmp_path) for _ in range(3))
    first.spend("0.1")
    assert first.sees() == "0.1"
    second.spend("0.25")
    assert (second.sees(), first.sees(), third.sees()) == ("0.35", "0.35", "0.35")
    first.spend("0.0000000000000000000000001")
    assert (first.sees(), first.sees()) == ("0.3500000000000000000000001",) * 2
    assert third.sees() == "0.3500000000000000000000001"


def test_budgets_with_other_names_and_periods_are_apart(tmp_path: Path) -> None:
    first, second = Process(tmp_path), Process(tmp_path, name="other")
    first.spend("0.5")
    first.sees()
    assert second.sees() == "0"
    third = Process(tmp_path)
    third.account.roll(NOON.replace(day=22))
    assert third.sees() == "0"
    first.account.roll(NOON.replace(day=22))
    assert first.account.known == 0
    third.spend("0.25")
    third.sees()
    assert first.sees() == "0.25"


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    first, second = Process(tmp_path), Process(tmp_path)
    first.spend("0.5")
    first.sees()
    second.now_s += 11  # the budget's own file has it, unless somebody has deleted that
    assert second.sees() == "0"
    restarted = Process(tmp_path)
    restarted.now_s = 1.0  # the machine has been started anew
    assert restarted.sees() == "0"


@pytest.mark.parametrize(
    "text",
    [
        b"{", b"[]", b"[[]]", b"null", b'{"a": 1}', b'{"a": [1]}', b'{"a": ["x", "1"]}', b'{"a": [1, 1]}',
        b'{"a": [1, "-1"]}', b'{"a": [1, "1e99"]}', b'{"a": [NaN, "1"]}', b"[" * 9999, b"\xff", b"\0" * 9,
    ],
)  # fmt: skip
def test_what_is_damaged_counts_as_nothing_and_is_written_anew(text: bytes, tmp_path: Path) -> None:
    process, other = Process(tmp_path), Process(tmp_path)
    process.live.path.write_bytes(text)
    process.spend("0.5")
    assert (process.sees(), other.sees()) == ("0.5", "0.5")


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Windows are of another kind")
def test_a_process_that_holds_the_file_is_waited_for_a_moment_only(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.sees()
    fd = os.open(process.live.path, os.O_RDWR)
    try:
        assert _files.acquire(fd)
        process.spend("0.5")
        for _ in range(10):
            assert process.sees() == "0.5"
        assert sum(process.slept_s) < 3 * 0.12
        process.now_s += 2
        process.sees()
        assert sum(process.slept_s) < 4 * 0.12
        _files.release(fd)
        process.now_s += 2
        process.sees()
    finally:
        os.close(fd)
    assert not process.live.unpublished
    other = Process(tmp_path)
    other.now_s = process.now_s
    assert other.sees() == "0.5"


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Windows are of another kind")
def test_a_file_that_is_held_for_good_is_tried_more_and_more_seldom(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.sees()
    fd = os.open(process.live.path, os.O_RDWR)
    try:
        assert _files.acquire(fd)
        until_s = process.now_s + 600
        while process.now_s < until_s:
            process.sees()
            process.now_s += 0.1
    finally:
        os.close(fd)
    assert sum(process.slept_s) < 30 * 0.12


@pytest.mark.skipif(sys.platform == "win32", reason="no modes, pipes and links there")
def test_what_somebody_has_put_there_is_refused_or_made_private(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.live.path.touch(0o666)
    process.live.path.chmod(0o666)
    process.sees()
    assert process.live.path.stat().st_mode & 0o777 == 0o600
    process.live.path.unlink()
    os.mkfifo(process.live.path)  # nobody reads or writes it: opening it must not wait
    with pytest.raises(OSError, match=r"."):
        process.live.exchange()
    process.live.path.unlink()
    (tmp_path / "precious").write_text("mine")
    os.link(tmp_path / "precious", process.live.path)
    process.now_s += 2
    with pytest.raises(OSError, match="hard links"):
        process.live.exchange()
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_refused(tmp_path: Path) -> None:
    process = Process(tmp_path)
    (tmp_path / "precious").write_text("mine")
    process.live.path.symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match=r"."):
        process.live.exchange()
    assert (tmp_path / "precious").read_text() == "mine"
    process.live.exchange()  # not tried again for a second
    process.now_s += 2
    with pytest.raises(OSError, match=r"."):
        process.live.exchange()


def _saved(process: Process, others: list[Process]) -> None:
    """Have a process write the budget's own file, and the others read it."""
    written = process.account.pending()
    entry = process.account.entry(None)
    process.account.saved(None, entry, written)
    for other in others:
        other.account.saved(entry, other.account.entry(entry), other.account.pending())


def test_what_the_file_of_the_budget_has_is_not_shown_a_second_time(tmp_path: Path) -> None:
    process, other = Process(tmp_path), Process(tmp_path)
    process.live.path.mkdir()  # so that nothing can be shown
    process.spend("0.5")
    with pytest.raises(OSError, match=r"."):
        process.live.exchange()
    _saved(process, [other])
    process.live.path.rmdir()
    assert other.sees() == "0.5"
    process.spend("0.1")
    process.now_s = other.now_s = process.now_s + 2
    assert (process.sees(), other.sees()) == ("0.6", "0.6")


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
def test_what_a_full_disk_does_not_take_is_shown_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # see tests.scripts.NO_BYTECODE

    process, other = Process(tmp_path), Process(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    process.spend("0.5")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="the disk is full"):
            process.live.exchange()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert process.account.known == Decimal("0.5")
    assert other.sees() == "0"
    process.now_s = other.now_s = process.now_s + 2
    assert (process.sees(), other.sees()) == ("0.5", "0.5")


@pytest.mark.skipif(sys.platform == "win32", reason="locks of Windows are of another kind")
def test_what_another_notes_while_this_one_waits_is_not_of_the_future(tmp_path: Path) -> None:
    process, other = Process(tmp_path), Process(tmp_path)
    process.sees()
    fd = os.open(process.live.path, os.O_RDWR)

    def meanwhile(seconds: float) -> None:
        process.now_s += seconds
        if not process.slept_s:
            process.slept_s.append(seconds)
            _files.release(fd)
            other.now_s = process.now_s
            other.spend("0.5")
            other.sees()

    process.live = LiveSums(
        tmp_path / "shop.budgets.json",
        [process.account],
        tmp_path,
        monotonic=lambda: process.now_s,
        sleep=meanwhile,
    )
    try:
        assert _files.acquire(fd)
        assert process.sees() == "0.5"
    finally:
        os.close(fd)


def test_a_folder_that_has_been_cleaned_up_is_made_anew(tmp_path: Path) -> None:
    process = Process(tmp_path)
    process.spend("0.5")
    process.sees()
    process.live.path.unlink()
    other = Process(tmp_path)
    assert (process.sees(), other.sees()) == ("0.5", "0.5")
    process.live.path.unlink()
    tmp_path.rmdir()
    with pytest.raises(FileNotFoundError):
        process.live.exchange()
    process.now_s = other.now_s = process.now_s + 2
    assert (process.sees(), other.sees()) == ("0.5", "0.5")
