"""replicate: models run, streamed and polled, files both ways; its transport retries below the client."""

from __future__ import annotations

import asyncio
import io
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async

PACKAGE = "replicate"
DISTRIBUTION = "replicate"
REQUIRES = ("replicate>=1.0",)
TRANSPORT = "httpx"
_API, _STREAMS, _FILES = HOSTS = ("api.replicate.com", "stream.replicate.com", "replicate.delivery")
_DONE, _BUSY, _BROKEN, _STALL = (
    "8ff1k0w9cdrm60ckt6d9r4bz7g",
    "busy9k0w9cdrm60ckt6d9r4bz7",
    "brok9k0w9cdrm60",
    "stal9k0w9cdrm60",
)
_STREAM = "/v1/files/bcwr-5j8fq3zl2p7m"
EXPECTED = {
    ("replicate", "/v1/models/meta/llama/predictions", "POST"): (9, 1),
    ("replicate", "predictions", "GET"): (47, 2),
    ("replicate", "/v1/files", "POST"): (2, 0),
    ("unknown", "/v1/files/{id}", "GET"): (4, 0),
    ("unknown", "/xezq/{id}/out.png", "GET"): (3, 0),
}
LEFT = {("unknown", "/v1/files/{id}", "GET"): {_STREAM}}

_SOON = {"Retry-After": "0"}
_PICTURE = f"https://{_FILES}/xezq/Kd8sP2vQxR4mT7nW/out.png"
_EVENTS = [
    b"event: output\nid: 1:0\ndata: good \n\n",
    b"event: output\nid: 2:0\ndata: day\n\n",
    b"event: done\nid: 3:0\ndata: {}\n\n",
]


def _prediction(name: str, status: str, output: Any = None) -> Answer:
    urls = {
        "get": f"https://{_API}/v1/predictions/{name}",
        "stream": f"https://{_STREAMS}{_STREAM}",
    }
    found = {
        "id": name,
        "model": "meta/llama",
        "version": "v",
        "status": status,
        "input": {},
        "output": output,
    }
    return Answer(json.dumps({**found, "urls": urls}).encode())


def answer(asked: Asked) -> Answer:
    """Speak like api.replicate.com, and like the hosts of its streams and files."""
    if asked.host == _STREAMS:
        return Answer(_EVENTS, content_type="text/event-stream")
    if asked.host == _FILES:
        return Answer([b"png" * 100] * 3, content_type="image/png")
    if asked.path == "/v1/files":
        file = {"id": "f-1", "name": "a.txt", "content_type": "text/plain", "size": 3, "etag": "e"}
        more = {
            "checksums": {},
            "metadata": {},
            "created_at": "t",
            "expires_at": None,
            "urls": {"get": _PICTURE},
        }
        return Answer(json.dumps({**file, **more}).encode(), 201)
    if asked.method == "GET":
        name = asked.path.rpartition("/")[2]
        if name == _STALL:
            return Answer(stall=True)
        if name in {_BUSY, _BROKEN} and asked.repeats % 2 == 0:
            return Answer(b'{"detail": "later"}', 429 if name == _BUSY else 503, headers=_SOON)
        return _prediction(name, "succeeded", ["good ", "day"])
    prompt = json.loads(asked.body)["input"].get("prompt")
    if prompt == "refuse":
        return Answer(b'{"title": "Input validation failed", "status": 422, "detail": "no"}', 422)
    if prompt == "slow":
        return _prediction(_DONE, "starting")
    return _prediction(_DONE, "succeeded", _PICTURE if prompt == "draw" else ["good ", "day"])


def _text(events: list[Any]) -> str:
    return "".join(map(str, events))


def _use_sync() -> None:
    replicate: Any = import_module("replicate")
    httpx: Any = import_module("httpx")
    client = replicate.Client("test")
    client.poll_interval = 0.01
    run = client.run
    assert run("meta/llama", {"prompt": "hello"}) == ["good ", "day"]
    assert run("meta/llama", {"prompt": "slow", "file": io.BytesIO(b"abc")}) == ["good ", "day"]
    picture = run("meta/llama", {"prompt": "draw"})
    assert len(picture.read()) == sum(map(len, picture)) == 900
    assert _text(list(client.stream("meta/llama", input={"prompt": "hello"}))) == "good day"
    left = client.stream("meta/llama", input={"prompt": "hello"})
    assert next(left).data == "good "
    left.close()
    refused = refuses(lambda: run("meta/llama", {"prompt": "refuse"}), replicate.exceptions.ReplicateError)
    assert refused.status == 422
    for name in (_BUSY, _BROKEN):
        assert client.predictions.get(name).status == "succeeded"
    impatient = replicate.Client("test", timeout=httpx.Timeout(5, read=0.15))
    refuses(lambda: impatient.predictions.get(_STALL), httpx.ReadTimeout)
    on_threads(lambda: client.predictions.get(_DONE).output.index("day"))


async def _use_async() -> None:
    replicate: Any = import_module("replicate")
    httpx: Any = import_module("httpx")
    client = replicate.Client("test")
    client.poll_interval = 0.01

    async def read() -> list[Any]:
        return [event async for event in await client.async_stream("meta/llama", {"prompt": "hello"})]

    whole, events = await asyncio.gather(client.async_run("meta/llama", {"prompt": "draw"}), read())
    assert len(await whole.aread()) == 900
    assert _text(events) == "good day"
    left = await client.async_stream("meta/llama", {"prompt": "hello"})
    assert (await left.__anext__()).data == "good "
    await left.aclose()
    assert (await client.files.async_create(io.BytesIO(b"abc"))).size == 3
    for name in (_BUSY, _BROKEN):
        assert (await client.predictions.async_get(name)).status == "succeeded"
    impatient = replicate.Client("test", timeout=httpx.Timeout(5, read=0.15))
    await refuses_async(impatient.predictions.async_get(_STALL), httpx.ReadTimeout)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
