"""openai: chat, embeddings, images, audio and the rest; plain and streaming, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import (
    REPLY,
    SOON,
    chat,
    event_stream,
    prompt,
    refuses_async,
    streamed,
    trouble,
)

PACKAGE = "openai"
DISTRIBUTION = "openai"
REQUIRES = ("openai>=3",)
TRANSPORT = "httpx2"
HOSTS = ("api.openai.com",)
EXPECTED = {
    ("openai", "chat_completions", "POST"): (58, 8),
    ("openai", "embeddings", "POST"): (2, 0),
    ("openai", "image_generation", "POST"): (1, 0),
    ("openai", "audio_transcription", "POST"): (1, 0),
    ("openai", "text_to_speech", "POST"): (4, 0),
    ("openai", "/v1/completions", "POST"): (4, 1),
    ("openai", "/v1/models", "GET"): (2, 0),
    ("openai", "/v1/responses", "POST"): (2, 0),
    ("openai", "/v1/files/{id}/content", "GET"): (1, 0),
}
LEFT = {("openai", "/v1/completions", "POST"): {"/v1/completions"}}

_SPEECH = [b"mp3" * 50] * 4
_RESPONSE = {
    "id": "r",
    "object": "response",
    "created_at": 1,
    "model": "gpt-4o",
    "status": "completed",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}


def _chat(asked: Asked) -> Answer:
    return chat(asked, SOON)


def _completions(asked: Asked) -> Answer:
    words = [{"choices": [{"text": letter}]} for letter in REPLY]
    return trouble(asked, json.loads(asked.body)["prompt"], SOON) or event_stream(words)


def _responses(asked: Asked) -> Answer:
    if json.loads(asked.body).get("stream"):
        event = {"type": "response.completed", "sequence_number": 1, "response": _RESPONSE}
        return event_stream([event])
    return Answer(json.dumps(_RESPONSE).encode())


def answer(asked: Asked) -> Answer:
    """Speak like api.openai.com."""
    embedding = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    embeddings = {"object": "list", "model": "e", "data": [embedding], "usage": usage}
    fixed = {
        "/v1/embeddings": Answer(json.dumps(embeddings).encode()),
        "/v1/images/generations": Answer(b'{"created": 1, "data": [{"b64_json": "aWNo"}]}'),
        "/v1/audio/transcriptions": Answer(b'{"text": "good day"}'),
        "/v1/audio/speech": Answer(_SPEECH, content_type="audio/mpeg"),
        "/v1/files/file-K5tWYzTjCbBnE2mqRx81/content": Answer(_SPEECH, content_type="application/jsonl"),
        "/v1/models": Answer(b'{"object": "list", "data": []}'),
    }
    if asked.path in fixed:
        return fixed[asked.path]
    special = {"/v1/chat/completions": _chat, "/v1/completions": _completions, "/v1/responses": _responses}
    return special[asked.path](asked)


def _use_chat(client: Any) -> None:
    import openai

    chats = client.chat.completions
    # "busy" is answered 429 and "broken" 500 when they are asked first.
    for question in ("hello", "busy", "broken"):
        assert chats.create(**prompt(question)).choices[0].message.content == REPLY
    assert streamed(list(chats.create(**prompt("hello"), stream=True))) == REPLY
    with chats.with_streaming_response.create(**prompt("hello")) as raw:
        assert json.loads(b"".join(raw.iter_bytes()))["object"] == "chat.completion"
    assert chats.with_raw_response.create(**prompt("hello")).parse().usage.total_tokens == 7
    with client.completions.create(model="m", prompt="hello", stream=True) as abandoned:
        next(iter(abandoned))
    # The SDK closes the answer of a streaming call that it makes again without reading it.
    again = client.completions.create(model="m", prompt="busy", stream=True)
    assert "".join(chunk.choices[0].text for chunk in again) == REPLY
    assert refuses(lambda: chats.create(**prompt("refuse")), openai.BadRequestError).status_code == 400
    hurried = client.with_options(timeout=0.2, max_retries=1)
    refuses(lambda: hurried.chat.completions.create(**prompt("stall")), openai.APITimeoutError)
    on_threads(lambda: chats.create(**prompt("hello")).choices[0].message.content.index(REPLY))


def _use_the_rest(client: Any) -> None:
    assert client.embeddings.create(model="e", input="x").data
    assert client.images.generate(model="dall-e-3", prompt="x").data
    assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF" * 30)).text == REPLY
    speech = client.audio.speech
    assert speech.create(model="tts-1", voice="alloy", input="x").read() == b"".join(_SPEECH)
    with speech.with_streaming_response.create(model="tts-1", voice="alloy", input="x") as tone:
        assert b"".join(tone.iter_bytes()) == b"".join(_SPEECH)
    assert client.files.content("file-K5tWYzTjCbBnE2mqRx81").read() == b"".join(_SPEECH)
    assert list(client.models.list()) == []
    assert client.responses.create(model="gpt-4o", input="x").status == "completed"


async def _use_async() -> None:
    import openai

    async with openai.AsyncOpenAI(api_key="sk-test", max_retries=1) as client:
        chats = client.chat.completions
        whole, stream = await asyncio.gather(
            chats.create(**prompt("hello")), chats.create(**prompt("hello"), stream=True)
        )
        assert whole.choices[0].message.content == REPLY
        assert streamed([chunk async for chunk in stream]) == REPLY
        for question in ("busy async", "broken async"):
            assert (await chats.create(**prompt(question))).choices[0].message.content == REPLY
        async with await client.completions.create(model="m", prompt="hello", stream=True) as abandoned:
            await abandoned.__anext__()
        hurried = client.with_options(timeout=0.2, max_retries=0).chat.completions
        await refuses_async(hurried.create(**prompt("stall")), openai.APITimeoutError)
        assert (await client.embeddings.create(model="e", input="x")).data
        assert [model async for model in client.models.list()] == []
        speech = await client.audio.speech.create(model="tts-1", voice="alloy", input="x")
        assert b"".join([part async for part in await speech.aiter_bytes()]) == b"".join(_SPEECH)
        async with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="x"
        ) as tone:
            assert b"".join([part async for part in tone.iter_bytes()]) == b"".join(_SPEECH)
        events = await client.responses.create(model="gpt-4o", input="x", stream=True)
        assert [event.type async for event in events] == ["response.completed"]


def use() -> None:
    """Make every call."""
    import openai

    with openai.OpenAI(api_key="sk-test", max_retries=1) as client:
        _use_chat(client)
        _use_the_rest(client)
    asyncio.run(_use_async())
