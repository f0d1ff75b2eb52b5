"""Each outbound call is tagged with the route that it is made for: FastAPI and Starlette."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx
import pytest
import requests
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, WebSocket
from starlette import __version__ as starlette_version
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.testclient import TestClient

import recost
from recost.frameworks import serving
from recost.frameworks.fastapi import RecostMiddleware
from tests.frameworks.serving import Tags, asgi_serving, ask_all, attributed, served, tags
from tests.loopback import Loopback

Call = Callable[[str], Awaitable[None]]

UNUSED = ssl.create_default_context()
"""One for all clients: making it takes longer than a request."""


@pytest.fixture
def call(server: Loopback) -> Call:
    async def call(name: str) -> None:
        async with httpx.AsyncClient(verify=UNUSED, timeout=60) as client:
            await client.get(f"{server.url}/{name}")

    return call


@pytest.fixture
def call_now(server: Loopback) -> Callable[[str], None]:
    return lambda name: requests.get(f"{server.url}/{name}").close()


def fastapi_app(call: Call, call_now: Callable[[str], None]) -> FastAPI:  # noqa: C901 - many kinds of routes
    """Routers in routers, mounts in mounts; each call's name is that of the route in ``ROUTES``."""
    app = FastAPI()

    @app.get("/users/{user_id}")
    async def user(user_id: str) -> None:
        await asyncio.gather(call("user"), call("user"))

    @app.post("/users/{user_id}")
    async def change_user(user_id: str, background: BackgroundTasks) -> None:
        background.add_task(call, "change-user")
        background.add_task(call_now, "change-user")

    @app.get("/sync/{item}")
    def synchronous(item: int) -> None:
        call_now("sync")

    @app.get("/stream/{item}")
    async def stream(item: str) -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            for _ in range(2):
                await call("stream")
                yield b"line\n"

        return StreamingResponse(lines())

    @app.get("/sync-stream/{item}")
    def sync_stream(item: str) -> StreamingResponse:
        def lines() -> Iterator[bytes]:
            for _ in range(2):
                call_now("sync-stream")
                yield b"line\n"

        return StreamingResponse(lines())

    async def dependency() -> AsyncIterator[None]:
        await call("order")
        yield
        await call("order")

    orders = APIRouter(prefix="/orders")

    @orders.get("/{order_id}/lines/{line}", dependencies=[Depends(dependency)])
    async def order(order_id: str, line: str) -> None:
        await call("order")

    inner = APIRouter()
    inner.include_router(orders, prefix="/{tenant}")
    app.include_router(inner, prefix="/v1")
    app.include_router(orders, prefix="/v2")

    sub = FastAPI()

    @sub.get("/reports/{report_id}")
    def report(report_id: str) -> None:
        call_now("report")

    app.mount("/admin", sub)

    async def shelf(request: Request) -> PlainTextResponse:
        await call("shelf")
        return PlainTextResponse("")

    class Box(HTTPEndpoint):
        async def get(self, request: Request) -> PlainTextResponse:
            await call("box")
            return PlainTextResponse("")

    store = Starlette(
        routes=[
            Mount("/rooms", routes=[Route("/{room}/shelf/{shelf:int}", shelf), Route("/{room}/box", Box)]),
            Mount("/again", app=Router([Route("/{room}", shelf)])),
        ]
    )
    app.mount("/stores/{store}", store)
    app.router.routes.append(Route("/plain/{item}", Box))
    return app


ROUTES = [
    ("GET", "/users/{user_id}", "/users/u-canary", "user", 2),
    ("POST", "/users/{user_id}", "/users/u-canary", "change-user", 2),
    ("GET", "/sync/{item}", "/sync/77", "sync", 1),
    ("GET", "/stream/{item}", "/stream/s-canary", "stream", 2),
    ("GET", "/sync-stream/{item}", "/sync-stream/s-canary", "sync-stream", 2),
    (
        "GET",
        "/v1/{tenant}/orders/{order_id}/lines/{line}",
        "/v1/t-canary/orders/o-canary/lines/l",
        "order",
        3,
    ),
    ("GET", "/v2/orders/{order_id}/lines/{line}", "/v2/orders/o-canary/lines/l", "order", 3),
    ("GET", "/admin/reports/{report_id}", "/admin/reports/r-canary", "report", 1),
    ("GET", "/stores/{store}/rooms/{room}/shelf/{shelf:int}", "/stores/x-canary/rooms/r/shelf/3", "shelf", 1),
    ("GET", "/stores/{store}/again/{room}", "/stores/x-canary/again/r-canary", "shelf", 1),
    ("GET", "/stores/{store}/rooms/{room}/box", "/stores/x-canary/rooms/r-canary/box", "box", 1),
    ("GET", "/plain/{item}", "/plain/p-canary", "box", 1),
]


