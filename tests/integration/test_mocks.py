"""Mock libraries, started before and after recost: the mock works as ever, and its calls are counted."""

from __future__ import annotations

import asyncio
import importlib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable

import pytest

from recost.events import RawEvent
from recost.interceptors import install, interception, uninstall
from tests.loopback import Loopback
from tests.scripts import run_script

URL = "http://api.example.com"
WHEN = ("mock first", "recost first", "mock made first")
"""Which of the two is started first; or the mock is made before recost's start and started after it."""

Seen = list[tuple[str, str, int, int, int, int]]


@contextmanager
def recorded() -> Iterator[Seen]:
    """Record the calls of a block: method, path, status, attempts, request bytes, response bytes."""
    seen: Seen = []

    def note(event: RawEvent) -> None:
        assert event.host in {"api.example.com", "127.0.0.1"}
        sizes = (event.request_bytes, event.response_bytes)
        seen.append((event.method, event.path, event.status_code, event.attempts, *sizes))

    errors: list[BaseException] = []
    interception.add("errors", lambda _: None, on_error=errors.append)
    install(note)
    assert not interception.broken
    try:
        yield seen
    finally:
        uninstall()
        interception.remove("errors")
    assert not errors


@contextmanager
def both(when: str, mock: Callable[[], Any]) -> Iterator[tuple[Any, Seen]]:
    """Have a mock and recost at work in a block; they go in the reverse order in which they came."""
    if when == "mock first":
        with mock() as started, recorded() as seen:
            yield started, seen
    elif when == "recost first":
        with recorded() as seen, mock() as started:
            yield started, seen
    else:
        made = mock()
        with recorded() as seen, made as started:
            yield started, seen


def still_seen(server: Loopback, call: Callable[[str], Any]) -> None:
    """Show that recost and the client are themselves again once the mock has gone."""
    with recorded() as seen:
        call(server.url + "/plain?n=7")
    assert seen == [("GET", "/plain", 200, 1, 0, 7)]
    assert len(server.log) == 1


@pytest.fixture(autouse=True)
def _originals() -> Iterator[None]:
    """Check that a test leaves nothing on the clients."""
    names = [
        ("aiohttp", "ClientSession", "_request"),
        ("requests.adapters", "HTTPAdapter", "send"),
        ("requests", "Session", "send"),
        ("urllib3", "HTTPConnectionPool", "urlopen"),
        ("httpx", "Client", "send"),
        ("httpx", "AsyncClient", "send"),
        ("httpx", "HTTPTransport", "handle_request"),
        ("http.client", "HTTPConnection", "putrequest"),
    ]

    def present() -> list[Any]:
        owners = [getattr(importlib.import_module(module), owner) for module, owner, _ in names]
        return [vars(owner).get(name) for owner, (_, _, name) in zip(owners, names)]

    before = present()
    yield
    assert present() == before


# httpx


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("name", ["httpx", "httpx2"])
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_mock_transport(name: str, kind: str, when: str) -> None:
    module: Any = pytest.importorskip(name)
    asked = []

    def handler(request: Any) -> Any:
        asked.append(request.url.path)
        if request.url.path == "/fails":
            raise module.ConnectError("no", request=request)
        return module.Response(201, json={"a": 1})

    @contextmanager
    def mock() -> Iterator[Any]:
        yield module.MockTransport(handler)

    async def use_async(transport: Any) -> None:
        async with module.AsyncClient(transport=transport) as client:
            assert (await client.post(f"{URL}/v1?key=secret", content=b"12345")).json() == {"a": 1}
            with pytest.raises(module.ConnectError):
                await client.get(f"{URL}/fails")

    with both(when, mock) as (transport, seen):
        if kind == "async":
            asyncio.run(use_async(transport))
        else:
            with module.Client(transport=transport) as client:
                assert client.post(f"{URL}/v1?key=secret", content=b"12345").json() == {"a": 1}
                with pytest.raises(module.ConnectError):
                    client.get(f"{URL}/fails")
    assert asked == ["/v1", "/fails"]
    assert seen == [("POST", "/v1", 201, 1, 5, 7), ("GET", "/fails", 0, 1, 0, 0)]


