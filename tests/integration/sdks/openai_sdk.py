"""openai: chat, embeddings, images, audio and the rest; plain and streaming, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.named_hosts import Answer, Asked

PACKAGE = "openai"
HOSTS = ("api.openai.com",)
EXPECTED = {
    ("openai", "chat_completions", "POST"): (8, 2),
    ("openai", "embeddings", "POST"): (2, 0),
    ("openai", "image_generation", "POST"): (1, 0),
    ("openai", "audio_transcription", "POST"): (1, 0),
    ("openai", "text_to_speech", "POST"): (2, 0),
    ("openai", "/v1/models", "GET"): (2, 0),
    ("openai", "/v1/responses", "POST"): (2, 0),
}
LEFT = {("openai", "chat_completions", "POST"): {"/v1/chat/completions"}}

_USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def _completion(stream: bool, content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": None, "delta" if stream else "message": message}
    kind = "chat.completion.chunk" if stream else "chat.completion"
    return {"id": "c", "object": kind, "created": 1, "model": "gpt-4o", "choices": [choice]}


def _events(*events: dict[str, Any]) -> list[bytes]:
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return [*lines, b"data: [DONE]\n\n"]


def _chat(asked: Asked) -> Answer:
    question = json.loads(asked.body)
    prompt = question["messages"][0]["content"]
    if prompt == "refuse":
        return Answer(b'{"error": {"message": "no", "type": "invalid_request_error"}}', 400)
    if prompt == "busy" and asked.headers["x-stainless-retry-count"] == "0":
        return Answer(b'{"error": {"message": "later"}}', 429, headers={"retry-after-ms": "1"})
    if question.get("stream"):
        chunks = [_completion(stream=True, content=word) for word in ("good ", "day")]
        return Answer(
            _events(*chunks, {**chunks[0], "choices": [], "usage": _USAGE}), content_type="text/event-stream"
        )
    return Answer(json.dumps({**_completion(stream=False, content="good day"), "usage": _USAGE}).encode())


def _responses(asked: Asked) -> Answer:
    whole = {
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
    if json.loads(asked.body).get("stream"):
        events = _events({"type": "response.completed", "sequence_number": 1, "response": whole})
        return Answer(events, content_type="text/event-stream")
    return Answer(json.dumps(whole).encode())


def answer(asked: Asked) -> Answer:
    """Speak like api.openai.com."""
    embedding = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    embeddings = {"object": "list", "model": "e", "data": [embedding], "usage": usage}
    fixed = {
        "/v1/embeddings": Answer(json.dumps(embeddings).encode()),
        "/v1/images/generations": Answer(b'{"created": 1, "data": [{"b64_json": "aWNo"}]}'),
        "/v1/audio/transcriptions": Answer(b'{"text": "good day"}'),
        "/v1/audio/speech": Answer([b"mp3" * 50] * 4, content_type="audio/mpeg"),
        "/v1/models": Answer(b'{"object": "list", "data": []}'),
    }
    if asked.path in fixed:
        return fixed[asked.path]
    return _chat(asked) if asked.path == "/v1/chat/completions" else _responses(asked)


def _prompt(text: str) -> Any:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}


def _use_sync() -> None:
    import openai

    with openai.OpenAI(api_key="sk-test", max_retries=1) as client:
        completion = client.chat.completions.create(**_prompt("hello"))
        assert completion.choices[0].message.content == "good day"
        stream = client.chat.completions.create(**_prompt("hello"), stream=True)
        words = [choice.delta.content for chunk in stream for choice in chunk.choices]
        assert "".join(filter(None, words)) == "good day"
        with client.chat.completions.create(**_prompt("hello"), stream=True) as abandoned:
            next(iter(abandoned))
        try:
            client.chat.completions.create(**_prompt("refuse"))
        except openai.BadRequestError as error:
            assert error.status_code == 400  # noqa: PT017 - no pytest in this process
        client.chat.completions.create(**_prompt("busy"))
        assert client.embeddings.create(model="e", input="x").data
        assert client.images.generate(model="dall-e-3", prompt="x").data
        assert client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF" * 30)).text
        speech = client.audio.speech.create(model="tts-1", voice="alloy", input="x")
        assert len(speech.read()) == 600
        with client.audio.speech.with_streaming_response.create(
            model="tts-1", voice="alloy", input="x"
        ) as tone:
            assert sum(map(len, tone.iter_bytes())) == 600
        list(client.models.list())
        client.responses.create(model="gpt-4o", input="x")


async def _use_async() -> None:
    import openai

    async with openai.AsyncOpenAI(api_key="sk-test", max_retries=0) as client:
        whole, stream = await asyncio.gather(
            client.chat.completions.create(**_prompt("hello")),
            client.chat.completions.create(**_prompt("hello"), stream=True),
        )
        assert whole.choices[0].message.content == "good day"
        words = [choice.delta.content async for chunk in stream for choice in chunk.choices]
        assert "".join(filter(None, words)) == "good day"
        await client.embeddings.create(model="e", input="x")
        [model async for model in client.models.list()]
        events = await client.responses.create(model="gpt-4o", input="x", stream=True)
        assert [event.type async for event in events] == ["response.completed"]


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
