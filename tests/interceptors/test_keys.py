"""Labels of keys: which part of a header is the key, and where only one client adds it."""

from __future__ import annotations

import asyncio
import base64
import http.client
import importlib
import threading
from collections.abc import Iterator
from typing import Any, Optional

import pytest

import recost
from recost._key_labels import LONGEST
from recost.errors import RecostBudgetExceededError
from recost.interceptors import interception
from recost.interceptors.context import EMPTY
from recost.interceptors.exchange import Exchange, begin, nowhere
from recost.interceptors.keys import KeyLabels, merged
from recost.testing import CapturedWindows, capture_calls, capture_windows
from tests.labelled import ALICE, BOB, LABELS, STRANGER, hash_of, tags
from tests.loopback import Loopback

TARGET = ("https", "api.example.com", 443, "/v1", "POST")


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def label_of(headers: Any, labels: Optional[KeyLabels] = None) -> Optional[str]:
    exchange = Exchange()
    begin(exchange, nowhere, "test", TARGET)
    (labels or KeyLabels(LABELS)).tag(exchange, headers)
    return None if exchange.scope is None else dict(exchange.scope.tags)["key"]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (f"Bearer {ALICE}", "alice"),
        (f"bearer\t {ALICE} ", "alice"),
        (f"Token {ALICE}", "alice"),
        (f"DeepL-Auth-Key {ALICE}", "alice"),
        (ALICE, "alice"),
        (basic(f"{ALICE}:"), "alice"),
        (basic(f"{ALICE}:secret"), "alice"),
        (basic(f"api:{ALICE}"), "alice"),
        (f"Basic {ALICE}", "alice"),
        (basic("user:password"), "other"),
        ("Basic ÿ", "other"),
        (f"Bearer {STRANGER}", "other"),
        (f"Bearer {ALICE.upper()}", "other"),
        (f"Bearer {'x' * 100_000}", "other"),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic", None),
        ("", None),
        (
            "AWS4-HMAC-SHA256 Credential=AKID/20261130/eu/s3, SignedHeaders=host, Signature=1",
            None,
        ),
        ("AWS4-HMAC-SHA256 Credential=AKID,SignedHeaders=host,Signature=1", None),
        ('Digest username="x", realm="y"', None),
    ],
)
def test_the_key_in_authorization(value: str, label: Optional[str]) -> None:
    for headers in (
        {"Authorization": value},
        [("AUTHORIZATION", value)],
        [(b"authorization", value.encode())],
        iter([("Authorization", value)]),
    ):
        assert label_of(headers) == label


@pytest.mark.parametrize(
    "name",
    ["x-api-key", "API-KEY", "apikey", "x-goog-api-key", "xi-api-key", "DD-API-KEY", "X-CMC_PRO_API_KEY",
     "X-Subscription-Token", "Ocp-Apim-Subscription-Key"],
)  # fmt: skip
def test_headers_with_a_key(name: str) -> None:
    assert label_of({name: ALICE}) == "alice"
    assert label_of([(name.encode(), ALICE.encode())]) == "alice"


@pytest.mark.parametrize("name", ["proxy-authorization", "cookie", "x-api-key-id", "idempotency-key", ""])
def test_headers_without_a_key(name: str) -> None:
    assert label_of({name: ALICE}) is None


def test_the_first_key_with_a_label_counts() -> None:
    assert label_of([("x-portkey-api-key", STRANGER), ("authorization", f"Bearer {BOB}")]) == "bob"
    assert label_of([("x-api-key", ALICE), ("authorization", f"Bearer {BOB}")]) == "alice"


class _Raising:
    def __iter__(self) -> Iterator[str]:
        raise RuntimeError(ALICE)


@pytest.mark.parametrize(
    "headers",
    [None, 7, _Raising(), [()], [7], {"x-api-key": 7}, {"x-api-key": None}, [([], ALICE)], {7: ALICE}],
)
def test_anything_may_be_given_as_headers(headers: Any) -> None:
    assert label_of(headers) is None


def test_the_longest_key_has_its_label_and_a_longer_one_has_none() -> None:
    for size, label in ((LONGEST, "long"), (LONGEST + 1, "other")):
        labels = KeyLabels({hash_of("k" * size): "long"})
        assert label_of({"x-api-key": "k" * size}, labels) == label


def test_equal_tags_are_one_object_and_outer_tags_stay() -> None:
    labels = KeyLabels(LABELS)
    exchanges = [Exchange(), Exchange(), Exchange()]
    for exchange in exchanges:
        begin(exchange, nowhere, "test", TARGET)
    exchanges[2].scope = EMPTY.with_tags({"team": "red"})
    for exchange in exchanges:
        assert labels.tag(exchange, {"api-key": ALICE})
        assert labels.tag(exchange, {"api-key": BOB})  # it has one
    assert exchanges[0].scope is exchanges[1].scope
    assert exchanges[2].scope.tags == (("key", "alice"), ("team", "red"))


