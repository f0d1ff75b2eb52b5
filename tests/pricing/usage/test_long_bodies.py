"""Long responses are read like short ones, in any pieces and coding."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.captured import CapturedResponse
from recost.interceptors.capture import LIMIT, Capture
from recost.interceptors.exchange import nowhere
from recost.metering import Meter
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage import Reading, Usage, read_response
from tests.exchanges import begun, no_room
from tests.pricing.usage.lengthening import PADDINGS, PLACES, crowded, lengthened, pieces, repeated
from tests.pricing.usage.responses import SAMPLES, Sample
from tests.test_decompression import CODINGS

CODED: Final[dict[str, Any]] = {"": bytes, **CODINGS}
LONG: Final = [sample for sample in SAMPLES if lengthened(sample, "text", "middle", 10) is not None]
STREAMS: Final = [sample for sample in SAMPLES if crowded(sample.body, "end", 10) is not None]


def read(sample: Sample, body: bytes, coding: str = "", seed: int = 1) -> Reading:
    """Read a response that arrives in pieces, which wait for recost's thread or are skimmed as they pass."""
    capture, coded = Capture((), {}, sample.content_type, coding), CODED[coding](body)
    with nullcontext() if seed % 2 else no_room():
        for piece in pieces(coded, seed):
            capture.feed(piece)
            assert capture.nbytes <= LIMIT + (len(coded) if seed % 2 else 8192 if coding else 0)
    capture.complete = True
    kept = capture.take()
    assert kept is not None
    content = sample.captured(
        head=kept.head,
        tail=kept.tail,
        gap=kept.gap,
        encoding=kept.encoding,
        unread=kept.unread,
        thinned=kept.thinned,
        size=kept.size,
    )
    reading = read_response(sample.shape, content)
    assert reading.size == len(body)
    return reading


def short(sample: Sample) -> Reading:
    return read_response(sample.shape, sample.captured())


def check(sample: Sample, body: bytes, coding: str = "", seed: int = 1) -> bool:
    """Return True if the longer response is read as the short one. It must not pass as complete otherwise."""
    found, whole = read(sample, body, coding, seed), short(sample)
    if found.usage == whole.usage:
        return True
    usage = found.usage
    # Without units it is estimated, without a model unknown.
    marked = found.unread or usage is None or usage.partial or not usage.units or usage.model is None
    assert marked, (sample.name, found.usage, whole.usage)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("padding", PADDINGS)
def test_long_members_change_nothing(padding: str) -> None:
    for number, sample in enumerate(LONG):
        body = lengthened(sample, padding, PLACES[number % len(PLACES)], 150_000)
        assert body is not None
        assert len(body) > LIMIT
        assert check(sample, body, seed=number) or may_be_marked(sample), sample.name


def may_be_marked(sample: Sample) -> bool:
    """Return True if a longer response may be incomplete: it has no usage, or has it deep in each line."""
    return sample.usage is None or sample.usage.requests > 1


