"""niquests: as requests, sync and async, over HTTP/1.1 and HTTP/2; redirects are calls of their own."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

from tests.integration.sdks import _web, on_threads, refuses
from tests.integration.sdks._chat import REPLY, prompt, refuses_async
from tests.integration.sdks._web import CHAT, LARGE, TEXT, url, use_streams_of_requests

PACKAGE = "niquests"
NEEDS = ("urllib3_future",)
DISTRIBUTION = "niquests"
REQUIRES = ("niquests>=3.21",)  # earlier ones hang at a stream of HTTP/2 that was left
TRANSPORT = "urllib3-future, HTTP/1.1 and HTTP/2"
HOSTS = _web.HOSTS
EXPECTED = {
    ("openai", "chat_completions", "POST"): (43 * 4, 0),
    ("unknown", "/plain", "GET"): (2 * 4 + 5, 0),
    ("unknown", "/plain", "HEAD"): (4, 0),
    ("unknown", "/gzip", "GET"): (4, 0),
    ("unknown", "/gzip-in-pieces", "GET"): (2 * 4, 0),
    ("unknown", "/large", "GET"): (4, 0),
    ("unknown", "/pieces", "GET"): (4 + 10, 0),
    ("unknown", "/left", "GET"): (2 * 4, 0),
    ("unknown", "/upload", "PUT"): (2 * 4, 0),
    ("unknown", "/nothing", "DELETE"): (4, 0),
    ("unknown", "/moved", "GET"): (4 + 5, 0),
    ("unknown", "/stall", "GET"): (4, 4),
    ("unknown", "/missing", "GET"): (4, 4),
}
"""Everything is done four times: sync and async, HTTP/1.1 and HTTP/2; some more is done on shared streams."""
LEFT = _web.LEFT
answer = _web.answer


def _session(make: Any, adapter: Any, *, http2: bool) -> Any:
    retry_class: Any = import_module("niquests.adapters").Retry
    retry = retry_class(3, status_forcelist=(429, 500), allowed_methods=None, backoff_factor=0)
    protocols = {"disable_http2": not http2, "disable_http3": True}
    session = make(**protocols)
    session.mount("https://api.", adapter(max_retries=retry, **protocols))
    return session


def _use(niquests: Any, *, http2: bool) -> None:
    adapter = niquests.adapters.HTTPAdapter
    with _session(niquests.Session, adapter, http2=http2) as session:
        assert session.get(url("plain")).content == TEXT
        assert session.head(url("plain")).content == b""
        assert session.get(url("gzip")).content == TEXT * 10
        assert session.get(url("gzip-in-pieces")).content == TEXT * 10
        assert session.get(url("large")).content == LARGE
        use_streams_of_requests(session)
        assert session.put(url("upload"), data=LARGE).json() == {"size": len(LARGE)}
        assert session.put(url("upload"), data=_web.halves()).json() == {"size": len(LARGE)}
        assert session.delete(url("nothing")).status_code == 204
        moved = session.get(url("moved"))
        assert [hop.status_code for hop in moved.history] == [302]
        assert session.get(url("missing")).status_code == 404
        refuses(lambda: session.get(url("stall"), timeout=0.2), niquests.exceptions.ReadTimeout)
        for text in ("hello", "busy", "broken"):
            answered = session.post(CHAT, json=prompt(text))
            assert answered.http_version == (20 if http2 else 11)
            assert answered.json()["choices"][0]["message"]["content"] == REPLY
        on_threads(lambda: session.post(CHAT, json=prompt("hello")).json()["choices"][0]["message"])


async def _use_streams_async(session: Any) -> None:
    whole = await session.get(url("pieces"), stream=True)
    assert b"".join([part async for part in await whole.iter_content(1000)]) == LARGE
    packed = await session.get(url("gzip-in-pieces"), stream=True)
    assert await packed.raw.read(decode_content=True) == TEXT * 10
    for _ in range(2):
        left = await session.get(url("left"), stream=True)
        assert await (await left.iter_content(10)).__anext__()
        await left.close()


async def _use_async(niquests: Any, *, http2: bool) -> None:
    adapter = niquests.adapters.AsyncHTTPAdapter
    async with _session(niquests.AsyncSession, adapter, http2=http2) as session:
        assert (await session.get(url("plain"))).content == TEXT
        assert (await session.head(url("plain"))).content == b""
        assert (await session.get(url("gzip"))).content == TEXT * 10
        assert (await session.get(url("gzip-in-pieces"))).content == TEXT * 10
        assert (await session.get(url("large"))).content == LARGE
        await _use_streams_async(session)
        assert (await session.put(url("upload"), data=LARGE)).json() == {"size": len(LARGE)}
        assert (await session.put(url("upload"), data=_web.halves_async())).json() == {"size": len(LARGE)}
        assert (await session.delete(url("nothing"))).status_code == 204
        moved = await session.get(url("moved"))
        assert [hop.status_code for hop in moved.history] == [302]
        assert (await session.get(url("missing"))).status_code == 404
        await refuses_async(session.get(url("stall"), timeout=0.2), niquests.exceptions.ReadTimeout)
        for text in ("hello", "busy", "broken"):
            answered = await session.post(CHAT, json=prompt(f"{text} async"))
            assert answered.http_version == (20 if http2 else 11)
            assert answered.json()["choices"][0]["message"]["content"] == REPLY
        answers = await asyncio.gather(*(session.post(CHAT, json=prompt("hello")) for _ in range(40)))
        assert {found.json()["choices"][0]["message"]["content"] for found in answers} == {REPLY}


def _use_multiplexed(niquests: Any) -> None:
    """Send everything first; a response is there when it is looked at, or with all others."""
    with niquests.Session(multiplexed=True, disable_http3=True) as session:
        looked_at = [session.get(url("pieces")) for _ in range(5)]
        assert all(response.lazy for response in looked_at)
        assert [response.content for response in looked_at] == [LARGE] * 5
        gathered = [session.get(url("moved")) for _ in range(5)]
        session.gather()
        assert [(len(response.history), response.content) for response in gathered] == [(1, TEXT)] * 5


async def _use_multiplexed_async(niquests: Any) -> None:
    async with niquests.AsyncSession(multiplexed=True, disable_http3=True) as session:
        gathered = [await session.get(url("pieces")) for _ in range(5)]
        await session.gather()
        assert [response.content for response in gathered] == [LARGE] * 5


def use() -> None:
    """Make every call."""
    niquests: Any = import_module("niquests")
    for http2 in (False, True):
        _use(niquests, http2=http2)
        asyncio.run(_use_async(niquests, http2=http2))
    _use_multiplexed(niquests)
    asyncio.run(_use_multiplexed_async(niquests))
