"""anthropic: messages plain, streaming and by the stream helper, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.named_hosts import Answer, Asked

PACKAGE = "anthropic"
HOSTS = ("api.anthropic.com",)
EXPECTED = {
    ("anthropic", "messages", "POST"): (9, 1),
    ("anthropic", "/v1/models", "GET"): (1, 0),
}
LEFT = {("anthropic", "messages", "POST"): {"/v1/messages", "/v1/messages/count_tokens"}}

_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "good day"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 2},
}


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


_STREAM = [
    _event("message_start", message={**_MESSAGE, "content": [], "stop_reason": None}),
    _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    _event("content_block_delta", index=0, delta={"type": "text_delta", "text": "good "}),
    _event("content_block_delta", index=0, delta={"type": "text_delta", "text": "day"}),
    _event("content_block_stop", index=0),
    _event(
        "message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 2}
    ),
    _event("message_stop"),
]


def answer(asked: Asked) -> Answer:
    """Speak like api.anthropic.com."""
    if asked.path == "/v1/messages/count_tokens":
        return Answer(b'{"input_tokens": 5}')
    if asked.path == "/v1/models":
        return Answer(b'{"data": [], "has_more": false, "first_id": null, "last_id": null}')
    question = json.loads(asked.body)
    if question["messages"][0]["content"] == "refuse":
        return Answer(b'{"type": "error", "error": {"type": "overloaded_error", "message": "no"}}', 529)
    if question.get("stream"):
        return Answer(_STREAM, content_type="text/event-stream")
    return Answer(json.dumps(_MESSAGE).encode())


def _prompt(text: str = "hello", **more: Any) -> Any:
    return {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": text}], **more}


def _use_sync() -> None:
    import anthropic

    with anthropic.Anthropic(api_key="sk-ant-test", max_retries=0) as client:
        assert client.messages.create(**_prompt(max_tokens=9)).content[0].text == "good day"
        events = client.messages.create(**_prompt(max_tokens=9), stream=True)
        assert [event.type for event in events][-1] == "message_stop"
        with client.messages.stream(**_prompt(max_tokens=9)) as stream:
            assert "".join(stream.text_stream) == "good day"
        with client.messages.stream(**_prompt(max_tokens=9)) as abandoned:
            next(iter(abandoned))
        assert client.messages.count_tokens(**_prompt()).input_tokens == 5
        list(client.models.list())
        try:
            client.messages.create(**_prompt("refuse", max_tokens=9))
        except anthropic.APIStatusError as error:
            assert error.status_code == 529  # noqa: PT017 - no pytest in this process


async def _use_async() -> None:
    import anthropic

    async with anthropic.AsyncAnthropic(api_key="sk-ant-test", max_retries=0) as client:
        whole, events = await asyncio.gather(
            client.messages.create(**_prompt(max_tokens=9)),
            client.messages.create(**_prompt(max_tokens=9), stream=True),
        )
        assert whole.content[0].text == "good day"
        assert [event.type async for event in events][-1] == "message_stop"
        async with client.messages.stream(**_prompt(max_tokens=9)) as stream:
            assert "".join([text async for text in stream.text_stream]) == "good day"


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