@pytest.mark.parametrize("place", PLACES)
def test_short_events_change_nothing(place: str) -> None:
    assert len(STREAMS) > 20
    for number, sample in enumerate(STREAMS):
        body = crowded(sample.body, place, 100_000)
        assert body is not None
        same = check(sample, body, seed=number)
        if place == "end":  # where all that counts comes after the first event
            assert same or may_be_marked(sample), sample.name


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("padding", PADDINGS)
def test_long_members_anywhere(padding: str, place: str) -> None:
    for number, sample in enumerate(LONG):
        body = lengthened(sample, padding, place, 150_000)
        assert body is not None
        assert check(sample, body, seed=number) or may_be_marked(sample), sample.name


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.sampled_from(LONG),
    st.sampled_from(sorted(PADDINGS)),
    st.sampled_from(PLACES),
    st.sampled_from(sorted(CODED)),
    st.integers(1, 1_000_000),
    st.integers(1, 4),
    st.integers(0, 1_000),
)
def test_length_pieces_and_coding_change_nothing(
    sample: Sample, padding: str, place: str, coding: str, size: int, times: int, seed: int
) -> None:
    body = lengthened(sample, padding, place, size // times)
    assert body is not None
    check(sample, repeated(body, times) or body, coding, seed)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(
    st.sampled_from(STREAMS),
    st.sampled_from(sorted(PADDINGS)),
    st.sampled_from(PLACES),
    st.sampled_from(PLACES),
    st.sampled_from(sorted(CODED)),
    st.integers(1, 500_000),
    st.integers(0, 1_000),
)
def test_short_and_long_events_change_nothing(
    sample: Sample, padding: str, place: str, crowd: str, coding: str, size: int, seed: int
) -> None:
    body = lengthened(sample, padding, place, size) or sample.body
    check(sample, crowded(body, crowd, size) or body, coding, seed)


def _response(instructions: int, tools: int, **more: Any) -> dict[str, Any]:
    tool = {"type": "function", "name": "f", "parameters": {"properties": {"model": {"type": "string"}}}}
    return {
        "id": "resp_1",
        "status": "completed",
        "instructions": "i" * instructions,
        "model": "gpt-5-mini-2025-08-07",
        "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}],
        "service_tier": "default",
        "tools": [tool] * (tools // 100),
        "usage": {"input_tokens": 25_000, "output_tokens": 500, "total_tokens": 25_500},
        **more,
    }


def _events(response: dict[str, Any]) -> bytes:
    begun = {**response, "usage": None, "output": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        *({"type": "response.output_text.delta", "delta": "word "} for _ in range(2_000)),
        {"type": "response.completed", "response": response},
    ]
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (str(event["type"]).encode(), json.dumps(event).encode())
        for event in events
    )


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("instructions", "tools"), [(100, 100), (20_000, 30_000), (500_000, 0), (90_000, 300_000)]
)
def test_responses_that_repeat_the_request(instructions: int, tools: int, line_break: bytes) -> None:
    response = _response(instructions, tools)
    units = {"input_tokens": 25_000, "output_tokens": 500}
    expected = Usage("gpt-5-mini-2025-08-07", units, tier="default")
    plain = Sample("openai: x", "openai", "/v1/responses", json.dumps(response).encode(), expected)
    streamed = plain._replace(
        body=_events(response).replace(b"\n", line_break), content_type="text/event-stream"
    )
    for sample in (plain, streamed):
        for seed in range(5):
            assert read(sample, sample.body, seed=seed).usage == expected


def test_what_is_needed_and_left_out_makes_it_partial() -> None:
    searches = [
        {"type": "web_search_call", "action": {"type": "search", "n": number}} for number in range(2_000)
    ]
    response = {**_response(10, 0, output=searches), "tools": [{"type": "web_search"}]}
    body = json.dumps(response).encode()
    usage = read(Sample("openai: x", "openai", "/v1/responses", body, None), body).usage
    assert usage is not None
    assert usage.partial


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_embeddings_state_their_count_before_a_long_vector(coding: str, seed: int) -> None:
    statistics = {"truncated": False, "token_count": 6}
    prediction = {"embeddings": {"statistics": statistics, "values": [-0.0123456789012] * 3_072}}
    body = json.dumps({"predictions": [prediction] * 5, "metadata": {"billableCharacterCount": 90}}).encode()
    sample = Sample("vertex: x", "vertex", "/v1/projects/p/models/gemini-embedding-001:predict", body, None)
    usage = read(sample, body, coding, seed).usage
    assert usage is not None
    assert usage.units == {"input_tokens": 30}
    assert not usage.partial


def test_a_stream_that_is_left_early_is_partial() -> None:
    event = b'data: {"model": "gpt-4o", "choices": [{"delta": {"content": "word"}}]}\n\n'
    for complete in (True, False):
        content = CapturedResponse(event * 10, content_type="text/event-stream", complete=complete)
        usage = read_response("openai", content).usage
        assert usage is not None
        assert usage.model == "gpt-4o"
        assert usage.partial is not complete


@pytest.mark.parametrize("events", [100, 5_000])
def test_a_compressed_stream_is_estimated_by_what_it_decodes_to(events: int) -> None:
    pytest.importorskip("genai_prices")
    stream = b"".join(
        b'data: {"model": "gpt-4o", "choices": [{"delta": {"content": "%d"}}]}\n\n' % number
        for number in range(events)
    )
    costs = set()
    for coding in ("", "gzip", "br", "zstd"):
        body = CODED[coding](stream)
        exchange = begun(nowhere, "httpx", ("https", "api.openai.com", 443, "/v1/chat/completions", "POST"))
        exchange.capture = capture = Capture((), {}, "text/event-stream", coding)
        exchange.request_bytes, exchange.response_bytes = 400, len(body)
        for piece in pieces(body, 3):
            capture.feed(piece)
        capture.complete = True
        exchange.headers_received(200)
        exchange.finish()
        cost = Meter(Routes(ProviderRegistry()), report=lambda _: None).cost_of(exchange)
        assert cost.source == "estimated"
        costs.add(cost.usd)
    assert len(costs) == 1
