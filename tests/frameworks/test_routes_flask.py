"""Each outbound call is tagged with the rule that it is made for: Flask."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Blueprint, Flask, Response, g, send_file, stream_with_context
from flask import request as flask_request
from flask.views import MethodView
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import FileWrapper

import recost
from recost.frameworks import serving
from recost.frameworks.flask import RecostExtension
from recost.interceptors.context import cost_scope
from tests.frameworks.serving import Tags, ask_all, attributed, served, tags, wsgi_serving
from tests.loopback import Loopback

Call = Callable[[str], None]


@pytest.fixture
def call(server: Loopback) -> Call:
    return lambda name: requests.get(f"{server.url}/{name}").close()


def flask_app(call: Call) -> Flask:  # noqa: C901 - many kinds of views
    """Blueprints in blueprints; each call's name is that of the route in ``ROUTES``."""
    app = Flask("service")

    @app.get("/users/<user_id>")
    def user(user_id: str) -> str:
        call("user")
        return ""

    @app.post("/users/<user_id>")
    def change_user(user_id: str) -> str:
        call("change-user")
        return ""

    @app.get("/stream/<int:item>")
    def stream(item: int) -> Response:
        def lines() -> Iterator[bytes]:
            for _ in range(2):
                call("stream")
                yield b"line\n"
            call("stream")

        return Response(lines())

    @app.get("/with-context/<item>")
    def with_context(item: str) -> Response:
        def lines() -> Iterator[bytes]:
            for _ in range(2):
                call("with-context")
                yield flask_request.path.encode()

        return Response(stream_with_context(lines()))

    @app.get("/closes/<item>")
    def closes(item: str) -> Response:
        response = Response("done")
        response.call_on_close(lambda: call("closes"))
        g.torn = "teardown"
        return response

    @app.teardown_request
    def torn(error: object) -> None:
        if "torn" in g:
            call(g.torn)

    inner = Blueprint("inner", __name__)

    @inner.before_request
    def hook() -> None:
        call("order")

    class Order(MethodView):
        def get(self, tenant: str, order_id: int) -> str:
            call("order")
            return ""

    inner.add_url_rule("/orders/<int:order_id>", view_func=Order.as_view("order"))
    outer = Blueprint("outer", __name__, url_prefix="/<tenant>")
    outer.register_blueprint(inner, url_prefix="/inner")
    app.register_blueprint(outer, url_prefix="/v1/<tenant>")

    if find_spec("asgiref") is not None:

        @app.get("/async/<item>")
        async def asynchronous(item: str) -> str:
            call("async")
            await asyncio.gather(asyncio.to_thread(call, "async"), asyncio.to_thread(call, "async"))
            return ""

    return app


ROUTES = [
    ("GET", "/users/<user_id>", "/users/u-canary", {"user": 1}),
    ("POST", "/users/<user_id>", "/users/u-canary", {"change-user": 1}),
    ("GET", "/stream/<int:item>", "/stream/77", {"stream": 3}),
    ("GET", "/with-context/<item>", "/with-context/w-canary", {"with-context": 2}),
    ("GET", "/closes/<item>", "/closes/c-canary", {"closes": 1, "teardown": 1}),
    ("GET", "/v1/<tenant>/inner/orders/<int:order_id>", "/v1/t-canary/inner/orders/5", {"order": 2}),
    *([("GET", "/async/<item>", "/async/a-canary", {"async": 3})] if find_spec("asgiref") else []),
]


def expected(times: int, prefix: str = "") -> dict[str, dict[Tags, int]]:
    return {
        f"/{name}": {tags(route=prefix + rule, method=method): count * times}
        for method, rule, _, calls in ROUTES
        for name, count in calls.items()
    }


def flushed(folder: Path) -> Any:
    serving.end()
    return attributed(folder)


def test_every_kind_of_view_under_load(call: Call, server: Loopback, tmp_path: Path) -> None:
    app = flask_app(call)
    RecostExtension(app, local_dir=str(tmp_path))
    times = 30
    with wsgi_serving(app) as port:
        ask_all(port, [(method, path, {}) for method, _, path, _ in ROUTES] * times)
    assert flushed(tmp_path) == expected(times)
    assert sum(served(server).values()) == sum(sum(calls.values()) for *_, calls in ROUTES) * times
    assert not any("canary" in path.read_text() for path in tmp_path.iterdir())


