"""The dashboard at ``/``: a key opens that of its project, and nothing else does."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

from tests.collector.serving import Collector, Got, collector, command, make_key, window
from tests.loopback import wait_until

pytest.importorskip("duckdb")
HOST = {"Host": "127.0.0.1"}


class Served(NamedTuple):
    """A collector with windows of two projects, and their keys."""

    running: Collector
    shop: str
    blog: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    shop, blog = make_key(folder), make_key(folder, "blog")
    with collector(folder) as running:
        running.post(shop, window())
        metric = {**window()["metrics"][0], "provider": "stripe", "requestCount": 7}
        running.post(blog, window(environment="secret-environment", metrics=[metric]), "blog")
        yield Served(running, shop, blog)


def login(running: Collector, key: str, **headers: str) -> Got:
    sent = {"Content_Type": "application/x-www-form-urlencoded", **headers}
    return running.request("POST", "/login", None, urllib.parse.urlencode({"key": key}), **sent)


def opened(running: Collector, key: str) -> tuple[str, str]:
    """Return the path of the dashboard, and the cookie that opens it."""
    got = login(running, key)
    assert got.status == 303, got.body
    return got.headers["location"], got.headers["set-cookie"].partition(";")[0]


def view(running: Collector, path: str, cookie: str, query: str = "") -> dict[str, Any]:
    got = running.request("GET", f"{path}api/view{query}", Cookie=cookie)
    assert got.status == 200, got.body
    content: dict[str, Any] = got.json()
    return content


def test_a_key_opens_the_dashboard_of_its_project_only(served: Served) -> None:
    running = served.running
    for key, calls, provider in ((served.shop, 3, "openai"), (served.blog, 7, "stripe")):
        path, cookie = opened(running, key)
        content = view(running, path, cookie)
        assert content["total"]["calls"] == calls
        assert [row["names"] for row in content["tables"]["provider"]["rows"]] == [[provider]]
    path, cookie = opened(running, served.shop)
    for query in ("", "?project=blog", "?project=*", "?provider=stripe", "?env=secret-environment"):
        text = json.dumps(view(running, path, cookie, query))
        assert not re.search(r"stripe(?!\")|secret-environment\"\]|\"blog\"\]", text), query
        content = view(running, path, cookie, query)
        assert content.get("projects", []) in ([], ["shop"])
        assert content["total"]["calls"] in {0, 3}
    page = running.request("GET", path, Cookie=cookie)
    assert b"<title>recost" in page.body
    assert running.request("GET", f"{path}static/app.js", Cookie=cookie).status == 200


def test_a_project_without_files_shows_nothing_of_others(served: Served) -> None:
    running = served.running
    path, cookie = opened(running, make_key(running.folder, "empty"))
    assert view(running, path, cookie)["empty"] is True


def test_what_opens_nothing(served: Served) -> None:
    running = served.running
    path, cookie = opened(running, served.shop)
    metrics = make_key(running.folder, "x", "--metrics")
    for wrong in ("", "rc-" + "0" * 64, served.shop[:-1], metrics, "x" * 3000):
        got = login(running, wrong)
        assert (got.status, "set-cookie" in got.headers) == (401, False)
        assert wrong.encode() not in got.body or not wrong
    assert login(running, "x" * 5000).status == 413
    for value in ("", "recost_collector=", "recost_collector=x", f"other={cookie.partition('=')[2]}"):
        for name in ("api/view", "api/events", "static/app.js"):
            assert running.request("GET", path + name, Cookie=value).status == 403
        assert running.request("GET", path, Cookie=value).headers["location"] == "/"
    for elsewhere in ("/dashboard/", "/dashboard-0/api/view", "/static/app.js", "/index.html", f"{path}../x"):
        assert running.request("GET", elsewhere, Cookie=cookie).status == 404
    bearer = running.request("GET", f"{path}api/view", served.shop)
    assert bearer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://127.0.0.1:1"},
    ],
)  # fmt: skip
def test_pages_of_other_servers_open_nothing(served: Served, headers: dict[str, str]) -> None:
    running = served.running
    path, cookie = opened(running, served.shop)
    assert login(running, served.shop, **headers).status == 403
    for name in ("api/view", "static/app.js"):
        assert running.request("GET", path + name, Cookie=cookie, **headers).status == 403
    assert running.request("POST", f"{path}logout", Cookie=cookie, **headers).status == 403
    assert running.request("GET", f"{path}api/view", Cookie=cookie).status == 200


def test_no_response_is_kept_framed_or_leads_elsewhere(served: Served) -> None:
    running = served.running
    path, cookie = opened(running, served.shop)
    for name in ("/", path, f"{path}api/view", f"{path}static/app.js", "/nothing", f"{path}nothing"):
        headers = running.request("GET", name, Cookie=cookie).headers
        assert headers["cache-control"] == "no-store", name
        assert headers["x-frame-options"] == "DENY", name
        assert "frame-ancestors 'none'" in headers["content-security-policy"], name
        assert "default-src 'none'" in headers["content-security-policy"], name
        assert headers["x-content-type-options"] == "nosniff", name
        assert "x-request-id" in headers, name


def test_the_cookie(served: Served, tmp_path: Path) -> None:
    attributes = login(served.running, served.shop).headers["set-cookie"].lower()
    path, _ = opened(served.running, served.shop)
    assert {"httponly", "samesite=strict", "max-age=43200", f"path={path}"} <= set(attributes.split("; "))
    assert "secure" not in attributes
    assert re.fullmatch(r"/dashboard-[0-9a-f]{16}/", path)
    key = make_key(tmp_path)
    with collector(tmp_path, "--behind-proxy") as running:
        got = login(running, key)
        attributes = got.headers["set-cookie"].lower()
        assert {"httponly", "samesite=strict", "secure", "path=/dashboard/"} <= set(attributes.split("; "))
        assert attributes.startswith("__secure-recost=")


def test_a_session_ends_when_it_is_left_and_with_the_key(tmp_path: Path) -> None:
    key, other = make_key(tmp_path), make_key(tmp_path)
    with collector(tmp_path) as running:
        running.post(key, window())
        path, left = opened(running, key)
        _, kept = opened(running, key)
        _, others = opened(running, other)
        assert running.request("POST", f"{path}logout", Cookie=left).headers["location"] == "/"
        assert running.request("GET", f"{path}api/view", Cookie=left).status == 403
        assert view(running, path, kept)["total"]["calls"] == 3
        stream = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        stream.request("GET", f"{path}api/events", headers={"Cookie": kept})
        response = stream.getresponse()
        assert any(line.startswith(b"data: ") for line in iter(response.readline, b""))
        first = next(
            line.split()[0]
            for line in command("keys", "list", "--dir", tmp_path).stdout.splitlines()
            if "shop" in line
        )
        command("keys", "revoke", first, "--dir", tmp_path)
        assert wait_until(lambda: running.request("GET", f"{path}api/view", Cookie=kept).status == 403)
        assert running.post(other, window()).status == 202  # a change, of which the stream is not told
        assert b"change" not in response.read()
        stream.close()
        assert view(running, path, others)["total"]["calls"] == 6


def test_streams_are_not_ended_and_hold_up_no_end(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    running = Collector(tmp_path)
    path, cookie = opened(running, key)
    stream = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    stream.request("GET", f"{path}api/events", headers={"Cookie": cookie})
    response = stream.getresponse()
    begun = time.monotonic()
    while response.readline().strip():
        pass
    assert running.post(key, window()).status == 202
    events = iter(response.readline, b"")
    assert any(line == b"event: change\n" for line in events)
    assert time.monotonic() - begun < 30
    _, said = running.stop()
    assert said == ""
    stream.close()


def test_ended_sessions_are_forgotten() -> None:
    from recost.collector.keys import Key
    from recost.collector.sessions import SESSION_S, Sessions

    class Known:
        def find(self, text: str) -> Optional[Key]:
            return Key("1", text, "shop", "") if text else None

        def current(self, digest: str) -> Optional[Key]:
            return self.find(digest)

    now = 0.0
    sessions = Sessions(Known(), lambda: now)  # type: ignore[arg-type]
    tokens = [sessions.open("key") or "" for _ in range(10_100)]
    assert len(sessions._sessions) == 10_000
    assert (sessions.find(tokens[0]), sessions.find(tokens[-1]) is not None) == (None, True)
    now = SESSION_S - 1
    assert sessions.find(tokens[-1]) is not None
    now = SESSION_S
    assert sessions.find(tokens[-1]) is None
    sessions.open("key")
    assert len(sessions._sessions) == 1
