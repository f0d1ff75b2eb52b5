"""One step of a program on each client, in the client's own way; what it saw of the response."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import io
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

from tests.random_programs.programs import Step

__all__ = ["ASYNC_CALLERS", "CALLERS", "Seen", "call_plainly"]

DATA = b"0123456789" * 300
Hook = Optional[Callable[[list[str], str], None]]
Call = Callable[[Step, str, list[str]], "Seen"]
AsyncCall = Callable[[Step, str, list[str]], Awaitable["Seen"]]


class Seen(NamedTuple):
    """What the application sees of a response."""

    status: int
    body: bytes
    more: Any = None


def _pieces() -> Iterator[bytes]:
    for start in range(0, len(DATA), 700):
        yield DATA[start : start + 700]


async def _async_pieces() -> AsyncIterator[bytes]:
    for piece in _pieces():
        yield piece


def _calling_pieces(url: str, notes: list[str]) -> Iterator[bytes]:
    """Yield a body whose second piece needs a call of its own, as one that copies from a store does."""
    yield DATA[:700]
    call_plainly(url, notes)
    yield DATA[700:]


async def _async_calling_pieces(url: str, notes: list[str]) -> AsyncIterator[bytes]:
    yield DATA[:700]
    await asyncio.get_running_loop().run_in_executor(None, call_plainly, url, notes)
    yield DATA[700:]


def call_plainly(url: str, notes: list[str]) -> None:
    """Make a call with the standard library to the host of a URL, and note what came."""
    parts = urlsplit(url)
    seed = parts.path.split("/")[2]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{parts.netloc}/plain/{seed}/?n=10", timeout=20) as response:
        notes.append(f"called {response.status} {len(response.read())}")


def _content(step: Step, url: str, notes: list[str], *, is_async: bool = False) -> Any:
    if step.body == "calling":
        return _async_calling_pieces(url, notes) if is_async else _calling_pieces(url, notes)
    if step.body == "pieces":
        return _async_pieces() if is_async else _pieces()
    return io.BytesIO(DATA) if step.body == "file" else DATA if step.body == "bytes" else None


def _options(
    step: Step, bodies: str, url: str, notes: list[str], *, is_async: bool = False
) -> dict[str, Any]:
    """Return a request's body as the clients take it; ``bodies`` is their name for plain ones."""
    if step.body == "json":
        return {"json": {"a": [1, 2, 3]}}
    if step.body == "form":
        return {"data": {"a": "1", "b": "ü"}}
    if step.body == "old":  # httpx warns of it, and names the caller's line
        return {"data": DATA}
    content = _content(step, url, notes, is_async=is_async)
    return {} if content is None else {bodies: content}


def _httpx(name: str) -> Callable[[Hook], AbstractContextManager[Call]]:
    @contextmanager
    def caller(hook: Hook) -> Iterator[Call]:
        module = importlib.import_module(name)
        hooks = {}
        if hook is not None:
            hooks = {
                "request": [lambda request: hook(request.extensions["notes"], "request")],
                "response": [lambda response: hook(response.request.extensions["notes"], "response")],
            }
        transport = module.HTTPTransport(retries=1, verify=False)
        with module.Client(
            transport=transport, trust_env=False, event_hooks=hooks, follow_redirects=True
        ) as client:

            def call(step: Step, url: str, notes: list[str]) -> Seen:
                options = {**_options(step, "content", url, notes), "timeout": step.timeout_s}
                options["extensions"] = {"notes": notes}
                if step.read == "all":
                    response = client.request(step.method, url, **options)
                    return Seen(response.status_code, response.content, len(response.history))
                with client.stream(step.method, url, **options) as response:
                    body = b""
                    if step.read != "never":
                        for piece in response.iter_bytes():
                            body += piece
                            if step.read == "early":
                                return Seen(response.status_code, body[:1])
                    return Seen(response.status_code, body, response.is_closed)

            yield call

    return caller


def _async_hooks(hook: Hook) -> dict[str, list[Any]]:
    if hook is None:
        return {}

    async def on_request(request: Any) -> None:
        hook(request.extensions["notes"], "request")

    async def on_response(response: Any) -> None:
        hook(response.request.extensions["notes"], "response")

    return {"request": [on_request], "response": [on_response]}


def _async_httpx(name: str) -> Callable[[Hook], AbstractAsyncContextManager[AsyncCall]]:
    @asynccontextmanager
    async def caller(hook: Hook) -> AsyncIterator[AsyncCall]:
        module = importlib.import_module(name)
        async with module.AsyncClient(
            trust_env=False, verify=False, event_hooks=_async_hooks(hook), follow_redirects=True
        ) as client:

            async def call(step: Step, url: str, notes: list[str]) -> Seen:
                options = {
                    **_options(step, "content", url, notes, is_async=True),
                    "timeout": step.timeout_s,
                    "extensions": {"notes": notes},
                }
                if step.body == "file":
                    options["content"] = DATA
                if step.read == "all":
                    response = await client.request(step.method, url, **options)
                    return Seen(response.status_code, response.content, len(response.history))
                async with client.stream(step.method, url, **options) as response:
                    body = b""
                    if step.read != "never":
                        async for piece in response.aiter_bytes():
                            body += piece
                            if step.read == "early":
                                return Seen(response.status_code, body[:1])
                    return Seen(response.status_code, body, response.is_closed)

            yield call

    return caller


