"""No secret that the application puts into a call is found in anything that recost leaves behind."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

import recost
from recost.interceptors import interception
from tests.api import Api, Step, answer
from tests.integration.clients import ASYNC_SENDERS, CLIENTS, SENDERS, AsyncSender, Call, Sender, installed
from tests.integration.proxy import forward_proxy
from tests.integration.secrets_in_calls import (
    AUTHORIZATION,
    EVERYWHERE,
    HEADER,
    IN_PATHS,
    PASSWORD,
    PROXY_PASSWORD,
    PROXY_USER,
    USER,
    Secret,
    Trail,
    secret_calls,
    with_userinfo,
)
from tests.labelled import hash_of
from tests.loopback import Loopback, refused_port, wait_until
from tests.scripts import environment

KEY = "rc-Kx4mZp7q-Tn9wLs2vRb6yHd3f"
AFTER_8 = Secret("API key", KEY, (KEY[:9], KEY[8:], KEY[-8:]))
PROXY_PAIR = f"{PROXY_USER.text}:{PROXY_PASSWORD.text}"


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def _logged() -> Iterator[list[logging.LogRecord]]:
    handler = _Records()
    logger = logging.getLogger("recost")
    logger.addHandler(handler)
    try:
        yield handler.records
    finally:
        logger.removeHandler(handler)


def _send_all(send: Sender, calls: list[Call]) -> None:
    for call in calls:
        _send(send, call)


def _send(send: Sender, call: Call) -> None:
    try:
        send(call)
    except Exception:  # noqa: BLE001 - what the client says is not recost's
        return


async def _async_send_all(client: str, calls: list[Call], proxy: Optional[str]) -> None:
    async def quietly(send: AsyncSender, call: Call) -> None:
        try:
            await send(call)
        except Exception:  # noqa: BLE001
            return

    async with ASYNC_SENDERS[client](proxy=proxy) as send:
        for call in calls:
            await quietly(send, call)


def _through(client: str, calls: list[Call], proxy: Optional[str] = None) -> None:
    """Make the calls with the client, in each way that it has."""
    if client in SENDERS:
        with SENDERS[client](proxy=proxy) as send:
            _send_all(send, calls)
    if client in ASYNC_SENDERS:
        asyncio.run(_async_send_all(client, calls, proxy))


def _calls(server: Loopback) -> list[Call]:
    """Return calls that go well, that fail on the way, and that never arrive."""
    nobody = f"http://127.0.0.1:{refused_port()}"
    plain = list(secret_calls(server.url))
    return [
        *plain,
        *(Call(c.method, with_userinfo(c.url), body=c.body, headers=c.headers) for c in plain[:2]),
        *list(secret_calls(server.url, "reset"))[:3],
        *list(secret_calls(server.url, "truncate"))[:3],
        *secret_calls(nobody),
        *(Call(c.method, with_userinfo(c.url), body=c.body) for c in list(secret_calls(nobody))[:2]),
    ]


def _look_around(trail: Trail, handle: Any, events: list[recost.RawEvent]) -> None:
    """Add what the process holds while recost runs, and what was recorded."""
    trail.add("handle", repr(handle))
    trail.add("flush status", repr(handle.last_flush_status))
    trail.add("interception", repr(vars(interception)))
    for event in events:
        trail.add("event", repr(event))
    trail.add_objects()


HASHES = [Secret("hash", hash_of(secret.text)[7:]) for secret in (AUTHORIZATION, HEADER, USER, PASSWORD)]
HASHES += [Secret("hash", repr(sha256(secret.text.encode()).digest())) for secret in (AUTHORIZATION, HEADER)]


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_of_a_call_is_in_files_logs_errors_or_reprs(
    client: str, labelled: bool, server: Loopback, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not installed(client):
        pytest.skip(f"{client} is not installed")
    errors: list[Exception] = []
    events: list[recost.RawEvent] = []
    trail = Trail([*EVERYWHERE, *IN_PATHS, *HASHES])
    labels = {hash_of(AUTHORIZATION.text): "alice", hash_of(USER.text): "bob"} if labelled else None
    config = recost.RecostConfig(
        local_dir=tmp_path / "telemetry", debug=True, on_error=errors.append, key_labels=labels
    )
    with _logged() as records, recost.init(config) as handle, forward_proxy(PROXY_PAIR) as proxy:
        recost.install(events.append)
        _through(client, _calls(server))
        through_proxy = list(secret_calls(server.url))
        _through(client, through_proxy, f"http://{PROXY_PAIR}@127.0.0.1:{proxy.port}")
        _through(client, through_proxy[:2], f"http://{PROXY_PAIR}x@127.0.0.1:{proxy.port}")
        assert proxy.seen
        assert proxy.refused
        assert handle.flush_blocking(10)
        _look_around(trail, handle, events)
        trail.add("configuration", repr(config))
    recost.uninstall()
    assert len(events) > len(IN_PATHS) * 3
    assert errors == []
    assert any("captured" in record.getMessage() for record in records)
    trail.add_files(tmp_path)
    trail.add_records(records)
    trail.add("output", "".join(capfd.readouterr()))
    assert any("/items/" in text for where, text in trail.texts if where == "file")
    assert labelled == any('"key":"alice"' in text for where, text in trail.texts if where == "file")
    assert trail.found() == set()


@pytest.mark.parametrize("given", ["variable", "file"])
def test_the_doctor_shows_no_hash(given: str, tmp_path: Path) -> None:
    text = json.dumps({hash_of(AUTHORIZATION.text): "alice"})
    file = tmp_path / "labels.json"
    file.write_text(text, encoding="utf-8")
    env = environment(
        RECOST_LOCAL_DIR=str(tmp_path), RECOST_KEY_LABELS=text if given == "variable" else str(file)
    )
    command = [sys.executable, "-m", "recost", "doctor"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "key_labels" in done.stdout
    assert "1 label " in done.stdout
    assert hash_of(AUTHORIZATION.text)[7:] not in done.stdout + done.stderr


FAILURES: dict[str, tuple[Step, ...]] = {
    "accepted": (),
    "unknown key": (401, 401, 401, 401, 401, 401),
    "forbidden": (403,),
    "no such project": (404,),
    "rejected": (422,),
    "rate limit": (answer(429, retry_after=1),),
    "failing": (500, 502, 503, 500),
    "page": ("html",),
    "redirect": (answer(302, location="http://127.0.0.1:1/projects/elsewhere"),),
    "garbage": ("garbage", "garbage", "garbage"),
    "reset": ("reset", "reset", "reset"),
    "close": ("close", "close"),
    "ten megabytes": ("big",),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_nothing_is_in_posts_nor_in_what_is_said_of_their_failure(
    failure: str, server: Loopback, capfd: pytest.CaptureFixture[str]
) -> None:
    errors: list[Exception] = []
    trail = Trail()
    keys = Trail([AFTER_8])
    with Api(key=KEY) as api, _logged() as records:
        api.script(*FAILURES[failure])
        config = recost.RecostConfig(
            api_key=KEY,
            project_id=api.project,
            base_url=api.url,
            debug=True,
            on_error=errors.append,
            max_retries=1,
            max_consecutive_auth_failures=2,
            shutdown_flush_timeout_ms=2000,
        )
        with recost.init(config) as handle:
            for _ in range(3):
                with SENDERS["urllib.request"]() as send:
                    _send_all(send, list(secret_calls(server.url)))
                handle.flush_blocking(1)
            for found in (trail, keys):
                _look_around(found, handle, [])
                found.add("configuration", repr(config))
        posts = list(api.posts)
    assert posts
    if FAILURES[failure]:
        assert errors
    output = "".join(capfd.readouterr())
    for found in (trail, keys):
        found.add_errors(errors)
        found.add_records(records)
        found.add("output", output)
    for post in posts:
        assert post.headers["authorization"] == f"Bearer {KEY}"
        others = {name: value for name, value in post.headers.items() if name != "authorization"}
        for found in (trail, keys):
            found.add("POST", post.body.decode("latin-1"))
            found.add("POST's headers", repr(others))
            found.add("POST's path", post.path)
    assert trail.found() == set()
    assert keys.found() == set()


def test_nothing_is_said_of_a_proxy_that_refuses(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    errors: list[Exception] = []
    trail = Trail()
    keys = Trail([AFTER_8])
    with Api(key=KEY) as api, forward_proxy(PROXY_PAIR) as proxy, _logged() as records:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://{PROXY_PAIR}x@127.0.0.1:{proxy.port}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        options: dict[str, Any] = {
            "api_key": KEY,
            "project_id": api.project,
            "base_url": api.url,
            "debug": True,
        }
        with recost.init(on_error=errors.append, max_retries=0, **options) as handle:
            with SENDERS["urllib.request"]() as send:
                _send_all(send, list(secret_calls(server.url)))
            handle.flush_blocking(3)
            assert wait_until(lambda: proxy.refused and errors)
            for name in ("http_proxy", "HTTP_PROXY"):
                monkeypatch.setenv(name, f"http://{PROXY_PAIR}@127.0.0.1:{proxy.port}")
            assert wait_until(lambda: handle.flush_blocking(2) and bool(api.windows))
            for found in (trail, keys):
                _look_around(found, handle, [])
    output = "".join(capfd.readouterr())
    for found in (trail, keys):
        found.add_errors(errors)
        found.add_records(records)
        found.add("output", output)
        found.add("POSTs", repr([post.body for post in api.posts]))
    assert trail.found() == set()
    assert keys.found() == set()


@contextmanager
def _collector(received: list[str]) -> Iterator[int]:
    """Run a WebSocket server that takes frames."""
    server_module = pytest.importorskip("websockets.sync.server")

    def take(connection: Any) -> None:
        received.extend([f"{name}: {value}" for name, value in connection.request.headers.raw_items()])
        received.extend(connection)

    with server_module.serve(take, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(10)


def test_nothing_is_in_frames(server: Loopback, capfd: pytest.CaptureFixture[str]) -> None:
    errors: list[Exception] = []
    received: list[str] = []
    trail = Trail()
    with _collector(received) as port, _logged() as records:
        options: dict[str, Any] = {"local_transport": "ws", "local_port": port, "debug": True}
        with recost.init(on_error=errors.append, **options) as handle:
            with SENDERS["urllib.request"]() as send:
                _send_all(send, list(secret_calls(server.url)))
            assert handle.flush_blocking(10)
            _look_around(trail, handle, [])
        assert wait_until(lambda: any("/items/" in frame for frame in received))
    assert errors == []
    trail.add("frames", "\n".join(received))
    trail.add_records(records)
    trail.add("output", "".join(capfd.readouterr()))
    assert trail.found() == set()


def test_nothing_is_said_of_a_collector_that_is_none(
    server: Loopback, capfd: pytest.CaptureFixture[str]
) -> None:
    errors: list[Exception] = []
    trail = Trail()
    with _logged() as records:
        options: dict[str, Any] = {"local_transport": "ws", "local_port": server.port, "debug": True}
        with recost.init(on_error=errors.append, shutdown_flush_timeout_ms=500, **options) as handle:
            with SENDERS["urllib.request"]() as send:
                _send_all(send, list(secret_calls(server.url)))
            assert not handle.flush_blocking(1)
            _look_around(trail, handle, [])
    assert errors
    trail.add_errors(errors)
    trail.add_records(records)
    trail.add("output", "".join(capfd.readouterr()))
    assert trail.found() == set()


def test_an_internal_error_quotes_nothing(server: Loopback, tmp_path: Path) -> None:
    errors: list[Exception] = []
    secrets = [call.url for call in secret_calls(server.url)]

    def broken(event: recost.RawEvent) -> None:
        raise ValueError(f"{secrets.pop()} {event.path}")

    with _logged() as records, recost.init(local_dir=tmp_path, debug=True, on_error=errors.append):
        recost.install(broken)
        with SENDERS["urllib.request"]() as send:
            _send_all(send, list(secret_calls(server.url)))
    recost.uninstall()
    assert len(errors) == len(IN_PATHS)
    trail = Trail()
    trail.add_errors(errors)
    trail.add_records(records)
    assert trail.found() == set()


MISTAKES: dict[str, Callable[[], Any]] = {
    "a key of another kind": lambda: recost.init(api_key=f"sk-{KEY}", project_id="p"),
    "a key with a line feed": lambda: recost.init(api_key=f"{KEY}\n", project_id="p"),
    "no project": lambda: recost.init(api_key=KEY),
    "a project that is no name": lambda: recost.init(api_key=KEY, project_id="../p"),
    "a base URL that is none": lambda: recost.init(
        api_key=KEY, project_id="p", base_url=with_userinfo("ftp://127.0.0.1/")
    ),
    "a base URL with a password": lambda: recost.init(
        api_key=KEY, project_id="p", base_url=with_userinfo("http://127.0.0.1/")
    ),
    "an unknown option": lambda: recost.init(api_keys=KEY),
    "a wrong type": lambda: recost.init(api_key=[KEY], project_id="p"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_configuration_error_shows_no_more_than_the_beginning_of_a_key(mistake: str) -> None:
    with pytest.raises(ValueError, match="recost") as caught:
        MISTAKES[mistake]()
    for trail in (Trail(), Trail([AFTER_8])):
        trail.add_errors([caught.value])
        assert trail.found() == set()