def test_what_is_shown_of_labels_has_no_hash() -> None:
    labels = KeyLabels(LABELS)
    assert "sha256" not in repr(labels) + str(labels)
    both = merged([labels, KeyLabels(dict.fromkeys(LABELS, "later"))])
    assert label_of({"api-key": ALICE}, both) == "later"


@pytest.fixture
def captured() -> Iterator[CapturedWindows]:
    with capture_windows(key_labels=LABELS) as found:
        yield found


def _httpx_call(name: str, url: str, *, asynchronous: bool, **options: Any) -> None:
    module = importlib.import_module(name)
    on_call: dict[str, Any] = {key: options.pop(key) for key in ("headers", "auth_of_call") if key in options}
    if "auth_of_call" in on_call:
        on_call["auth"] = on_call.pop("auth_of_call")
    if not asynchronous:
        with module.Client(trust_env=False, follow_redirects=True, **options) as client:
            client.get(url, **on_call)
        return

    async def call() -> None:
        async with module.AsyncClient(trust_env=False, follow_redirects=True, **options) as client:
            await client.get(url, **on_call)

    asyncio.run(call())


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("name", ["httpx", "httpx2"])
class TestHttpx:
    """The client's auth adds the key, while ``send`` is at work."""

    @pytest.fixture(autouse=True)
    def _installed(self, name: str) -> None:
        pytest.importorskip(name)

    def test_basic_auth(
        self, name: str, asynchronous: bool, server: Loopback, captured: CapturedWindows
    ) -> None:
        for options in ({"auth": (ALICE, "x")}, {"auth_of_call": (ALICE, "x")}):
            _httpx_call(name, f"{server.url}/plain", asynchronous=asynchronous, **options)
            assert tags(captured) == [({"key": "alice"}, 1, 1)]
        url = f"{server.url}/plain".replace("://", f"://{BOB}:x@")
        _httpx_call(name, url, asynchronous=asynchronous)
        assert tags(captured) == [({"key": "bob"}, 1, 1)]

    def test_an_auth_of_the_application_replaces_the_header(
        self, name: str, asynchronous: bool, server: Loopback, captured: CapturedWindows
    ) -> None:
        def auth(request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {BOB}"
            return request

        headers = {"Authorization": f"Bearer {ALICE}"}
        _httpx_call(name, f"{server.url}/plain", asynchronous=asynchronous, headers=headers, auth=auth)
        assert server.log[-1].headers["authorization"] == f"Bearer {BOB}"
        assert tags(captured) == [({"key": "bob"}, 1, 1)]

    def test_the_first_request_of_an_auth_flow_counts(
        self, name: str, asynchronous: bool, server: Loopback, captured: CapturedWindows
    ) -> None:
        class Twice(importlib.import_module(name).Auth):  # type: ignore[misc]
            def auth_flow(self, request: Any) -> Any:
                yield request
                request.headers["x-api-key"] = BOB
                yield request

        _httpx_call(name, f"{server.url}/plain", asynchronous=asynchronous, auth=Twice())
        assert len(server.log) == 2
        assert tags(captured) == [({}, 1, 1)]


@pytest.mark.filterwarnings("ignore:(The 'auth' parameter|BasicAuth) is deprecated")
class TestAiohttp:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("aiohttp")

    @staticmethod
    def call(url: str, session: Optional[dict[str, Any]] = None, **options: Any) -> None:
        async def make() -> None:
            aiohttp = importlib.import_module("aiohttp")
            async with aiohttp.ClientSession(**(session or {})) as client, client.get(url, **options) as got:
                await got.read()

        asyncio.run(make())

    def test_defaults_of_the_session_and_their_replacement(
        self, server: Loopback, captured: CapturedWindows
    ) -> None:
        url, session = f"{server.url}/plain", {"headers": {"x-api-key": ALICE}}
        for options, label in (
            ({}, "alice"),
            ({"headers": {"X-API-Key": BOB}}, "bob"),
            ({"headers": {"Accept": "*/*"}}, "alice"),
            ({"headers": [("X-API-Key", BOB)]}, "bob"),
        ):
            self.call(url, session, **options)
            assert tags(captured) == [({"key": label}, 1, 1)]

    def test_auth(self, server: Loopback, captured: CapturedWindows) -> None:
        aiohttp = importlib.import_module("aiohttp")
        url, auth = f"{server.url}/plain", aiohttp.BasicAuth(ALICE, "x")
        self.call(url, auth=auth)
        assert tags(captured) == [({"key": "alice"}, 1, 1)]
        self.call(url, {"auth": auth})
        assert tags(captured) == [({"key": "alice"}, 1, 1)]
        self.call(url.replace("://", f"://{BOB}:x@"))
        assert tags(captured) == [({"key": "bob"}, 1, 1)]
        self.call(f"{server.url}/redirect?to=/plain", auth=auth)
        assert tags(captured) == [({"key": "alice"}, 1, 1)]


class TestHttpClient:
    def test_each_request_of_a_connection(self, server: Loopback, captured: CapturedWindows) -> None:
        connection = http.client.HTTPConnection(server.host, server.port)
        for key, label in ((ALICE, "alice"), ("", None), (BOB, "bob")):
            connection.putrequest("POST", "/plain")
            if key:
                connection.putheader("Authorization", f"Bearer {key}")
            connection.putheader("Content-Length", "2")
            connection.endheaders()
            connection.send(b"{}")
            with connection.getresponse() as got:
                got.read()
            assert tags(captured) == [({} if label is None else {"key": label}, 1, 1)]
            assert not {"send", "getresponse", "close"} & vars(connection).keys()
        connection.close()

    def test_a_body_has_no_headers(self, server: Loopback, captured: CapturedWindows) -> None:
        connection = http.client.HTTPConnection(server.host, server.port)
        connection.request("POST", "/plain", f"x\r\nx-api-key: {ALICE}\r\n".encode(), {})
        with connection.getresponse() as got:
            got.read()
        connection.close()
        assert tags(captured) == [({}, 1, 1)]


@pytest.mark.parametrize("library", ["responses", "requests_mock"])
def test_a_mocked_call_has_a_label(library: str, captured: CapturedWindows) -> None:
    mock = pytest.importorskip(library)
    requests = pytest.importorskip("requests")
    url = "https://api.example.com/v1"
    with mock.RequestsMock() if library == "responses" else mock.Mocker() as mocked:
        if library == "responses":
            mocked.add("GET", url, body="{}")
        else:
            mocked.get(url, text="{}")
        requests.get(url, headers={"x-api-key": ALICE})
    assert tags(captured) == [({"key": "alice"}, 1, 1)]


def test_a_budget_refuses_by_key(server: Loopback) -> None:
    pytest.importorskip("requests")
    httpx, requests = (importlib.import_module(name) for name in ("httpx", "requests"))
    rule = recost.ProviderDef("127.0.0.1", "house", cost_per_request_cents=10)
    budget = recost.Budget("0.15", per="total", tags={"key": "alice"}, on_exceed="raise", file=None)
    with capture_windows(key_labels=LABELS, custom_providers=[rule], budgets=[budget]) as captured:
        for get in (httpx.get, requests.get):
            outcomes = []
            for key in (ALICE, ALICE, BOB, ALICE):
                try:
                    get(f"{server.url}/plain", headers={"x-api-key": key})
                    outcomes.append("made")
                except RecostBudgetExceededError:
                    outcomes.append("refused")
                captured.flush()
            assert outcomes[2:] == ["made", "refused"]


def test_another_listener_gets_the_calls_as_before(server: Loopback) -> None:
    httpx = importlib.import_module("httpx")
    with capture_calls() as calls:
        with capture_windows(key_labels=LABELS) as captured:
            httpx.get(f"{server.url}/plain", headers={"x-api-key": ALICE})
            assert tags(captured) == [({"key": "alice"}, 1, 1)]
        assert interception.labels is None
        httpx.get(f"{server.url}/plain", headers={"x-api-key": ALICE})
        assert [call.status_code for call in calls] == [200, 200]


@pytest.mark.parametrize("client", ["httpx", "requests", "http.client"])
def test_labels_that_fail_fail_no_call(
    client: str, server: Loopback, monkeypatch: pytest.MonkeyPatch, captured: CapturedWindows
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError(ALICE)

    def call() -> Any:
        if client == "http.client":
            connection = http.client.HTTPConnection(server.host, server.port)
            connection.request("GET", "/plain", headers={"x-api-key": ALICE})
            with connection.getresponse() as got:
                got.read()
            connection.close()
            return got.status
        return (
            importlib.import_module(client)
            .get(f"{server.url}/plain", headers={"x-api-key": ALICE})
            .status_code
        )

    monkeypatch.setattr("recost.interceptors.keys.sha256", fail)
    assert call() == 200
    assert tags(captured)[0][0] == {}
    assert ALICE not in repr(captured.errors)


def test_threads_keep_their_labels_apart(server: Loopback, captured: CapturedWindows) -> None:
    httpx = importlib.import_module("httpx")
    client = httpx.Client(trust_env=False)

    def calls(key: str) -> None:
        for _ in range(20):
            client.get(f"{server.url}/plain", headers={"x-api-key": key})

    threads = [
        threading.Thread(target=calls, args=(key,)) for key in (ALICE, BOB, STRANGER) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    client.close()
    assert sorted((found["key"], count) for found, count, _ in tags(captured)) == [
        ("alice", 40),
        ("bob", 40),
        ("other", 40),
    ]
