"""A window that may have been accepted, without a response, is not sent in parts: they would count twice."""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from pathlib import Path
from typing import Optional

import pytest

from recost.delivery.delivery import Delivery
from recost.delivery.outbox import REFUSED_FOR_S, Outbox
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError
from recost.delivery.transports.cloud import CloudTransport
from recost.delivery.transports.memory import MemoryTransport
from recost.errors import RecostError
from recost.events import WindowSummary
from tests.api import Api
from tests.delivery.samples import metric, window
from tests.delivery.test_delivery import Window
from tests.delivery.test_spool import Clock, Folder, calls_of, deliver, emptied, named
from tests.loopback import Loopback, refused_port

UNKNOWN = "were sent without a response, and may have arrived"


class Accepting:
    """A destination that fails as it is scripted, and knows what it has accepted."""

    retry = RetryPolicy(retries=2, first_s=0.0, longest_s=0.0)
    spacing_s = 0.0
    max_metrics: Optional[int] = None

    def __init__(self, *script: str) -> None:
        self.script = list(script)
        self.accepted: dict[Optional[str], int] = {}
        self.seen: Counter[int] = Counter()

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        step = self.script.pop(0) if self.script else "accept"
        self.seen[len(summary.metrics)] += 1
        if step in ("accept", "lose"):
            self.accepted[summary.window_id] = calls_of(summary)
        if step == "lose":
            raise SendError(RecostError("lost"), Disposition.RETRY, uncertain=True)
        if step == "413":
            raise SendError(RecostError("413"), Disposition.SPLIT)
        if step == "429":
            raise SendError(RecostError("429"), Disposition.DEFER, retry_after_s=0.0)
        if step == "500":
            raise SendError(RecostError("500"), Disposition.RETRY, responded=True)

    def gave_up(self) -> Optional[Exception]:
        return None

    def close(self) -> None: ...


def refusals(count: int) -> list[Optional[SendError]]:
    return [SendError(RecostError("413"), Disposition.SPLIT) for _ in range(count)]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "telemetry")


def flushed(transport: Accepting, times: int = 12) -> Delivery:
    delivery = Delivery(transport, report=lambda error: None)
    delivery.put(Window(a=1, b=2, c=4, d=8))
    for _ in range(times):
        delivery.pump()
    return delivery


@pytest.mark.parametrize(
    "script",
    [
        ("lose", "413"),
        ("lose", "413", "lose", "413", "413", "413"),
        ("lose", "lose", "lose", "413", "500", "413"),
        ("lose", "429", "413", "413"),
        ("500", "lose", "413"),
        ("lose", "500", "413", "500", "500", "500", "500", "500", "500"),
    ],
)
def test_a_window_whose_response_was_lost_arrives_once(script: tuple[str, ...]) -> None:
    transport = Accepting(*script)
    delivery = flushed(transport)
    assert transport.accepted != {}
    assert sum(transport.accepted.values()) == 15
    assert set(transport.seen) == {4}
    assert (delivery.pending_calls, delivery.lost.calls) == (0, 0)


def test_one_that_is_refused_for_long_was_surely_not_accepted() -> None:
    def refusing(transport: MemoryTransport, clock: Clock, waiting_s: float) -> list[int]:
        lost = SendError(RecostError("lost"), Disposition.WAIT, uncertain=True)
        transport.fail(lost, *refusals(3))
        delivery = Delivery(transport, report=lambda error: None, monotonic=clock)
        delivery.put(Window(a=1, b=2))
        delivery.pump()
        delivery.pump()
        assert transport.windows == []
        clock.now += waiting_s
        transport.fail(*refusals(1))
        for _ in range(6):
            delivery.pump()
        return [len(each.metrics) for each in transport.windows]

    assert refusing(MemoryTransport(), Clock(), REFUSED_FOR_S - 1) == [2]
    assert refusing(MemoryTransport(), Clock(), REFUSED_FOR_S + 1) == [1, 1]


def test_the_next_process_does_not_divide_it_either(folder: Folder) -> None:
    lost = SendError(RecostError("lost"), Disposition.WAIT, uncertain=True)
    transport = MemoryTransport([lost])
    first = Delivery(transport, report=lambda error: None, spool=folder.spool())
    first.put(Window(a=1, b=2))
    first.pump()
    first.close()
    (sent,) = transport.attempts
    folder.clock.now += 1

    second = MemoryTransport([None, *refusals(2)])
    delivery = deliver(folder.spool(), second)
    for _ in range(4):
        folder.clock.now += 61
        delivery.pump()
    assert [each.window_id for each in second.windows[1:]] == [sent.window_id]
    assert folder.files == []


