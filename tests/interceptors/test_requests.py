"""requests, seen through urllib3."""

from __future__ import annotations

import copy
import gc
import io
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from recost.interceptors import install, uninstall
from recost.interceptors.exchange import unfinished
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, loopback, patience_s, refused_port, wait_until

ALL = [*ENDINGS, "/empty", "/status/404", "/status/503"]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("stream", [False, True])
def test_a_call(server: Loopback, events: Events, session: requests.Session, path: str, stream: bool) -> None:
    response = session.post(server.url + path, data=b"12345", stream=stream)
    if stream and path not in {"/empty", "/plain?n=0"}:
        assert events == []
        list(response.iter_content(64))
    assert seen(events) == truth(server)
    assert events[0].url == server.url + path.partition("?")[0]
    assert events[0].time_to_headers_ms is not None
    assert not unfinished


def test_server_sent_events(server: Loopback, events: Events, session: requests.Session) -> None:
    with session.get(server.url + "/sse?k=5", stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    assert len(lines) == 6
    assert seen(events) == truth(server)


def test_early_close(server: Loopback, events: Events, session: requests.Session) -> None:
    with session.get(server.url + "/stall?n=1000", stream=True) as response:
        next(response.iter_content(100))
        assert events == []
    assert [(e.status_code, e.response_bytes) for e in events] == [(200, 100)]


def test_collected(server: Loopback, events: Events, session: requests.Session) -> None:
    response = session.get(server.url + "/stall?n=1000", stream=True)
    assert events == []
    del response
    gc.collect()
    assert [e.status_code for e in events] == [200]
    assert not unfinished


def generator() -> Iterator[bytes]:
    yield b"one"
    yield b"three"


def test_request_bytes(server: Loopback, events: Events, session: requests.Session, tmp_path: Path) -> None:
    url = server.url + "/plain"
    path = tmp_path / "body"
    path.write_bytes(b"f" * 20_000)
    session.get(url)
    session.post(url, data=b"12345")
    session.post(url, data="zwölf".encode())
    session.post(url, data={"a": "b c"})
    session.post(url, json={"a": [1, 2, 3]})
    session.post(url, files={"f": io.BytesIO(b"x" * 999)})
    session.post(url, data=generator())
    with path.open("rb") as file:
        session.post(url, data=file)
    with path.open("rb") as file:
        file.seek(5_000)
        session.post(url, data=file)
    assert [e.request_bytes for e in events] == [s.request_bytes for s in server.log]
    assert [e.request_bytes for e in events][-3:] == [8, 20_000, 15_000]


def test_redirects_are_calls(server: Loopback, events: Events, session: requests.Session) -> None:
    with loopback() as other:
        session.get(f"{server.url}/redirect?to={other.url}/chunked")
        assert [(e.path, e.status_code, e.attempts) for e in events] == [
            ("/redirect", 302, 1),
            ("/chunked", 200, 1),
        ]
        assert seen(events) == truth(server) + truth(other)


def test_a_file_is_rewound_for_a_redirect(
    server: Loopback, events: Events, session: requests.Session
) -> None:
    response = session.post(server.url + "/redirect?to=/plain&code=307", data=io.BytesIO(b"x" * 500))
    assert response.status_code == 200
    assert [s.request_bytes for s in server.log] == [500, 500]
    assert seen(events) == truth(server)


def test_retries_of_the_adapter_are_attempts(
    server: Loopback, events: Events, session: requests.Session
) -> None:
    retries = Retry(3, status_forcelist=[503], backoff_factor=0)
    session.mount("http://", HTTPAdapter(max_retries=retries))
    session.get(f"{server.url}/flaky?fail=2&id={id(session)}")
    with pytest.raises(requests.exceptions.RetryError):
        session.get(server.url + "/status/503")
    assert [(e.status_code, e.attempts) for e in events] == [(200, 3), (503, 4)]


def test_failures(server: Loopback, events: Events, session: requests.Session) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(f"http://127.0.0.1:{refused_port()}/")
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(server.url + "/reset")
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(server.url + "/hang", timeout=0.1)
    assert wait_until(lambda: any(served.path == "/hang" for served in server.log))
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get(server.url + "/stall", timeout=1)
    with suppress(requests.exceptions.ChunkedEncodingError):  # urllib3 1.26 lets it pass
        session.get(server.url + "/truncate?n=100")
    assert [e.status_code for e in events] == [0, 0, 0, 200, 200]
    assert not unfinished


def test_forward_proxy(server: Loopback, events: Events, session: requests.Session) -> None:
    # The loopback server is the proxy: it responds for any host.
    session.proxies = {"http": server.url}
    session.get("http://Api.Example.com/v1/x?key=secret")
    session.post("http://api.example.com/v1/x", data=generator())
    assert [(e.url, e.request_bytes) for e in events] == [
        ("http://api.example.com/v1/x", 0),
        ("http://api.example.com/v1/x", 8),
    ]


def outcome(server: Loopback, path: str, stream: bool) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        try:
            response = session.post(
                server.url + path, data=generator(), stream=stream, timeout=patience_s(path)
            )
            raw = copy.copy(response.raw)
            again = pickle.loads(pickle.dumps(response))
            return (
                response.status_code,
                again.content,
                dict(again.headers).keys(),
                len(again.history),
                sorted(vars(raw)),
            )
        except Exception as error:  # noqa: BLE001
            return type(error), [type(argument) for argument in error.args]


@pytest.mark.parametrize("path", [*ALL, "/reset", "/truncate", "/stall", "/hang", "/redirect"])
@pytest.mark.parametrize("stream", [False, True])
def test_the_application_sees_the_same_as_without(server: Loopback, path: str, stream: bool) -> None:
    bare = outcome(server, path, stream)
    recorded: Events = []
    install(recorded.append)
    try:
        assert outcome(server, path, stream) == bare
        gc.collect()
        assert recorded
    finally:
        uninstall()
    assert not unfinished
    assert wait_until(lambda: len(server.log) > 1)  # not in the midst of the next test


def test_threads(server: Loopback, events: Events, session: requests.Session) -> None:
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=100)
    session.mount("http://", adapter)

    def call(index: int) -> None:
        body: Any = generator() if index % 5 == 0 else b"d" * index
        response = session.post(
            server.url + ALL[index % len(ALL)], data=body, stream=index % 2 == 0, timeout=30
        )
        for _ in response.iter_content(1000):
            pass

    with ThreadPoolExecutor(100) as pool:
        list(pool.map(call, range(400)))
    assert len(events) == len(server.log) == 400
    assert seen(events) == truth(server)
    assert not unfinished
