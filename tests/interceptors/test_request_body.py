"""Request bodies kept by each client, of the kinds that are available without reading a stream."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from enum import Enum
from typing import Any, Callable, Optional

import pytest

from recost.interceptors import interception
from recost.interceptors.exchange import Exchange, Unrouted, Wanted
from recost.interceptors.request_body import MOST, RequestBody, keep_body, keep_fields
from tests.loopback import Loopback

TEXT = "prm-Gk41VoAe95Iq "
DOCUMENT = {"input": TEXT * 20, "tools": [{"model": "no"}], "model": "m-1", "n": 2}
JSON = json.dumps(DOCUMENT).encode()
LONG = json.dumps({"input": TEXT * 20_000, "model": "m-1", "tools": [TEXT] * 1_000}).encode()
KINDS = {"content-type": "application/json"}


@pytest.fixture
def ended() -> Iterator[list[Exchange]]:
    found: list[Exchange] = []
    interception.add(
        "test",
        found.append,
        metered=lambda target: Unrouted(Wanted((), () if target[1].startswith("/unasked") else ("model",))),
    )
    yield found
    interception.remove("test")


def pieces() -> Iterator[bytes]:
    yield JSON


async def async_pieces() -> AsyncIterator[bytes]:
    yield JSON


def file() -> Any:
    made = io.BytesIO(b"\0" * 1000)
    made.name = "speech.wav"
    return made


class Model(str, Enum):
    ONE = "m-1"


def _httpx(name: str, **options: Any) -> Callable[[str], None]:
    def post(url: str) -> None:
        module: Any = pytest.importorskip(name)
        module.post(url, verify=False, trust_env=False, **{key: _made(each) for key, each in options.items()})

    return post


def _async_httpx(name: str, **options: Any) -> Callable[[str], None]:
    async def post(url: str) -> None:
        module: Any = pytest.importorskip(name)
        async with module.AsyncClient(verify=False, trust_env=False) as client:
            await client.post(url, **{key: _made(each) for key, each in options.items()})

    return lambda url: asyncio.run(post(url))


def _requests(**options: Any) -> Callable[[str], None]:
    def post(url: str) -> None:
        import requests

        with requests.Session() as session:
            session.trust_env = False
            session.post(url, timeout=10, **{key: _made(each) for key, each in options.items()})

    return post


def _urllib3(**options: Any) -> Callable[[str], None]:
    def post(url: str) -> None:
        import urllib3

        with urllib3.PoolManager() as manager:
            manager.request("POST", url, **{key: _made(each) for key, each in options.items()})

    return post


def _aiohttp(**options: Any) -> Callable[[str], None]:
    async def post(url: str) -> None:
        import aiohttp

        made = {key: _made(each) for key, each in options.items()}
        async with aiohttp.ClientSession() as session, session.post(url, **made) as response:
            await response.read()

    return lambda url: asyncio.run(post(url))


def _aiohttp_form() -> Any:
    import aiohttp

    form = aiohttp.FormData()
    form.add_field("model", "m-1")
    form.add_field("file", file(), filename="speech.wav")
    return form


def _aiohttp_payload() -> Any:
    import aiohttp

    return aiohttp.JsonPayload(DOCUMENT)


def _urllib_request(data: Any, **headers: str) -> Callable[[str], None]:
    def post(url: str) -> None:
        request = urllib.request.Request(url, data=_made(data), headers={**KINDS, **headers})
        with urllib.request.urlopen(request) as response:
            response.read()

    return post


def _http_client(body: Any, **headers: str) -> Callable[[str], None]:
    def post(url: str) -> None:
        connection = http.client.HTTPConnection(url.split("/")[2])
        connection.request("POST", "/" + url.split("/", 3)[3], _made(body), {**KINDS, **headers})
        connection.getresponse().read()
        connection.close()

    return post


def _botocore(url: str) -> None:
    awsrequest: Any = pytest.importorskip("botocore.awsrequest")
    session: Any = pytest.importorskip("botocore.httpsession")
    request = awsrequest.AWSRequest("POST", url, headers=KINDS, data=JSON).prepare()
    assert session.URLLib3Session().send(request).content is not None


def _made(value: Any) -> Any:
    return value() if callable(value) else value


AT_HAND: dict[str, Callable[[str], None]] = {
    **{f"{name} bytes": _httpx(name, content=JSON) for name in ("httpx", "httpx2")},
    **{f"{name} text": _httpx(name, content=JSON.decode()) for name in ("httpx", "httpx2")},
    **{f"{name} json": _httpx(name, json=DOCUMENT) for name in ("httpx", "httpx2")},
    **{f"{name} form": _httpx(name, data={"prompt": TEXT, "model": "m-1"}) for name in ("httpx", "httpx2")},
    **{
        f"{name} form with a file": _httpx(
            name, data={"model": "m-1", "prompt": TEXT}, files=lambda: {"file": file()}
        )
        for name in ("httpx", "httpx2")
    },
    "httpx form of files": _httpx("httpx", files=lambda: {"file": file(), "model": (None, "m-1")}),
    "httpx long": _httpx("httpx", content=LONG),
    "async httpx json": _async_httpx("httpx", json=DOCUMENT),
    "async httpx2 form": _async_httpx("httpx2", data={"model": "m-1"}, files={"file": b"\0" * 1000}),
    "requests bytes": _requests(data=JSON),
    "requests text": _requests(data=JSON.decode()),
    "requests json": _requests(json=DOCUMENT),
    "requests form": _requests(data={"prompt": TEXT, "model": "m-1"}),
    "requests form with a file": _requests(data={"model": "m-1"}, files=lambda: {"file": file()}),
    "requests long": _requests(data=LONG),
    "urllib3 bytes": _urllib3(body=JSON),
    "urllib3 bytearray": _urllib3(body=lambda: bytearray(JSON)),
    "urllib3 fields": _urllib3(fields={"model": "m-1", "prompt": TEXT, "file": ("speech.wav", b"\0" * 100)}),
    "botocore": _botocore,
    "aiohttp bytes": _aiohttp(data=JSON),
    "aiohttp text": _aiohttp(data=JSON.decode()),
    "aiohttp json": _aiohttp(json=DOCUMENT),
    "aiohttp json of an enumeration": _aiohttp(json={"model": Model.ONE}),
    "aiohttp form": _aiohttp(data={"prompt": TEXT, "model": "m-1"}),
    "aiohttp form with a file": _aiohttp(data=_aiohttp_form),
    "aiohttp payload": _aiohttp(data=_aiohttp_payload),
    "urllib.request": _urllib_request(JSON),
    "urllib.request long": _urllib_request(LONG),
    "http.client": _http_client(JSON),
}

NOT_AT_HAND: dict[str, Callable[[str], None]] = {
    "httpx iterator": _httpx("httpx", content=pieces),
    "httpx file": _httpx("httpx", content=lambda: io.BytesIO(JSON)),
    "async httpx iterator": _async_httpx("httpx", content=async_pieces),
    "requests iterator": _requests(data=pieces),
    "requests file": _requests(data=lambda: io.BytesIO(JSON)),
    "urllib3 file": _urllib3(body=lambda: io.BytesIO(JSON)),
    "aiohttp iterator": _aiohttp(data=async_pieces),
    "aiohttp file": _aiohttp(data=lambda: io.BytesIO(JSON)),
    "urllib.request iterator": _urllib_request(pieces, **{"content-length": str(len(JSON))}),
    "urllib.request chunks": _urllib_request(pieces),
    "http.client file": _http_client(lambda: io.BytesIO(JSON), **{"content-length": str(len(JSON))}),
}


def fields(exchange: Exchange) -> Optional[dict[str, str]]:
    return None if exchange.request is None else dict(exchange.request.fields())


@pytest.mark.parametrize("case", AT_HAND)
def test_the_field_is_read_and_nothing_else_is_kept(
    case: str, server: Loopback, ended: list[Exchange]
) -> None:
    AT_HAND[case](f"{server.url}/plain?n=100")
    (exchange,) = ended
    assert exchange.request is not None
    assert exchange.request.nbytes <= MOST
    assert fields(exchange) == {"model": "m-1"}
    kept = [getattr(exchange.request, name) for name in RequestBody.__slots__]
    assert TEXT.strip() not in repr(kept)
    assert exchange.request.nbytes == 0


@pytest.mark.parametrize("case", NOT_AT_HAND)
def test_nothing_is_read_of_what_is_not_at_hand(case: str, server: Loopback, ended: list[Exchange]) -> None:
    NOT_AT_HAND[case](f"{server.url}/plain?n=100")
    (exchange,) = ended
    assert fields(exchange) is None
    assert server.log[0].request_bytes == len(JSON)


@pytest.mark.parametrize("case", AT_HAND)
def test_nothing_is_kept_where_no_rule_asks(case: str, server: Loopback, ended: list[Exchange]) -> None:
    AT_HAND[case](f"{server.url}/unasked")
    assert [exchange.request for exchange in ended] == [None]


@pytest.mark.parametrize("case", ["httpx bytes", "requests bytes", "aiohttp bytes", "urllib.request"])
def test_nothing_is_kept_of_a_call_without_a_response(
    case: str, server: Loopback, ended: list[Exchange]
) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - each client has its own
        AT_HAND[case](f"{server.url}/reset")
    assert [exchange.request for exchange in ended] == [None]


class OddMapping(dict[str, Any]):
    def get(self, *_args: Any) -> Any:
        raise RuntimeError(TEXT)


def test_what_fails_is_the_calls_as_ever(server: Loopback, ended: list[Exchange]) -> None:
    errors: list[BaseException] = []
    interception.add("errors", lambda _exchange: None, on_error=errors.append)
    try:
        _aiohttp(json=lambda: OddMapping(model="m-1"))(f"{server.url}/plain?n=100")
    finally:
        interception.remove("errors")
    assert [exchange.request for exchange in ended] == [None]
    assert server.log[0].status == 200
    assert errors == [], "an error's text might quote the body"


def test_what_is_not_a_body_is_not_kept() -> None:
    for body in (None, b"", "", [], 3, object(), memoryview(b"{}"), io.BytesIO(b"{}"), iter([b"{}"])):
        assert keep_body(body, ("model",)) is None


def test_values_that_are_no_names_are_not_kept() -> None:
    for value in (f"a model, {TEXT}, of words", "m" * 201, "", None, 1.5, ["m"], {"m": 1}, object(), b"a b"):
        assert keep_fields(("model",), {"model": value}).fields() == {}
        if isinstance(value, (str, float, list, dict)):
            made = keep_body(json.dumps({"model": value}), ("model",))
            assert made is not None
            assert made.fields() in ({}, {"model": "1.5"})


def test_a_body_may_change_after_the_call_has_begun() -> None:
    body = bytearray(JSON)
    kept = keep_body(body, ("model",))
    assert kept is not None
    body[:] = b"x" * len(body)
    assert kept.fields() == {"model": "m-1"}


@pytest.mark.parametrize("kind", [bytes, bytearray, bytes.decode])
def test_of_a_body_of_megabytes_no_more_than_its_ends_are_held(kind: Any) -> None:
    body = kind(json.dumps({"model": "m-1", "input": TEXT * 700_000, "n": 2}).encode())
    assert len(body) > 10_000_000
    kept = keep_body(body, ("model", "n"))
    assert kept is not None
    assert kept.nbytes == MOST
    assert kept.fields() == {"model": "m-1", "n": "2"}
    assert kept.nbytes == 0


def test_a_short_body_is_not_copied() -> None:
    kept = keep_body(JSON, ("model",))
    assert kept is not None
    assert kept._body is JSON


ODD: dict[str, bytes] = {
    "deep": b'{"a":' + b"[" * 999_999 + b'{"model":"no"}' + b"]" * 999_999 + b"}",
    "deep objects": b'{"a":' * 300_000 + b'"model":"no"',
    "blanks": b'{"model":' + b" " * 1_000_000 + b"3}",
    "quotes": b'{"' + b'"' * 1_000_000 + b'"}',
    "escapes": b'{"a":"' + b"\\" * 999_999 + b'"}',
    "no text": bytes(range(256)) * 4000,
    "utf-16": json.dumps({"model": "m-1"}).encode("utf-16"),
    "half a character": b'{"model":"m-\xc3"}',
    "a lone surrogate": b'{"model":"\\ud800"}',
    "boundaries": b"--a" + b"\r\n--a" * 200_000,
    "pairs": b"model&" * 200_000,
    "compressed": b"\x1f\x8b\x08\x00" * 100_000,
}


@pytest.mark.parametrize("case", ODD)
def test_nothing_is_read_of_a_malformed_body(case: str) -> None:
    for body in (ODD[case], ODD[case].decode("latin-1"), bytearray(ODD[case])):
        kept = keep_body(body, ("model",))
        assert kept is not None
        assert kept.nbytes <= MOST
        assert kept.fields() == {}
