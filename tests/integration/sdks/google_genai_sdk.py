"""google-genai: content, plain and streaming, and the rest; async through aiohttp and through httpx2."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, event_stream, refuses_async, trouble

PACKAGE = "google.genai"
DISTRIBUTION = "google-genai"
REQUIRES = ("google-genai[aiohttp]>=3",)
TRANSPORT = "httpx2, aiohttp"
HOSTS = ("generativelanguage.googleapis.com",)
_MODEL, _LEFT_MODEL = "gemini-2.5-flash", "gemini-2.5-pro"
_PATH = "/v1/models"
_LEFT = f"{_PATH}/{_LEFT_MODEL}:streamGenerateContent"
EXPECTED = {
    ("gcp", f"{_PATH}/{_MODEL}:generateContent", "POST"): (60, 10),
    ("gcp", f"{_PATH}/{_MODEL}:streamGenerateContent", "POST"): (15, 6),
    ("gcp", f"{_PATH}/{_MODEL}:batchEmbedContents", "POST"): (3, 0),
    ("gcp", _LEFT, "POST"): (3, 0),
    ("gcp", _PATH, "GET"): (3, 0),
}
LEFT = {("gcp", _LEFT, "POST"): {_LEFT}}


def _content(text: str) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": _MODEL}


def answer(asked: Asked) -> Answer:
    """Speak like generativelanguage.googleapis.com."""
    if asked.path == _PATH:
        return Answer(b'{"models": [{"name": "models/m"}]}')
    if asked.path.endswith(":batchEmbedContents"):
        return Answer(b'{"embeddings": [{"values": [0.5, 0.25]}]}')
    problem = trouble(asked, json.loads(asked.body)["contents"][-1]["parts"][0]["text"])
    if problem is not None:
        return problem
    if asked.path.endswith(":streamGenerateContent"):
        return event_stream([_content(word) for word in ("good ", "day")], done=False)
    return Answer(json.dumps(_content(REPLY)).encode())


def _client(**options: Any) -> Any:
    genai: Any = import_module("google.genai")
    retry = genai.types.HttpRetryOptions(attempts=2, initial_delay=0.001, max_delay=0.001, jitter=0.001)
    return genai.Client(
        api_key="AIza-test",
        vertexai=False,
        http_options=genai.types.HttpOptions(retry_options=retry, **options),
    )


def _asked(text: str, model: str = _MODEL, **options: Any) -> dict[str, Any]:
    return {"model": model, "contents": text, **({"config": {"http_options": options}} if options else {})}


def _use_sync() -> None:
    refused: Any = import_module("google.genai.errors").ClientError
    timed_out: Any = import_module("httpx2").ReadTimeout
    client = _client()
    models = client.models
    # "busy" is answered 429 and "broken" 500 when they are asked first.
    for text in ("hello", "busy", "broken"):
        assert models.generate_content(**_asked(text)).text == REPLY
        found = models.generate_content_stream(**_asked(f"{text} streaming"))
        assert "".join(chunk.text for chunk in found) == REPLY
    abandoned = models.generate_content_stream(**_asked("hello", _LEFT_MODEL))
    assert next(abandoned).text == "good "
    abandoned.close()
    assert refuses(lambda: models.generate_content(**_asked("refuse")), refused).code == 400
    once: Any = {"retry_options": {"attempts": 1}}
    refuses(lambda: models.generate_content(**_asked("stall", timeout=200, **once)), timed_out)
    assert models.embed_content(model=_MODEL, contents="x").embeddings[0].values == [0.5, 0.25]
    assert [model.name for model in models.list()] == ["models/m"]
    assert client.chats.create(model=_MODEL).send_message("hello").text == REPLY
    on_threads(lambda: models.generate_content(**_asked("hello")).text.index(REPLY))
    client.close()


async def _use_async(client: Any, timed_out: Any, name: str) -> None:
    models = client.aio.models
    whole, events = await asyncio.gather(
        models.generate_content(**_asked("hello")), models.generate_content_stream(**_asked("hello"))
    )
    assert whole.text == REPLY
    assert "".join([chunk.text async for chunk in events]) == REPLY
    for text in (f"busy {name}", f"broken {name}"):
        assert (await models.generate_content(**_asked(text))).text == REPLY
        found = await models.generate_content_stream(**_asked(f"{text} streaming"))
        assert "".join([chunk.text async for chunk in found]) == REPLY
    abandoned = await models.generate_content_stream(**_asked("hello", _LEFT_MODEL))
    assert (await abandoned.__anext__()).text == "good "
    await abandoned.aclose()
    once: Any = {"retry_options": {"attempts": 1}}
    await refuses_async(models.generate_content(**_asked("stall", timeout=200, **once)), timed_out)
    assert (await models.embed_content(model=_MODEL, contents="x")).embeddings[0].values == [0.5, 0.25]
    assert [model.name async for model in await models.list()] == ["models/m"]
    await client.aio.aclose()


def use() -> None:
    """Make every call."""
    httpx2: Any = import_module("httpx2")
    _use_sync()
    asyncio.run(_use_async(_client(), asyncio.TimeoutError, "aiohttp"))
    asyncio.run(_use_async(_client(httpx_async_client=httpx2.AsyncClient()), httpx2.ReadTimeout, "httpx2"))
