from __future__ import annotations

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

import recost
from recost.config import RecostConfig
from recost.frameworks import serving
from recost.frameworks.fastapi import Message, Receive, RecostMiddleware, Scope, Send
from recost.lifecycle import current_handle
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, environment, windows


def served(server: Loopback) -> Counter[str]:
    return Counter(request.path for request in server.log)


def fastapi_app(upstream: str) -> FastAPI:
    """An application whose every kind of endpoint calls somebody else."""
    app = FastAPI()

    @app.get("/async")
    async def asynchronous() -> int:
        async with httpx.AsyncClient() as client:
            answers = await asyncio.gather(*[client.get(upstream + "/from-async") for _ in range(3)])
        return sum(len(answer.content) for answer in answers)

    @app.get("/sync")
    def synchronous() -> int:
        return len(httpx.get(upstream + "/from-sync").content)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            async with httpx.AsyncClient() as client:
                for _ in range(2):
                    yield (await client.get(upstream + "/from-stream")).content

        return StreamingResponse(lines())

    @app.get("/fails")
    async def fails() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(upstream + "/from-fails")
        raise LookupError("of the application")

    @app.websocket("/ws")
    async def websocket(connection: WebSocket) -> None:
        await connection.accept()
        while True:
            text = await connection.receive_text()
            if text == "bye":
                break
            async with httpx.AsyncClient() as client:
                await client.get(upstream + "/from-ws")
            await connection.send_text(text.upper())
        await connection.close()

    return app


def starlette_app(upstream: str, **options: Any) -> Starlette:
    async def index(request: Request) -> PlainTextResponse:
        async with httpx.AsyncClient() as client:
            await client.get(upstream + "/outbound")
        return PlainTextResponse("done")

    return Starlette(routes=[Route("/", index)], middleware=[Middleware(RecostMiddleware, **options)])


class TestAnApplication:
    def test_every_kind_of_endpoint(self, server: Loopback, tmp_path: Path) -> None:
        app = fastapi_app(server.url)
        app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
        assert current_handle() is None
        with TestClient(app) as client:
            assert current_handle() is not None
            assert client.get("/async").json() == 300
            assert client.get("/sync").json() == 100
            assert len(client.get("/stream").content) == 200
            with pytest.raises(LookupError, match="of the application"):
                client.get("/fails")
            with client.websocket_connect("/ws") as connection:
                connection.send_text("hello")
                assert connection.receive_text() == "HELLO"
                connection.send_text("bye")
        assert current_handle() is None
        assert not recost.is_installed()
        # What the test client called is not outbound.
        assert calls(windows(tmp_path)) == served(server)
        assert served(server) == {
            "/from-async": 3,
            "/from-sync": 1,
            "/from-stream": 2,
            "/from-fails": 1,
            "/from-ws": 1,
        }

    def test_calls_of_its_own_startup_and_shutdown(self, server: Loopback, tmp_path: Path) -> None:
        @asynccontextmanager
        async def lifespan(app: Starlette) -> AsyncIterator[None]:
            async with httpx.AsyncClient() as client:
                await client.get(server.url + "/startup")
                yield
                await client.get(server.url + "/shutdown")

        app = Starlette(lifespan=lifespan)
        app.add_middleware(RecostMiddleware, config=RecostConfig(local_dir=str(tmp_path)))
        with TestClient(app):
            pass
        assert calls(windows(tmp_path)) == {"/startup": 1, "/shutdown": 1}

    def test_served_again(self, server: Loopback, tmp_path: Path) -> None:
        app = starlette_app(server.url, local_dir=str(tmp_path))
        for _ in range(2):
            with TestClient(app) as client:
                client.get("/")
            assert current_handle() is None
        assert calls(windows(tmp_path)) == {"/outbound": 2}

    def test_without_lifespan_from_the_first_request_on(self, server: Loopback, tmp_path: Path) -> None:
        client = TestClient(starlette_app(server.url, local_dir=str(tmp_path)))
        assert current_handle() is None
        client.get("/")
        handle = current_handle()
        assert handle is not None
        client.get("/")
        assert current_handle() is handle
        assert handle.flush_blocking()
        assert calls(windows(tmp_path)) == {"/outbound": 2}

    def test_wrapped_by_hand(self, server: Loopback, tmp_path: Path) -> None:
        app = RecostMiddleware(fastapi_app(server.url), local_dir=str(tmp_path))
        with TestClient(app) as client:
            client.get("/sync")
        assert calls(windows(tmp_path)) == {"/from-sync": 1}

    def test_made_by_name_as_early_versions_of_starlette_do(self, server: Loopback, tmp_path: Path) -> None:
        app = RecostMiddleware(app=fastapi_app(server.url), config=RecostConfig(local_dir=str(tmp_path)))
        with TestClient(app) as client:
            client.get("/sync")
        assert calls(windows(tmp_path)) == {"/from-sync": 1}

    def test_called_in_process_by_httpx(self, server: Loopback, tmp_path: Path) -> None:
        app = RecostMiddleware(fastapi_app(server.url), local_dir=str(tmp_path))

        async def main() -> None:
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://in-process"
            ) as client:
                await client.get("/async")

        asyncio.run(main())
        serving.end()
        assert calls(windows(tmp_path)) == {"/from-async": 3}