@asynccontextmanager
async def _aiohttp(hook: Hook) -> AsyncIterator[AsyncCall]:
    aiohttp = importlib.import_module("aiohttp")
    traces = []
    if hook is not None:
        trace = aiohttp.TraceConfig()

        async def on_start(_session: Any, context: Any, _params: Any) -> None:
            hook(context.trace_request_ctx, "request")

        async def on_end(_session: Any, context: Any, _params: Any) -> None:
            hook(context.trace_request_ctx, "response")

        trace.on_request_start.append(on_start)
        trace.on_request_end.append(on_end)
        traces.append(trace)
    async with aiohttp.ClientSession(trace_configs=traces) as session:

        async def call(step: Step, url: str, notes: list[str]) -> Seen:
            options = _options(step, "data", url, notes, is_async=True)
            timeout = aiohttp.ClientTimeout(total=step.timeout_s)
            if step.body == "old":  # aiohttp warns of it, from 3.14 on
                options["auth"] = aiohttp.BasicAuth("user", "secret")
            async with session.request(
                step.method, url, timeout=timeout, trace_request_ctx=notes, **options
            ) as response:
                body = b""
                if step.read == "all":
                    body = await response.read()
                elif step.read == "stream":
                    async for piece in response.content.iter_any():
                        body += piece
                elif step.read == "early":
                    body = (await response.content.readany())[:1]
                return Seen(response.status, body, len(response.history))

        yield call


@contextmanager
def _requests(hook: Hook) -> Iterator[Call]:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False

        def call(step: Step, url: str, notes: list[str]) -> Seen:
            hooks = (
                {} if hook is None else {"response": lambda response, **_: hook(notes, "request") or response}
            )
            options = _options(step, "data", url, notes)
            with session.request(
                step.method, url, timeout=step.timeout_s, stream=step.read != "all", hooks=hooks, **options
            ) as response:
                body = b""
                if step.read == "all":
                    body = response.content
                elif step.read == "stream":
                    body = b"".join(response.iter_content(512))
                elif step.read == "early":
                    body = next(response.iter_content(512), b"")[:1]
                return Seen(response.status_code, body, len(response.history))

        yield call


@contextmanager
def _urllib3(hook: Hook) -> Iterator[Call]:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager() as manager:

        def call(step: Step, url: str, notes: list[str]) -> Seen:
            if hook is not None:
                hook(notes, "request")
            body = _content(step, url, notes) if step.body not in {"json", "form", "old"} else DATA
            retries = urllib3.Retry(2, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
            response = manager.request(
                step.method,
                url,
                body=body,
                timeout=step.timeout_s,
                retries=retries if step.answer.startswith(("flaky", "redirect", "redirects")) else False,
                preload_content=step.read == "all",
                **({"chunked": True} if step.body in {"pieces", "calling"} else {}),
            )
            try:
                read = b""
                if step.read == "all":
                    read = response.data
                elif step.read == "stream":
                    read = b"".join(response.stream(512))
                elif step.read == "early":
                    read = response.read(1)
                return Seen(response.status, read)
            finally:
                if step.read in {"early", "never"}:
                    response.close()
                response.release_conn()

        yield call


@contextmanager
def _urllib_request(hook: Hook) -> Iterator[Call]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(step: Step, url: str, notes: list[str]) -> Seen:
        if hook is not None:
            hook(notes, "request")
        data: Any = _content(step, url, notes) if step.body not in {"json", "form", "old"} else DATA
        headers = {} if step.body != "file" else {"Content-Length": str(len(DATA))}
        request = urllib.request.Request(url, data=data, method=step.method, headers=headers)
        try:
            response = opener.open(request, timeout=step.timeout_s)
        except urllib.error.HTTPError as error:
            response = error
        with response:
            body = b""
            if step.read == "all":
                body = response.read()
            elif step.read == "stream":
                while piece := response.read(512):
                    body += piece
            elif step.read == "early":
                body = response.read(1)
            return Seen(response.code, body)

    yield call


@contextmanager
def _http_client(hook: Hook) -> Iterator[Call]:
    def call(step: Step, url: str, notes: list[str]) -> Seen:
        if hook is not None:
            hook(notes, "request")
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=step.timeout_s)
        try:
            body = _content(step, url, notes) if step.body not in {"json", "form", "old"} else DATA
            connection.request(step.method, f"{parts.path}?{parts.query}", body)
            response = connection.getresponse()
            read = b""
            if step.read == "all":
                read = response.read()
            elif step.read == "stream":
                while piece := response.read(512):
                    read += piece
            elif step.read == "early":
                read = response.read(1)
            return Seen(response.status, read, response.getheader("content-length"))
        finally:
            connection.close()

    yield call


CALLERS: dict[str, Callable[[Hook], AbstractContextManager[Call]]] = {
    "httpx": _httpx("httpx"),
    "httpx2": _httpx("httpx2"),
    "requests": _requests,
    "urllib3": _urllib3,
    "urllib.request": _urllib_request,
    "http.client": _http_client,
}
ASYNC_CALLERS: dict[str, Callable[[Hook], AbstractAsyncContextManager[AsyncCall]]] = {
    "httpx": _async_httpx("httpx"),
    "httpx2": _async_httpx("httpx2"),
    "aiohttp": _aiohttp,
}
