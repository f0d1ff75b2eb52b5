"""Long bodies that wait for recost's thread: in order, within the room that all calls share."""

from __future__ import annotations

import gzip
import json
import random
from threading import Thread
from typing import Any

import pytest

from recost.interceptors.backlog import ROOM, Backlog, reserve
from recost.interceptors.capture import LIMIT, Capture, WholeCapture
from tests.exchanges import no_room

LONG = json.dumps(
    {"model": "gpt-4o", "text": f"{random.Random(1).getrandbits(4_000_000):x}", "usage": {"prompt_tokens": 7}}
).encode()


def fed(body: bytes, size: int, encoding: str = "") -> Capture:
    capture = Capture((), {}, "application/json", encoding)
    for at in range(0, len(body), size):
        capture.feed(body[at : at + size])
    capture.complete = True
    return capture


def room() -> int:
    """Return the bytes of free room, at least."""
    held = []
    while (reservation := reserve(1)) is not None:
        held.append(reservation)
    return len(held) * 16_384


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("size", [3, 1_000, 65_537, 10_000_000])
def test_what_waits_is_read_like_what_is_skimmed_as_it_passes(size: int, encoding: str) -> None:
    body = gzip.compress(LONG) if encoding else LONG
    waiting = fed(body, size, encoding)
    assert waiting.nbytes == len(body)
    with no_room():
        passing = fed(body, size, encoding)
        assert passing.nbytes <= LIMIT + 8_192
    found = waiting.take()
    assert found == passing.take()
    assert found is not None
    assert json.loads(found.head)["usage"] == {"prompt_tokens": 7}
    assert room() == ROOM


def test_a_whole_body_waits_as_it_is() -> None:
    waiting = WholeCapture((), {}, "application/json", LONG)
    assert waiting.nbytes == len(LONG)
    assert room() <= ROOM - len(LONG)
    with no_room():
        assert WholeCapture((), {}, "application/json", LONG).take() == waiting.take()
    assert room() == ROOM


def test_calls_share_the_room_and_give_it_back_when_they_are_dropped() -> None:
    calls = [fed(LONG, 16_384) for _ in range(10)]
    assert ROOM - 1_000_000 < sum(call.nbytes for call in calls) <= ROOM + len(calls) * (LIMIT + 8_192)
    found = [call.take() for call in calls[:3]]
    assert all(kept is not None and kept.size == len(LONG) for kept in found)
    del calls  # never read, as those of a process that has forked
    assert room() == ROOM


def test_one_call_leaves_room_for_others() -> None:
    endless = fed(LONG * 8, 16_384)
    assert room() >= ROOM // 2
    found = endless.take()
    assert found is not None
    assert found.size == 8 * len(LONG)


def test_threads_that_reserve_at_once_lose_nothing() -> None:
    found: list[int] = []

    def reserve_some() -> None:
        for number in range(2_000):
            held = [reserve(size) for size in (1, 1_000_000, 300_000, number)]
            found.append(sum(each is not None for each in held))

    threads = [Thread(target=reserve_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(found) == 4
    assert room() == ROOM


def test_without_room_the_oldest_pieces_are_skimmed_first() -> None:
    backlog = Backlog()
    pieces: list[Any] = [bytes([number]) * 65_536 for number in range(40)]
    displaced = [data for piece in pieces for data in backlog.add([piece])]
    assert backlog.nbytes == 24 * 65_536
    assert displaced + [backlog.pop() for _ in range(len(backlog))] == pieces
    assert backlog.nbytes == 0


def test_a_view_is_copied_because_its_buffer_may_be_used_again() -> None:
    buffer = bytearray(LONG)
    capture = Capture((), {}, "application/json")
    capture.feed(memoryview(buffer))
    buffer[:] = bytes(len(buffer))
    found = capture.take()
    assert found is not None
    assert json.loads(found.head)["usage"] == {"prompt_tokens": 7}
