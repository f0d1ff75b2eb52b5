"""cohere: chat, embeddings in batches on threads, reranking, and a tokenizer that requests downloads."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, SOON, event_stream, prompt, refuses_async, trouble

PACKAGE = "cohere"
DISTRIBUTION = "cohere"
REQUIRES = ("cohere>=5",)
TRANSPORT = "httpx / requests"
HOSTS = ("api.cohere.com", "storage.googleapis.com")
_CHAT, _LEFT, _TOKENIZER = "/v2/chat", "/v1/chat", "/cohere-public/tokenizers/m.json"
EXPECTED = {
    ("cohere", "chat", "POST"): (57, 7),
    ("cohere", "embeddings", "POST"): (3, 0),
    ("cohere", "rerank", "POST"): (2, 0),
    ("cohere", "/v1/models/m", "GET"): (2, 0),
    ("gcp", "/{bucket}/{object}", "HEAD"): (2, 0),
    ("gcp", "/{bucket}/{object}", "GET"): (2, 0),
}
LEFT = {("cohere", "chat", "POST"): {_LEFT}}

_USAGE = {"billed_units": {"input_tokens": 5, "output_tokens": 2}, "tokens": {"input_tokens": 5}}
_WORDS = {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"hello": 7, "?": 0}, "unk_token": "?"}}


def _chat(asked: Asked, question: dict[str, Any]) -> Answer:
    problem = trouble(asked, question["messages"][0]["content"], SOON)
    if problem is not None:
        return problem
    if not question["stream"]:
        message = {"role": "assistant", "content": [{"type": "text", "text": REPLY}]}
        whole = {"id": "c-1", "finish_reason": "COMPLETE", "message": message, "usage": _USAGE}
        return Answer(json.dumps(whole).encode())
    words = [{"message": {"content": {"text": text}}} for text in ("good ", "day")]
    return event_stream(
        [
            {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant"}}},
            *[{"type": "content-delta", "index": 0, "delta": word} for word in words],
            {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": _USAGE}},
        ]
    )


def answer(asked: Asked) -> Answer:
    """Speak like api.cohere.com, and like the object store that has its tokenizers."""
    if asked.path == _TOKENIZER:
        return Answer(json.dumps(_WORDS).encode())
    if asked.method == "GET":
        model = {"name": "m", "endpoints": ["chat"], "tokenizer_url": f"https://{HOSTS[1]}{_TOKENIZER}"}
        return Answer(json.dumps(model).encode())
    question = json.loads(asked.body)
    if asked.path == _CHAT:
        return _chat(asked, question)
    if asked.path == _LEFT:
        lines = [{"event_type": "text-generation", "text": text} for text in ("good ", "day")]
        return Answer(
            [json.dumps(line).encode() + b"\n" for line in lines], content_type="application/stream+json"
        )
    if asked.path == "/v1/embed":
        vectors = [[0.5, 0.25] for _ in question["texts"]]
        found = {"id": "e-1", "response_type": "embeddings_by_type", "texts": question["texts"]}
        return Answer(json.dumps({**found, "embeddings": {"float": vectors}}).encode())
    return Answer(b'{"id": "r-1", "results": [{"index": 1, "relevance_score": 0.9}]}')


def _text(events: list[Any]) -> str:
    return "".join(event.delta.message.content.text for event in events if event.type == "content-delta")


def _use_sync() -> None:
    cohere: Any = import_module("cohere")
    refused: Any = import_module("cohere.errors").BadRequestError
    timed_out: Any = import_module("httpx").ReadTimeout
    soon = {"timeout_in_seconds": 0.15}
    with cohere.ClientV2("test") as client:
        for question in ("hello", "busy", "broken"):
            assert client.chat(**prompt(question)).message.content[0].text == REPLY
        assert _text(list(client.chat_stream(**prompt("hello")))) == REPLY
        assert refuses(lambda: client.chat(**prompt("refuse")), refused).status_code == 400
        refuses(lambda: client.chat(**prompt("stall"), request_options=soon), timed_out)
        assert client.rerank(model="m", query="x", documents=["a", "b"]).results[0].index == 1
        on_threads(lambda: client.chat(**prompt("hello")).message.content[0].text.index(REPLY))
    with cohere.Client("test") as client:
        events = client.chat_stream(message="hello")
        assert next(iter(events)).text == "good "
        events.close()
        # More texts than go into one call: each of three batches is embedded by a thread of its own.
        found = client.embed(
            texts=["x"] * 200, model="m", input_type="search_query", embedding_types=["float"]
        )
        assert len(found.embeddings.float_) == 200
        assert client.tokenize(text="hello", model="m").tokens == [7]


async def _use_async() -> None:
    cohere: Any = import_module("cohere")
    timed_out: Any = import_module("httpx").ReadTimeout
    soon = {"timeout_in_seconds": 0.15}
    async with cohere.AsyncClientV2("test") as client:

        async def read() -> list[Any]:
            return [event async for event in client.chat_stream(**prompt("hello"))]

        whole, events = await asyncio.gather(client.chat(**prompt("hello")), read())
        assert whole.message.content[0].text == _text(events) == REPLY
        for question in ("busy later", "broken later"):
            assert (await client.chat(**prompt(question))).usage.tokens.input_tokens == 5
        await refuses_async(client.chat(**prompt("stall"), request_options=soon), timed_out)
        assert (await client.rerank(model="m", query="x", documents=["a", "b"])).results
    async with cohere.AsyncClient("test") as client:
        left = client.chat_stream(message="hello")
        assert (await left.__anext__()).text == "good "
        await left.aclose()
        type(client)._cache.clear()
        assert (await client.tokenize(text="hello", model="m")).tokens == [7]


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
