"""The strict server is strict: what it is made to catch, it catches."""

from __future__ import annotations

import copy
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, Callable, Optional

import pytest

from tests.api import Api
from tests.api_rules import validate
from tests.delivery.samples import metric, window


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        yield server


def good() -> dict[str, Any]:
    return window(metric("a"), metric("b")).to_dict()


def ask(api: Api, path: str, body: Optional[bytes] = None, **headers: str) -> tuple[int, Any, Any]:
    """Make one request; returns status, headers and the decoded body."""
    sent = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json", **headers}
    request = urllib.request.Request(api.url + path, body, sent)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=10
        ) as response:
            return response.status, response.headers, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read())


def test_a_good_window_is_accepted(api: Api) -> None:
    status, headers, body = ask(api, "/projects/proj-1/telemetry", json.dumps(good()).encode())
    assert (status, body["status"]) == (202, "accepted")
    assert body["windowId"]
    assert headers["x-request-id"] == api.requests[0].request_id
    assert api.totals() == {("openai", "a", "POST"): (3, 1), ("openai", "b", "POST"): (3, 1)}
    assert api.total("requestCount") == 6


def change(*path: Any, to: Any = None) -> Callable[[dict[str, Any]], None]:
    def apply(wire: dict[str, Any]) -> None:
        target: Any = wire
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = to

    return apply


def drop(*path: Any) -> Callable[[dict[str, Any]], None]:
    def apply(wire: dict[str, Any]) -> None:
        target: Any = wire
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]

    return apply


@pytest.mark.parametrize(
    "spoil",
    [
        *(drop(name) for name in good()),
        *(drop("metrics", 0, name) for name in good()["metrics"][0]),
        *(change("metrics", 0, name, to=-1) for name in good()["metrics"][0]),
        *(change("metrics", 0, name, to=True) for name in good()["metrics"][0]),
        *(change("metrics", 0, name, to=float("nan")) for name in good()["metrics"][0]),
        *(change("metrics", 0, name, to=None) for name in good()["metrics"][0]),
        change("metrics", 0, "provider", to=" "),
        change("metrics", 0, "endpoint", to=""),
        change("metrics", 0, "requestCount", to=1.5),
        change("metrics", 0, "errorCount", to=4),
        change("metrics", 0, "endpoint", to="b"),
        change("metrics", 0, to=[]),
        change("metrics", to=[]),
        change("metrics", to={}),
        change("environment", to=""),
        change("sdkVersion", to=3),
        change("sdkLanguage", to="ruby"),
        change("windowEnd", to=good()["windowStart"]),
        change("windowEnd", to="2020-01-01T00:00:00.000Z"),
        change("windowEnd", to="2030-01-01T00:00:00Z"),
        change("windowStart", to="2020-01-01T00:00:00.000+00:00"),
        change("windowStart", to="2020-13-01T00:00:00.000Z"),
        change("protocolVersion", to="1.1"),
        change("protocolVersion", to="2.0"),
        change("extra", to=1),
        change("metrics", 0, "extra", to=1),
        change("protocolVersion", to="1.2"),
        change("windowId", to="9f6c1d2e-8a3b-4c5d-8e6f-0a1b2c3d4e5f"),
    ],
)
def test_anything_off_is_422(api: Api, spoil: Callable[[dict[str, Any]], None]) -> None:
    wire = copy.deepcopy(good())
    spoil(wire)
    status, headers, _ = ask(api, "/projects/proj-1/telemetry", json.dumps(wire).encode())
    assert status == 422
    assert headers["x-request-id"]
    assert api.windows == []
    assert len(api.problems) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"a": 1, "a": 2}', b"1" * 100])
def test_what_is_no_window_is_422(api: Api, body: bytes) -> None:
    assert ask(api, "/projects/proj-1/telemetry", body)[0] == 422