def test_one_that_was_surely_not_accepted_is_divided_by_the_next_process(folder: Folder) -> None:
    folder.leave(named(metrics=(metric("a", request_count=1), metric("b", request_count=2))))
    transport = MemoryTransport([None, *refusals(1)])
    delivery = deliver(folder.spool(), transport)
    for _ in range(4):
        folder.clock.now += 61
        delivery.pump()
    assert [len(each.metrics) for each in transport.windows] == [1, 1, 1]


def test_a_process_that_is_killed_while_it_sends_leaves_word_of_that(folder: Folder) -> None:
    file = folder.leave(named(3))
    marks = list[bytes]()

    class Looking(MemoryTransport):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            marks.append(file.read_bytes()[:1])
            super().send(summary, timeout_s)

    refused = SendError(RecostError("refused"), Disposition.WAIT)
    deliver(folder.spool(), Looking([None, refused]))
    assert marks[1:] == [b"?"]
    assert file.read_bytes()[:1] == b"+"  # the connection was refused: it has surely not arrived


def test_one_that_is_being_sent_at_the_end_may_arrive(folder: Folder) -> None:
    outbox = Outbox(max_windows=4, max_bytes=10_000)
    outbox.put(Window(a=1))
    outbox.put(Window(b=1))
    outbox.head(None)
    assert [left.uncertain for left in iter(outbox.take, None)] == [True, False]


def test_what_is_set_aside_and_too_much_goes_to_the_spool(folder: Folder) -> None:
    outbox = Outbox(max_windows=100, max_bytes=1_000_000)
    outbox.keeps_overflow = True
    for _ in range(20):
        one = Window(a=1, b=1)
        outbox.put(one)
        outbox.head(None)
        lost = SendError(None, Disposition.SPLIT, uncertain=True)
        assert outbox.keep_whole(one, lost, 0.0)
    assert outbox.loss.calls == 0
    assert [left.uncertain for left in iter(outbox.take_overflow, None)] == [True] * 4


@pytest.mark.parametrize("path", ["/reset", "/status/504"])
def test_it_is_uncertain_once_something_was_sent(path: str, server: Loopback) -> None:
    with pytest.raises(SendError) as caught:
        CloudTransport(server.url + path, "p", "rc-key", max_retries=0).send(window(), 5.0)
    assert caught.value.uncertain


def test_a_connection_that_is_refused_is_certain(tmp_path: Path) -> None:
    with pytest.raises(SendError) as caught:
        CloudTransport(f"http://127.0.0.1:{refused_port()}", "p", "rc-key").send(window(), 5.0)
    assert not caught.value.uncertain


def test_a_request_that_was_sent_again_on_a_new_connection_may_have_arrived_before() -> None:
    with Api() as api:
        transport = CloudTransport(api.url, api.project, api.key, max_retries=0)
        transport.send(window(), 5.0)
        api.script("accept, reset", 413)
        with pytest.raises(SendError) as caught:
            transport.send(window(), 5.0)
        assert len(api.windows) == 2
    assert caught.value.disposition is Disposition.SPLIT
    assert caught.value.uncertain


def test_one_that_was_set_aside_and_then_lost_stays_whole() -> None:
    transport = Accepting("lose", "413")
    transport.retry = RetryPolicy(retries=0, first_s=0.0, longest_s=0.0)
    delivery = Delivery(transport, report=lambda error: None)
    outbox = delivery._outbox
    one = Window(a=1, b=2, c=4, d=8)
    outbox.put(one)
    outbox.set_aside(one)
    for _ in range(6):
        delivery.pump()
    assert sum(transport.accepted.values()) == 15
    assert set(transport.seen) == {4}


@pytest.mark.skipif(os.name != "posix", reason="limits on files")
def test_one_of_which_nothing_can_be_noted_is_left_to_others(folder: Folder) -> None:
    file = folder.leave(named(3))
    transport = MemoryTransport()
    spool = folder.spool()
    spool.mark_uncertain = lambda window, *, uncertain: False  # type: ignore[method-assign] # a full disk
    deliver(spool, transport)
    assert [calls_of(each) for each in transport.windows] == [1]
    assert file.read_bytes()[:1] == b"+"


