"""What reading one response costs, counted, and what becomes of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from recost.captured import CapturedResponse
from recost.interceptors.capture import Capture, WholeCapture
from recost.interceptors.exchange import Exchange, nowhere
from recost.metering import Meter
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage import SHAPES, read_response
from recost.pricing.usage.decoding import read_documents
from recost.pricing.usage.decoding.jsontext import parse, read_ended
from recost.pricing.usage.decoding.limits import MOST_DOCUMENTS, Work
from recost.pricing.usage.extractors.openai import WANTED
from recost.pricing.usage.response import DecodedResponse
from tests.exchanges import begun

CHAT = b'{"model": "gpt-4o", "usage": {"prompt_tokens": 5, "completion_tokens": 7}}'
EVENT = b"data: " + CHAT + b"\n\n"
BLANKS = (b"\n" * 10_000, b"\r\n" * 10_000, b"\n         \n" * 2_000, b" \t\n" * 9_000)


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    ("pieces", "kind"),
    [
        ((b"", CHAT), "application/json"),
        ((CHAT, b""), "application/json"),
        ((b"", EVENT), "text/event-stream"),
        ((b'data: {"model": "gpt-4o"}\n\n', EVENT), "text/event-stream"),
        ((EVENT, b"data: [DONE]\n\n"), "text/event-stream"),
        ((b"", CHAT + b"\n" + CHAT), "application/x-ndjson"),
        ((CHAT + b"\n", CHAT), "application/x-ndjson"),
    ],
)
def test_blank_lines_anywhere(blank: bytes, pieces: tuple[bytes, bytes], kind: str) -> None:
    work = Work()
    content = CapturedResponse(blank.join(pieces), content_type=kind)
    assert any("usage" in document for document in read_documents(content, WANTED, work).documents)
    assert not work.done
    reading = read_response("openai", content)
    assert reading.usage is not None
    assert reading.usage.units == {"input_tokens": 5, "output_tokens": 7}
    assert not reading.unread


@pytest.mark.parametrize("size", [70_000, 1 << 20])
def test_a_connection_that_is_kept_alive_for_long(size: int) -> None:
    capture = Capture((), {}, "application/json")
    for _ in range(size // 1000):
        capture.feed(b" " * 999 + b"\n")
    capture.feed(CHAT)
    capture.complete = True
    found = capture.take()
    assert found is not None
    assert not found.gap
    usage = read_response("openai", CapturedResponse(found.head)).usage
    assert usage is not None
    assert usage.units == {"input_tokens": 5, "output_tokens": 7}


class CountedWork(Work):
    """Counts the texts that are read."""

    texts = 0
    bytes = 0

    def spend(self, size: int, *, failed: bool = False) -> None:
        self.texts += 1
        self.bytes += size
        super().spend(size, failed=failed)


HOSTILE = [
    b"[",
    b'{"a":',
    b'[{"a":',
    b"[],",
    b"{},",
    b'{"a":1},',
    b'{"usage":{"a":[[1]]}},',
    b"1 ",
    b"9",
    b'"',
    b"}",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("form", [b"%s", b'{"model": "m", "a": [%s', b"data: %s\n\n", b"%s\n", b"data: %s\n"])
def test_the_work_is_bounded_whatever_the_size(unit: bytes, form: bytes) -> None:
    for size in (64_000, 512_000):
        once = form % unit
        body = once * (size // len(once)) if form.endswith(b"\n") else form % (unit * (size // len(unit)))
        for content in (CapturedResponse(body), CapturedResponse(body[:16_000], body[-48_000:], gap=True)):
            work = CountedWork()
            documents = read_documents(content, WANTED, work)
            assert len(documents.documents) <= MOST_DOCUMENTS
            assert work.texts < 4_000
            assert work.bytes < 1_000_000


@pytest.mark.parametrize("depth", [250, 20_000])
def test_deep_nesting_is_not_read(depth: int) -> None:
    deep = b'{"usage": {"prompt_tokens": 5}, "x": ' + b"[" * depth + b"]" * depth + b"}"
    reading = read_response("openai", CapturedResponse(deep))
    assert reading.unread
    assert reading.usage is None or reading.usage.partial
    assert parse(deep.decode()) is None
    assert read_ended("]" * depth + "}" * depth) is None


def test_brackets_within_a_text_are_not_nesting() -> None:
    body = json.dumps({"model": "m", "text": "[{" * 5_000, "usage": {"prompt_tokens": 5}}).encode()
    reading = read_response("openai", CapturedResponse(body))
    assert reading.usage is not None
    assert not reading.unread


def test_long_integers_are_not_converted() -> None:
    body = b'{"x": ' + b"9" * 60_000 + b', "usage": {"prompt_tokens": 5}}'
    usage = read_response("openai", CapturedResponse(body)).usage
    assert usage is not None
    assert usage.units == {"input_tokens": 5}


def exchange(body: bytes, content_type: str = "application/json") -> Exchange:
    made = begun(nowhere, "httpx", ("https", "api.openai.com", 443, "/v1/chat/completions", "POST"))
    made.capture = WholeCapture((), {}, content_type, body)
    made.request_bytes, made.response_bytes = 400, len(body)
    made.headers_received(200)
    made.finish()
    return made


def test_what_is_not_read_is_an_estimate_and_reported_once() -> None:
    pytest.importorskip("genai_prices")
    errors: list[Any] = []
    meter = Meter(Routes(ProviderRegistry()), report=errors.append)
    body = CHAT[:-1] + b', "x": ' + b"[" * 5_000
    for _ in range(3):
        cost = meter.cost_of(exchange(body))
        assert cost.source in {"estimated", "unknown"}
        assert cost.partial
    assert len(errors) == 1
    assert "not read to its end" in str(errors[0])
    stream = EVENT.replace(b"usage", b"nothing") + b"data: " + b'{"usage": ' * 5_000
    cost = meter.cost_of(exchange(stream, "text/event-stream"))
    assert cost.source == "estimated"
    assert cost.usd
    assert len(errors) == 1
    assert meter.cost_of(exchange(CHAT)).source == "computed"


class Documents(list[dict[str, Any]]):
    """Counts the documents that are looked at."""

    looked_at = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for document in super().__iter__():
            self.looked_at += 1
            yield document

    def __reversed__(self) -> Iterator[dict[str, Any]]:
        for document in super().__reversed__():
            self.looked_at += 1
            yield document

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.looked_at += len(found) if isinstance(key, slice) else 1
        return found


def looked_at(shape: str, document: dict[str, Any], times: int, *, gap: bool) -> int:
    documents = Documents(dict(document) for _ in range(times))
    response = DecodedResponse(
        documents, shape=shape, ended=True, streamed=True, gap=gap, before_gap=times // 2
    )
    import_module(f"recost.pricing.usage.extractors.{SHAPES[shape]}").read(response)
    return documents.looked_at


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("gap", [False, True])
def test_each_document_is_looked_at_a_few_times_however_many_there_are(shape: str, gap: bool) -> None:
    for document in (
        {},
        {"type": "content_block_delta", "message": {}, "usage": {}, "choices": []},
        {"model": "m", "usage": {"prompt_tokens": 5}, "generation_token_count": 7, "results": [{}]},
    ):
        few, many = (looked_at(shape, document, times, gap=gap) for times in (100, 800))
        assert many <= 10 * max(few, 100)
