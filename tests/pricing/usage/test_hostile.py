"""Answers that no API gives: garbage, nesting, numbers that are none; and what must not get out of any."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.captured import CapturedResponse
from recost.pricing import usage as pricing_usage
from recost.pricing.usage import SHAPES, Usage, read_model, read_usage
from tests.pricing.usage.changes import with_strings
from tests.pricing.usage.responses import SAMPLES
from tests.pricing.usage.responses.build import AWS

CANARY = "CANARY of a customer"

STRUCTURE = frozenset({"type", "object", "status", "event_type", "currency", "num_segments", "modality"})
TEXTS = [sample for sample in SAMPLES if sample.content_type != AWS and not sample.headers]


def without_names(usage: Usage) -> Usage:
    parts = tuple(without_names(part) for part in usage.parts)
    return replace(usage, model=None, tier=None, parts=parts)


@pytest.mark.parametrize(
    "keep", [frozenset(), STRUCTURE], ids=["every string", "every string but the structure's"]
)
@pytest.mark.parametrize("text", [CANARY, "canary"])
def test_no_text_gets_out(text: str, keep: frozenset[str]) -> None:
    seen = 0
    for sample in TEXTS:
        body = with_strings(sample.body, text, keep)
        for changes in ({"head": body}, {"head": body[:-1], "complete": False}):
            found = pricing_usage._read(sample.shape, sample.captured(**changes))
            seen += found is not None
            if found is not None and text.isidentifier():
                found = without_names(found)
            assert text not in repr(found)
    assert seen > len(TEXTS)


def test_a_content_doesn_t_show_what_it_holds() -> None:
    content = CapturedResponse(CANARY.encode(), CANARY.encode(), gap=True, headers={"dg-model-name": CANARY})
    assert CANARY not in repr(content)
    assert CANARY not in str(content)


def test_names_that_are_none() -> None:
    for name in ("", "two words", "x" * 201, "ü", "a\nb", "<b>", 7, None, {"a": 1}):
        body = json.dumps({"model": name, "service_tier": name, "usage": {"prompt_tokens": 1}}).encode()
        assert read_usage("openai", CapturedResponse(body)) == Usage(units={"input_tokens": 1})


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(SHAPES)),
    st.binary(max_size=300),
    st.binary(max_size=300),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "gzip", "deflate", "br", "zstd", "identity", "unheard-of", "gzip,br"]),
    st.sampled_from(["", "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream"]),
)
def test_garbage(
    shape: str, head: bytes, tail: bytes, gap: bool, complete: bool, encoding: str, content_type: str
) -> None:
    content = CapturedResponse(head, tail, gap, complete, content_type, encoding)
    pricing_usage._read(shape, content)  # raises nothing, without the boundary too
    read_usage(shape, content)
    read_model(content)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=10,
)
KEYS = [
    "usage",
    "usageMetadata",
    "meta",
    "billed_units",
    "metrics",
    "metadata",
    "response",
    "message",
    "choices",
]
KEYS += [
    "prompt_tokens",
    "input_tokens",
    "cost",
    "iterations",
    "output",
    "tools",
    "candidates",
    "data",
    "result",
]
KEYS += [
    "cost_details",
    "total",
    "predictions",
    "translations",
    "model_info",
    "type",
    "custom_id",
    "status",
    "?",
]
SHAPED = st.recursive(
    JSON_VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(sorted(SHAPES)),
    SHAPED,
    st.sampled_from(["/", "/v1/messages", "/v1/audio/x", "/v1/responses"]),
)
def test_documents_of_any_shape(shape: str, document: Any, path: str) -> None:
    pricing_usage._read(shape, CapturedResponse(json.dumps(document).encode(), path=path))


@pytest.mark.parametrize(
    "value",
    [
        b"1e999999999",
        b"1e-999999999",
        b"-1",
        b"1e400",
        b"NaN",
        b"Infinity",
        b"true",
        b'"x"',
        b"9" * 5000,
        b"0." + b"3" * 500,
    ],
)
@pytest.mark.parametrize("shape", ["openai", "openrouter", "xai", "perplexity", "exa", "anthropic"])
def test_numbers_that_are_none(shape: str, value: bytes) -> None:
    body = b'{"usage": {"prompt_tokens": 7, "input_tokens": 7, "cost": %s, "cost_in_usd_ticks": %s, '
    body += b'"completion_tokens": %s, "output_tokens": %s}, "costDollars": {"total": %s}}'
    found = pricing_usage._read(shape, CapturedResponse(body.replace(b"%s", value)))
    assert found is None or (found.reported_usd is None and found.units == {"input_tokens": 7})


def test_nesting_without_end() -> None:
    for opening in (b"[", b'{"usage":', b'{"a":[', b'data: {"usage":{'):
        body = opening * 20_000
        assert read_usage("openai", CapturedResponse(body, complete=False)) is None
        assert read_usage("openai", CapturedResponse(body[:16384], body[-49152:], gap=True)) is None