def lost_once() -> SendError:
    return SendError(RecostError("lost"), Disposition.WAIT, uncertain=True)


def test_one_metric_that_may_have_arrived_is_not_reported_as_refused() -> None:
    def refusing(transport: MemoryTransport, clock: Clock, waiting_s: float) -> list[str]:
        transport.fail(lost_once(), *refusals(3))
        errors = list[str]()
        delivery = Delivery(transport, report=lambda error: errors.append(str(error)), monotonic=clock)
        delivery.put(Window(a=3))
        for _ in range(2):
            delivery.pump()
        assert delivery.pending_calls == 3
        clock.now += waiting_s
        transport.fail(*refusals(1))
        for _ in range(2):
            delivery.pump()
        assert delivery.pending_calls == 0
        return errors

    arriving, refused = MemoryTransport(), MemoryTransport()
    assert refusing(arriving, Clock(), REFUSED_FOR_S - 1) == ["lost", *["413"] * 4]
    assert len(arriving.windows) == 1
    assert refusing(refused, Clock(), REFUSED_FOR_S + 1) == ["lost", *["413"] * 3, "413: 3 calls dropped"]
    assert refused.windows == []


def test_neither_is_one_of_the_spool(folder: Folder) -> None:
    folder.leave(named(3))
    lost = SendError(RecostError("lost"), Disposition.WAIT, uncertain=True)
    transport, errors = MemoryTransport([None, lost, None, *refusals(1)]), list[str]()
    delivery = deliver(folder.spool(), transport, errors)
    for _ in range(3):
        folder.clock.now += 61
        delivery.put(Window(own=1))
        delivery.pump()
    assert errors == ["lost"]
    assert delivery.lost.calls == 0
    assert sum(map(calls_of, transport.windows)) == 3 + 4
    assert folder.files == []


def test_what_is_given_up_after_it_was_sent_is_reported_as_unknown() -> None:
    transport, errors = MemoryTransport([lost_once(), lost_once()]), list[str]()
    delivery = Delivery(transport, report=lambda error: errors.append(str(error)))
    delivery.put(Window(a=3))
    delivery.pump()
    delivery.put(Window(b=4))
    delivery.close()
    assert errors[1:] == [f"recost: 7 calls in 2 windows could not be delivered. 3 of them {UNKNOWN}"]
    dropped = delivery.accounts.dropped()
    assert (dropped["end"], dropped["unknown"], sum(dropped.values())) == (4, 3, 7)


def test_one_that_arrives_when_it_has_been_given_up_is_counted_once() -> None:
    """The end of the process does not wait for the thread that sends."""
    ended = threading.Event()

    class Slow(MemoryTransport):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            delivery.close()
            super().send(summary, timeout_s)
            ended.set()

    errors = list[str]()
    delivery = Delivery(Slow(), report=lambda error: errors.append(str(error)))
    delivery.put(Window(a=3))
    delivery.pump()
    assert ended.is_set()
    assert re.findall(r"\d+", str(errors)) == ["3", "1", "3"]
    assert (delivery.accounts.sent, delivery.accounts.dropped()["unknown"]) == (0, 3)


def test_one_that_is_spooled_while_it_is_sent_is_not_counted_as_sent_too(folder: Folder) -> None:
    class Slow(MemoryTransport):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            delivery.close()
            super().send(summary, timeout_s)

    transport = Slow()
    delivery = Delivery(transport, report=lambda error: None, spool=folder.spool())
    delivery.put(Window(a=3))
    delivery.pump()
    assert (delivery.accounts.sent, delivery.accounts.spooled) == (0, 3)
    folder.clock.now += 1
    (left,) = emptied(folder.spool())
    assert [each.window_id for each in transport.windows] == [left.window_id]


def test_what_expires_in_the_spool_may_have_arrived(folder: Folder) -> None:
    transport = MemoryTransport([None, lost_once()])
    folder.leave(named(3))
    first = deliver(folder.spool(), transport)
    first.close()
    folder.clock.now += 8 * 86_400
    assert emptied(folder.spool()) == []
    assert folder.errors == [
        f"recost: 3 calls in 1 windows were removed from the spool: too old. 3 of them {UNKNOWN}"
    ]
