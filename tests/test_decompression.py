"""The one decompressor: right in any pieces, and bounded whatever the data swell to."""

from __future__ import annotations

import gzip
import sys
import tracemalloc
import zlib
from contextlib import nullcontext
from typing import Any, Callable, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost import decompression
from recost.captured import CapturedResponse
from recost.decompression import Decompressor, UndecodableError
from recost.interceptors.capture import LIMIT, Capture
from recost.pricing.usage import read_usage
from recost.pricing.usage.decoding.encodings import decode
from tests.exchanges import no_room

brotli: Any = pytest.importorskip("brotli")
zstandard: Any = pytest.importorskip("zstandard")

MEGABYTE = 1 << 20
PLAIN = b'{"model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 7}, "text": "%s"}'


def zstd(data: bytes) -> bytes:
    packed: bytes = zstandard.ZstdCompressor().compress(data)
    return packed


def raw(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": raw,
    "br": brotli.compress,
    "zstd": zstd,
    "x-zstd": zstd,
    "gzip, zstd": lambda data: zstd(gzip.compress(data)),
    "br,identity, deflate ,gzip": lambda data: gzip.compress(zlib.compress(brotli.compress(data))),
}


def decoded(encoding: str, data: bytes, cuts: list[int], limit: int = 1 << 40) -> tuple[bytes, Decompressor]:
    decompressor, output, at = Decompressor(encoding, limit), b"", 0
    for size in [*cuts, len(data)]:
        decompressor.feed(data[at : at + size])
        at += size
        while piece := decompressor.read():
            output += piece
    return output, decompressor


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(CODINGS)),
    st.binary(max_size=99),
    st.integers(1, 5000),
    st.lists(st.integers(1, 400)),
)
def test_any_pieces(encoding: str, unit: bytes, times: int, cuts: list[int]) -> None:
    body = unit * times
    packed = CODINGS[encoding](body)
    output, decompressor = decoded(encoding, packed, cuts)
    assert output == body
    assert decompressor.ended
    assert not decoded(encoding, packed[:-1], cuts)[1].ended


def test_members_frames_and_padding() -> None:
    body = b"abc" * 100_000
    assert decoded("gzip", gzip.compress(body) + gzip.compress(b"x") + bytes(9), [7, 1])[0] == body + b"x"
    assert decoded("zstd", zstd(body) + zstd(b"x"), [7, 1])[0] == body + b"x"


@pytest.mark.parametrize(
    "encoding", ["own", "gzip, own", "gzip,gzip,gzip,gzip,gzip", "gzip" + "," * 99_999 + "own"]
)
def test_what_is_unknown_is_refused_at_once(encoding: str) -> None:
    with pytest.raises(UndecodableError):
        Decompressor(encoding, 1)


def bomb(encoding: str) -> bytes:
    """Return a text that swells to 600 MB where it is let."""
    if encoding == "zstd":
        return zstd(bytes(MEGABYTE)) * 600
    if encoding == "br":
        compressor = brotli.Compressor(quality=5)
        return b"".join(compressor.process(bytes(MEGABYTE)) for _ in range(600)) + bytes(compressor.finish())
    outer = zlib.compressobj(9, zlib.DEFLATED, 15 if encoding == "deflate" else 31)
    packed = b"".join(outer.compress(bytes(MEGABYTE)) for _ in range(600)) + outer.flush()
    return gzip.compress(packed) if encoding == "gzip, gzip" else packed


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_a_bomb_costs_a_bounded_amount(encoding: str) -> None:
    packed = bomb(encoding)
    body = CapturedResponse(packed[:65_536], encoding=encoding)
    if encoding in CODINGS:
        decode(CapturedResponse(CODINGS[encoding](b"{}"), encoding=encoding))  # imports
    tracemalloc.start()
    try:
        found = decode(body)
        assert found is not None
        assert found.unread
        assert not found.complete
        for room in (no_room, nullcontext):
            capture = Capture((), {}, None, encoding)
            with room():
                capture.feed(packed)
                capture.feed(packed * (1 + LIMIT // len(packed)))
            assert capture.nbytes <= 2 * LIMIT + (room is nullcontext) * 2 * MEGABYTE
            captured = capture.take()
            assert captured is not None
            assert captured.unread
        assert tracemalloc.get_traced_memory()[1] < 8 * MEGABYTE
    finally:
        tracemalloc.stop()


def test_many_small_members_count_as_work() -> None:
    for encoding, member in (("gzip", gzip.compress(b"")), ("zstd", zstd(b"x"))):
        output, decompressor = decoded(encoding, member * 100_000, [], limit=MEGABYTE)
        assert decompressor.exhausted
        assert len(output) <= 1024


@pytest.mark.parametrize("encoding", sorted(CODINGS))
@pytest.mark.parametrize("size", [1_000, 400_000])
def test_short_and_long_bodies_know_the_same_codings(encoding: str, size: int) -> None:
    text = b"%x" % int.from_bytes(zlib.adler32(b"x").to_bytes(4, "big") * (size // 8), "big")
    packed = CODINGS[encoding](PLAIN % text)
    capture = Capture((), {}, "application/json", encoding)
    for at in range(0, len(packed), 8192):
        capture.feed(packed[at : at + 8192])
    capture.complete = True
    kept = capture.take()
    assert kept is not None
    usage = read_usage("openai", kept)
    assert usage is not None
    assert usage.units["output_tokens"] == 7


class OldBrotli:
    """The decompressor of a library that can't limit its output."""

    def __init__(self) -> None:
        self._inner = brotli.Decompressor()

    def process(self, data: bytes) -> bytes:
        assert len(data) <= 1, "a byte can make 16 MB"
        return bytes(self._inner.process(data))

    def is_finished(self) -> bool:
        return bool(self._inner.is_finished())


def test_a_brotli_that_has_no_limit_is_fed_by_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    old: Any = type(sys)("brotli")
    old.Decompressor, old.error = OldBrotli, brotli.error
    monkeypatch.setitem(sys.modules, "brotli", old)
    body = b"abc" * 50_000
    assert decoded("br", brotli.compress(body), [3])[0] == body
    output, decompressor = decoded("br", bomb("br"), [], limit=4 * MEGABYTE)
    assert decompressor.exhausted
    assert len(output) <= 20 * MEGABYTE


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    missing: Optional[str] = None
    try:
        Decompressor("br", 1)
    except UndecodableError:
        missing = "br"
    assert missing == "br"
    assert decompression.__all__ == ["Decompressor", "UndecodableError"]