class TestSeveral:
    def test_mounts_share_one_sdk(
        self, server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        sub = starlette_app(server.url, local_dir=str(tmp_path))
        app = Starlette(routes=[Mount("/sub", sub)])
        app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
        app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
        with TestClient(app) as client:
            handle = current_handle()
            client.get("/sub/")
            assert current_handle() is handle
        assert current_handle() is None
        assert calls(windows(tmp_path)) == {"/outbound": 1}
        assert not caplog.records

    def test_the_last_to_shut_down_ends_it(self, server: Loopback, tmp_path: Path) -> None:
        first, second = (TestClient(starlette_app(server.url, local_dir=str(tmp_path))) for _ in range(2))
        with first:
            handle = current_handle()
            with second:
                second.get("/")
                assert current_handle() is handle
            assert current_handle() is handle
            first.get("/")
        assert current_handle() is None
        assert calls(windows(tmp_path)) == {"/outbound": 2}

    def test_what_an_application_without_lifespan_started_goes_on(
        self, server: Loopback, tmp_path: Path
    ) -> None:
        lasting = TestClient(starlette_app(server.url, local_dir=str(tmp_path)))
        lasting.get("/")
        handle = current_handle()
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path))) as client:
            client.get("/")
        assert current_handle() is handle is not None

    def test_one_without_lifespan_starts_again_what_the_others_ended(
        self, server: Loopback, tmp_path: Path
    ) -> None:
        lasting = TestClient(starlette_app(server.url, local_dir=str(tmp_path)))
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path))):
            lasting.get("/")
        assert current_handle() is None
        lasting.get("/")
        serving.end()
        assert calls(windows(tmp_path)) == {"/outbound": 2}

    def test_other_settings_are_reported(
        self, server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (
            caplog.at_level(logging.WARNING, "recost"),
            TestClient(starlette_app(server.url, local_dir=str(tmp_path))),
            TestClient(starlette_app(server.url, local_dir=str(tmp_path), project_id="other")) as client,
        ):
            client.get("/")
        assert "other settings" in caplog.text
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".jsonl"] == ["default.jsonl"]


class TestTheUsersOwn:
    def test_sdk_is_left_alone(self, server: Loopback, tmp_path: Path) -> None:
        own = recost.init(local_dir=str(tmp_path), project_id="own")
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path))) as client:
            client.get("/")
            assert current_handle() is own
        assert current_handle() is own
        own.dispose()
        assert [path.name for path in tmp_path.glob("*.jsonl")] == ["own.jsonl"]
        assert calls(windows(tmp_path)) == {"/outbound": 1}

    def test_sdk_may_replace_the_middlewares(self, server: Loopback, tmp_path: Path) -> None:
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path))) as client:
            client.get("/")
            own = recost.init(local_dir=str(tmp_path), project_id="own")
            client.get("/")
        assert current_handle() is own
        own.dispose()
        assert sorted(path.name for path in tmp_path.glob("*.jsonl")) == ["default.jsonl", "own.jsonl"]
        assert calls(windows(tmp_path)) == {"/outbound": 2}

    def test_end_is_respected(self, server: Loopback, tmp_path: Path) -> None:
        sub = starlette_app(server.url, local_dir=str(tmp_path))
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path))) as client:
            handle = current_handle()
            assert handle is not None
            handle.dispose()
            client.get("/")
            TestClient(sub).get("/")
            assert current_handle() is None
        assert windows(tmp_path) == []


class TestConfiguration:
    def test_bad_configuration_is_refused_when_the_middleware_is_made(self) -> None:
        with pytest.raises(ValueError, match="recost: project_id: got 'a/b'"):
            RecostMiddleware(fastapi_app(""), project_id="a/b")
        with pytest.raises(ValueError, match=r"did you mean .api_key."):
            RecostMiddleware(fastapi_app(""), api_kye="x")

    def test_options_win_over_the_config_and_that_over_the_environment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RECOST_ENVIRONMENT", "from-environment")
        config = RecostConfig(project_id="config", max_retries=9)
        middleware = RecostMiddleware(fastapi_app(""), config, project_id="option")
        settings = middleware.settings
        assert (settings.project_id, settings.max_retries, settings.environment) == (
            "option",
            9,
            "from-environment",
        )

    def test_disabled_starts_nothing(self, server: Loopback, tmp_path: Path) -> None:
        with TestClient(starlette_app(server.url, local_dir=str(tmp_path), enabled=False)) as client:
            client.get("/")
            assert current_handle() is None
            assert not recost.is_installed()
        assert list(tmp_path.iterdir()) == []

    def test_neither_starlette_nor_fastapi_is_imported(self) -> None:
        code = """
import sys
import recost.frameworks.fastapi
print({"starlette", "fastapi", "httpx"} & set(sys.modules))
"""
        result = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (result.stdout.strip(), result.stderr) == ("set()", "")


