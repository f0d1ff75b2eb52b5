"""mistralai: chat plain and streaming, embeddings and models, sync and async; it goes through httpx2."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import (
    REPLY,
    SOON,
    chat,
    chunks,
    event_stream,
    prompt,
    refuses_async,
    trouble,
)

PACKAGE = "mistralai.client"
DISTRIBUTION = "mistralai"
REQUIRES = ("mistralai>=3",)
TRANSPORT = "httpx2"
HOSTS = ("api.mistral.ai",)
_CHAT, _EMBED, _MODELS = "/v1/chat/completions", "/v1/embeddings", "/v1/models"
_LEFT = "/v1/fim/completions"
EXPECTED = {
    ("mistral", "chat_completions", "POST"): (55, 7),
    ("mistral", _LEFT, "POST"): (3, 1),
    ("mistral", "embeddings", "POST"): (2, 0),
    ("mistral", _MODELS, "GET"): (2, 0),
}
LEFT = {("mistral", _LEFT, "POST"): {_LEFT}}

_EMBEDDINGS = {
    "id": "e-1",
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


def answer(asked: Asked) -> Answer:
    """Speak like api.mistral.ai."""
    if asked.path == _MODELS:
        return Answer(b'{"object": "list", "data": []}')
    if asked.path == _EMBED:
        return Answer(json.dumps(_EMBEDDINGS).encode())
    if asked.path == _LEFT:
        problem = trouble(asked, json.loads(asked.body)["prompt"], SOON)
        return problem or event_stream(chunks())
    return chat(asked, SOON)


def _client() -> Any:
    mistral: Any = import_module("mistralai.client")
    retries: Any = import_module("mistralai.client.utils.retries")
    backoff = retries.BackoffStrategy(1, 1, 1.0, 10_000, jitter_ms=0)
    return mistral.Mistral(api_key="test", retry_config=retries.RetryConfig("backoff", backoff, False))


def _text(events: list[Any]) -> str:
    return "".join(choice.delta.content or "" for event in events for choice in event.data.choices)


def _use_sync() -> None:
    refused: Any = import_module("mistralai.client.errors").SDKError
    timed_out: Any = import_module("httpx2").ReadTimeout
    with _client() as client:
        for question in ("hello", "busy", "broken"):
            assert client.chat.complete(**prompt(question)).choices[0].message.content == REPLY
        with client.chat.stream(**prompt("hello")) as events:
            assert _text(list(events)) == REPLY
        # The answer of 429 is left as well: the SDK closes it unread.
        with client.fim.stream(model="m", prompt="busy streaming") as abandoned:
            next(iter(abandoned))
        assert refuses(lambda: client.chat.complete(**prompt("refuse")), refused).status_code == 400
        refuses(lambda: client.chat.complete(**prompt("stall"), timeout_ms=150), timed_out)
        assert client.embeddings.create(model="m", inputs=["x"]).data[0].embedding == [0.5, 0.25]
        assert client.models.list().data == []
        on_threads(lambda: client.chat.complete(**prompt("hello")).choices[0].message.content.index(REPLY))


async def _use_async() -> None:
    timed_out: Any = import_module("httpx2").ReadTimeout
    async with _client() as client:
        whole, events = await asyncio.gather(
            client.chat.complete_async(**prompt("hello")), client.chat.stream_async(**prompt("hello"))
        )
        assert whole.choices[0].message.content == REPLY
        async with events:
            assert _text([event async for event in events]) == REPLY
        async with await client.fim.stream_async(model="m", prompt="hello") as abandoned:
            await abandoned.__anext__()
        for question in ("busy later", "broken later"):
            assert (await client.chat.complete_async(**prompt(question))).usage.total_tokens == 7
        await refuses_async(client.chat.complete_async(**prompt("stall"), timeout_ms=150), timed_out)
        assert (await client.embeddings.create_async(model="m", inputs=["x"])).usage.total_tokens == 1
        assert (await client.models.list_async()).data == []


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
