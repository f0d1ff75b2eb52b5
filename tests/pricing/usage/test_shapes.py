"""Long responses of unusual forms are read like short ones, or marked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.pricing.usage.responses import Sample
from tests.pricing.usage.test_long_bodies import check

TEXT: Final = "lorem ipsum " * 15_000
USAGE: Final = {"prompt_tokens": 800, "completion_tokens": 80, "total_tokens": 880}
OTHER: Final = '"usage":{"prompt_tokens":1,"completion_tokens":1}'
CHAT: Final = {
    "id": "c",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"message": {"content": "x"}}],
    "usage": USAGE,
}
SHORT: Final = json.dumps(CHAT)
PADDED: Final = f'{SHORT[:-1]},"x":{json.dumps(TEXT)}}}'
CHUNK: Final = {"model": "gpt-4o-2024-08-06", "choices": [{"delta": {"content": "w"}}]}


def _event(document: Any, start: str = "data: ") -> str:
    return f"{start}{json.dumps(document)}\n\n"


LAST: Final = _event({**CHUNK, "choices": [], "usage": USAGE}) + "data: [DONE]\n\n"


def _logprobs() -> str:
    fake = {"token": '"}],"usage":{"prompt_tokens":9}', "logprob": -1.0, "bytes": None}
    content = [{"token": " w", "logprob": -0.1, "top_logprobs": [fake] * 5}] * 1_000
    choice = {"message": {"content": "x"}, "logprobs": {"content": content}}
    return json.dumps({**CHAT, "choices": [choice]})


def _called_with_usage() -> str:
    arguments = json.dumps({"usage": {"prompt_tokens": 1}, "model": "gpt-5", "text": TEXT})
    call = {"function": {"name": "f", "arguments": arguments}}
    return json.dumps({**CHAT, "choices": [{"message": {"tool_calls": [call]}}]})


def _documents() -> Iterator[tuple[str, str, str]]:
    """Yield name, short and long form of chat completions."""
    extra = {"x": [TEXT] * 2, "usage": {"prompt_tokens": 1}, "model": "gpt-5"}
    yield "log probabilities of tokens that look like usage", SHORT, _logprobs()
    yield "usage in the arguments of a tool", SHORT, _called_with_usage()
    yield "usage within another member before", SHORT, json.dumps({"extra": extra, **CHAT})
    yield "usage within another member after", SHORT, json.dumps({**CHAT, "extra": extra})
    yield "a key that comes twice, before", f"{{{OTHER},{SHORT[1:]}", f"{{{OTHER},{PADDED[1:]}"
    yield "a key that comes twice, after", f"{SHORT[:-1]},{OTHER}}}", f"{PADDED[:-1]},{OTHER}}}"
    yield "two models", f'{SHORT[:-1]},"model":"gpt-5"}}', f'{PADDED[:-1]},"model":"gpt-5"}}'
    yield "a byte order mark", f"\ufeff{SHORT}", f"\ufeff{PADDED}"
    yield "indented", SHORT, json.dumps({"x": [{"a": ["b" * 50]}] * 2_000, **CHAT}, indent=4)
    yield (
        "an escaped key",
        SHORT.replace('"usage"', r'"\u0075sage"'),
        PADDED.replace('"usage"', r'"\u0075sage"'),
    )
    yield "two documents", SHORT * 2, PADDED + SHORT
    yield "blanks before", SHORT, " \n" * 50_000 + SHORT
    yield "blanks within", SHORT, f"{SHORT[:-1]}{' ' * 100_000}}}"
    yield "a string that doesn't end", SHORT, PADDED[:-2]
    yield "cut off within its usage", SHORT, json.dumps({"x": TEXT, **CHAT})[:-20]
    yield "nested too deep", SHORT, f'{SHORT[:-1]},"x":{"[" * 100_000}{"]" * 100_000}}}'
    yield "a long number", SHORT, f'{SHORT[:-1]},"x":{"1" * 100_000}}}'
    yield "numbers that are none", SHORT, f'{SHORT[:-1]},"x":[{"NaN," * 50_000}1]}}'
    yield "a long key", SHORT, f"{SHORT[:-1]},{json.dumps(TEXT)}:1}}"


def _streams() -> Iterator[tuple[str, str, str]]:
    """Yield name, short and long form of streams of events."""
    one = _event(CHUNK)
    growing = (_event({**CHUNK, "usage": {"prompt_tokens": 800, "completion_tokens": n}}) for n in range(900))
    yield "usage that grows", one + LAST, "".join(growing) + LAST
    yield "comments after the usage", one + LAST, one + LAST + ": keep alive\n\n" * 9_000
    yield "line breaks of one kind", (one + LAST).replace("\n", "\r"), (one * 900 + LAST).replace("\n", "\r")
    lines = (
        f'data: {{\ndata: {json.dumps({**CHUNK, "usage": USAGE})[1:-1]},\ndata: "x":{json.dumps(TEXT)}}}\n\n'
    )
    yield "data over several lines", one + LAST, one + lines + "data: [DONE]\n\n"
    yield "other fields", one + LAST, "event: x\nid: 1\nretry: 10\n\n" * 9 + one * 900 + LAST


DOCUMENTS: Final = {name: (short, long) for name, short, long in _documents()}
STREAMS: Final = {name: (short, long) for name, short, long in _streams()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name: str) -> None:
    _check("application/json", name, *DOCUMENTS[name])


@pytest.mark.parametrize("name", STREAMS)
def test_streams(name: str) -> None:
    _check("text/event-stream", name, *STREAMS[name])


def _check(kind: str, name: str, short: str, long: str) -> None:
    assert len(long) > 65_536
    sample = Sample(name, "openai", "/v1/chat/completions", short.encode(), None, content_type=kind)
    for seed in range(4):
        check(sample, long.encode(), seed=seed)