async def nothing() -> Message:
    raise AssertionError("nobody listens")


async def nowhere(message: Message) -> None:
    raise AssertionError("nobody speaks")


class Server:
    """The server's side of a lifespan, without a server."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.outbox: asyncio.Queue[Message] = asyncio.Queue()

    def begin(self, app: Any) -> asyncio.Task[None]:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        return asyncio.create_task(app(scope, self.inbox.get, self.outbox.put))

    async def say(self, kind: str) -> str:
        await self.inbox.put({"type": f"lifespan.{kind}"})
        answer: str = (await self.outbox.get())["type"]
        return answer


class Application:
    """An application that follows the protocol, fails, or breaks it, as it is told."""

    def __init__(self, *, fails: Optional[str] = None, raises: Optional[str] = None) -> None:
        self.fails = fails
        self.raises = raises
        self.error = LookupError("of the application")
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        if self.raises == "at-once":
            raise self.error
        while scope.get("type") == "lifespan":
            kind = (await receive())["type"]
            if kind == self.raises:
                raise self.error
            if kind == self.fails:
                await send({"type": f"{kind}.failed", "message": "no"})
                return
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return


class TestProtocol:
    @pytest.mark.parametrize("scope", [{"type": "custom"}, {"type": "http"}, {"type": "websocket"}, {}])
    async def test_everything_is_passed_through_as_it_is(self, scope: dict[str, Any], tmp_path: Path) -> None:
        seen: list[tuple[Any, ...]] = []

        async def app(*arguments: Any) -> None:
            seen.append(arguments)

        await RecostMiddleware(app, local_dir=str(tmp_path))(scope, nothing, nowhere)
        ((got, receive, send),) = seen
        assert (got is scope, receive is nothing, send is nowhere) == (True, True, True)
        assert (current_handle() is not None) == (scope.get("type") in ("http", "websocket"))

    @pytest.mark.parametrize("kind", ["http", "websocket"])
    async def test_the_applications_exception_is_the_same_object(self, kind: str, tmp_path: Path) -> None:
        app = Application(raises="at-once")
        with pytest.raises(LookupError) as caught:
            await RecostMiddleware(app, local_dir=str(tmp_path))({"type": kind}, nothing, nowhere)
        assert caught.value is app.error
        assert caught.value.__context__ is None

    async def test_a_whole_lifespan(self, tmp_path: Path) -> None:
        app, peer = Application(), Server()
        task = peer.begin(RecostMiddleware(app, local_dir=str(tmp_path)))
        assert await peer.say("startup") == "lifespan.startup.complete"
        assert current_handle() is not None
        assert await peer.say("shutdown") == "lifespan.shutdown.complete"
        assert current_handle() is None
        await task

    async def test_an_application_without_lifespan_is_served_all_the_same(self, tmp_path: Path) -> None:
        app, peer = Application(raises="at-once"), Server()
        middleware = RecostMiddleware(app, local_dir=str(tmp_path))
        task = peer.begin(middleware)
        assert await peer.say("startup") == "lifespan.startup.complete"
        assert current_handle() is not None
        app.raises = None
        await middleware({"type": "http"}, nothing, nowhere)
        assert await peer.say("shutdown") == "lifespan.shutdown.complete"
        assert current_handle() is None
        await task
        assert [scope["type"] for scope in app.scopes] == ["lifespan", "http"]

    async def test_a_lifespan_that_is_cancelled_without_the_application_ends_the_sdk(
        self, tmp_path: Path
    ) -> None:
        peer = Server()
        task = peer.begin(RecostMiddleware(Application(raises="at-once"), local_dir=str(tmp_path)))
        await peer.say("startup")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert current_handle() is None

    @pytest.mark.parametrize("moment", ["lifespan.startup", "lifespan.shutdown"])
    async def test_a_failure_that_is_said_ends_the_sdk(self, moment: str, tmp_path: Path) -> None:
        peer = Server()
        task = peer.begin(RecostMiddleware(Application(fails=moment), local_dir=str(tmp_path)))
        answer = await peer.say("startup")
        if moment == "lifespan.shutdown":
            answer = await peer.say("shutdown")
        assert answer == f"{moment}.failed"
        assert current_handle() is None
        await task

    @pytest.mark.parametrize("moment", ["lifespan.startup", "lifespan.shutdown"])
    async def test_a_failure_that_is_raised_ends_the_sdk(self, moment: str, tmp_path: Path) -> None:
        app, peer = Application(raises=moment), Server()
        task = peer.begin(RecostMiddleware(app, local_dir=str(tmp_path)))
        await peer.inbox.put({"type": "lifespan.startup"})
        await peer.inbox.put({"type": "lifespan.shutdown"})
        with pytest.raises(LookupError) as caught:
            await task
        assert caught.value is app.error
        assert current_handle() is None

    async def test_a_cancelled_lifespan_ends_the_sdk(self, tmp_path: Path) -> None:
        peer = Server()
        task = peer.begin(RecostMiddleware(Application(), local_dir=str(tmp_path)))
        await peer.say("startup")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert current_handle() is None

    def test_a_lifespan_that_loses_its_loop_is_left_to_the_exit(self, tmp_path: Path) -> None:
        loop = asyncio.new_event_loop()
        coroutine = RecostMiddleware(Application(), local_dir=str(tmp_path))(
            {"type": "lifespan"}, started_and_waiting(), quiet
        )
        coroutine.send(None)
        loop.close()
        coroutine.close()
        assert current_handle() is not None

    def test_without_asyncio(self, tmp_path: Path) -> None:
        messages = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Message:
            return {"type": next(messages)}

        coroutine = RecostMiddleware(Application(), local_dir=str(tmp_path))(
            {"type": "lifespan"}, receive, quiet
        )
        with pytest.raises(StopIteration):  # it ran to its end, and awaited nothing of asyncio's
            coroutine.send(None)
        assert current_handle() is None

    async def test_a_failure_of_recost_is_reported_and_the_request_served(
        self, server: Loopback, tmp_path: Path
    ) -> None:
        errors: list[Exception] = []
        middleware = RecostMiddleware(Application(), local_dir=str(tmp_path), on_error=errors.append)
        vars(middleware.settings)["custom_providers"] = 3  # as if a part of recost had a bug
        await middleware({"type": "http"}, nothing, nowhere)
        await middleware({"type": "http"}, nothing, nowhere)
        assert [type(error) for error in errors] == [recost.RecostError]


async def quiet(message: Message) -> None: ...


def started_and_waiting() -> Receive:
    """Return what says that the startup begins, and then nothing any more."""
    said: list[bool] = []

    class Never:
        def __await__(self) -> Generator[None, None, None]:
            yield None

    async def receive() -> Message:
        if not said:
            said.append(True)
            return {"type": "lifespan.startup"}
        await Never()
        raise AssertionError

    return receive


async def test_the_loop_goes_on_while_the_last_flush_waits_for_the_collector(server: Loopback) -> None:
    peer = Server()
    options: dict[str, Any] = {"api_key": "rc-key", "project_id": "p", "base_url": server.url + "/hang"}
    task = peer.begin(RecostMiddleware(Application(), **options))
    await peer.say("startup")
    async with httpx.AsyncClient() as client:
        await client.get(server.url + "/outbound")
    await peer.inbox.put({"type": "lifespan.shutdown"})
    assert await arrived(server, "/hang/projects/p/telemetry")
    assert peer.outbox.empty()  # the server is told after the last flush …
    server.release.set()  # … which ends because the loop came here
    assert (await peer.outbox.get())["type"] == "lifespan.shutdown.complete"
    await task
    assert current_handle() is None


async def arrived(server: Loopback, path: str) -> bool:
    for _ in range(2000):
        if any(request.path == path for request in server.log):
            return True
        await asyncio.sleep(0.005)
    return False


@contextmanager
def uvicorn_serving(app: Any, lifespan: Any) -> Iterator[int]:
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan=lifespan, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert wait_until(lambda: server.started)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


def fetch(port: int, path: str) -> bytes:
    """Request over a bare socket, because this process's own calls would be counted."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        chunks = list(iter(lambda: connection.recv(65536), b""))
    return b"".join(chunks)


@pytest.mark.parametrize("lifespan", ["on", "off", "auto"])
def test_uvicorn(lifespan: str, server: Loopback, tmp_path: Path) -> None:
    app = fastapi_app(server.url)
    app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    with uvicorn_serving(app, lifespan) as port:
        assert (current_handle() is None) == (lifespan == "off")
        threads = [
            threading.Thread(target=fetch, args=(port, path)) for path in ("/async", "/sync", "/stream") * 5
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert b" 500 " in fetch(port, "/fails")
        assert current_handle() is not None
    assert (current_handle() is None) == (lifespan != "off")
    with suppress(AttributeError):
        serving.end()
    assert calls(windows(tmp_path)) == served(server)
    assert served(server) == {"/from-async": 15, "/from-sync": 5, "/from-stream": 10, "/from-fails": 1}
