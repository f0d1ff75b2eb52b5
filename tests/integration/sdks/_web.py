"""What the files of general HTTP clients share: a site with every kind of answer, and how httpx uses it."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Callable

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import REPLY, chat, prompt, refuses_async

API, SITE = "api.openai.com", "files.example.com"
HOSTS = (API, SITE)
CHAT = f"https://{API}/v1/chat/completions"
TEXT = b"0123456789abcdef" * 20
LARGE = b"x" * 200_000
"""More than a peer of HTTP/2 takes before it has to say that it takes more."""
PARTS = 4
LEFT = {("unknown", "/left", "GET"): {"/left"}}


def url(path: str) -> str:
    """Return the address of something of the site."""
    return f"https://{SITE}/{path}"


def answer(asked: Asked) -> Answer:
    """Speak like the site, and like a chat API."""
    if asked.host == API:
        return chat(asked)
    packed = gzip.compress(TEXT * 10, mtime=0)
    pieces = [LARGE[start : start + 30_000] for start in range(0, len(LARGE), 30_000)]
    answers = {
        "/plain": Answer(TEXT, content_type="text/plain"),
        "/gzip": Answer(packed, content_type="text/plain", headers={"Content-Encoding": "gzip"}),
        "/gzip-in-pieces": Answer([packed[:20], packed[20:]], headers={"Content-Encoding": "gzip"}),
        "/large": Answer(LARGE, content_type="application/octet-stream"),
        "/pieces": Answer(pieces, content_type="application/octet-stream"),
        "/left": Answer(pieces, content_type="application/octet-stream"),
        "/upload": Answer(json.dumps({"size": len(asked.body)}).encode(), 201),
        "/nothing": Answer(b"", 204),
        "/moved": Answer(b"moved", 302, "text/plain", {"Location": url("plain")}),
        "/stall": Answer(stall=True),
    }
    return answers.get(asked.path, Answer(b"no such page", 404, "text/plain"))


def halves() -> Iterator[bytes]:
    """Return the large body in pieces, for an upload with no length."""
    yield LARGE[:100_000]
    yield LARGE[100_000:]


async def halves_async() -> AsyncIterator[bytes]:
    """Return the same, to an event loop."""
    for half in halves():
        yield half


def _times(rows: dict[tuple[str, str], tuple[int, int]], times: int) -> dict[Any, tuple[int, int]]:
    found = {("unknown", path, method): (calls, failed) for (path, method), (calls, failed) in rows.items()}
    return {key: (calls * times, failed * times) for key, (calls, failed) in found.items()}


def httpx_expected(*, sync: bool) -> dict[Any, tuple[int, int]]:
    """Return what `use_httpx` makes of it; redirects are part of the call."""
    rows = {
        ("/plain", "GET"): (1, 0),
        ("/plain", "HEAD"): (1, 0),
        ("/gzip", "GET"): (1, 0),
        ("/gzip-in-pieces", "GET"): (1, 0),
        ("/large", "GET"): (1, 0),
        ("/pieces", "GET"): (1, 0),
        ("/left", "GET"): (1, 0),
        ("/upload", "PUT"): (2, 0),
        ("/nothing", "DELETE"): (1, 0),
        ("/moved", "GET"): (1, 0),
        ("/stall", "GET"): (1, 1),
        ("/missing", "GET"): (1, 1),
    }
    chats = {("openai", "chat_completions", "POST"): (85, 4) if sync else (42, 2)}
    return {**_times(rows, 2 if sync else 1), **chats}


def use_streams_of_requests(session: Any) -> None:
    """Read, pack out, leave and abandon streams with a session of requests' kind."""
    with session.get(url("pieces"), stream=True) as whole:
        assert b"".join(whole.iter_content(1000)) == LARGE
    with session.get(url("gzip-in-pieces"), stream=True) as packed:
        assert packed.raw.read(decode_content=True) == TEXT * 10
    with session.get(url("left"), stream=True) as left:
        assert next(left.iter_content(10))
    # Left to the garbage collector.
    assert session.get(url("left"), stream=True).raw.read(10)


def use_httpx(module: Any, make: Callable[[], Any], *, in_turn: bool = False) -> None:
    """Make every call with a client of httpx's kind, of which 8 threads then share the connections.

    Over HTTP/2 they must do so ``in_turn``: it is one connection, and a TLS socket that two threads use at
    the same time loses data (https://github.com/python/cpython/issues/143756).
    """
    with make() as client:
        assert client.get(url("plain")).content == TEXT
        assert client.head(url("plain")).content == b""
        assert client.get(url("gzip")).content == TEXT * 10
        with client.stream("GET", url("gzip-in-pieces")) as packed:
            assert b"".join(packed.iter_bytes()) == TEXT * 10
        assert client.get(url("large")).content == LARGE
        with client.stream("GET", url("pieces")) as whole:
            assert b"".join(whole.iter_bytes()) == LARGE
        with client.stream("GET", url("left")) as left:
            assert next(left.iter_raw())
        assert client.put(url("upload"), content=LARGE).json() == {"size": len(LARGE)}
        assert client.put(url("upload"), content=halves()).json() == {"size": len(LARGE)}
        assert client.delete(url("nothing")).status_code == 204
        moved = client.get(url("moved"), follow_redirects=True)
        assert [hop.status_code for hop in moved.history] == [302]
        assert client.get(url("missing")).status_code == 404
        refuses(lambda: client.get(url("stall"), timeout=0.2), module.ReadTimeout)
        for status, text in ((429, "busy"), (500, "broken")):
            assert client.post(CHAT, json=prompt(text)).status_code == status
        on_threads(
            lambda: client.post(CHAT, json=prompt("hello")).json()["choices"][0]["message"], in_turn=in_turn
        )
        assert client.post(CHAT, json=prompt("hello")).json()["choices"][0]["message"]["content"] == REPLY


async def use_httpx_async(module: Any, make: Callable[[], Any]) -> None:
    """Make every call on an event loop, 40 of them at once."""
    async with make() as client:
        assert (await client.get(url("plain"))).content == TEXT
        assert (await client.head(url("plain"))).content == b""
        assert (await client.get(url("gzip"))).content == TEXT * 10
        async with client.stream("GET", url("gzip-in-pieces")) as packed:
            assert b"".join([part async for part in packed.aiter_bytes()]) == TEXT * 10
        assert (await client.get(url("large"))).content == LARGE
        async with client.stream("GET", url("pieces")) as whole:
            assert b"".join([part async for part in whole.aiter_bytes()]) == LARGE
        async with client.stream("GET", url("left")) as left:
            assert await left.aiter_raw().__anext__()
        assert (await client.put(url("upload"), content=LARGE)).json() == {"size": len(LARGE)}
        assert (await client.put(url("upload"), content=halves_async())).json() == {"size": len(LARGE)}
        assert (await client.delete(url("nothing"))).status_code == 204
        moved = await client.get(url("moved"), follow_redirects=True)
        assert [hop.status_code for hop in moved.history] == [302]
        assert (await client.get(url("missing"))).status_code == 404
        await refuses_async(client.get(url("stall"), timeout=0.2), module.ReadTimeout)
        for status, text in ((429, "busy async"), (500, "broken async")):
            assert (await client.post(CHAT, json=prompt(text))).status_code == status
        answers = await asyncio.gather(*(client.post(CHAT, json=prompt("hello")) for _ in range(40)))
        assert {found.json()["choices"][0]["message"]["content"] for found in answers} == {REPLY}
