"""slack_sdk: the Web API, uploads and webhooks; sync over ``urllib.request``, async over aiohttp.

It streams nothing: what the SDK calls a stream of chat text are calls that append to a message.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async

PACKAGE = "slack_sdk"
DISTRIBUTION = "slack-sdk"
NEEDS = ("aiohttp",)
REQUIRES = ("slack-sdk>=3.35", "aiohttp")
TRANSPORT = "urllib.request / aiohttp"
_API, _FILES, _HOOKS = "slack.com", "files.slack.com", "hooks.slack.com"
HOSTS = (_API, _FILES, _HOOKS)
EXPECTED = {
    ("slack", "/api/chat.postMessage", "POST"): (54, 6),
    ("slack", "/api/conversations.list", "POST"): (2, 0),
    ("slack", "/api/conversations.list", "GET"): (2, 0),
    ("slack", "/api/files.getUploadURLExternal", "POST"): (2, 0),
    ("unknown", "/upload/v1/{id}", "POST"): (2, 0),
    ("slack", "/api/files.completeUploadExternal", "POST"): (2, 0),
    ("slack", "/services/{id}/{id}/{id}", "POST"): (2, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}

_HOOK = f"https://{_HOOKS}/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
_UPLOAD = f"https://{_FILES}/upload/v1/CwABAAAAXAoAAVnX8fGbD"
_FILE = b"0123456789" * 5000


def _post(asked: Asked) -> Answer:
    body = asked.body.decode()
    question = json.loads(body) if body.startswith("{") else {k: v[0] for k, v in parse_qs(body).items()}
    text, first = question["text"], asked.repeats % 2 == 0
    if text == "stall":
        return Answer(stall=True)
    if text == "refuse":
        return Answer(b'{"ok": false, "error": "channel_not_found"}')
    if text == "429" and first:
        return Answer(b'{"ok": false, "error": "ratelimited"}', 429, headers={"Retry-After": "0"})
    if text == "500" and first:
        return Answer(b'{"ok": false, "error": "internal_error"}', 500)
    return Answer(json.dumps({"ok": True, "ts": "1.2", "message": {"text": text}}).encode())


def answer(asked: Asked) -> Answer:
    """Speak like slack.com, files.slack.com and hooks.slack.com."""
    if asked.host == _HOOKS:
        return Answer(b"ok", content_type="text/plain")
    if asked.host == _FILES:
        return Answer(b"OK - 50000", content_type="text/plain")
    if asked.path == "/api/chat.postMessage":
        return _post(asked)
    if asked.path == "/api/conversations.list":
        more = b"cursor=" not in asked.body and "cursor" not in asked.query
        page = {"channels": [{"id": "C1"}], "response_metadata": {"next_cursor": "two" if more else ""}}
        return Answer(json.dumps({"ok": True, **page}).encode())
    found = {"upload_url": _UPLOAD, "file_id": "F1", "files": [{"id": "F1"}]}
    return Answer(json.dumps({"ok": True, **found}).encode())


def _handlers(builtin: Any, prefix: str) -> list[Any]:
    calculators: Any = import_module("slack_sdk.http_retry")
    at_once = calculators.FixedValueRetryIntervalCalculator(0.01)
    names = ("RateLimitErrorRetryHandler", "ServerErrorRetryHandler")
    return [getattr(builtin, prefix + name)(interval_calculator=at_once) for name in names]


def _use_sync() -> None:
    slack: Any = import_module("slack_sdk")
    refused: Any = import_module("slack_sdk.errors").SlackApiError
    handlers = _handlers(import_module("slack_sdk.http_retry.builtin_handlers"), "")
    client = slack.WebClient("xoxb-1", retry_handlers=handlers)

    def post(text: str) -> Any:
        return client.chat_postMessage(channel="C1", text=text)

    for text in ("good day", "429", "500"):
        assert post(text)["message"]["text"] == text
    assert refuses(lambda: post("refuse"), refused).response["error"] == "channel_not_found"
    pages = list(client.conversations_list(limit=1))
    assert [page["channels"][0]["id"] for page in pages] == ["C1", "C1"]
    assert client.files_upload_v2(file=_FILE, filename="a.txt", channel="C1")["files"]
    assert slack.WebhookClient(_HOOK).send(text="hello").status_code == 200
    on_threads(lambda: post("hello"))
    hasty = slack.WebClient("xoxb-1", timeout=1)
    refuses(lambda: hasty.chat_postMessage(channel="C1", text="stall"), OSError)


async def _use_async() -> None:
    aiohttp: Any = import_module("aiohttp")
    web: Any = import_module("slack_sdk.web.async_client")
    hooks: Any = import_module("slack_sdk.webhook.async_client")
    refused: Any = import_module("slack_sdk.errors").SlackApiError
    handlers = _handlers(import_module("slack_sdk.http_retry.builtin_async_handlers"), "Async")
    async with aiohttp.ClientSession() as session:
        client = web.AsyncWebClient("xoxb-1", retry_handlers=handlers, session=session)
        posts = [client.chat_postMessage(channel="C1", text=text) for text in ("good day", "429", "500")]
        texts = [post["message"]["text"] for post in await asyncio.gather(*posts)]
        assert texts == ["good day", "429", "500"]
        await refuses_async(client.chat_postMessage(channel="C1", text="refuse"), refused)
        pages = [page["channels"][0]["id"] async for page in await client.conversations_list(limit=1)]
        assert pages == ["C1", "C1"]
    # Without a session of the caller's, each call has its own.
    client = web.AsyncWebClient("xoxb-1")
    assert (await client.files_upload_v2(file=_FILE, filename="a.txt", channel="C1"))["files"]
    assert (await hooks.AsyncWebhookClient(_HOOK).send(text="hello")).status_code == 200
    hasty = web.AsyncWebClient("xoxb-1", timeout=1)
    await refuses_async(hasty.chat_postMessage(channel="C1", text="stall"), asyncio.TimeoutError)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