def expected(times: int) -> dict[str, dict[Tags, int]]:
    """Return what each upstream path must have been called for."""
    found: dict[str, dict[Tags, int]] = {}
    for method, route, _, name, calls in ROUTES:
        found.setdefault("/" + name, {})[tags(route=route, method=method)] = calls * times
    return found


@pytest.mark.parametrize("where", ["added", "around", "twice"])
def test_every_kind_of_route_under_load(
    where: str, call: Call, call_now: Callable[[str], None], server: Loopback, tmp_path: Path
) -> None:
    fast = fastapi_app(call, call_now)
    app: Any = fast
    if where != "around":
        fast.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    if where != "added":
        app = RecostMiddleware(fast, local_dir=str(tmp_path))
    times = 17 if where == "added" else 2
    with asgi_serving(app) as port:
        ask_all(port, [(method, path, {}) for method, _, path, _, _ in ROUTES] * times)
    assert attributed(tmp_path) == expected(times)
    assert sum(served(server).values()) == times * sum(calls for *_, calls in ROUTES)
    assert not any("canary" in path.read_text() for path in tmp_path.iterdir())


class Outside:
    """A middleware that calls somebody before the route is known, and after."""

    def __init__(self, app: Any, call: Call) -> None:
        self.app = app
        self.call = call

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.call("before")
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            await self.call("after")


class Based(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Any) -> Response:
        with recost.tag(feature="search"):
            response: Response = await call_next(request)
            return response


def test_middleware_calls_before_and_after_routing(call: Call, tmp_path: Path) -> None:
    app = FastAPI()

    @app.get("/items/{item}")
    async def item(item: str) -> None:
        await call("inside")
        with recost.tag(route="own", feature=None):
            await call("own")

    app.add_middleware(Based)
    app.add_middleware(Outside, call=call)
    app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    with TestClient(app) as client:
        client.get("/items/canary")
    assert attributed(tmp_path) == {
        "/before": {tags(method="GET"): 1},
        "/inside": {tags(method="GET", route="/items/{item}", feature="search"): 1},
        "/own": {tags(method="GET", route="own"): 1},
        "/after": {tags(method="GET", route="/items/{item}"): 1},
    }


def test_threads_tasks_and_what_outlives_the_request(
    call: Call, call_now: Callable[[str], None], tmp_path: Path
) -> None:
    left: list[asyncio.Task[None]] = []
    go = threading.Event()

    async def later() -> None:
        await anyio.to_thread.run_sync(go.wait)
        await call("task")

    async def endpoint(request: Request) -> PlainTextResponse:
        left.append(asyncio.create_task(later()))
        await anyio.to_thread.run_sync(call_now, "thread")
        await asyncio.to_thread(call_now, "thread")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, call_now, "thread").result()
            pool.submit(call_now, "elsewhere").result()
        return PlainTextResponse("")

    async def release(request: Request) -> PlainTextResponse:
        go.set()
        await left[0]
        return PlainTextResponse("")

    app = Starlette(routes=[Route("/a/{x}", endpoint), Route("/b/{y}", release)])
    app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    with TestClient(app) as client:
        client.get("/a/1")
        client.get("/b/1")
    assert attributed(tmp_path) == {
        "/thread": {tags(method="GET", route="/a/{x}"): 3},
        "/elsewhere": {None: 1},
        "/task": {tags(method="GET", route="/a/{x}"): 1},
    }


def test_websockets_have_a_route_and_no_method(call: Call, tmp_path: Path) -> None:
    app, router = FastAPI(), APIRouter()

    @router.websocket("/rooms/{room}")
    async def room(connection: WebSocket, room: str) -> None:
        await connection.accept()
        await call("ws")
        await connection.close()

    app.include_router(router, prefix="/chat")
    app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    with TestClient(app) as client, client.websocket_connect("/chat/rooms/canary") as connection:
        connection.receive()
    assert attributed(tmp_path) == {"/ws": {tags(route="/chat/rooms/{room}"): 1}}


