"""pinecone: vectors, indexes and the assistants' event streams, sync and async; it goes through httpx.

What it tries again it tries below httpx's client, in a transport of its own: attempts of one call. Its sync
client leaves httpx's client out when it posts, and calls that transport: there each attempt is a call.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, refuses_async

PACKAGE = DISTRIBUTION = "pinecone"
REQUIRES = ("pinecone>=9",)
TRANSPORT = "httpx"
_CONTROL, _INDEX = "api.pinecone.io", "movies-abc123.svc.aped-4627-b74a.pinecone.io"
_ASSISTANT = "prod-1-data.ke.pinecone.io"
HOSTS = (_CONTROL, _INDEX, _ASSISTANT)
EXPECTED = {
    ("pinecone", "/indexes", "GET"): (2, 0),
    ("pinecone", "vector_upsert", "POST"): (2, 0),
    ("pinecone", "vector_query", "POST"): (54, 9),
    ("pinecone", "/describe_index_stats", "POST"): (2, 0),
    ("pinecone", "/assistant/assistants/helper", "GET"): (2, 0),
    ("pinecone", "/assistant/chat/helper", "POST"): (4, 0),
    ("pinecone", "/assistant/assistants/hasty", "GET"): (2, 0),
    ("pinecone", "/assistant/chat/hasty", "POST"): (2, 0),
}
LEFT = {
    ("pinecone", "/assistant/chat/hasty", "POST"): {"/assistant/chat/hasty"},
    # The answers that make it try again are closed unread.
    ("pinecone", "vector_query", "POST"): {"/query"},
}

_DESCRIBED = {
    "name": "movies",
    "host": _INDEX,
    "schema": {"fields": {"_values": {"type": "dense_vector", "dimension": 2, "metric": "cosine"}}},
    "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
    "deletion_protection": "disabled",
    "status": {"ready": True, "state": "Ready"},
}
_PROBLEMS = {0.4: 400, 0.429: 429, 0.5: 500}
"""What is answered to a query for a vector that begins so; at first, but for 400."""
_STALL = 0.0


def _query(asked: Asked) -> Answer:
    first = json.loads(asked.body)["vector"][0]
    if first == _STALL:
        return Answer(stall=True)
    status = _PROBLEMS.get(first)
    if status == 400 or (status and asked.repeats % 2 == 0):
        return Answer(json.dumps({"code": status, "message": "no", "details": []}).encode(), status)
    found = {"matches": [{"id": "1", "score": 0.5}], "namespace": "", "usage": {"readUnits": 5}}
    return Answer(json.dumps(found).encode())


def _chat(asked: Asked) -> Answer:
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    if not json.loads(asked.body)["stream"]:
        message = {"role": "assistant", "content": REPLY}
        whole = {"id": "c", "model": "gpt-4o", "message": message, "finish_reason": "stop", "citations": []}
        return Answer(json.dumps({**whole, "usage": usage}).encode())
    events: list[dict[str, Any]] = [
        {"type": "message_start", "id": "c", "model": "gpt-4o", "role": "assistant"},
        *[{"type": "content_chunk", "id": "c", "delta": {"content": text}} for text in ("good ", "day")],
        {"type": "message_end", "id": "c", "finish_reason": "stop", "usage": usage},
    ]
    pieces = [b"data:" + json.dumps(event).encode() + b"\n\n" for event in events]
    return Answer(pieces, content_type="text/event-stream")


def answer(asked: Asked) -> Answer:
    """Speak like the control plane, an index and the assistants."""
    if asked.path == "/query":
        return _query(asked)
    if asked.path.startswith("/assistant/chat/"):
        return _chat(asked)
    name = asked.path.rpartition("/")[2]
    fixed = {
        "indexes": {"indexes": [_DESCRIBED]},
        "upsert": {"upsertedCount": 1},
        "describe_index_stats": {"namespaces": {}, "dimension": 2, "indexFullness": 0, "totalVectorCount": 1},
    }
    assistant = {"name": name, "status": "Ready", "host": f"https://{_ASSISTANT}"}
    return Answer(json.dumps(fixed.get(name, assistant)).encode())


def _prepare() -> tuple[Any, Any]:
    """Take the waiting out of the retries; return the package, and its errors."""
    http: Any = import_module("pinecone._internal.http_client")
    http._retry_sleep = lambda _: None
    http._async_retry_sleep = lambda _: asyncio.sleep(0)
    return import_module("pinecone"), import_module("pinecone.errors.exceptions")


def _hurry() -> Any:
    return import_module("httpx").Timeout(30, read=0.2)


def _talk(name: str, **more: Any) -> dict[str, Any]:
    return {"assistant_name": name, "messages": [{"role": "user", "content": "hello"}], **more}


def _use_sync() -> None:
    module, errors = _prepare()
    with module.Pinecone(api_key="pcsk_test") as client:
        assert [index.name for index in client.indexes.list()] == ["movies"]
        index = client.index(host=_INDEX)

        def query(first: float) -> str:
            return str(index.query(vector=[first, 1.0], top_k=1).matches[0].id)

        assert index.upsert(vectors=[("1", [0.1, 0.2])]).upserted_count == 1
        assert index.describe_index_stats().total_vector_count == 1
        for first in (0.1, 0.429, 0.5):
            assert query(first) == "1"
        assert refuses(lambda: query(0.4), errors.ApiError).status_code == 400
        on_threads(lambda: query(0.1))
        assert client.assistants.chat(**_talk("helper")).message.content == REPLY
        assert client.assistants.chat(**_talk("helper", stream=True)).collect() == REPLY
        left = iter(client.assistants.chat(**_talk("hasty", stream=True)))
        assert next(left).role == "assistant"
        left.close()
        refuses(
            lambda: index.query(vector=[_STALL, 1.0], top_k=1, timeout=_hurry()), errors.PineconeTimeoutError
        )


async def _use_async() -> None:
    module, errors = _prepare()
    async with module.AsyncPinecone(api_key="pcsk_test") as client:
        assert [index.name async for index in client.indexes.list()] == ["movies"]
        index = await client.index(host=_INDEX)
        assert (await index.upsert(vectors=[("1", [0.1, 0.2])])).upserted_count == 1
        assert (await index.describe_index_stats()).total_vector_count == 1
        queries = [index.query(vector=[first, 1.0], top_k=1) for first in (0.429, 0.5)]
        assert [found.matches[0].id for found in await asyncio.gather(*queries)] == ["1", "1"]
        refused = await refuses_async(index.query(vector=[0.4, 1.0], top_k=1), errors.ApiError)
        assert refused.status_code == 400
        assert (await client.assistants.chat(**_talk("helper"))).message.content == REPLY
        stream = await client.assistants.chat(**_talk("helper", stream=True))
        assert await stream.collect() == REPLY
        left = (await client.assistants.chat(**_talk("hasty", stream=True))).__aiter__()
        assert (await left.__anext__()).role == "assistant"
        await left.aclose()
        stalled = index.query(vector=[_STALL, 1.0], top_k=1, timeout=_hurry())
        await refuses_async(stalled, errors.PineconeTimeoutError)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
