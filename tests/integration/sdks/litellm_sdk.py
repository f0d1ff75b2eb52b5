"""litellm: chat by its own clients and by OpenAI's; async calls over aiohttp, and over httpx alone."""

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
    event_piece,
    prompt,
    refuses_async,
    streamed,
    trouble,
)

PACKAGE = "litellm"
DISTRIBUTION = "litellm"
NEEDS = ("tenacity",)
REQUIRES = ("litellm>=1.80", *NEEDS)
TRANSPORT = "httpx / httpx over aiohttp / aiohttp"
ENVIRONMENT = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True"}
"""Read at import: else it downloads its table of prices, and of Anthropic's headers, from GitHub."""
HOSTS = ("api.openai.com", "api.anthropic.com", "api.groq.com")
_LEFT = "/openai/v1/chat/completions"
EXPECTED = {
    ("openai", "chat_completions", "POST"): (65, 12),
    ("openai", "embeddings", "POST"): (3, 0),
    ("anthropic", "messages", "POST"): (64, 12),
    ("groq", "chat_completions", "POST"): (3, 0),
}
LEFT = {("groq", "chat_completions", "POST"): {_LEFT}}

_API = "https://api.openai.com/v1/chat/completions"
_OPENAI, _ANTHROPIC, _GROQ = "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "groq/openai/gpt-oss-20b"
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
_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {**_MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "good "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "day"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]


def _messages(asked: Asked) -> Answer:
    question = json.loads(asked.body)
    problem = trouble(asked, question["messages"][0]["content"][0]["text"])
    if problem is not None:
        return problem
    if not question.get("stream"):
        return Answer(json.dumps(_MESSAGE).encode())
    pieces = [event_piece(event) for event in _EVENTS]
    # litellm need not read what comes after the event with the usage: sent alone, it stays unread.
    return Answer([*pieces[:-2], b"".join(pieces[-2:])], content_type="text/event-stream")


def answer(asked: Asked) -> Answer:
    """Speak like the hosts of three providers."""
    if asked.host == "api.anthropic.com":
        return _messages(asked)
    if asked.path == "/v1/embeddings":
        vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return Answer(json.dumps({"object": "list", "model": "e", "data": [vector], "usage": usage}).encode())
    return chat(asked, SOON)


def _ask(model: str, text: str, **more: Any) -> Any:
    return {**prompt(text), "model": model, "api_key": "sk-test", "max_tokens": 9, **more}


def _retry(model: str) -> dict[str, int]:
    """OpenAI's client retries by itself; for Anthropic, litellm does, with tenacity."""
    return {"max_retries": 1} if model == _OPENAI else {"num_retries": 2}


def _use_sync(model: str) -> None:
    litellm: Any = import_module("litellm")

    def text(question: str, **more: Any) -> Any:
        return litellm.completion(**_ask(model, question, **more)).choices[0].message.content

    for question in ("hello", "busy", "broken"):
        assert text(question, **_retry(model)) == REPLY
    assert streamed(list(litellm.completion(**_ask(model, "hello", stream=True)))) == REPLY
    refuses(lambda: text("refuse"), litellm.BadRequestError)
    refuses(lambda: text("stall", timeout=0.15, max_retries=0), litellm.Timeout)
    on_threads(lambda: text("hello").index(REPLY))


def _use_others() -> None:
    litellm: Any = import_module("litellm")
    left = litellm.completion(**_ask(_GROQ, "hello", stream=True))
    next(left)
    del left
    found = litellm.embedding("openai/text-embedding-3-small", input=["x"], api_key="sk-test")
    assert found.data[0]["embedding"] == [0.5, 0.25]


async def _use_async() -> None:
    litellm: Any = import_module("litellm")
    complete = litellm.acompletion
    for model in (_OPENAI, _ANTHROPIC):
        whole, events = await asyncio.gather(
            complete(**_ask(model, "hello")), complete(**_ask(model, "hello", stream=True))
        )
        assert whole.choices[0].message.content == REPLY
        assert streamed([event async for event in events]) == REPLY
        for question in ("busy", "broken"):
            assert (await complete(**_ask(model, question, **_retry(model)))).usage.total_tokens == 7
        await refuses_async(complete(**_ask(model, "refuse")), litellm.BadRequestError)
        await refuses_async(complete(**_ask(model, "stall", timeout=0.15, max_retries=0)), litellm.Timeout)
    left = await complete(**_ask(_GROQ, "hello", stream=True))
    await left.__anext__()
    await left.aclose()
    found = await litellm.aembedding("openai/text-embedding-3-small", input=["x"], api_key="sk-test")
    assert found.data[0]["embedding"] == [0.5, 0.25]


async def _use_aiohttp() -> None:
    """Use aiohttp with nothing on top, and keep nothing of it for another loop."""
    litellm: Any = import_module("litellm")
    direct = await litellm.acompletion(**_ask("aiohttp_openai/gpt-4o", "hello", api_base=_API))
    assert direct.choices[0].message.content == REPLY


def use() -> None:
    """Make every call."""
    litellm: Any = import_module("litellm")
    litellm.suppress_debug_info = True
    litellm.disable_hf_tokenizer_download = True  # of some models' tokenizers, to count what they answer
    for model in (_OPENAI, _ANTHROPIC):
        _use_sync(model)
    _use_others()
    asyncio.run(_use_async())
    asyncio.run(_use_aiohttp())
    litellm.in_memory_llm_clients_cache.flush_cache()
    litellm.disable_aiohttp_transport = True
    asyncio.run(_use_async())
