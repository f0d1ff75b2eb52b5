"""The routes, responses and limits of the cloud API, over HTTP."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collector.serving import WINDOW, Collector, collector, command, lines, make_key, window
from tests.loopback import wait_until


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, str]]:
    folder = tmp_path_factory.mktemp("served")
    key = make_key(folder)
    with collector(folder) as running:
        yield running, key


@pytest.fixture
def served(_running: tuple[Collector, str]) -> Collector:
    """A collector that all tests of this module share."""
    return _running[0]


@pytest.fixture
def key(_running: tuple[Collector, str]) -> str:
    """A key of the project ``shop``."""
    return _running[1]


def test_a_window_is_accepted_and_written_as_it_came(served: Collector, key: str) -> None:
    sent = json.dumps(window(), indent=2, ensure_ascii=False).encode()
    got = served.post(key, sent)
    assert got.status == 202
    assert got.json() == {"status": "accepted", "windowId": json.loads(sent)["windowId"]}
    assert lines(served.folder)[-1] == json.loads(sent)


@pytest.mark.parametrize("version", ["0.1.3", "0.2.0"])
def test_windows_of_older_sdks_are_accepted_each_time(served: Collector, key: str, version: str) -> None:
    before = len(lines(served.folder))
    old = {**WINDOW, "sdkVersion": version}
    ids = [served.post(key, old).json()["windowId"] for _ in range(2)]
    assert [uuid.UUID(each).version for each in ids] == [4, 4]
    assert lines(served.folder)[before:] == [old, old]


def test_optional_and_unknown_fields_are_kept(served: Collector, key: str) -> None:
    (metric,) = WINDOW["metrics"]
    rich = window(
        protocolVersion="1.7",
        instance={"host": "web-1", "pid": 7, "start": "2026-11-21T09:00:00.000Z"},
        future=[1, {"a": None}],
        metrics=[{**metric, "costSource": {"reported": 6.0}, "tags": [], "requestCount": 3.0}],
        sdkLanguage="go",
    )
    assert served.post(key, rich).status == 202
    assert lines(served.folder)[-1] == rich


def test_a_repeated_window_is_accepted_and_not_added(served: Collector, key: str) -> None:
    before, sent = len(lines(served.folder)), window()
    again = {**sent, "windowId": sent["windowId"].upper()}
    assert [served.post(key, each).json()["windowId"] for each in (sent, sent, again)] == [
        sent["windowId"]
    ] * 3
    assert lines(served.folder)[before:] == [sent]


def test_every_response_has_a_request_id_of_its_own(served: Collector, key: str) -> None:
    got = [
        served.post(key, window()),
        served.post("rc-wrong", window()),
        served.request("GET", "/health"),
        served.request("GET", "/nothing"),
        served.request("PUT", "/health"),
    ]
    assert [each.status for each in got] == [202, 401, 200, 404, 405]
    assert len({each.headers["x-request-id"] for each in got}) == len(got)


def test_what_is_not_allowed_is_refused(served: Collector, key: str) -> None:
    before = len(lines(served.folder))
    post = served.post
    refused = {
        "no key": (served.request("POST", "/projects/shop/telemetry", None, b"{}"), 401),
        "unknown key": (post("rc-" + "0" * 64, window()), 401),
        "another scheme": (
            served.request("POST", "/projects/shop/telemetry", None, b"{}", Authorization=f"Basic {key}"),
            401,
        ),
        "another project": (post(key, window(), "blog"), 404),
        "a path as project": (post(key, window(), "..%2F..%2Fetc"), 404),
        "another type": (post(key, window(), Content_Type="text/plain"), 400),
        "another coding": (post(key, window(), Content_Encoding="br"), 415),
        "not gzip": (post(key, window(), Content_Encoding="gzip"), 422),
        "not JSON": (post(key, b"{"), 422),
        "too many metrics": (post(key, window(metrics=WINDOW["metrics"] * 2001)), 422),
    }
    assert {name: got.status for name, (got, _) in refused.items()} == {
        name: status for name, (_, status) in refused.items()
    }
    for got, status in refused.values():
        assert set(got.json()) == {"error"}
        assert key not in got.body.decode()
        assert ("www-authenticate" in got.headers) == (status == 401)
    assert len(lines(served.folder)) == before


def test_a_compressed_body_is_accepted(served: Collector, key: str) -> None:
    sent = window()
    assert served.post(key, gzip.compress(json.dumps(sent).encode()), Content_Encoding="gzip").status == 202
    assert lines(served.folder)[-1] == sent


def test_a_chunked_body_is_accepted(served: Collector, key: str) -> None:
    sent = window()
    parts = iter([json.dumps(sent).encode()[:40], json.dumps(sent).encode()[40:]])
    got = served.request(
        "POST", "/projects/shop/telemetry", key, parts,
        Content_Type="application/json; charset=utf-8",
    )  # fmt: skip
    assert got.status == 202
    assert lines(served.folder)[-1] == sent


def test_the_latest_windows_are_read(served: Collector, key: str) -> None:
    sent = [window(environment=name) for name in ("a", "b", "a")]
    for each in sent:
        assert served.post(key, each).status == 202
    path = "/projects/shop/telemetry/recent"
    assert served.request("GET", f"{path}?limit=2", key).json() == {"data": [sent[2], sent[1]]}
    assert served.request("GET", f"{path}?environment=a", key).json()["data"] == [sent[2], sent[0]]
    assert [served.request("GET", f"{path}?limit={each}", key).status for each in (0, 51, "x", "%C2%B2")] == [
        422
    ] * 4
    assert served.request("GET", path).status == 401
    assert served.request("GET", path.replace("shop", "blog"), key).status == 404


def test_sums_by_day_and_by_window_are_read(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    spans = [("2026-11-20T10:00:00.000Z", "2026-11-20T10:00:30.000Z")] * 2
    spans += [("2026-11-21T10:00:00.000Z", "2026-11-21T10:00:30.000Z")]
    with collector(tmp_path) as running:
        for start, end in spans:
            assert running.post(key, window(windowStart=start, windowEnd=end)).status == 202

        def asked(query: str) -> Any:
            got = running.request("GET", f"/projects/shop/analytics{query}", key)
            return [(each["interval"], each["requestCount"]) for each in got.json()["data"]]

        assert asked("") == [("2026-11-20", 6), ("2026-11-21", 3)]
        assert asked("?interval=window") == [("2026-11-20T10:00:00.000Z", 6), ("2026-11-21T10:00:00.000Z", 3)]
        assert asked("?from=2026-11-21T00:00:00Z&to=2026-12-01T00:00:00Z") == [("2026-11-21", 3)]
        assert asked("?provider=stripe") == [("2026-11-20", 0), ("2026-11-21", 0)]
        assert asked("?environment=staging") == []
        (day, _) = running.request("GET", "/projects/shop/analytics", key).json()["data"]
        assert (day["estimatedCostCents"], day["totalResponseBytes"]) == (12.0, 18620)
        for query in ("?interval=hour", "?from=yesterday"):
            assert running.request("GET", f"/projects/shop/analytics{query}", key).status == 422


def test_a_key_has_its_limit_by_the_hour(tmp_path: Path) -> None:
    key, other = make_key(tmp_path, "shop", "--posts-per-hour", 3), make_key(tmp_path)
    with collector(tmp_path) as running:
        got = [running.post(key, window()) for _ in range(5)]
        assert [each.status for each in got] == [202, 202, 202, 429, 429]
        assert 3590 <= int(got[3].headers["retry-after"]) <= 3600
        assert running.post(other, window()).status == 202
        assert running.metric('recost_collector_windows_refused_total{reason="rate"}') == 2
    assert len(lines(tmp_path)) == 4


def test_a_revoked_key_is_refused_by_a_running_collector(tmp_path: Path) -> None:
    with collector(tmp_path) as running:
        assert running.post("rc-" + "0" * 64, window()).status == 401
        keys = [make_key(tmp_path), make_key(tmp_path)]
        assert [running.post(each, window()).status for each in keys] == [202, 202]
        first = command("keys", "list", "--dir", tmp_path).stdout.splitlines()[2].split()[0]
        command("keys", "revoke", first, "--dir", tmp_path)
        assert [running.post(each, window()).status for each in keys] == [401, 202]


def test_keys_that_cannot_be_read_are_no_reason_to_drop_windows(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    file = tmp_path / ".collector" / "keys.json"
    with collector(tmp_path) as running:
        content = file.read_bytes()
        file.write_bytes(b"{")
        assert wait_until(lambda: running.post(key, window()).status != 202)
        got = running.post(key, window())
        assert (got.status, got.headers["retry-after"]) == (503, "10")
        file.write_bytes(content)
        assert wait_until(lambda: running.post(key, window()).status == 202)


def test_metrics_and_health(tmp_path: Path) -> None:
    key, sent = make_key(tmp_path), window()
    with collector(tmp_path) as running:
        assert running.request("GET", "/health").json()["status"] == "ok"
        for content in (sent, sent, {}):
            running.post(key, content)
        size = len(json.dumps(sent))
        for name, value in {
            "windows_accepted_total": 1,
            "windows_repeated_total": 1,
            'windows_refused_total{reason="invalid"}': 1,
            "body_bytes_total": size,
            "rows_total": 1,
            "calls_total": 3,
            "storing": 1,
        }.items():
            assert running.metric(f"recost_collector_{name}") == value, name


def test_metrics_need_a_key_behind_a_proxy(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path, "--behind-proxy") as running:
        assert running.request("GET", "/metrics").status == 401
        assert running.request("GET", "/metrics", key).status == 200
        assert running.request("GET", "/health").status == 200
