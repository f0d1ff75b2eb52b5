"""What the files of SDKs for chat share: completions in the manner of OpenAI's, and troubles by prompt."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from typing import Any, Optional

from tests.integration.named_hosts import Answer, Asked

REPLY = "good day"
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
SOON = {"retry-after-ms": "1"}
"""Tells a client that retries to do so at once."""


def trouble(asked: Asked, prompt: str, later: Optional[dict[str, str]] = None) -> Optional[Answer]:
    """Answer a prompt that asks for trouble; None for every other one.

    ``refuse`` is a 400; ``busy…`` a 429 and ``broken…`` a 500 at first, with the headers ``later``,
    and nothing special when asked again; ``stall…`` is never answered.
    """
    if prompt.startswith("stall"):
        return Answer(stall=True)
    status = {"refuse": 400, "busy": 429, "broken": 500}.get(prompt.partition(" ")[0])
    if status is None or (status != 400 and asked.repeats % 2):
        return None
    error = {"message": "no", "type": "test_error", "code": str(status)}
    return Answer(json.dumps({"error": error, **error}).encode(), status, headers=later or {})


def completion(**more: Any) -> dict[str, Any]:
    """Return a whole chat completion."""
    message = {"role": "assistant", "content": REPLY}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
    whole = {"id": "c-1", "object": "chat.completion", "created": 1, "model": "m"}
    return {**whole, "choices": [choice], "usage": USAGE, **more}


def chunks(**more: Any) -> list[dict[str, Any]]:
    """Return the events of a streamed chat completion; the last one has the usage."""
    deltas: list[tuple[dict[str, Any], Optional[str]]] = [
        ({"role": "assistant", "content": "good "}, None),
        ({"content": "day"}, "stop"),
    ]
    base = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m", **more}
    words = [
        {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}]}
        for delta, reason in deltas
    ]
    return [*words[:-1], {**words[-1], "usage": USAGE}]


def event_piece(event: Any) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def event_stream(events: Sequence[Any], *, done: bool = True) -> Answer:
    """Answer with server-sent events, one piece each; ``done`` ends them as OpenAI does."""
    end = [b"data: [DONE]\n\n"] if done else []
    return Answer([*map(event_piece, events), *end], content_type="text/event-stream")


def chat(asked: Asked, later: Optional[dict[str, str]] = None) -> Answer:
    """Answer a request for a chat completion."""
    question = json.loads(asked.body)
    problem = trouble(asked, question["messages"][0]["content"], later)
    if problem is not None:
        return problem
    return event_stream(chunks()) if question.get("stream") else Answer(json.dumps(completion()).encode())


def prompt(text: str, **more: Any) -> Any:
    """Return the arguments of a chat with one message."""
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


def streamed(found: Sequence[Any]) -> str:
    """Return the text of the chunks that an SDK has parsed."""
    return "".join(choice.delta.content or "" for chunk in found for choice in chunk.choices)


async def refuses_async(call: Awaitable[Any], error: type[BaseException]) -> Any:
    """Await a call that must raise; return what it raises."""
    try:
        await call
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was not raised")
