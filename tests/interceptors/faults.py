"""Calls of every client, what the application sees of them, and recost's functions made to fail meanwhile."""

from __future__ import annotations

import asyncio
import gc
import http.client
import importlib
import os
import re
import sys
import threading
import traceback
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Callable, Optional
from urllib.parse import urlsplit

import recost
from tests.conformance.clients import DRIVERS, Ask, Driver
from tests.integration.clients import installed
from tests.loopback import refused_port

__all__ = [
    "Outcome",
    "doors_and_functions",
    "failing",
    "functions_of",
    "outcome",
    "place",
    "raising",
    "scenarios",
]

ROOT = str(Path(recost.__file__).parent) + os.sep
DATA = b"0123456789" * 100
Outcome = Any
_ADDRESS = re.compile(r"\b[0-9a-f]{12,16}\b")
"""Identity of an object in a message, as anyio's have it."""
PATHS = (
    "/plain?n=2000",
    "/chunked?n=2000&k=3",
    "/status/500",
    "/truncate?n=300",
    "/redirect",
    "/close?n=50",
    "/reset",
)
KINDS = ("whole", "streamed", "early", "upload")


def _pieces() -> Iterator[bytes]:
    yield DATA[:300]
    yield DATA[300:]


async def _async_pieces() -> AsyncIterator[bytes]:
    for piece in _pieces():
        yield piece


def _first(pieces: Any, kind: str) -> bytes:
    body = b""
    for piece in pieces:
        body += piece
        if kind == "early":
            break
    return body[:1] if kind == "early" else body


def _httpx(name: str, url: str, kind: str) -> Any:
    module = importlib.import_module(name)
    with module.Client(trust_env=False, verify=False, timeout=10, follow_redirects=True) as client:
        if kind == "whole":
            response = client.get(url)
            return response.status_code, response.content, response.http_version
        if kind == "upload":
            response = client.post(url, content=_pieces())
            return response.status_code, response.content
        with client.stream("GET", url) as response:
            return response.status_code, _first(response.iter_bytes(), kind)


async def _async_httpx(name: str, url: str, kind: str) -> Any:
    module = importlib.import_module(name)
    async with module.AsyncClient(trust_env=False, verify=False, timeout=10, follow_redirects=True) as client:
        if kind in ("whole", "upload"):
            content = _async_pieces() if kind == "upload" else None
            response = await client.request("POST" if content else "GET", url, content=content)
            return response.status_code, response.content
        async with client.stream("GET", url) as response:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if kind == "early":
                    return response.status_code, body[:1]
            return response.status_code, body


async def _aiohttp(_name: str, url: str, kind: str) -> Any:
    aiohttp = importlib.import_module("aiohttp")
    async with aiohttp.ClientSession() as session:
        data = _async_pieces() if kind == "upload" else None
        async with session.request("POST" if data else "GET", url, data=data) as response:
            if kind in ("whole", "upload"):
                return response.status, await response.read()
            body = b""
            async for piece in response.content.iter_any():
                body += piece
                if kind == "early":
                    return response.status, body[:1]
            return response.status, body


def _requests(_name: str, url: str, kind: str) -> Any:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False
        data = _pieces() if kind == "upload" else None
        with session.request(
            "POST" if data else "GET", url, data=data, stream=kind != "whole", timeout=10
        ) as response:
            if kind == "whole":
                return response.status_code, response.content
            return response.status_code, _first(response.iter_content(64), kind)


def _urllib3(_name: str, url: str, kind: str) -> Any:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager() as manager:
        if kind in ("whole", "upload"):
            options = {"body": _pieces(), "chunked": True} if kind == "upload" else {}
            response = manager.request(
                "POST" if options else "GET", url, retries=urllib3.Retry(1), timeout=10, **options
            )
            return response.status, response.data
        response = manager.request("GET", url, preload_content=False, retries=False, timeout=10)
        try:
            return response.status, _first(response.stream(64), kind)
        finally:
            response.close()


