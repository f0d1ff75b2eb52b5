from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recost import wire
from recost.delivery.delivery import Delivery
from recost.delivery.frozen import thaw
from recost.delivery.identity import Identity, new_window_id
from recost.delivery.outbox import Outbox
from recost.delivery.spool import Spool, SpooledWindow
from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.memory import MemoryTransport
from recost.errors import RecostError
from recost.events import WindowSummary
from tests.analytics.corpora import windows
from tests.delivery.samples import metric, window
from tests.delivery.test_delivery import Window
from tests.scripts import NO_BYTECODE, environment

NOW = 1_778_760_060.0
"""Half a minute after the samples have ended."""

posix = pytest.mark.skipif(os.name != "posix", reason="owners, modes, pipes and forks")


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def named(calls: int = 1, **fields: Any) -> WindowSummary:
    return Identity("shop").identify(window(metric(request_count=calls), **fields), new_window_id())


def calls_of(summary: WindowSummary) -> int:
    return sum(each.request_count for each in summary.metrics)


class Folder:
    """A folder of spools, and what its processes have reported."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.errors: list[str] = []
        self.clock = Clock()

    def spool(self, destination: str = "cloud https://api", project: str = "shop", **options: Any) -> Spool:
        return Spool(
            str(self.path),
            project,
            destination,
            report=lambda error: self.errors.append(str(error)),
            clock=self.clock,
            monotonic=self.clock,
            **options,
        )

    def leave(self, *summaries: WindowSummary, **options: Any) -> Path:
        """Leave windows as a process does that has ended, and return the file."""
        before = set(self.files)
        spool = self.spool(**options)
        for each in summaries:
            assert spool.save(each)
        spool.close()
        (made,) = set(self.files) - before
        self.clock.now += 1
        return made

    @property
    def files(self) -> list[Path]:
        return sorted(self.path.glob("*.spool")) if self.path.is_dir() else []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "telemetry")


def emptied(spool: Spool) -> list[WindowSummary]:
    """Take what the spool gives, as if each window arrived."""
    found = []
    while (each := spool.next()) is not None:
        found.append(each.summary)
        spool.remove(each)
    return found


def deliver(spool: Spool, transport: MemoryTransport, errors: Optional[list[str]] = None) -> Delivery:
    """Return a delivery that has sent one window of its own."""
    told = [] if errors is None else errors
    delivery = Delivery(transport, report=lambda error: told.append(str(error)), spool=spool)
    delivery.put(Window(own=1))
    delivery.pump()
    return delivery


@settings(suppress_health_check=list(HealthCheck), max_examples=50, deadline=None)
@given(windows(), st.uuids(version=4))
def test_a_window_comes_back_from_its_line_byte_for_byte(summary: WindowSummary, window_id: Any) -> None:
    line = wire.encode_window(Identity().identify(summary, str(window_id)))
    back = thaw(line)
    assert back is not None
    assert wire.encode_window(back) == line


def test_the_next_process_sends_what_was_left_oldest_first_with_the_same_ids(folder: Folder) -> None:
    left = [[named(count) for count in range(start, start + 3)] for start in (1, 10, 20)]
    files = [folder.leave(*each) for each in left]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert emptied(folder.spool()) == [
        each if each.project_id == "" else replaced(each) for some in left for each in some
    ]
    assert folder.files == []
    assert folder.errors == []


def replaced(summary: WindowSummary) -> WindowSummary:
    """Return the window as its line has it: without the project, times in whole milliseconds."""
    back = thaw(wire.encode_window(summary))
    assert back is not None
    return back


def test_the_file_of_a_living_process_is_left_alone(folder: Folder) -> None:
    living = folder.spool()
    assert living.save(named(7))
    other = folder.spool()
    assert emptied(other) == []
    living.close()
    folder.clock.now += 61
    assert [calls_of(each) for each in emptied(other)] == [7]


def test_other_projects_and_destinations_are_left_alone(folder: Folder) -> None:
    folder.leave(named(1), project="shop.0")
    folder.leave(named(2), destination="ws 9847")
    assert emptied(folder.spool()) == []
    assert len(folder.files) == 2
    assert [calls_of(each) for each in emptied(folder.spool("ws 9847"))] == [2]


def test_exactly_one_of_many_takes_a_file(folder: Folder) -> None:
    for count in range(40):
        folder.leave(named(count + 1))
    ids: list[Optional[str]] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        spool = folder.spool()
        barrier.wait()
        ids.extend(each.window_id for each in emptied(spool))
        spool.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == len(set(ids)) == 40
    assert folder.files == []
    assert folder.errors == []


def test_a_process_that_dies_while_it_sends_leaves_the_rest(folder: Folder) -> None:
    folder.leave(*(named(count) for count in (1, 2, 4)))
    first = folder.spool()
    one = first.next()
    assert one is not None
    first.remove(one)
    assert first.next() is not None  # it is sent, and nobody knows whether it arrived
    first.abandon()  # as the system does when a process dies, for this one has no other copy
    assert [calls_of(each) for each in emptied(folder.spool())] == [2, 4]


def test_a_file_cut_at_any_byte_is_read_to_the_last_whole_window(folder: Folder) -> None:
    kept = [named(count) for count in (1, 2, 4)]
    file = folder.leave(*kept)
    content = file.read_bytes()
    lines = content.splitlines(keepends=True)
    for size in range(0, len(content), 17):
        file.write_bytes(content[:size])
        spool = folder.spool()
        found = [calls_of(each) for each in emptied(spool)]
        whole = sum(len(b"".join(lines[: number + 1])) - 1 <= size for number in range(3))
        assert found == [1, 2, 4][:whole]
        assert folder.files == []
        spool.close()
    assert set(folder.errors) == {"recost: 1 damaged lines of a spool were skipped"}


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda good: b"hello\n\n\n" + good,
    "nul": lambda good: b"\0" * 5000 + b"\n" + good,
    "32 MB": lambda good: b"+" + b"x" * (32 << 20) + b"\n" + good,
    "32 MB of brackets": lambda good: b"+" + b"[" * (32 << 20) + b"\n" + good,
    "deep": lambda good: b"+" + b'{"a":' * 50_000 + b"\n" + good,
    "no id": lambda good: re.sub(rb'"windowId":"[^"]*",', b"", good) + good,
    "infinite": lambda good: good.replace(b'"requestCount":3', b'"requestCount":1e999') + good,
    "negative": lambda good: good.replace(b'"requestCount":3', b'"requestCount":-3') + good,
    "no metrics": lambda good: re.sub(rb'"metrics":\[.*\]', b'"metrics":[]', good) + good,
    "token of no kind": lambda good: good.replace(b'"attempts"', b'"tokens":{"x":1},"attempts"') + good,
    "torn twice": lambda good: good[:90] + b"\n" + good[:200] + b"\n" + good,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_damaged_is_skipped_counted_and_holds_up_nothing(kind: str, folder: Folder) -> None:
    file = folder.leave(named(3, metrics=(metric(request_count=3, attempts=1),)))
    file.write_bytes(DAMAGE[kind](file.read_bytes()))
    assert [calls_of(each) for each in emptied(folder.spool())] == [3]
    assert len(folder.errors) == 1
    assert "damaged lines" in folder.errors[0]
    assert folder.files == []


@posix
def test_what_must_not_be_used_is_left_where_it_is_and_reported_once(folder: Folder, tmp_path: Path) -> None:
    places = [folder.leave(named(1)) for _ in range(4)]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(places[0].read_bytes())
    for place in places[:3]:
        place.unlink()
    places[0].symlink_to(elsewhere)
    os.mkfifo(places[1])
    os.link(elsewhere, places[2])
    if os.geteuid() == 0:
        os.chown(places[3], 12345, 12345)
    else:
        places[3].chmod(0)
    good = folder.leave(named(9))
    good.chmod(0o644)
    spool = folder.spool()
    for _ in range(3):
        assert [calls_of(each) for each in emptied(spool)] in ([9], [])
        folder.clock.now += 61
    assert [each for each in places if os.path.lexists(each)] == places
    assert not good.exists()
    assert elsewhere.read_bytes().startswith(b"+")
    assert len(folder.errors) == 4
    assert all("cannot read the spool" in each for each in folder.errors)


def test_a_file_of_a_size_that_recost_never_makes_is_left_alone(folder: Folder) -> None:
    large = folder.leave(named(1))
    with large.open("ab") as file:
        file.truncate((64 << 20) + 1)
    spool = folder.spool()
    assert emptied(spool) == []
    assert spool.save(named(2))  # nor does it count as the project's
    assert large.exists()
    assert len(folder.errors) == 1
    assert "larger than recost makes them" in folder.errors[0]


@posix
def test_a_folder_that_can_not_be_written_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = Folder(tmp_path / "file" / "telemetry")
    transport = MemoryTransport([SendError(RecostError("down"), Disposition.WAIT)])
    errors: list[str] = []
    delivery = Delivery(
        transport,
        report=lambda error: errors.append(str(error)),
        spool=folder.spool(),
        outbox=Outbox(max_windows=9, max_bytes=9000, merge=False),
    )
    for count in (1, 2, 4):
        delivery.put(Window(a=count))
    delivery.pump()
    delivery.close()
    assert [each for each in folder.errors if "cannot write the spool" in each] == folder.errors
    assert len(folder.errors) == 1
    assert errors[-1] == "recost: 7 calls in 3 windows could not be delivered"
    assert delivery.lost.calls == 7


def test_caps_on_size_and_age_count_what_they_remove(folder: Folder) -> None:
    size = len(wire.encode_window(named())) + 2
    old = folder.leave(named(1), named(2))
    folder.leave(named(4))
    spool = folder.spool(max_bytes=4 * size + 60, max_file_bytes=3 * size + 60)
    assert spool.save(named(8))
    assert folder.errors == []
    assert spool.save(named(16))
    assert not old.exists()
    assert folder.errors == ["recost: 3 calls in 2 windows were removed from the spool: to make room"]
    assert spool.save(named(32))
    assert not spool.save(named(64))  # its own file is full
    assert (spool.removed.windows, spool.removed.calls) == (2, 3)
    spool.close()
    folder.errors.clear()
    folder.clock.now = NOW + 8 * 86_400
    assert emptied(folder.spool()) == []
    assert folder.files == []
    told = re.findall(
        r"(\d+) calls in (\d+) windows were removed from the spool: too old", str(folder.errors)
    )
    assert sorted(told) == [("4", "1"), ("56", "3")]


def test_old_files_are_removed_also_while_nothing_arrives(folder: Folder) -> None:
    old = folder.leave(named(5))
    os.utime(old, (NOW - 8 * 86_400, NOW - 8 * 86_400))
    assert folder.spool().save(named(1))
    assert not old.exists()
    assert folder.errors == ["recost: 5 calls in 1 windows were removed from the spool: too old"]


def test_a_delivery_takes_over_between_windows_of_its_own(folder: Folder) -> None:
    folder.leave(*(named(1) for _ in range(9)))
    transport = MemoryTransport()
    delivery = deliver(folder.spool(), transport)
    assert len(transport.windows) == 5
    delivery.put(Window(own=1))
    delivery.pump()
    assert [each.metrics[0].endpoint for each in transport.windows] == ["/own", *["chat"] * 4] * 2
    delivery.pump()
    assert len(transport.windows) == 11
    assert folder.files == []
    assert len({each.window_id for each in transport.windows}) == 11
    delivery.close()
    assert folder.files == []


def test_a_window_leaves_the_spool_only_when_it_was_accepted(folder: Folder) -> None:
    folder.leave(*(named(count) for count in (1, 2, 4)))
    down = SendError(RecostError("down"), Disposition.WAIT)
    transport = MemoryTransport([None, down])
    errors: list[str] = []
    delivery = deliver(folder.spool(), transport, errors)
    assert errors == ["down"]
    assert [calls_of(each) for each in transport.windows] == [1]
    delivery.close()
    second = MemoryTransport()
    deliver(folder.spool(), second).close()
    assert [calls_of(each) for each in second.windows] == [1, 1, 2, 4]
    assert second.windows[1] == transport.attempts[1]
    assert folder.files == []


def test_a_window_that_the_collector_fails_on_holds_up_no_other(folder: Folder) -> None:
    folder.leave(*(named(count) for count in (1, 2, 4)))
    failing = SendError(RecostError("500"), Disposition.RETRY, responded=True)
    transport = MemoryTransport([None, failing])
    delivery = deliver(folder.spool(), transport)
    assert [calls_of(each) for each in transport.windows] == [1, 2, 4]
    assert len(folder.files) == 1
    folder.clock.now += 61
    delivery.pump()
    assert [calls_of(each) for each in transport.windows] == [1, 2, 4, 1]
    assert transport.windows[-1] == transport.attempts[1]
    assert folder.files == []


def test_of_a_refused_window_of_the_spool_only_the_bad_metric_is_lost(folder: Folder) -> None:
    class Strict(MemoryTransport):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            if any(each.endpoint == "bad" for each in summary.metrics):
                raise SendError(RecostError("422"), Disposition.SPLIT)
            super().send(summary, timeout_s)

    metrics = [metric(f"k{number}", request_count=1) for number in range(7)]
    folder.leave(named(metrics=(*metrics, metric("bad", request_count=5, error_count=0))))
    transport, errors = Strict(), list[str]()
    delivery = deliver(folder.spool(), transport, errors)
    for _ in range(6):
        folder.clock.now += 61
        delivery.pump()
    assert sum(map(calls_of, transport.windows)) == 1 + 7
    assert (delivery.lost.windows, delivery.lost.calls) == (1, 5)
    assert errors == ["422: 5 calls dropped"]
    delivery.close()
    assert folder.files == []
    assert len({each.window_id for each in transport.windows}) == len(transport.windows)


@pytest.mark.parametrize("merge", [True, False])
def test_what_overflows_the_queue_goes_to_the_spool(merge: bool, folder: Folder) -> None:
    transport = MemoryTransport([SendError(None, Disposition.WAIT)] * 40)
    errors: list[str] = []
    delivery = Delivery(
        transport,
        report=lambda error: errors.append(str(error)),
        spool=folder.spool(),
        outbox=Outbox(max_windows=3, max_bytes=1500, merge=merge),
    )
    for number in range(40):
        delivery.put(Window(**{f"n{number}k{key}": 1 for key in range(4)}))
        delivery.pump()
    assert len(folder.files) == 1
    assert (delivery.lost.calls, errors) == (0, [])
    while transport.windows == [] or folder.files:
        folder.clock.now += 61
        delivery.pump()
    assert sum(map(calls_of, transport.windows)) == 160
    assert len({each.window_id for each in transport.windows}) == len(transport.windows)
    delivery.close()


def test_overflow_is_written_while_a_collector_defers(folder: Folder) -> None:
    transport = MemoryTransport([SendError(None, Disposition.DEFER, retry_after_s=3600.0)])
    outbox = Outbox(max_windows=2, max_bytes=10_000, merge=False)
    delivery = Delivery(transport, report=lambda error: None, spool=folder.spool(), outbox=outbox)
    thread = threading.Thread(target=delivery.run, daemon=True)
    thread.start()
    for _ in range(6):
        delivery.put(Window(a=1))
    delivery.stop(0.0)
    thread.join(20)
    delivery.close()
    assert len(transport.windows) <= 1
    spooled = emptied(folder.spool())
    assert len(spooled) + len(transport.windows) == 6


def test_no_thread_of_the_application_waits_for_the_spool(folder: Folder) -> None:
    began, release = threading.Event(), threading.Event()

    class Slow(Spool):
        def save(self, summary: WindowSummary, *, uncertain: bool = False) -> bool:
            began.set()
            assert release.wait(60)
            return super().save(summary, uncertain=uncertain)

    transport = MemoryTransport([SendError(None, Disposition.DEFER, retry_after_s=3600.0)])
    spool = Slow(str(folder.path), "shop", "cloud https://api", report=lambda error: None)
    outbox = Outbox(max_windows=2, max_bytes=10_000, merge=False)
    delivery = Delivery(transport, report=lambda error: None, spool=spool, outbox=outbox)
    thread = threading.Thread(target=delivery.run, daemon=True)
    thread.start()
    for _ in range(100):
        delivery.put(Window(a=1))
    assert began.wait(60)
    for _ in range(100):
        delivery.put(Window(a=1))
    delivery.retry()
    assert not delivery.flush(0.0)
    assert delivery.pending_calls >= 100  # one of them is about to be written
    release.set()
    delivery.stop(0.0)
    thread.join(60)
    delivery.close()
    arrived = sum(map(calls_of, [*transport.windows, *emptied(folder.spool())]))
    assert arrived + delivery.lost.calls == 200


def test_what_was_sent_once_keeps_its_id_on_disk(folder: Folder) -> None:
    transport = MemoryTransport([SendError(None, Disposition.WAIT)])
    delivery = Delivery(transport, report=lambda error: None, spool=folder.spool())
    for number in range(1, 50):
        delivery.put(Window(a=number))
    delivery.pump()
    delivery.close()
    first, *others = emptied(folder.spool())
    assert first == replaced(transport.attempts[0])
    assert calls_of(first) + sum(map(calls_of, others)) == sum(range(1, 50))
    assert len(others) <= 24


@posix
def test_a_forked_child_neither_keeps_nor_frees_the_lock_of_its_parent(folder: Folder) -> None:
    spool = folder.spool()
    assert spool.save(named(1))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        spool.abandon()
        os.read(reading, 1)
        os._exit(0)
    assert emptied(folder.spool()) == []
    spool.close()
    assert [calls_of(each) for each in emptied(folder.spool())] == [1]
    os.write(writing, b"x")
    os.waitpid(child, 0)


@posix
def test_a_full_disk_leaves_whole_lines_and_is_counted(folder: Folder, tmp_path: Path) -> None:
    program = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from tests.delivery.test_spool import Folder, named
from pathlib import Path
folder = Folder(Path(sys.argv[1]))
spool = folder.spool()
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
saved = sum(spool.save(named(1)) for _ in range(30))
print(saved, len(folder.errors))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder.path)],
        env=environment(**NO_BYTECODE), capture_output=True, text=True, check=True,
    )  # fmt: skip
    saved, told = map(int, done.stdout.split())
    assert 0 < saved < 30
    assert told == 1
    assert len(emptied(folder.spool())) == saved
    assert folder.errors == []


def test_a_handler_that_saves_while_a_window_is_saved_tears_nothing(folder: Folder) -> None:
    """A signal handler may end recost while the very same thread writes."""

    class Interrupted(Spool):
        def _has_room(self, *arguments: Any) -> bool:
            if not interrupted:
                interrupted.append(True)
                assert not self.save(named(2))
                self.close()
            return super()._has_room(*arguments)

    interrupted: list[bool] = []
    spool = Interrupted(str(folder.path), "shop", "cloud https://api", report=lambda error: None)
    assert spool.save(named(1))
    assert [calls_of(each) for each in emptied(folder.spool())] == [1]


def test_reading_is_bounded_in_the_number_of_files(folder: Folder) -> None:
    for count in range(30):
        folder.leave(named(count + 1))
    spool = folder.spool()
    found: list[SpooledWindow] = []
    while (each := spool.next()) is not None:
        found.append(each)
        spool.remove(each)
    assert [calls_of(each.summary) for each in found] == list(range(1, 31))


def lines_of(path: Path) -> Iterator[bytes]:
    yield from path.read_bytes().splitlines()


def test_a_file_can_be_read_by_people(folder: Folder) -> None:
    file = folder.leave(named(1), named(2))
    assert all(line[:1] == b"+" and thaw(line[1:]) for line in lines_of(file))
    assert file.name.startswith("shop.")