@pytest.mark.parametrize("when", WHEN)
def test_respx(server: Loopback, when: str) -> None:
    respx, httpx = pytest.importorskip("respx"), pytest.importorskip("httpx")
    with both(when, lambda: respx.mock(assert_all_called=True)) as (router, seen):
        route = router.post(f"{URL}/v1").mock(
            side_effect=[httpx.Response(503), httpx.Response(200, text="done")]
        )
        router.get(f"{URL}/fails").mock(side_effect=httpx.ReadTimeout)
        router.route(host="127.0.0.1").pass_through()
        with httpx.Client(trust_env=False) as client:
            answers = [client.post(f"{URL}/v1", json={"a": 1}) for _ in range(2)]
            with pytest.raises(httpx.ReadTimeout):
                client.get(f"{URL}/fails")
            client.get(server.url + "/plain?n=9")
    assert [answer.text for answer in answers] == ["", "done"]
    assert (route.called, route.call_count, route.calls.last.request.content) == (True, 2, b'{"a":1}')
    assert seen == [
        ("POST", "/v1", 503, 1, 7, 0),
        ("POST", "/v1", 200, 1, 7, 4),
        ("GET", "/fails", 0, 1, 0, 0),
        ("GET", "/plain", 200, 1, 0, 9),
    ]
    assert len(server.log) == 1


PYTEST_HTTPX = """
import httpx, pytest, recost

pytestmark = pytest.mark.slow

seen = []

@pytest.fixture
def recording():
    recost.install(lambda e: seen.append((e.method, e.path, e.status_code, e.response_bytes)))
    yield
    recost.uninstall()

@pytest.fixture
def mock_first(httpx_mock, recording):
    return httpx_mock

@pytest.fixture
def recost_first(recording, httpx_mock):
    return httpx_mock

@pytest.mark.parametrize("order", ["mock_first", "recost_first"])
def test_it(request, order):
    seen.clear()
    mock = request.getfixturevalue(order)
    mock.add_response(url="http://api.example.com/v1", json={"a": 1}, status_code=201)
    mock.add_exception(httpx.ReadTimeout("late"), url="http://api.example.com/late")
    assert httpx.get("http://api.example.com/v1").json() == {"a": 1}
    with pytest.raises(httpx.ReadTimeout):
        httpx.get("http://api.example.com/late")
    assert [str(asked.url) for asked in mock.get_requests()] == [
        "http://api.example.com/v1", "http://api.example.com/late"
    ]
    assert seen == [("GET", "/v1", 201, 7), ("GET", "/late", 0, 0)]
"""


def test_pytest_httpx(tmp_path: Path) -> None:
    pytest.importorskip("pytest_httpx")
    from tests.scripts import run_script

    (tmp_path / "test_it.py").write_text(PYTEST_HTTPX)
    result = run_script(
        "import sys, pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', sys.argv[1]]))", tmp_path
    )
    assert "2 passed" in result.stdout, result.stdout + result.stderr


# requests


def get(url: str) -> Any:
    requests = importlib.import_module("requests")
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url)


@pytest.mark.parametrize("when", WHEN)
def test_responses(server: Loopback, when: str) -> None:
    responses, requests = pytest.importorskip("responses"), pytest.importorskip("requests")
    with both(when, responses.RequestsMock) as (mock, seen):
        mock.post(f"{URL}/v1", json={"a": 1}, status=201)
        mock.get(f"{URL}/moved", status=302, headers={"Location": f"{URL}/there"})
        mock.get(f"{URL}/there", body="x" * 30)
        mock.get(f"{URL}/late", body=requests.exceptions.ReadTimeout())
        mock.add_passthru(server.url)
        answer = requests.post(f"{URL}/v1?key=secret", data=b"12345")
        assert (answer.status_code, answer.json()) == (201, {"a": 1})
        assert [hop.status_code for hop in requests.get(f"{URL}/moved").history] == [302]
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{URL}/late")
        with pytest.raises(requests.exceptions.ConnectionError, match="Connection refused by Responses"):
            requests.get(f"{URL}/unknown")
        get(server.url + "/plain?n=9")
        assert mock.assert_call_count(f"{URL}/there", 1)
        assert [call.request.path_url for call in mock.calls][:2] == ["/v1?key=secret", "/moved"]
    assert seen == [
        ("POST", "/v1", 201, 1, 5, 8),
        ("GET", "/moved", 302, 1, 0, 0),
        ("GET", "/there", 200, 1, 0, 30),
        ("GET", "/late", 0, 1, 0, 0),
        ("GET", "/unknown", 0, 1, 0, 0),
        ("GET", "/plain", 200, 1, 0, 9),
    ]
    server.log.clear()
    still_seen(server, get)


