"""anthropic: messages plain, streaming and by the stream helper, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, SOON, refuses_async, trouble

PACKAGE = "anthropic"
DISTRIBUTION = "anthropic"
REQUIRES = ("anthropic>=1",)
TRANSPORT = "httpx2"
HOSTS = ("api.anthropic.com",)
EXPECTED = {
    ("anthropic", "messages", "POST"): (60, 8),
    ("anthropic", "messages", "GET"): (5, 1),
    ("anthropic", "/v1/models", "GET"): (2, 0),
}
_BATCH = "/v1/messages/batches/msgbatch_1"
LEFT = {("anthropic", "messages", "GET"): {f"{_BATCH}/results"}}

_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": REPLY}],
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
_RESULT = json.dumps({"custom_id": "c", "result": {"type": "succeeded", "message": _MESSAGE}}).encode()


def answer(asked: Asked) -> Answer:
    """Speak like api.anthropic.com."""
    if asked.path == "/v1/messages/count_tokens":
        return Answer(b'{"input_tokens": 5}')
    if asked.path == "/v1/models":
        return Answer(b'{"data": [], "has_more": false, "first_id": null, "last_id": null}')
    if asked.path == _BATCH:
        batch = {"id": "msgbatch_1", "results_url": f"https://{asked.host}{_BATCH}/results"}
        return Answer(json.dumps(batch).encode())
    if asked.path == f"{_BATCH}/results":
        lines = Answer([_RESULT + b"\n"] * 3, content_type="application/x-jsonl")
        return lines if asked.repeats else Answer(b'{"error": {}}', 429, headers=SOON)
    question = json.loads(asked.body)
    problem = trouble(asked, question["messages"][0]["content"], SOON)
    if problem is not None:
        return problem
    if question.get("stream"):
        return Answer(_STREAM, content_type="text/event-stream")
    return Answer(json.dumps(_MESSAGE).encode())


def _prompt(text: str = "hello") -> Any:
    return {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}


def _text(found: Any) -> str:
    return "".join(event.delta.text for event in found if event.type == "content_block_delta")


def _use_sync() -> None:
    import anthropic

    with anthropic.Anthropic(api_key="sk-ant-test", max_retries=1) as client:
        create = client.messages.create
        # "busy" is answered 429 and "broken" 500 when they are asked first.
        for question in ("hello", "busy", "broken"):
            assert create(**_prompt(question)).content[0].text == REPLY
        assert _text(list(create(**_prompt(), stream=True))) == REPLY
        with client.messages.stream(**_prompt()) as stream:
            assert "".join(stream.text_stream) == REPLY
        with client.messages.with_streaming_response.create(**_prompt()) as raw:
            assert json.loads(b"".join(raw.iter_bytes())) == _MESSAGE
        # The SDK closes the answer of a streaming call that it makes again without reading it.
        abandoned = client.messages.batches.results("msgbatch_1")
        assert next(iter(abandoned)).custom_id == "c"
        abandoned.close()
        assert client.messages.count_tokens(model="m", messages=_prompt()["messages"]).input_tokens == 5
        assert list(client.models.list()) == []
        assert refuses(lambda: create(**_prompt("refuse")), anthropic.BadRequestError).status_code == 400
        hurried = client.with_options(timeout=0.2, max_retries=1).messages
        refuses(lambda: hurried.create(**_prompt("stall")), anthropic.APITimeoutError)
        on_threads(lambda: create(**_prompt()).content[0].text.index(REPLY))


async def _use_async() -> None:
    import anthropic

    async with anthropic.AsyncAnthropic(api_key="sk-ant-test", max_retries=1) as client:
        create = client.messages.create
        whole, events = await asyncio.gather(create(**_prompt()), create(**_prompt(), stream=True))
        assert whole.content[0].text == REPLY
        assert _text([event async for event in events]) == REPLY
        for question in ("busy async", "broken async"):
            assert (await create(**_prompt(question))).content[0].text == REPLY
        async with client.messages.stream(**_prompt()) as stream:
            assert "".join([text async for text in stream.text_stream]) == REPLY
        abandoned = await client.messages.batches.results("msgbatch_1")
        assert (await abandoned.__anext__()).custom_id == "c"
        await abandoned.close()
        assert [model async for model in client.models.list()] == []
        hurried = client.with_options(timeout=0.2, max_retries=0).messages
        await refuses_async(hurried.create(**_prompt("stall")), anthropic.APITimeoutError)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
