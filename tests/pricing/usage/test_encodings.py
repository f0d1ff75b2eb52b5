"""How bodies are decoded."""

from __future__ import annotations

import gzip
import sys
import zlib

import pytest

from recost.captured import CapturedResponse
from recost.pricing.usage import Usage, read_usage
from recost.pricing.usage.decoding.encodings import decode
from recost.pricing.usage.decoding.limits import HEAD_LIMIT, TAIL_LIMIT

BODY = b'{"model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'


def test_a_body_without_encoding_is_left_alone() -> None:
    assert decode(CapturedResponse(BODY, encoding="identity")) == CapturedResponse(BODY)


def test_a_large_body_is_kept_in_part() -> None:
    whole = b"".join(b"%09d" % number for number in range(100_000))
    decoded = decode(CapturedResponse(gzip.compress(whole), encoding="gzip"))
    assert decoded is not None
    assert decoded.gap
    assert decoded.complete
    assert decoded.head == whole[:HEAD_LIMIT]
    assert whole.endswith(decoded.tail)
    assert TAIL_LIMIT // 2 <= len(decoded.tail) <= TAIL_LIMIT
    assert decoded.size == len(whole)


def test_a_bomb_is_given_up() -> None:
    compressor = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    bomb = b"".join(compressor.compress(piece) for _ in range(70)) + compressor.flush()
    decoded = decode(CapturedResponse(bomb, encoding="gzip"))
    assert decoded is not None
    assert not decoded.complete
    assert HEAD_LIMIT < len(decoded.head) + len(decoded.tail) <= HEAD_LIMIT + TAIL_LIMIT


def test_what_comes_before_damage_is_used() -> None:
    compressed = gzip.compress(b'data: {"usage": {"prompt_tokens": 5}}\n\n' * 3) + b"damage"
    decoded = decode(CapturedResponse(compressed, encoding="gzip"))
    assert decoded is not None
    assert not decoded.complete
    assert decoded.head.count(b"data:") == 3


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, compress"])
def test_what_can_t_be_decoded_says_nothing(encoding: str) -> None:
    assert decode(CapturedResponse(b"\xffnot compressed", encoding=encoding)) is None
    assert read_usage("openai", CapturedResponse(b"\xffnot compressed", encoding=encoding)) is None


def test_headers_are_read_all_the_same() -> None:
    content = CapturedResponse(b"\xff", encoding="gzip", headers={"character-cost": "4"})
    assert read_usage("elevenlabs", content) == Usage(units={"characters": 4})


def test_an_encoding_with_a_gap_says_nothing() -> None:
    assert decode(CapturedResponse(gzip.compress(BODY), b"x", gap=True, encoding="gzip")) is None


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_a_missing_library(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "brotlicffi", "zstandard", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    assert decode(CapturedResponse(BODY, encoding=encoding)) is None