@pytest.mark.parametrize("mounted_has_its_own", [False, True])
def test_mounts_of_a_dispatcher_inside(mounted_has_its_own: bool, call: Call, tmp_path: Path) -> None:
    admin, deep, app = Flask("admin"), flask_app(call), Flask("main")
    if mounted_has_its_own:
        RecostExtension(deep, local_dir=str(tmp_path))

    @app.get("/top/<x>")
    def top(x: str) -> str:
        call("top")
        return ""

    admin.wsgi_app = DispatcherMiddleware(admin.wsgi_app, {"/deep": deep})  # type: ignore[method-assign]
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/admin": admin})  # type: ignore[method-assign]
    RecostExtension(app, local_dir=str(tmp_path))
    # What streams after the end of Flask's request is known to be whose where the extension is.
    routes = [each for each in ROUTES if mounted_has_its_own or each[1] != "/stream/<int:item>"]
    with wsgi_serving(DispatcherMiddleware(Flask("root"), {"/proxy": app})) as port:
        ask_all(port, [("GET", "/proxy/top/canary", {})])
        ask_all(port, [(method, f"/proxy/admin/deep{path}", {}) for method, _, path, _ in routes])
    found = flushed(tmp_path)
    assert found.pop("/top") == {tags(method="GET", route="/top/<x>"): 1}
    wanted = expected(1, "/admin/deep")
    if not mounted_has_its_own:
        del wanted["/stream"]
        # Closing comes after the end of Flask's request, too.
        found["/closes"] = wanted["/closes"]
    assert found == wanted


def test_a_prefix_that_is_a_clients_choice_is_not_shown(call: Call, tmp_path: Path) -> None:
    app = flask_app(call)
    flask_wsgi = app.wsgi_app

    def tenant_first(environ: Any, start_response: Any) -> Any:
        call("before")
        _, tenant, rest = environ["PATH_INFO"].split("/", 2)
        return flask_wsgi({**environ, "SCRIPT_NAME": f"/{tenant}", "PATH_INFO": f"/{rest}"}, start_response)

    def tenant_in_place(environ: Any, start_response: Any) -> Any:
        _, tenant, rest = environ["PATH_INFO"].split("/", 2)
        environ.update(SCRIPT_NAME=f"/{tenant}", PATH_INFO=f"/{rest}")
        return tenant_first(environ, start_response)

    app.wsgi_app = DispatcherMiddleware(tenant_in_place, {"/admin": Flask("admin")})  # type: ignore[method-assign]
    RecostExtension(app, local_dir=str(tmp_path))
    app.test_client().get("/canary/canary/users/canary")
    found = flushed(tmp_path)
    assert found == {
        "/before": {tags(method="GET"): 1},
        "/user": {tags(method="GET", route="/users/<user_id>"): 1},
    }
    assert not any("canary" in path.read_text() for path in tmp_path.iterdir())


def test_threads_and_what_outlives_the_request(call: Call, tmp_path: Path) -> None:
    app = Flask("service")
    threads: list[threading.Thread] = []
    go = threading.Event()

    def later() -> None:
        go.wait()
        call("later")

    @app.get("/<x>")
    def view(x: str) -> str:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, call, "thread").result()
        threads.append(threading.Thread(target=copy_context().run, args=(later,)))
        threads[0].start()
        return ""

    RecostExtension(app, local_dir=str(tmp_path))
    app.test_client().get("/canary")
    go.set()
    threads[0].join()
    tagged = {tags(method="GET", route="/<x>"): 1}
    assert flushed(tmp_path) == {"/thread": tagged, "/later": tagged}


def test_tags_of_ones_own(call: Call, tmp_path: Path) -> None:
    app = flask_app(call)
    RecostExtension(
        app, local_dir=str(tmp_path), tags=lambda request: {"tenant": request.headers.get("X-Tenant")}
    )
    tenants = ["acme", "globex", None]
    with wsgi_serving(app) as port:
        ask_all(
            port,
            [
                ("GET", path, {"X_Tenant": tenant} if tenant else {})
                for path in ("/users/1", "/stream/1")
                for tenant in tenants * 20
            ],
        )
    for name, rule, calls in (("/user", "/users/<user_id>", 20), ("/stream", "/stream/<int:item>", 60)):
        common = {"method": "GET", "route": rule}
        assert flushed(tmp_path)[name] == {
            tags(**common, tenant="acme"): calls,
            tags(**common, tenant="globex"): calls,
            tags(**common): calls,
        }