def test_hosts_root_paths_and_applications_without_routes(call: Call, tmp_path: Path) -> None:
    async def index(request: Request) -> PlainTextResponse:
        await call("index")
        return PlainTextResponse("")

    async def bare(scope: Any, receive: Any, send: Any) -> None:
        await call("bare")
        await PlainTextResponse("")(scope, receive, send)

    sub = Starlette(routes=[Route("/deep/{x}", index)], middleware=[Middleware(Outside, call=call)])
    app = Starlette(
        routes=[
            Host("api.example.org", app=Router([Route("/host/{x}", index)])),
            Mount("/raw/{x}", app=bare),
            Mount("/wrapped", app=Outside(sub, call)),
            Mount("/", routes=[Route("/last/{x}", index)]),
        ]
    )
    app.add_middleware(RecostMiddleware, local_dir=str(tmp_path))
    # Earlier, root_path was not part of the path.
    proxy = "/proxy" if tuple(map(int, starlette_version.split(".")[:2])) >= (0, 35) else ""
    with TestClient(app, root_path="/proxy") as client:
        client.get(f"{proxy}/host/canary", headers={"host": "api.example.org"})
        client.get(f"{proxy}/raw/canary/canary")
        client.get(f"{proxy}/wrapped/deep/canary")
        client.get(f"{proxy}/last/canary")
        assert client.get(f"{proxy}/nowhere").status_code == 404
    found = attributed(tmp_path)
    assert found["/index"] == {
        tags(method="GET", route="/host/{x}"): 1,
        tags(method="GET", route="/wrapped/deep/{x}"): 1,
        tags(method="GET", route="/last/{x}"): 1,
    }
    assert found["/bare"] == {tags(method="GET", route="/raw/{x}/{path}"): 1}
    # Inside a mount whose own router has not come to a decision yet.
    assert found["/before"] == {tags(method="GET"): 2}
    assert found["/after"] == {tags(method="GET", route="/wrapped/deep/{x}"): 2}


def test_an_application_that_is_called_in_process_has_its_own_route(call: Call, tmp_path: Path) -> None:
    async def inner_endpoint(request: Request) -> PlainTextResponse:
        await call("inner")
        return PlainTextResponse("")

    inner = Starlette(
        routes=[Route("/inner/{x}", inner_endpoint, methods=["POST"])],
        middleware=[Middleware(RecostMiddleware, local_dir=str(tmp_path)), Middleware(Outside, call=call)],
    )

    async def gateway(request: Request) -> PlainTextResponse:
        transport = httpx.ASGITransport(inner)
        async with httpx.AsyncClient(transport=transport, base_url="http://inner") as client:
            await client.post("/inner/1")
        await call("gateway")
        return PlainTextResponse("")

    app = RecostMiddleware(Starlette(routes=[Route("/gateway", gateway)]), local_dir=str(tmp_path))
    with TestClient(app) as client:
        client.get("/gateway")
    assert attributed(tmp_path) == {
        "/before": {tags(method="POST"): 1},
        "/inner": {tags(method="POST", route="/inner/{x}"): 1},
        "/after": {tags(method="POST", route="/inner/{x}"): 1},
        "/gateway": {tags(method="GET", route="/gateway"): 1},
    }


def test_a_method_of_the_clients_own_making_is_not_shown(call: Call, tmp_path: Path) -> None:
    class Anything(HTTPEndpoint):
        async def dispatch(self) -> None:
            await call("any")
            await PlainTextResponse("")(self.scope, self.receive, self.send)

    app = RecostMiddleware(Starlette(routes=[Route("/any", Anything)]), local_dir=str(tmp_path))
    with TestClient(app) as client:
        client.request("CANARY", "/any")
    assert attributed(tmp_path) == {"/any": {tags(method="OTHER", route="/any"): 1}}


