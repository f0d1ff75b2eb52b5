"""Usage of the responses of real APIs: whole, encoded, truncated, and with a gap."""

from __future__ import annotations

import gzip
import zlib
from typing import Any, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.captured import CapturedResponse
from recost.pricing import usage as pricing_usage
from recost.pricing.usage import HEADERS, SHAPES, read_model, read_usage
from tests.pricing.usage.changes import agrees, captured, with_long_text, with_more_events
from tests.pricing.usage.responses import SAMPLES, Sample, openai_tools

SEEN = [sample for sample in SAMPLES if sample.usage is not None]
LARGE = 200_000
WITH_TEXT = [sample for sample in SEEN if with_long_text(sample, 0)]
WITH_EVENTS = [sample for sample in SEEN if with_more_events(sample, 0)]
LOST = {
    "anthropic: results of a batch",
    "anthropic: results of a batch with two models",
    "bedrock: invoke Titan's text model",
    "deepl: translation",
    "firecrawl: search, credits by page",
    "groq: chat, cached and reasoned",
    "groq: compound of one model",
    "groq: compound of two models",
    "groq: openai/gpt-oss-120b",
    "groq: small compound",
    "openai: output of a batch",
    "openai: output of a batch, one failed",
    "openai: response of old that is read again",
    *(sample.name for sample in openai_tools.SAMPLES),
    "ollama: stream whose prompt was in the cache",
    "serper: batch",
}
"""Responses whose usage is spread over the body, so that a gap hides some of it."""

each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
each_seen = pytest.mark.parametrize("sample", SEEN, ids=lambda sample: sample.name)


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def brotli(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("brotli").compress(data)
    return compressed


def zstd(data: bytes) -> bytes:
    compressed: bytes = pytest.importorskip("zstandard").compress(data)
    return compressed


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip in two members": ("gzip", lambda data: gzip.compress(data[:20]) + gzip.compress(data[20:])),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "br": ("br", brotli),
    "zstd": ("zstd", zstd),
    "gzip twice": ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
}


def unguarded(sample: Sample, **changes: Any) -> Any:
    """Return the result of `read_usage`, without its boundary that contains exceptions."""
    return pricing_usage._read(sample.shape, sample.captured(**changes))


def test_there_are_enough() -> None:
    assert len(SAMPLES) >= 400
    assert len({sample.provider for sample in SAMPLES}) >= 25
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)
    assert {sample.shape for sample in SAMPLES} == set(SHAPES) - {
        "litellm",
        "portkey",
        "vercel",
    }  # test_gateways
    assert all(set(sample.headers) <= set(HEADERS.get(sample.shape, ())) for sample in SAMPLES)


@each
def test_usage(sample: Sample) -> None:
    assert unguarded(sample) == sample.usage
    assert read_usage(sample.shape, sample.captured()) == sample.usage


@each
def test_numbers_are_of_the_kinds_that_are_promised(sample: Sample) -> None:
    usage = unguarded(sample)
    for value in () if usage is None else usage.units.values():
        assert not isinstance(value, (bool, float))
        assert value >= 0


@pytest.mark.parametrize("encoding", ENCODERS)
def test_encoded(encoding: str) -> None:
    name, encode = ENCODERS[encoding]
    for sample in SAMPLES:
        assert unguarded(sample, head=encode(sample.body), encoding=name) == sample.usage, sample.name


@pytest.mark.parametrize("encoding", ENCODERS)
def test_encoded_and_cut(encoding: str) -> None:
    name, encode = ENCODERS[encoding]
    for sample in SEEN[::10]:
        body = encode(sample.body)
        for cut in range(0, len(body), 11):
            found = unguarded(sample, head=body[:cut], encoding=name, complete=False)
            assert agrees(found, sample), (sample.name, cut)


@each
def test_cut_at_every_byte(sample: Sample) -> None:
    for cut in range(len(sample.body)):
        found = unguarded(sample, head=sample.body[:cut], complete=False)
        assert agrees(found, sample), (cut, found)


@each_seen
def test_whole_though_its_end_was_not_seen(sample: Sample) -> None:
    found = unguarded(sample, complete=False)
    assert agrees(found, sample)
    assert found.units == sample.usage.units  # type: ignore[union-attr]


def cuts(sample: Sample) -> list[tuple[int, int]]:
    """Return where gaps begin and end: on a grid, the finer the shorter the body is."""
    size = len(sample.body)
    places = range(0, size + 1, max(1, size // 16))
    return [(first, second) for first in places for second in places if first <= second]


@each
def test_a_gap_anywhere(sample: Sample) -> None:
    for first, second in cuts(sample):
        assert agrees_with_gap(sample, first, second), (first, second)


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(SAMPLES), st.data())
def test_any_gap(sample: Sample, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(sample.body)))
    assert agrees_with_gap(sample, first, data.draw(st.integers(first, len(sample.body))))


def agrees_with_gap(sample: Sample, first: int, second: int) -> bool:
    head, tail = sample.body[:first], sample.body[second:]
    return all(
        agrees(unguarded(sample, head=head, tail=tail, gap=True, complete=complete), sample)
        for complete in (True, False)
    )


@pytest.mark.parametrize("size", [16_000, 64_000, LARGE])
@pytest.mark.parametrize("sample", WITH_TEXT, ids=lambda sample: sample.name)
def test_a_long_text_in_the_middle(sample: Sample, size: int) -> None:
    body = with_long_text(sample, size)
    assert body is not None
    content = captured(sample, body)
    found = pricing_usage._read(sample.shape, content)
    if content.gap and sample.name in LOST:
        assert found is None or found.partial or found == sample.usage
    else:
        assert found == sample.usage


@pytest.mark.parametrize("size", [16_000, 64_000, LARGE])
@pytest.mark.parametrize("sample", WITH_EVENTS, ids=lambda sample: sample.name)
def test_many_events_in_the_middle(sample: Sample, size: int) -> None:
    body = with_more_events(sample, size)
    assert body is not None
    assert pricing_usage._read(sample.shape, captured(sample, body)) == sample.usage


def test_unknown_shape() -> None:
    assert read_usage("nobody", CapturedResponse(b'{"usage": {"prompt_tokens": 1}}')) is None


def test_model_alone() -> None:
    elsewhere = {"assemblyai", "bedrock", "deepgram"}
    for sample in SEEN:
        if sample.shape not in elsewhere and not any(
            name in sample.name for name in ("results of a batch", "output of a batch")
        ):
            assert sample.usage is not None
            assert read_model(sample.captured()) == sample.usage.model, sample.name


def test_model_of_a_stream_without_usage() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "openai: chat stream without usage")
    assert read_usage("openai", sample.captured()) is None
    assert read_model(sample.captured()) == "gpt-4o-2024-08-06"
    assert read_model(sample.captured(head=sample.body[:-90], complete=False)) == "gpt-4o-2024-08-06"