@pytest.mark.parametrize("when", WHEN)
def test_responses_and_retries_of_the_adapter(when: str) -> None:
    responses, requests = pytest.importorskip("responses"), pytest.importorskip("requests")
    from urllib3.util import Retry

    with both(when, responses.RequestsMock) as (mock, seen), requests.Session() as session:
        retries = Retry(2, status_forcelist=[503], backoff_factor=0)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        mock.get(f"{URL}/v1", status=503)
        mock.get(f"{URL}/v1", body="done")
        assert session.get(f"{URL}/v1").text == "done"
        assert len(mock.calls) == 2
    assert seen == [("GET", "/v1", 200, 2, 0, 4)]


@pytest.mark.parametrize("when", WHEN)
def test_responses_passes_a_failing_call_on(server: Loopback, when: str) -> None:
    responses, requests = pytest.importorskip("responses"), pytest.importorskip("requests")
    with both(when, responses.RequestsMock) as (mock, seen):
        mock.add_passthru(server.url)
        with pytest.raises(requests.exceptions.ConnectionError):
            get(server.url + "/reset")
    assert seen == [("GET", "/reset", 0, 1, 0, 0)]


@pytest.mark.parametrize("when", WHEN)
def test_requests_mock(server: Loopback, when: str) -> None:
    requests_mock, requests = pytest.importorskip("requests_mock"), pytest.importorskip("requests")
    with both(when, lambda: requests_mock.Mocker(real_http=True)) as (mock, seen):
        mock.post(f"{URL}/v1", json={"a": 1}, status_code=201)
        mock.get(f"{URL}/late", exc=requests.exceptions.ReadTimeout)
        answer = requests.post(f"{URL}/v1", data=b"12345")
        assert (answer.status_code, answer.json()) == (201, {"a": 1})
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(f"{URL}/late")
        get(server.url + "/plain?n=9")
        assert (mock.call_count, mock.request_history[0].path) == (3, "/v1")
    assert seen == [
        ("POST", "/v1", 201, 1, 5, 8),
        ("GET", "/late", 0, 1, 0, 0),
        ("GET", "/plain", 200, 1, 0, 9),
    ]
    server.log.clear()
    still_seen(server, get)


# aiohttp


@pytest.fixture(scope="module")
def aioresponses() -> Any:
    """Return the module; its releases lag behind aiohttp's, and fail on a newer one on their own."""
    module = pytest.importorskip("aioresponses")
    try:
        with module.aioresponses() as mock:
            mock.get(URL)
            aiohttp_get(URL)
    except TypeError as error:
        pytest.skip(f"this aioresponses does not work with this aiohttp: {error}")
    return module


def aiohttp_get(url: str) -> Any:
    aiohttp = importlib.import_module("aiohttp")

    async def run() -> Any:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    return asyncio.run(run())