class TestOwnTags:
    def app(self, call: Call, tmp_path: Path, **options: Any) -> FastAPI:
        app = FastAPI()

        @app.get("/items/{item}")
        async def item(item: str, request: Request) -> None:
            request.state.plan = "gold"
            await call("item")

        app.add_middleware(RecostMiddleware, local_dir=str(tmp_path), **options)
        return app

    def test_sums_by_tenant_are_exact_under_load(self, call: Call, tmp_path: Path) -> None:
        app = self.app(call, tmp_path, tags=lambda request: {"tenant": request.headers.get("x-tenant")})
        tenants = ["acme", "globex", "initech", None]
        with asgi_serving(app) as port:
            ask_all(
                port,
                [
                    ("GET", f"/items/{index}", {"x_tenant": tenant} if tenant else {})
                    for index, tenant in enumerate(tenants * 25)
                ],
            )
        common = {"method": "GET", "route": "/items/{item}"}
        assert attributed(tmp_path)["/item"] == {
            **{tags(**common, tenant=tenant): 25 for tenant in tenants if tenant},
            tags(**common): 25,
        }

    def test_without_routes(self, call: Call, tmp_path: Path) -> None:
        app = self.app(call, tmp_path, tag_routes=False, tags=lambda request: {"plan": request.state.plan})
        with TestClient(app) as client:
            client.get("/items/1")
        assert attributed(tmp_path) == {"/item": {tags(plan="gold"): 1}}

    def test_off(self, call: Call, tmp_path: Path) -> None:
        with TestClient(self.app(call, tmp_path, tag_routes=False)) as client:
            client.get("/items/1")
        assert attributed(tmp_path) == {"/item": {None: 1}}

    @pytest.mark.parametrize(
        ("given", "kept", "problem"),
        [
            (
                {"tenant": ""},
                {},
                "tag 'tenant': got a blank text, expected 1 to 100",
            ),
            (
                {"tenant": "x" * 101, "a": 1},
                {"a": "1"},
                "tag 'tenant': got 101 characters, expected 1 to 100",
            ),
            ({7: "x"}, {}, "tag name: got a value of type int, expected"),
            ({" ": "x"}, {}, "tag name: got a blank text, expected"),
            ({f"t{n}": n for n in range(9)}, {f"t{n}": str(n) for n in range(8)}, "more than 8 tags"),
            (["tenant"], {}, "the function returned a list, expected a dict"),
            (LookupError("canary"), {}, "the function raised LookupError at "),
            (None, {}, None),
            ({"route": "mine", "method": None}, {"route": "mine"}, None),
        ],
    )
    def test_what_is_not_right_is_reported_once(
        self, given: Any, kept: dict[str, str], problem: str, call: Call, tmp_path: Path
    ) -> None:
        def own(request: Request) -> Any:
            if isinstance(given, Exception):
                raise given
            return given

        errors: list[Exception] = []
        app = self.app(call, tmp_path, tags=own, on_error=errors.append)
        with TestClient(app) as client:
            assert [client.get("/items/1").status_code for _ in range(2)] == [200, 200]
        want = {"method": "GET", "route": "/items/{item}", **kept}
        assert attributed(tmp_path) == {"/item": {tags(**want): 2}}
        assert [type(error) for error in errors] == [recost.RecostError] * (problem is not None)
        if problem is not None:
            assert str(errors[0]).startswith("recost: tags: ")
            assert problem in str(errors[0])
            assert "canary" not in str(errors[0])

    def test_calls_of_the_function_itself_do_not_ask_it_again(
        self, call: Call, call_now: Callable[[str], None], tmp_path: Path
    ) -> None:
        def own(request: Request) -> dict[str, object]:
            call_now("lookup")
            return {"tenant": "acme"}

        with TestClient(self.app(call, tmp_path, tags=own)) as client:
            client.get("/items/1")
        assert attributed(tmp_path) == {
            "/lookup": {None: 1},
            "/item": {tags(method="GET", route="/items/{item}", tenant="acme"): 1},
        }

    def test_wrong_options_are_refused(self) -> None:
        async def own(request: Request) -> dict[str, object]:
            return {}

        with pytest.raises(ValueError, match="recost: tags: got a coroutine function"):
            RecostMiddleware(FastAPI(), tags=own)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="recost: tags: got a str"):
            RecostMiddleware(FastAPI(), tags="tenant")  # type: ignore[call-overload]
        with pytest.raises(ValueError, match="recost: tag_routes: got 'no'"):
            RecostMiddleware(FastAPI(), tag_routes="no")  # type: ignore[call-overload]


def test_track_inside_a_request_sums_its_calls(call: Call, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    async def endpoint(request: Request) -> PlainTextResponse:
        with recost.track() as spend:
            await call("tracked")
            with recost.tag(feature="x"):
                await call("tracked")
        seen.append((spend.calls, spend.unpriced))
        return PlainTextResponse("")

    app = RecostMiddleware(Starlette(routes=[Route("/t/{x}", endpoint)]), local_dir=str(tmp_path))
    with TestClient(app) as client:
        client.get("/t/1")
    assert seen == [(2, 2)]
    common = {"method": "GET", "route": "/t/{x}"}
    assert attributed(tmp_path) == {"/tracked": {tags(**common): 1, tags(**common, feature="x"): 1}}


def test_nothing_is_left_in_the_servers_context(call: Call, tmp_path: Path) -> None:

    from recost.interceptors.context import cost_scope

    async def endpoint(request: Request) -> PlainTextResponse:
        assert cost_scope.get() is not None
        if "fail" in request.query_params:
            raise LookupError
        return PlainTextResponse("")

    app = RecostMiddleware(Starlette(routes=[Route("/", endpoint)]), local_dir=str(tmp_path))

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            await client.get("/")
            assert cost_scope.get() is None
            with pytest.raises(LookupError):
                await client.get("/?fail")
            assert cost_scope.get() is None

    asyncio.run(main())
    serving.end()
