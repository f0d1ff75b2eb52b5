"""groq: chat plain and streaming, audio both ways, models; sync and async."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, SOON, chat, prompt, refuses_async, streamed

PACKAGE = "groq"
DISTRIBUTION = "groq"
REQUIRES = ("groq>=0.30",)
TRANSPORT = "httpx"
HOSTS = ("api.groq.com",)
_CHAT, _SPEECH = "/openai/v1/chat/completions", "/openai/v1/audio/speech"
EXPECTED = {
    ("groq", "chat_completions", "POST"): (55, 7),
    ("groq", _SPEECH, "POST"): (4, 1),
    ("groq", "/openai/v1/audio/transcriptions", "POST"): (1, 0),
    ("groq", "/openai/v1/models", "GET"): (2, 0),
}
LEFT = {("groq", _SPEECH, "POST"): {_SPEECH}}


def answer(asked: Asked) -> Answer:
    """Speak like api.groq.com."""
    if asked.path == _CHAT:
        return chat(asked, SOON)
    if asked.path == _SPEECH:
        if b"busy" in asked.body and asked.repeats % 2 == 0:
            return Answer(b"{}", 429, headers=SOON)
        return Answer([b"wave" * 300] * 4, content_type="audio/wav")
    if asked.path == "/openai/v1/audio/transcriptions":
        return Answer(b'{"text": "good day", "x_groq": {"id": "r-1"}}')
    return Answer(
        b'{"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "o"}]}'
    )


def _speech(text: str) -> Any:
    return {"model": "m", "voice": "v", "input": text, "response_format": "wav"}


def _use_sync() -> None:
    groq: Any = import_module("groq")
    with groq.Groq(api_key="test", max_retries=2) as client:
        create = client.chat.completions.create
        for question in ("hello", "busy", "broken"):
            assert create(**prompt(question)).choices[0].message.content == REPLY
        assert streamed(list(create(**prompt("hello", stream=True)))) == REPLY
        refused = refuses(lambda: create(**prompt("refuse")), groq.BadRequestError)
        assert refused.status_code == 400
        impatient = client.with_options(timeout=0.15, max_retries=0)
        refuses(lambda: impatient.chat.completions.create(**prompt("stall")), groq.APITimeoutError)
        assert len(client.audio.speech.create(**_speech("hello")).read()) == 4800
        with client.audio.speech.with_streaming_response.create(**_speech("busy")) as left:
            assert next(left.iter_bytes(10)) == b"wavewavewa"
        heard = client.audio.transcriptions.create(model="m", file=("a.wav", b"RIFF" * 30))
        assert heard.text == REPLY
        assert [model.id for model in client.models.list().data] == ["m"]
        on_threads(lambda: create(**prompt("hello")).choices[0].message.content.index(REPLY))


async def _use_async() -> None:
    groq: Any = import_module("groq")
    async with groq.AsyncGroq(api_key="test", max_retries=2) as client:
        create = client.chat.completions.create
        whole, chunks = await asyncio.gather(
            create(**prompt("hello")), create(**prompt("hello", stream=True))
        )
        assert whole.choices[0].message.content == streamed([chunk async for chunk in chunks]) == REPLY
        for question in ("busy later", "broken later"):
            assert (await create(**prompt(question))).usage.total_tokens == 7
        impatient = client.with_options(timeout=0.15, max_retries=0)
        await refuses_async(impatient.chat.completions.create(**prompt("stall")), groq.APITimeoutError)
        async with client.audio.speech.with_streaming_response.create(**_speech("hello")) as left:
            assert await left.iter_bytes(10).__anext__() == b"wavewavewa"
        assert [model.id for model in (await client.models.list()).data] == ["m"]


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