@pytest.mark.parametrize("when", WHEN)
def test_aioresponses(server: Loopback, aioresponses: Any, when: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def use(mock: Any) -> None:
        mock.post(f"{URL}/v1", payload={"a": 1}, status=201)
        mock.get(f"{URL}/late", exception=asyncio.TimeoutError())
        mock.get(f"{URL}/wrong", status=404)
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{URL}/v1", data=b"12345") as response:
                assert (response.status, await response.json()) == (201, {"a": 1})
            with pytest.raises(asyncio.TimeoutError):
                await session.get(f"{URL}/late")
            with pytest.raises(aiohttp.ClientConnectionError, match="Connection refused"):
                await session.get(f"{URL}/unknown")
            with pytest.raises(aiohttp.ClientResponseError):
                await session.get(f"{URL}/wrong", raise_for_status=True)
            assert await (await session.get(server.url + "/plain?n=9")).read() == b"x" * 9
        mock.assert_any_call(f"{URL}/v1", method="POST", data=b"12345")
        assert len(mock.requests) == 4

    with both(when, lambda: aioresponses.aioresponses(passthrough=[server.url])) as (mock, seen):
        asyncio.run(use(mock))
    assert [(method, path, status, received) for method, path, status, _, _, received in seen] == [
        ("POST", "/v1", 201, 8),
        ("GET", "/late", 0, 0),
        ("GET", "/unknown", 0, 0),
        ("GET", "/wrong", 404, 0),
        ("GET", "/plain", 200, 9),
    ]
    server.log.clear()
    still_seen(server, aiohttp_get)


def test_aioresponses_comes_and_goes(server: Loopback, aioresponses: Any) -> None:
    with recorded() as seen:
        for _ in range(3):
            with aioresponses.aioresponses() as mock:
                mock.get(f"{URL}/mocked", body="12")
                aiohttp_get(f"{URL}/mocked")
            aiohttp_get(server.url + "/plain?n=4")
    assert [(path, received) for _, path, _, _, _, received in seen] == [("/mocked", 2), ("/plain", 4)] * 3


@pytest.mark.filterwarnings("ignore")  # of vcrpy's own
def test_cassettes_one_in_the_other(server: Loopback, tmp_path: Path) -> None:
    vcr = pytest.importorskip("vcr")
    with recorded() as seen:
        for _ in range(2):
            with vcr.use_cassette(str(tmp_path / "outer.yaml")):
                aiohttp_get(server.url + "/plain?n=1")
                with vcr.use_cassette(str(tmp_path / "inner.yaml")):
                    aiohttp_get(server.url + "/plain?n=2")
                aiohttp_get(server.url + "/plain?n=3")
            aiohttp_get(server.url + "/plain?n=4")
    assert [received for *_, received in seen] == [1, 2, 3, 4] * 2
    assert len(server.log) == 5


def test_recost_starts_and_stops_while_a_mock_is_at_work(server: Loopback, aioresponses: Any) -> None:
    with aioresponses.aioresponses() as mock:
        mock.get(f"{URL}/v1", body="12", repeat=True)
        for _ in range(2):
            with recorded() as seen:
                aiohttp_get(f"{URL}/v1")
            assert len(seen) == 1
            aiohttp_get(f"{URL}/v1")
        install(lambda _: None)
    aiohttp_get(server.url)
    try:
        calls: list[RawEvent] = []
        install(calls.append)
        aiohttp_get(server.url + "/plain")
        assert len(calls) == 1
    finally:
        uninstall()


# vcrpy


def urllib_get(url: str) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as response:
        return response.read()


def urllib3_get(url: str) -> Any:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager() as manager:
        return manager.request("GET", url).data


def httpx_get(url: str) -> Any:
    httpx = importlib.import_module("httpx")
    with httpx.Client(trust_env=False) as client:
        return client.get(url).content


VCR: dict[str, Callable[[str], Any]] = {
    "aiohttp": aiohttp_get,
    "httpx": httpx_get,
    "requests": lambda url: get(url).content,
    "urllib3": urllib3_get,
    "urllib.request": urllib_get,
}


def test_vcrpy_that_is_imported_again(tmp_path: Path) -> None:
    """As vcrpy's own tests do: its modules are there, and are no attributes of the new package."""
    pytest.importorskip("vcr")
    ended = run_script(
        """
        import sys
        import recost
        errors = []
        with recost.init(local_dir=sys.argv[1], on_error=errors.append):
            import vcr
            first = vcr.cassette.CassetteContextDecorator.__enter__
            del sys.modules["vcr"]
            import vcr
            assert not hasattr(vcr, "cassette")
            assert sys.modules["vcr.cassette"].CassetteContextDecorator.__enter__ is first
        print(errors)
        """,
        tmp_path,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "[]\n", "")


@pytest.mark.filterwarnings("ignore")  # of vcrpy's own
@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("client", VCR)
def test_vcrpy(server: Loopback, client: str, when: str, tmp_path: Path) -> None:
    vcr = pytest.importorskip("vcr")
    pytest.importorskip(client.partition(".")[0])
    path, call = str(tmp_path / "cassette.yaml"), VCR[client]
    for turn in ("recording", "playing back"):
        with both(when, lambda: vcr.use_cassette(path, record_mode="once")) as (cassette, seen):
            assert call(server.url + "/plain?n=9") == b"x" * 9
            assert call(server.url + "/chunked?n=20") == b"c" * 20
        assert cassette.play_count == (2 if turn == "playing back" else 0)
        assert seen == [("GET", "/plain", 200, 1, 0, 9), ("GET", "/chunked", 200, 1, 0, 20)], turn
        assert len(server.log) == 2
    server.log.clear()
    still_seen(server, call)
