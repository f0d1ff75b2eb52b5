"""The pace of POSTs: shared by the processes of a host, and a process's own where that is impossible."""

from __future__ import annotations

import fcntl
import os
import random
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recost.delivery.pace import Pace
from recost.delivery.transports.cloud import CloudTransport
from tests.api import Answer, Api
from tests.delivery.fleet import HOUR_S, Clock, Fleet
from tests.delivery.samples import window

BURST = 150
STEP_S = 3600 / 840 + 1e-6
"""Seconds in which a token comes back."""


class Host:
    """Paces of processes that share a folder and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.errors: list[str] = []

    def pace(self) -> Pace:
        return Pace(
            str(self.folder),
            "shop",
            "cloud https://api.example.com",
            report=lambda error: self.errors.append(str(error)),
            clock=self.clock.time,
            monotonic=self.clock.monotonic,
            random=random.Random(1),
        )

    @property
    def path(self) -> Path:
        return next(self.folder.glob("shop.*.pace"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "local")


def taken(pace: Pace, *, urgent: bool = True) -> int:
    """Return how many tokens there are."""
    count = 0
    while pace.take(urgent=urgent) <= 0:
        count += 1
        assert count < 5000
    return count


def test_processes_share_one_allowance(host: Host) -> None:
    first, second = host.pace(), host.pace()
    assert taken(first) == BURST
    assert taken(second) == 0
    host.clock.now += 10 * STEP_S
    assert taken(second) == 10
    assert taken(first) == 0
    assert host.errors == []


def test_the_file_is_private(host: Host) -> None:
    host.pace().take()
    assert stat.S_IMODE(host.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(host.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("hours", [0.0, 0.3, 1.0, 5.0])
def test_any_hour_has_less_than_the_limit(host: Host, hours: float) -> None:
    pace, times = host.pace(), list[float]()
    host.clock.now = hours * HOUR_S
    pace.take()
    for _ in range(2 * 3600):
        host.clock.now += 1.0
        times += [host.clock.now] * taken(pace)
    most = max(sum(start <= each < start + HOUR_S for each in times) for start in times)
    assert 830 <= most < 1000


def test_a_429_halves_the_rate_and_accepted_posts_bring_it_back(host: Host) -> None:
    first, second = host.pace(), host.pace()
    assert first.take() == second.take() == 0
    first.refused(600.0)
    second.refused(600.0)  # sent before the first was refused: not a second reason
    assert first.take() > 600 - 1
    assert second.take(urgent=True) > 600 - 1
    host.clock.now += 599.0
    assert taken(first) == 0
    host.clock.now += 1.0 + 20 * STEP_S
    assert taken(first) == 10
    second.accepted()
    second.accepted()
    host.clock.now += 20 * STEP_S
    assert taken(second) == 20
    host.clock.now += 1.0
    first.take()
    first.refused(1.0)
    host.clock.now += 1 + 2 * STEP_S
    assert taken(first) == 1
    for _ in range(8):
        first.refused(1.0)
    host.clock.now += 1 + 10 * 64 * STEP_S
    assert taken(first) >= 10, "the interval has a limit"


@pytest.mark.parametrize("step_s", [-86_400.0, -3600.0, -1.0, 3600.0, 86_400.0, 1e9])
def test_a_clock_that_is_set_gives_nobody_more_and_heals(host: Host, step_s: float) -> None:
    pace = host.pace()
    taken(pace)
    host.clock.set_by += step_s
    host.clock.now += STEP_S
    assert taken(pace) <= 1
    host.clock.now += 10 * STEP_S
    assert 10 <= taken(pace) <= 11
    assert host.errors == []


def test_a_restart_of_the_host_and_another_host_give_nobody_more(host: Host) -> None:
    pace, other = host.pace(), host.pace()
    taken(pace)
    other._monotonic = lambda: 5.0 + host.clock.now
    other._file = None
    for _ in range(40):
        host.clock.now += STEP_S
        assert taken(pace) <= 1
        assert taken(other) <= 1
    host.clock.now += 10 * STEP_S
    assert taken(pace) + taken(other) >= 9


CONTENTS = {
    "text": b"hello",
    "nothing but zeros": bytes(100),
    "much": b"x" * 1_000_000,
    "cut off": None,
    "one bit": None,
    "not numbers": None,
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_damaged_content_is_replaced_and_reported_once(host: Host, kind: str) -> None:
    pace = host.pace()
    for _ in range(10):
        assert pace.take() == 0
    good = host.path.read_bytes()
    content = CONTENTS[kind]
    if content is None:
        content = {
            "cut off": good[:-3],
            "one bit": good[:40] + bytes([good[40] ^ 1]) + good[41:],
            "not numbers": _forged(good),
        }[kind]
    for _ in range(3):
        host.path.write_bytes(content)
        assert pace.take() == 0
    assert pace.take() == 0
    assert len(host.errors) == 1
    assert "damaged" in host.errors[0]
    assert host.path.stat().st_size < 200
    assert taken(host.pace()) <= BURST - 11, "what was taken before is not forgotten"


def _forged(good: bytes) -> bytes:
    """Return a state with a valid checksum and tokens without end."""
    import struct
    from binascii import crc32

    numbers = bytearray(good[12:])
    struct.pack_into("<d", numbers, 5 * 8, float("inf"))
    return good[:8] + struct.pack("<I", crc32(bytes(numbers))) + bytes(numbers)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def test_a_held_lock_is_waited_for_briefly_and_reported_once(host: Host) -> None:
    pace = host.pace()
    assert pace.take() == 0
    with _held(host.path):
        granted = sum(pace.take() <= 0 for _ in range(20))
    assert 5 <= granted <= 20
    assert ["another process holds its lock" in each for each in host.errors] == [True]
    assert taken(host.pace()) <= BURST - 1
    assert taken(pace) == 0, "what was sent meanwhile is counted"


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def _hard_link(path: Path) -> None:
    path.with_name("other").write_bytes(b"")
    os.link(path.with_name("other"), path)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("plant", [_link, _hard_link, _pipe, _folder])
def test_something_else_in_its_place_is_not_used(host: Host, plant: object) -> None:
    host.pace().take()
    path = host.path
    path.unlink()
    plant(path)  # type: ignore[operator]
    pace = host.pace()
    assert taken(pace, urgent=False) == BURST // 2 + 1, "half of them, and the first turn"
    assert len(host.errors) == 1
    assert str(path) in host.errors[0]
    assert not path.with_name("elsewhere").exists()
    host.clock.now += 10 * STEP_S
    assert taken(pace, urgent=False) == 10


def test_without_a_folder_each_process_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    host = Host(tmp_path / "file" / "local")
    first, second = host.pace(), host.pace()
    assert taken(first, urgent=False) == taken(second, urgent=False) == BURST // 2 + 1
    assert first.take(urgent=True) == 0, "what is sent at the end would be lost"
    first.refused(60.0)
    assert first.take() > 59
    assert len(host.errors) == 2


def test_a_removed_file_begins_again(host: Host) -> None:
    pace = host.pace()
    taken(pace)
    host.path.unlink()
    assert taken(pace) == 0, "a process that goes on knows what was taken"
    assert host.errors == []


def test_a_limit_that_the_destination_gives_is_used(host: Host) -> None:
    pace = host.pace()
    pace.take()
    pace.learn(20_000.0)
    assert taken(pace) == 20 * BURST - 1
    host.clock.now += 100 * STEP_S
    assert taken(host.pace()) == 2000
    pace.learn(100.0)
    assert taken(pace) == 0
    host.clock.now += 10 * STEP_S
    assert taken(pace) == 1


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ('"key";q=20000;w=3600', 20_000),
        ('"a";q=100;w=60, "b";q=1000;w=3600', 1000),
        ('"a"; w=60; q=10', 600),
        ("", None),
        ('"a";q=10', None),
        ('"a";q=0;w=60', None),
        ('"a";q=99999999999;w=1', None),
        ('"a";q=-5;w=60', None),
        (";q=1.5;w=60", None),
    ],
)
def test_the_policy_of_a_response_is_read(value: str, limit: object) -> None:
    with Api() as api:
        api.script(Answer(202, (("RateLimit-Policy", value),)))
        transport = CloudTransport(api.url, api.project, api.key)
        transport.send(window(), 5.0)
        assert transport.posts_per_hour == limit
        transport.close()


@pytest.mark.parametrize(("number", "interval_s"), [(1, 5.0), (20, 30.0), (100, 30.0)])
def test_a_fleet_stays_below_the_limit(tmp_path: Path, number: int, interval_s: float) -> None:
    fleet = Fleet(str(tmp_path), number, interval_s).run(2, rest_hours=1)
    assert fleet.server.most_in_an_hour < 1000
    assert (fleet.server.refused, fleet.errors) == (0, [])
    assert fleet.server.calls == fleet.recorded >= number * (2 * HOUR_S / interval_s - 3)
    assert set(fleet.server.ids.values()) == {1}
    if number == 1:
        assert max(fleet.delays) == 0.0, "one process waits for nothing"
    fair_s = number * STEP_S
    assert max(fleet.delays) <= 60 + 2 * fair_s


@pytest.mark.parametrize("limit", [50, 300])
def test_a_fleet_finds_a_limit_that_it_is_not_told(tmp_path: Path, limit: int) -> None:
    fleet = Fleet(str(tmp_path), 20, 30.0, limit=limit, retry_after_s=None).run(5, rest_hours=3)
    assert fleet.server.calls + fleet.pending == fleet.recorded
    assert set(fleet.server.ids.values()) == {1}
    assert fleet.server.refused <= 40
    assert fleet.server.posts - fleet.server.refused >= limit * 2


def test_processes_that_come_and_go_leave_nothing_behind(tmp_path: Path) -> None:
    """Those that are killed give up their turns: the others go on."""
    fleet = Fleet(str(tmp_path), 1)
    for minute in range(120):
        fleet.start(minute * 60.0, minute * 60.0 + 90.0)
    fleet.start(0.0)
    fleet.run(2, rest_hours=1)
    assert (fleet.server.calls, fleet.server.refused) == (fleet.recorded, 0)
    assert fleet.server.most_in_an_hour < 1000


def test_clocks_that_are_set_change_nothing_for_a_fleet(tmp_path: Path) -> None:
    fleet = Fleet(str(tmp_path), 50)
    for number in range(1, 20):
        fleet.at(number * 400.0, lambda: setattr(fleet.clock, "set_by", fleet.random.uniform(-1e6, 1e6)))
    fleet.run(2, rest_hours=1)
    assert fleet.server.most_in_an_hour < 1000
    assert (fleet.server.calls, fleet.server.refused, fleet.errors) == (fleet.recorded, 0, [])