def test_tags_before_there_is_a_request_of_flasks(call: Call, tmp_path: Path) -> None:
    app = flask_app(call)
    inner = app.wsgi_app

    def middleware(environ: Any, start_response: Any) -> Any:
        call("before")
        return inner(environ, start_response)

    app.wsgi_app = middleware  # type: ignore[method-assign]
    RecostExtension(app, local_dir=str(tmp_path), tags=lambda request: {"path": request.headers["X-Path"]})
    app.test_client().get("/users/1", headers={"X-Path": "p"})
    assert flushed(tmp_path) == {
        "/before": {tags(method="GET", path="p"): 1},
        "/user": {tags(method="GET", route="/users/<user_id>", path="p"): 1},
    }


@pytest.mark.parametrize("option", ["argument", "disabled"])
def test_off(option: str, call: Call, tmp_path: Path) -> None:
    app = flask_app(call)
    options: dict[str, Any] = {"tag_routes": False} if option == "argument" else {"enabled": False}
    before = app.wsgi_app
    RecostExtension(app, local_dir=str(tmp_path), **options)
    assert app.before_request_funcs == {"outer.inner": app.before_request_funcs["outer.inner"]}
    assert app.wsgi_app != before
    with recost.init(local_dir=str(tmp_path)):
        app.test_client().get("/users/1")
    assert attributed(tmp_path) == {"/user": {None: 1}}


class TestTheBody:
    def start(self, app: Any, folder: Path) -> Any:
        extended = Flask("service")
        extended.wsgi_app = app  # type: ignore[method-assign]
        RecostExtension(extended, local_dir=str(folder))
        return extended.wsgi_app

    @pytest.mark.parametrize("body", [[b"a", b"b"], (b"a",)])
    def test_that_is_complete_is_passed_on(self, body: Any, tmp_path: Path) -> None:
        app = self.start(lambda environ, start_response: body, tmp_path)
        assert app({"REQUEST_METHOD": "GET"}, lambda *_: None) is body

    def test_of_a_file_is_passed_on(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        file = (tmp_path / "file").open("rb")
        wrapped = FileWrapper(file)
        for body in (file, wrapped):
            app = self.start(lambda environ, start_response, body=body: body, tmp_path)
            environ = {"REQUEST_METHOD": "GET", "wsgi.file_wrapper": FileWrapper}
            assert app(environ, lambda *_: None) is body
        file.close()

    def test_is_iterated_and_closed_once_and_its_error_is_the_same(self, tmp_path: Path) -> None:
        error = LookupError("of the application")
        log: list[object] = []

        class Body:
            def __iter__(self) -> Iterator[bytes]:
                log.append("iter")
                yield b"part"
                raise error

            def close(self) -> None:
                log.append(("close", cost_scope.get() is not None))

        body = self.start(lambda environ, start_response: Body(), tmp_path)(
            {"REQUEST_METHOD": "GET"}, lambda *_: None
        )
        assert log == []
        assert next(body) == b"part"
        assert cost_scope.get() is None
        with pytest.raises(LookupError) as caught:
            next(body)
        assert caught.value is error
        body.close()
        assert log == ["iter", ("close", True)]
        assert cost_scope.get() is None

    def test_without_close(self, tmp_path: Path) -> None:
        app = self.start(lambda environ, start_response: iter([b"a"]), tmp_path)
        body = app({"REQUEST_METHOD": "GET"}, lambda *_: None)
        assert list(body) == [b"a"]
        body.close()

    def test_sent_by_flask(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content" * 1000)
        app = Flask("service")
        app.get("/")(lambda: send_file(tmp_path / "file"))
        RecostExtension(app, local_dir=str(tmp_path))
        response = app.test_client().get("/")
        assert response.data == b"content" * 1000
        response.close()
        environ = app.test_request_context("/").request.environ
        chunks, status, _ = run_wsgi_app(app, environ, buffered=True)
        assert (b"".join(chunks), status) == (b"content" * 1000, "200 OK")