def test_optional_fields_are_a_minor_version() -> None:
    wire = good()
    wire["protocolVersion"] = "1.1"
    wire["metrics"][0]["attempts"] = 3
    assert validate(json.dumps(wire).encode()) == wire
    wire["windowId"] = "9f6c1d2e-8a3b-4c5d-8e6f-0a1b2c3d4e5f"
    wire["instance"] = {"host": "9f86d081884c7d65", "pid": 7, "start": "2026-05-14T12:00:00.000Z"}
    wire["protocolVersion"] = "1.2"
    assert validate(json.dumps(wire).encode()) == wire


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("windowId", "7"),
        ("windowId", 7),
        ("instance", {}),
        ("instance", {"host": "", "pid": 1, "start": "x"}),
    ],
)
def test_an_identity_is_checked(field: str, value: object) -> None:
    wire = {**good(), "protocolVersion": "1.2", field: value}
    with pytest.raises(ValueError, match=r"windowId|instance|host|pid|time"):
        validate(json.dumps(wire).encode())


def test_more_than_2000_metrics_are_too_many() -> None:
    many = window(*(metric(f"e{i}") for i in range(2001))).to_dict()
    with pytest.raises(ValueError, match="2001 metrics"):
        validate(json.dumps(many).encode())
    many["metrics"].pop()
    validate(json.dumps(many).encode())


def test_key_project_and_content_type(api: Api) -> None:
    body = json.dumps(good()).encode()
    path = "/projects/proj-1/telemetry"
    assert ask(api, path, body, Authorization="Bearer rc-other")[0] == 401
    assert ask(api, "/projects/other/telemetry", body)[0] == 404
    assert ask(api, "/elsewhere", body)[0] == 404
    assert ask(api, path, body, **{"Content-Type": "application/json; charset=utf-8"})[0] == 400
    assert ask(api, path, body)[0] == 202
    assert len(api.windows) == 1


def test_the_hourly_limit_slides() -> None:
    now = [1000.0]
    with Api(hourly_limit=2, clock=lambda: now[0]) as api:
        body = json.dumps(good()).encode()
        statuses = []
        for step in (0, 10, 10, 3585, 100):
            now[0] += step
            statuses.append(ask(api, "/projects/proj-1/telemetry", body)[0])
        assert statuses == [202, 202, 429, 202, 202]


def test_recent(api: Api) -> None:
    for environment in ("a", "b", "a"):
        wire = window(environment=environment).to_dict()
        ask(api, "/projects/proj-1/telemetry", json.dumps(wire).encode())
    found = ask(api, "/projects/proj-1/telemetry/recent?limit=1&environment=a")[2]["data"]
    assert found == [api.windows[2]]
    assert len(ask(api, "/projects/proj-1/telemetry/recent")[2]["data"]) == 3
    for limit in ("0", "51", "x", ""):
        assert ask(api, f"/projects/proj-1/telemetry/recent?limit={limit}x")[0] == 422
    assert ask(api, "/projects/proj-1/telemetry/recent", Authorization="Bearer no")[0] == 401


def test_analytics(api: Api) -> None:
    for start in (0.0, 60_000.0, 86_400_000.0):
        wire = window(window_start=start, window_end=start + 1).to_dict()
        ask(api, "/projects/proj-1/telemetry", json.dumps(wire).encode())
    path = "/projects/proj-1/analytics"
    days = ask(api, f"{path}?interval=day")[2]["data"]
    assert [(row["interval"], row["requestCount"]) for row in days] == [("1970-01-01", 6), ("1970-01-02", 3)]
    assert len(ask(api, f"{path}?interval=window")[2]["data"]) == 3
    assert len(ask(api, f"{path}?interval=window&from=1970-01-01T00:00:30&to=1970-01-02")[2]["data"]) == 1
    assert ask(api, f"{path}?provider=stripe")[2]["data"] == []
    assert ask(api, f"{path}?environment=prod")[2]["data"] == []
    assert ask(api, f"{path}?interval=year")[0] == 422


def test_a_stopped_server_comes_back_on_its_port(api: Api) -> None:
    port = api.port
    api.stop()
    api.start()
    assert api.port == port
    assert ask(api, "/projects/proj-1/telemetry", json.dumps(good()).encode())[0] == 202
