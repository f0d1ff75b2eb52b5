"""supabase: tables, files, functions and sessions, sync and async; over httpx, which speaks HTTP/2 to it.

It streams nothing over HTTP: what changes in real time comes over a WebSocket, and is not used here.
"""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async

PACKAGE = DISTRIBUTION = "supabase"
REQUIRES = ("supabase>=2.20",)
TRANSPORT = "httpx (HTTP/2)"
_PROJECT = "abcdefghijklmnopqrst.supabase.co"
HOSTS = (_PROJECT,)
_TOKEN, _FILE = "/auth/v1/token", "/storage/v1/object/files/folder/report.pdf"
EXPECTED = {
    ("unknown", "/rest/v1/movies", "GET"): (54, 8),
    ("unknown", "/rest/v1/movies", "POST"): (2, 0),
    ("unknown", "/rest/v1/rpc/add", "POST"): (2, 0),
    ("unknown", _FILE, "POST"): (2, 0),
    ("unknown", _FILE, "GET"): (2, 0),
    ("unknown", "/functions/v1/hello", "POST"): (2, 0),
    ("unknown", "/functions/v1/broken", "POST"): (2, 2),
    ("unknown", _TOKEN, "POST"): (2, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}

_CONTENT = b"0123456789" * 20_000
_USER = {
    "id": "8f14e45f-ceea-4671-9f3a-0a5d3b1c9e7d",
    "aud": "authenticated",
    "app_metadata": {},
    "user_metadata": {},
    "created_at": "2025-01-01T00:00:00Z",
}
_SESSION = {"access_token": "a.b.c", "token_type": "bearer", "expires_in": 3600, "refresh_token": "r"}


def _rows(asked: Asked) -> Answer:
    wanted = asked.query.get("title", "").rpartition(".")[2]
    if wanted == "stall":
        return Answer(stall=True)
    if wanted == "missing":
        return Answer(b'{"message": "no such column", "code": "42703"}', 400)
    if wanted in {"503", "520"} and asked.headers.get("x-retry-count") is None:
        return Answer(b'{"message": "down", "code": "PGRST001"}', int(wanted))
    return Answer(b'[{"id": 1, "title": "Alien"}]', headers={"Content-Range": "0-0/1"})


def answer(asked: Asked) -> Answer:
    """Speak like a project's gateway."""
    if asked.path == "/rest/v1/movies":
        return _rows(asked) if asked.method == "GET" else Answer(b'[{"id": 2}]', 201)
    if asked.path == "/rest/v1/rpc/add":
        return Answer(b"3")
    if asked.path == _FILE:
        stored = b'{"Id": "1", "Key": "files/folder/report.pdf"}'
        whole = Answer(_CONTENT, content_type="application/pdf")
        return Answer(stored) if asked.method == "POST" else whole
    if asked.path == _TOKEN:
        return Answer(json.dumps({**_SESSION, "user": _USER}).encode())
    if asked.path == "/functions/v1/broken":
        return Answer(b'{"error": "it broke"}', 500)
    return Answer(b'{"said": "hello"}')


def _prepare() -> Any:
    """Take the waiting out of the retries; return the package."""
    for kind in ("_sync", "_async"):
        builder: Any = import_module(f"postgrest.{kind}.request_builder")
        builder.get_retry_delay = lambda _: 0
    return import_module("supabase")


_LOGIN = {"email": "a@b.example", "password": "secret"}


def _use_sync() -> None:
    supabase = _prepare()
    errors: Any = import_module("postgrest.exceptions")
    client = supabase.create_client(f"https://{_PROJECT}", "anon-key")

    def titled(title: str) -> Any:
        return client.table("movies").select("*").eq("title", title).execute().data[0]["title"]

    for title in ("Alien", "503", "520"):
        assert titled(title) == "Alien"
    assert refuses(lambda: titled("missing"), errors.APIError).code == "42703"
    assert client.table("movies").insert({"title": "Aliens"}).execute().data == [{"id": 2}]
    assert client.rpc("add", {"a": 1, "b": 2}).execute().data == 3
    files = client.storage.from_("files")
    assert files.upload("folder/report.pdf", _CONTENT).path == "folder/report.pdf"
    assert files.download("folder/report.pdf") == _CONTENT
    assert json.loads(client.functions.invoke("hello")) == {"said": "hello"}
    broken: Any = import_module("supabase_functions.errors").FunctionsHttpError
    refuses(lambda: client.functions.invoke("broken"), broken)
    assert client.auth.sign_in_with_password(_LOGIN).session.access_token == "a.b.c"
    _use_threads(supabase)
    hasty = supabase.ClientOptions(postgrest_client_timeout=_timeout(), auto_refresh_token=False)
    client = supabase.create_client(f"https://{_PROJECT}", "anon-key", hasty)
    refuses(lambda: titled("stall"), import_module("httpx").ReadTimeout)


def _use_threads(supabase: Any) -> None:
    """Share a client between threads, over HTTP/1.1: an HTTP/2 connection of httpcore's doesn't bear them."""
    with import_module("httpx").Client() as pool:
        options = supabase.ClientOptions(httpx_client=pool, auto_refresh_token=False)
        client = supabase.create_client(f"https://{_PROJECT}", "anon-key", options)
        on_threads(lambda: client.table("movies").select("*").eq("title", "Alien").execute().data[0]["title"])


def _timeout() -> Any:
    return import_module("httpx").Timeout(30, read=0.2)


async def _use_async() -> None:
    supabase = _prepare()
    errors: Any = import_module("postgrest.exceptions")
    broken: Any = import_module("supabase_functions.errors").FunctionsHttpError
    client = await supabase.acreate_client(f"https://{_PROJECT}", "anon-key")

    async def titled(title: str) -> Any:
        found = await client.table("movies").select("*").eq("title", title).execute()
        return found.data[0]["title"]

    # Several at a time: streams of one connection.
    assert set(await asyncio.gather(*[titled(title) for title in ("Alien", "503", "520")])) == {"Alien"}
    assert (await refuses_async(titled("missing"), errors.APIError)).code == "42703"
    assert (await client.table("movies").insert({"title": "Aliens"}).execute()).data == [{"id": 2}]
    assert (await client.rpc("add", {"a": 1, "b": 2}).execute()).data == 3
    files = client.storage.from_("files")
    assert (await files.upload("folder/report.pdf", _CONTENT)).path == "folder/report.pdf"
    assert await files.download("folder/report.pdf") == _CONTENT
    assert json.loads(await client.functions.invoke("hello")) == {"said": "hello"}
    await refuses_async(client.functions.invoke("broken"), broken)
    assert (await client.auth.sign_in_with_password(_LOGIN)).session.access_token == "a.b.c"
    hasty = supabase.AsyncClientOptions(postgrest_client_timeout=_timeout(), auto_refresh_token=False)
    client = await supabase.acreate_client(f"https://{_PROJECT}", "anon-key", hasty)
    await refuses_async(titled("stall"), import_module("httpx").ReadTimeout)


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
