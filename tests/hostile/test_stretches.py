"""Nothing on recost's thread is given more of an answer at once than a bound that doesn't grow with it.

A call into C holds the interpreter until it is done. What it takes is told by what it is given, as patterns
and scanners are linear (`tests.patterns`): so it is bounded where that is. `tests.hostile.stretches` measures
it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from types import FrameType
from typing import Any, Callable, Final, NamedTuple, Optional

import pytest

from recost import wire
from recost.captured import CapturedResponse
from recost.events import MetricEntry, WindowSummary
from recost.interceptors import capture
from recost.interceptors._body import Dechunker
from recost.interceptors.capture import LIMIT, Capture, WholeCapture
from recost.pricing.usage import read_response
from tests.exchanges import no_room
from tests.hostile.answers import ANSWERS, Sent
from tests.hostile.stretches import Reader

SMALL: Final = 128 << 10
MOST: Final = 3 * LIMIT
"""Bytes, characters or elements; a third of it, a whole body that is kept, takes two milliseconds at most."""
_LOOKED_AT: Final = 32
"""Times that a place is looked at; then every time that their number has doubled."""
SIZED: Final = (str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset)


class Given(NamedTuple):
    size: int
    where: str


class Watch:
    """Notes the largest thing that is at hand where recost calls anything, or returns."""

    def __init__(self, sent: Sent) -> None:
        self.largest = Given(0, "nowhere")
        self._seen: Counter[tuple[Any, int]] = Counter()
        self._headers = {id(sent.content_type), id(sent.encoding), *map(id, sent.headers.values())}

    def __call__(self, frame: FrameType, event: str, returned: Any) -> None:
        code = frame.f_code
        if "recost" not in code.co_filename.replace("\\", "/").split("/")[-6:-1]:
            return
        place = code, frame.f_lasti
        self._seen[place] += 1
        seen = self._seen[place]
        if seen > _LOOKED_AT and seen & (seen - 1):
            return
        for name, value in frame.f_locals.items():
            self._look(code, name, value)
            if name == "self":
                for slot in self._fields(value):
                    self._look(code, f"self.{slot}", getattr(value, slot, None))
        if event == "return":
            self._look(code, "what it returns", returned)

    def _look(self, code: Any, name: str, value: Any) -> None:
        if isinstance(value, SIZED) and len(value) > self.largest.size:
            if code.co_filename == capture.__file__ and id(value) in self._headers:
                return  # they are cut there
            self.largest = Given(len(value), f"{code.co_filename}, {code.co_name}: {name}")

    @staticmethod
    def _fields(value: Any) -> tuple[str, ...]:
        slots = [slot for kind in type(value).__mro__ for slot in getattr(kind, "__slots__", ())]
        return (*slots, *getattr(value, "__dict__", ()))


def largest_given(reader: Reader, sent: Sent) -> Given:
    reader.renew()
    exchange = reader.exchange_of(sent)
    watch = Watch(sent)
    earlier = sys.getprofile()
    sys.setprofile(watch)
    try:
        reader.read(exchange)
    finally:
        sys.setprofile(earlier)
    return watch.largest


@pytest.fixture(scope="module")
def reader() -> Reader:
    pytest.importorskip("brotli")
    pytest.importorskip("zstandard")
    return Reader()


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_given_at_once_does_not_grow_with_the_answer(reader: Reader, name: str) -> None:
    for size in (SMALL, 8 * SMALL):
        given = largest_given(reader, ANSWERS[name](size))
        assert 0 < given.size <= MOST, (size, given)


def test_a_reader_that_takes_all_at_once_is_found(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "_LONGEST_HEADER", 1 << 30)
    for part in ("content type of a", "content encoding of commas"):
        assert largest_given(reader, ANSWERS[part](8 * SMALL)).size > MOST


class Piece(bytes):
    """Tells how many of its bytes were asked for at once; a view of them costs nothing."""

    most = 0
    total = 0

    def __getitem__(self, part: Any) -> Any:
        found = super().__getitem__(part)
        if isinstance(found, bytes):
            self.most = max(self.most, len(found))
            self.total += len(found)
        return found

    def find(self, what: Any, start: Any = 0, end: Any = None) -> int:
        last = len(self) if end is None else min(end, len(self))
        self.most = max(self.most, last - start)
        return super().find(what, start, last)


def _captured(encoding: str) -> Callable[[Any], Optional[CapturedResponse]]:
    def keep(piece: Any) -> Optional[CapturedResponse]:
        kept = Capture((), {}, "application/json", encoding)
        kept.feed(b'{"model"')
        kept.feed(piece)
        kept.feed(piece)
        return kept.take()

    return keep


KEPT: Final[dict[str, Callable[[Any], Any]]] = {
    "plain": _captured(""),
    "of an unknown coding": _captured("own"),
    "whole": lambda piece: WholeCapture((), {}, None, piece).take(),
}


@pytest.mark.parametrize("way", KEPT)
def test_callers_only_keep_the_ends_of_a_long_piece(way: str) -> None:
    for size in (1 << 20, 8 << 20):
        piece = Piece(b"x" * size)
        with no_room():
            KEPT[way](piece)
        assert piece.most <= LIMIT
        assert piece.total <= 4 * LIMIT


@pytest.mark.parametrize("encoding", ["", "own", "gzip"])
def test_callers_only_refer_to_a_long_piece_that_may_wait(encoding: str) -> None:
    piece = Piece(b"x" * (1 << 20))
    kept = Capture((), {}, None, encoding)
    kept.feed(piece)
    whole = WholeCapture((), {}, None, piece)
    assert piece.total == piece.most == 0
    assert (kept.nbytes, whole.nbytes) == (len(piece), len(piece))
    kept.take()
    whole.take()
    assert piece.most <= LIMIT


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_callers_decode_a_bounded_part_of_a_long_piece(encoding: str) -> None:
    pytest.importorskip("brotli")
    pytest.importorskip("zstandard")
    for size in (1 << 20, 8 << 20):
        piece = Piece(ANSWERS[f"{encoding} of prose"](size).body)
        kept = Capture((), {}, "application/json", encoding)
        with no_room():
            kept.feed(b"")
            kept.feed(piece)
        assert 0 < piece.most <= LIMIT
        assert piece.total <= 2 << 20
        assert kept.nbytes <= 2 * LIMIT


def test_the_end_of_a_chunk_s_size_is_sought_no_further_than_it_can_be() -> None:
    piece = Piece(b"5" * (4 << 20))
    with pytest.raises(ValueError, match="more than 65536 bytes"):
        Dechunker().feed(piece)
    assert piece.most <= LIMIT + 1


def test_what_waits_to_be_decoded_is_not_the_caller_s_buffer() -> None:
    """A client that reads into a buffer uses it again for the next piece."""
    import gzip
    import random

    text = b"%x" % random.Random(1).getrandbits(8 * 600_000)
    body = b'{"model": "m", "text": "' + text + b'", "usage": {"prompt_tokens": 5}}'
    packed = gzip.compress(b" " * (1 << 20) + body)[:-1]
    kept = Capture((), {}, "application/json", "gzip")
    buffer = bytearray(LIMIT + 1)
    for at in range(0, len(packed), len(buffer)):
        part = packed[at : at + len(buffer)]
        buffer[: len(part)] = part
        view = memoryview(buffer)[: len(part)]
        kept.feed(bytes(view) if len(part) <= LIMIT else view)
        buffer[:] = bytes(len(buffer))
    kept.complete = True
    found = kept.take()
    assert found is not None
    assert not found.unread
    assert (found.head + found.tail).endswith(b'"usage": {"prompt_tokens": 5}}')


@pytest.mark.parametrize("value", ["gzip, " * 1_000, " " * 10_000 + "gzip", "x" * 10_000, "x-" * 10_000])
def test_headers_without_end(value: str) -> None:
    body = b'{"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'
    for content_type, encoding in ((value, ""), ("application/json", value)):
        kept = Capture(
            ("dg-model-name", "short"), {"dg-model-name": value, "short": "a"}, content_type, encoding
        )
        kept.feed(body)
        kept.complete = True
        found = kept.take()
        assert found is not None
        assert found.headers == {"short": "a"}
        assert len(found.content_type) <= 2_000
        reading = read_response("openai", found)
        assert reading.unread is bool(encoding)
        assert reading.usage is None or not encoding


def test_a_window_is_encoded_one_metric_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Counting(json.JSONEncoder):
        def encode(self, o: Any) -> str:
            found = super().encode(o)
            sizes.append(len(found))
            return found

    monkeypatch.setattr(json, "JSONEncoder", Counting)
    entries = tuple(
        MetricEntry("p", f"/e{number:04}", "GET", 1, 0, 1.0, 1.0, 1.0, 0, 0, 0.0) for number in range(800)
    )
    for count in (100, 800):
        sizes.clear()
        window = WindowSummary("", "test", "python", "0", 0, 1, entries[:count])
        assert json.loads(wire.encode_window(window)) == json.loads(json.dumps(wire.window_to_dict(window)))
        assert len(sizes) == count + 1
        assert max(sizes) < 1_000
