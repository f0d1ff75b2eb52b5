"""twilio: messages, calls and verifications; sync over requests, async over aiohttp and aiohttp-retry.

What the sync client tries again it leaves to urllib3, within one call; the async client makes a new call. No
answer is streamed: what the SDK calls a stream are pages.
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

PACKAGE = DISTRIBUTION = "twilio"
REQUIRES = ("twilio>=9",)
TRANSPORT = "urllib3 (requests) / aiohttp"
_API, _VERIFY = "api.twilio.com", "verify.twilio.com"
HOSTS = (_API, _VERIFY)
EXPECTED = {
    ("twilio", "sms", "POST"): (46, 4),
    ("twilio", "sms", "GET"): (6, 0),
    ("twilio", "voice_calls", "POST"): (4, 2),
    ("twilio", "/2010-04-01/Accounts/{id}.json", "GET"): (3, 2),
    ("unknown", "/v2/Services/{id}/Verifications", "POST"): (2, 0),
}
_ACCOUNT, _MESSAGE = "AC" + "0123456789abcdef" * 2, "SM" + "fedcba9876543210" * 2
_BASE = f"/2010-04-01/Accounts/{_ACCOUNT}"
LEFT = {("twilio", "voice_calls", "POST"): {f"{_BASE}/Calls.json"}}
"""aiohttp-retry doesn't read the answers that make it try again."""

_TO = {"to": "+15558675310", "from_": "+15017122661"}


def _page(asked: Asked) -> Answer:
    following = f"{_BASE}/Messages.json?Page=1" if "Page" not in asked.query else None
    name = "first" if following else "second"
    page = {"messages": [{"sid": _MESSAGE, "body": name}], "next_page_uri": following, "page": 0}
    return Answer(json.dumps(page).encode())


def answer(asked: Asked) -> Answer:
    """Speak like api.twilio.com and verify.twilio.com."""
    form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    if asked.path == f"{_BASE}/Messages.json" and asked.method == "GET":
        return _page(asked)
    if asked.path == f"{_BASE}.json":
        return Answer(b'{"sid": "AC", "status": "active"}') if asked.query else Answer(stall=True)
    first = asked.repeats % 2 == 0
    if asked.path == f"{_BASE}/Messages/{_MESSAGE}.json" and first:
        return Answer(b'{"message": "later"}', 429, headers={"Retry-After": "0"})
    if form.get("Twiml") == "<Response/>" and first:
        return Answer(b'{"message": "broken"}', 500)
    text = form.get("Body", "good day")
    if text.isdigit():
        return Answer(b'{"message": "no", "code": 21211}', int(text))
    return Answer(json.dumps({"sid": _MESSAGE, "body": text, "status": "queued"}).encode(), 201)


def _use_sync() -> None:
    rest: Any = import_module("twilio.rest")
    http: Any = import_module("twilio.http.http_client")
    refused: Any = import_module("twilio.base.exceptions").TwilioRestException
    timed_out: Any = import_module("requests").ReadTimeout
    client = rest.Client(_ACCOUNT, "token", http_client=http.TwilioHttpClient(max_retries=2))
    assert client.messages.create(body="good day", **_TO).body == "good day"
    assert client.messages(_MESSAGE).fetch().body == "good day"
    assert [message.body for message in client.messages.stream(page_size=1)] == ["first", "second"]
    for status in (400, 429):
        failed = refuses(lambda: client.messages.create(body=str(status), **_TO), refused)  # noqa: B023
        assert failed.status == status
    broken = {"url": "https://a.example/voice", "twiml": "<Response/>", **_TO}
    assert refuses(lambda: client.calls.create(**broken), refused).status == 500
    assert client.calls.create(**broken).sid == _MESSAGE
    account = f"https://{_API}{_BASE}.json"
    # Its time-out is that of connecting, too: it has a connection when it is to run into it.
    client = rest.Client(_ACCOUNT, "token")
    assert client.request("GET", account, params={"a": "b"}).status_code == 200
    refuses(lambda: client.request("GET", account, timeout=0.3), timed_out)
    client.verify.v2.services("VA" + "0" * 32).verifications.create(to=_TO["to"], channel="sms")
    on_threads(lambda: client.messages.create(body="hello", **_TO))


async def _use_async() -> None:
    rest: Any = import_module("twilio.rest")
    http: Any = import_module("twilio.http.async_http_client")
    refused: Any = import_module("twilio.base.exceptions").TwilioRestException
    async with http.AsyncTwilioHttpClient(max_retries=2) as transport:
        client = rest.Client(_ACCOUNT, "token", http_client=transport)
        message, _ = await asyncio.gather(
            client.messages.create_async(body="good day", **_TO),
            client.verify.v2.services("VA" + "0" * 32).verifications.create_async(to="+1", channel="sms"),
        )
        assert message.body == "good day"
        for status in (400, 429):
            await refuses_async(client.messages.create_async(body=str(status), **_TO), refused)
        pages = await client.messages.stream_async(page_size=1)
        assert [message.body async for message in pages] == ["first", "second"]
        call = await client.calls.create_async(url="https://a.example/voice", twiml="<Response/>", **_TO)
        assert call.sid == _MESSAGE
    async with http.AsyncTwilioHttpClient() as transport:
        client = rest.Client(_ACCOUNT, "token", http_client=transport)
        assert (await client.messages(_MESSAGE + "0").fetch_async()).body == "good day"
        stalled = client.request_async("GET", f"https://{_API}{_BASE}.json", timeout=0.3)
        await refuses_async(stalled, asyncio.TimeoutError)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