def _urllib_request(_name: str, url: str, kind: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = _pieces() if kind == "upload" else None
    request = urllib.request.Request(url, data=data, method="POST" if data else "GET")
    try:
        response = opener.open(request, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.code, response.read() if kind != "early" else response.read(1)


def _http_client(_name: str, url: str, kind: str) -> Any:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(
            "POST" if kind == "upload" else "GET",
            f"{parts.path}?{parts.query}",
            _pieces() if kind == "upload" else None,
        )
        response = connection.getresponse()
        if kind == "streamed":
            buffer, body = bytearray(64), b""
            while size := response.readinto(buffer):
                body += buffer[:size]
            return response.status, body
        return response.status, response.read(1) if kind == "early" else response.read()
    finally:
        connection.close()


_CLIENTS: dict[str, Callable[[str, str, str], Any]] = {
    "httpx": _httpx, "httpx2": _httpx, "requests": _requests, "urllib3": _urllib3,
    "urllib.request": _urllib_request, "http.client": _http_client,
}  # fmt: skip
_ASYNC_CLIENTS: dict[str, Callable[[str, str, str], Any]] = {
    "httpx": _async_httpx, "httpx2": _async_httpx, "aiohttp": _aiohttp
}  # fmt: skip


def _run(call: Callable[[str, str, str], Any], name: str, url: str, kind: str, timeout_s: float = 20) -> Any:
    return asyncio.run(asyncio.wait_for(call(name, url, kind), timeout_s))


def _others() -> list[Driver]:
    """Return the drivers of clients that have no calls of their own here."""
    known = {*_CLIENTS, *_ASYNC_CLIENTS}
    return [
        driver for driver in DRIVERS if driver.name.removesuffix(" async") not in known and not driver.missing
    ]


def _driven(driver: Driver, url: str, kind: str) -> Any:
    body = driver.pieces(DATA[:300], DATA[300:]) if kind == "upload" else None
    how = {"early": "left", "upload": "whole"}.get(kind, kind)
    got = driver.call(Ask(url, how, body, redirected=True))
    return got.status, got.body[:1] if kind == "early" else got.body


def scenarios(base: str) -> dict[str, Callable[[], Any]]:
    """Return calls by name: each client, each way to read, each way that a body ends, and cancelled ones."""
    found: dict[str, Callable[[], Any]] = {}
    refused = f"http://127.0.0.1:{refused_port()}/"
    for path in (*PATHS, refused):
        url = path if path is refused else base + path
        for kind in KINDS if path in PATHS[:1] else KINDS[:3] if path in PATHS[1:2] else KINDS[:2]:
            for name, call in _CLIENTS.items():
                if installed(name):
                    found[f"{name} {kind} {path}"] = partial(call, name, url, kind)
            for name, call in _ASYNC_CLIENTS.items():
                if installed(name):
                    found[f"async {name} {kind} {path}"] = partial(_run, call, name, url, kind)
            for driver in _others():
                found[f"{driver.name} {kind} {path}"] = partial(_driven, driver, url, kind)
    for name, call in _ASYNC_CLIENTS.items():
        if installed(name):
            found[f"async {name} cancelled"] = partial(_run, call, name, base + "/slow?s=0.1", "whole", 0.03)
    return found


def outcome(scenario: Callable[[], Any]) -> Outcome:
    """Make a call, and return its result, or its error with the frames that are not recost's."""
    try:
        return "returned", scenario()
    except BaseException as error:  # noqa: BLE001 - what is raised is what is compared
        return "raised", _told(error)


def _told(error: Optional[BaseException], depth: int = 0) -> Any:
    if error is None or depth > 6:
        return None
    frames = [
        f"{Path(frame.filename).name}:{frame.name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if ROOT not in frame.filename and "wrapt" not in frame.filename
    ]
    arguments = [_ADDRESS.sub("", str(each).rpartition(" at 0x")[0] or str(each)) for each in error.args]
    return (
        type(error).__name__,
        arguments,
        frames,
        _told(error.__cause__, depth + 1),
        _told(error.__context__, depth + 1),
    )


def doors_and_functions(scenario: Callable[[], Any]) -> tuple[set[CodeType], set[CodeType]]:
    """Make a call, and return recost's code that others called, and recost's code that recost called.

    On this thread: on the caller's side.
    """
    doors: set[CodeType] = set()
    functions: set[CodeType] = set()

    def seen(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(ROOT):
            caller = frame.f_back
            inside = caller is not None and caller.f_code.co_filename.startswith(ROOT)
            (functions if inside else doors).add(frame.f_code)

    sys.setprofile(seen)
    try:
        outcome(scenario)
    finally:
        sys.setprofile(None)
    return doors, functions


def functions_of(codes: Any) -> dict[CodeType, list[FunctionType]]:
    """Return all functions that have the code, by the code."""
    found: dict[CodeType, list[FunctionType]] = {code: [] for code in codes}
    copies = {id(copy) for _, copy, _ in _REGISTER}  # each of which would be replaced by two the next time
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__ in found and id(each) not in copies:
            found[each.__code__].append(each)
    return found


@contextmanager
def failing(
    code: CodeType,
    found: list[FunctionType],
    make: Callable[[], Any],
    *,
    once: bool = False,
    where: Optional[Callable[[], bool]] = None,
) -> Iterator[list[int]]:
    """Replace a code object by a call of ``make``, and count the calls.

    On this thread, or on those for which ``where`` is true. With ``once``, only the first time.
    """
    count: list[int] = []
    here = threading.get_ident()
    there = where or (lambda: threading.get_ident() == here)

    def fail(*args: Any, **kwargs: Any) -> Any:
        count.append(1)
        return make()

    with ExitStack() as undo:
        for function in found:
            stand_in = _on(lambda: there() and not (once and count), function, fail)
            undo.callback(setattr, function, "__code__", code)
            function.__code__ = stand_in.replace(co_freevars=code.co_freevars)
        yield count


def raising(error: BaseException) -> Callable[[], None]:
    """Return a function that raises an error like this one."""

    def fail() -> None:
        raise type(error)(*error.args)

    return fail


def place(code: CodeType) -> str:
    """Return where the function stands, for messages and a steady order."""
    name = getattr(code, "co_qualname", code.co_name)
    return f"{code.co_filename.rpartition('recost/')[2]}:{code.co_firstlineno} {name}"


_REGISTER: list[Any] = []


def _on(now: Callable[[], bool], function: FunctionType, fail: Callable[..., Any]) -> CodeType:
    """Return code that fails while ``now()`` is true. It needs neither cells nor globals."""
    copy = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    _REGISTER.append((now, copy, fail))
    text = (
        "def stand_in(*args, **kwargs):\n"
        "    import sys\n"
        f"    now, copy, fail = sys.modules[{__name__!r}]._REGISTER[{len(_REGISTER) - 1}]\n"
        "    return (fail if now() else copy)(*args, **kwargs)\n"
    )
    space: dict[str, Any] = {}
    exec(compile(text, __file__, "exec"), space)
    code: CodeType = space["stand_in"].__code__
    return code
