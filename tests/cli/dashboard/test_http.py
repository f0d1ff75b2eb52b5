"""What the dashboard answers, to whom, and that its figures are those of the lines."""

from __future__ import annotations

import fcntl
import functools
import os
import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional
from unittest import mock
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings

pytest.importorskip("duckdb")
import httpx

from recost.analytics.query import exactly
from recost.analytics.store import FOLDER
from recost.cli import main
from recost.cli.dashboard.guard import Access, is_loopback
from tests.analytics.corpora import EXACT, Plain, Sums, corpora, few
from tests.analytics.test_store import line
from tests.cli.dashboard.serving import Dashboard, append, change, dashboard, raw, report, view
from tests.scripts import run_script

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("telemetry")


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Dashboard]:
    (folder / "shop.jsonl").write_bytes(line(1, 10) + line(2, 20) + line(2000, 5))
    with dashboard(folder, "--tz", "UTC") as found:
        yield found


@pytest.fixture(scope="module")
def client(served: Dashboard) -> Iterator[httpx.Client]:
    with served.client() as found:
        yield found


def target(served: Dashboard) -> str:
    return served.url.removeprefix(served.origin)


def inside(client: httpx.Client, path: str = "api/view") -> str:
    return f"{client.base_url.path}{path}"


def cookie(client: httpx.Client) -> str:
    return "; ".join(f"{each.name}={each.value}" for each in client.cookies.jar)


def test_the_token_is_exchanged_for_a_strict_cookie_of_a_random_path(served: Dashboard) -> None:
    response = httpx.get(served.url, trust_env=False)
    assert response.status_code == 200
    set_cookie = response.headers["set-cookie"]
    assert re.fullmatch(
        r"recost_dashboard=[\w-]{43}; HttpOnly; Path=/view-[0-9a-f]{16}/; SameSite=strict", set_cookie
    )
    token = served.url.partition("token=")[2]
    assert len(token) == 43
    assert token not in response.text + set_cookie  # what the browser keeps doesn't open a door elsewhere


def test_the_page_and_its_files_are_served_with_strict_headers(client: httpx.Client) -> None:
    for path in ("", "static/app.js", "static/vendor/uplot/uPlot.esm.js", "static/style.css", "api/view"):
        response = client.get(path)
        assert response.status_code == 200, path
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert "*" not in policy
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "server" not in response.headers
    assert client.get("api/view").headers["cache-control"] == "no-store"
    assert client.get("").headers["cache-control"] == "no-store"


def test_no_page_has_inline_code_or_names_another_host(client: httpx.Client) -> None:
    page = client.get("").text
    assert not re.findall(r"<script>|<style|\sstyle=|\son\w+=|https?://", page)
    assert all(
        client.get(path).status_code == 200 for path in re.findall(r'(?:src|href)="(static[^"]+)"', page)
    )


@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=%C3%A9", "?other=1"])
def test_a_wrong_token_is_refused(served: Dashboard, token: str) -> None:
    response = httpx.get(f"{served.origin}/{token}", trust_env=False)
    assert response.status_code == 403
    assert "wrong or no token: open the URL that `recost dashboard` printed" in response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("path", ["", "api/view", "api/events", "static/app.js"])
@pytest.mark.parametrize("given_cookie", [None, "recost_dashboard=wrong", "recost_dashboard="])
def test_without_the_cookie_nothing_is_served(
    served: Dashboard, client: httpx.Client, path: str, given_cookie: str | None
) -> None:
    headers = {} if given_cookie is None else {"Cookie": given_cookie}
    response = httpx.get(f"{served.origin}{inside(client, path)}", headers=headers, trust_env=False)
    assert response.status_code == 403
    assert "no access" in response.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", ""],
)
def test_another_host_is_refused(served: Dashboard, client: httpx.Client, host: str) -> None:
    for path in (target(served), inside(client)):
        head = f"GET {path} HTTP/1.1\nHost: {host.format(port=served.port)}\nCookie: {cookie(client)}"
        status, headers, body = raw(served.port, head)
        assert (status, "is not this server's" in body) == (403, True)
        assert "set-cookie" not in headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_names_of_this_machine_are_let_in(served: Dashboard, client: httpx.Client, host: str) -> None:
    head = f"GET {inside(client)} HTTP/1.1\nHost: {host}:{served.port}\nCookie: {cookie(client)}"
    assert raw(served.port, head)[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"]
)
def test_another_origin_is_refused(served: Dashboard, client: httpx.Client, origin: str) -> None:
    for path in (target(served), inside(client)):
        response = client.get(f"{served.origin}{path}", headers={"Origin": origin.format(port=served.port)})
        assert response.status_code == 403
        assert "Origin" in response.text
        assert "access-control-allow-origin" not in response.headers
    assert client.get("api/view", headers={"Origin": served.origin}).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)]
)
def test_what_a_browser_marks_as_begun_elsewhere_is_refused(
    client: httpx.Client, site: str, status: int
) -> None:
    assert client.get("api/view", headers={"Sec-Fetch-Site": site}).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_but_get(served: Dashboard, client: httpx.Client, method: str) -> None:
    for path in (target(served), inside(client)):
        response = client.request(method, f"{served.origin}{path}")
        assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


def test_no_path_leads_out_of_the_files(served: Dashboard, client: httpx.Client) -> None:
    for path in (
        "static/../application.py",
        "static/..%2fapplication.py",
        "static/%2e%2e/guard.py",
        "static//etc/passwd",
    ):
        head = f"GET {inside(client, path)} HTTP/1.1\nHost: 127.0.0.1:{served.port}\nCookie: {cookie(client)}"
        assert raw(served.port, head)[0] in {403, 404}


def test_hosts_of_a_server_that_listens_everywhere() -> None:
    everywhere = Access("0.0.0.0", 80)
    assert all(everywhere.knows(host) for host in ("10.0.0.7", "10.0.0.7:80", "[fe80::1]:80", "localhost"))
    assert not any(everywhere.knows(host) for host in ("evil.example", "10.0.0.7:81", "", ":80"))
    named = Access("box.lan", 9000)
    assert named.knows("BOX.lan:9000")
    assert not named.knows("10.0.0.7:9000")
    assert Access("::1", 9000).url("a=b").startswith("http://[::1]:9000/?token=")
    assert [is_loopback(host) for host in ("127.0.0.3", "::1", "Localhost", "0.0.0.0", "box")] == [
        True
    ] * 3 + [False] * 2


def test_the_figures_are_those_of_the_report(folder: Path, client: httpx.Client) -> None:
    content = view(client)
    known = report(folder, "--by", "minute", "--tz", "UTC")
    assert content["total"]["cost_usd"] == {"usd": "0.0075", "text": "$0.0075"}
    assert known["total"]["cost_usd"] == "0.0075"
    assert content["over_time"]["bucket"] == "hour"
    assert len(content["over_time"]["names"]) == 34
    assert [group["minute"] for group in known["groups"]] == [
        "2026-03-27 00:01",
        "2026-03-27 00:02",
        "2026-03-28 09:20",
    ]
    zoomed = view(client, since="2026-03-27T00:00", until="2026-03-27T00:04")["over_time"]
    assert zoomed["names"] == [f"2026-03-27 00:0{minute}" for minute in range(4)]
    assert [step and step["calls"] for step in zoomed["steps"]] == [None, 10, 20, None]


def test_a_clock_that_was_wrong_fills_no_chart_with_empty_months(tmp_path: Path) -> None:
    late = line(1, 4).replace(b'"windowStart":"2026', b'"windowStart":"9998')
    (tmp_path / "shop.jsonl").write_bytes(line(1, 3) + late)
    with dashboard(tmp_path, "--tz", "UTC") as found, found.client() as client:
        over_time = view(client)["over_time"]
        assert over_time["names"] == ["2026-03", "9998-03"]
        assert [step["calls"] for step in over_time["steps"]] == [3, 4]


def test_changes_are_against_the_period_before(client: httpx.Client) -> None:
    total = view(client, since="2026-03-28", until="2026-03-29")["total"]
    assert (total["cost_usd"]["text"], total["before"]["text"], total["change"]) == (
        "$0.0025",
        "$0.0050",
        "-50%",
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"since": "yesteryear"}, "since: invalid time 'yesteryear': did you mean 'yesterday'?"),
        ({"since": "2026-03-29", "until": "2026-03-28"}, "before it begins"),
        ({"tag": "tenant"}, "invalid tag 'tenant': expected NAME=VALUE"),
        ({"model": "m", "tag": "a=b"}, "models and tags cannot be combined"),
        ({"by": "endpoint"}, "invalid by 'endpoint': expected one of provider, model"),
        ({"whole": "x"}, "invalid whole 'x': expected one of provider"),
        ({"since": "0001-01-01T00:00+05:00"}, "invalid time: out of range"),
        ({"colour": "red"}, "unknown parameter 'colour': expected one of provider"),
    ],
)
def test_what_cannot_be_asked_is_told(client: httpx.Client, asked: dict[str, str], told: str) -> None:
    response = client.get("api/view", params=asked)
    assert response.status_code == 400
    assert told in response.json()["error"]


def added(costs: Iterable[dict[str, str]]) -> Decimal:
    return functools.reduce(EXACT.add, (Decimal(cost["usd"]) for cost in costs), Decimal(0))


def amounts(rows: list[dict[str, Any]]) -> Decimal:
    return added(row["cost_usd"] for row in rows)


def check_table(table: dict[str, Any], known: dict[Any, Any]) -> None:
    """Check every row, what is left out, and the total against plain sums by the same names."""
    rows = table["rows"] + ([table["rest"]] if table["rest"] else [])
    for row in table["rows"]:
        sums = known[tuple(row["names"])]
        assert (row["calls"], row["unpriced"]) == (sums.calls, sums.unpriced)
        assert Decimal(row["cost_usd"]["usd"]) == sums.cost_usd
    assert (
        sum(row["calls"] for row in rows)
        == table["total"]["calls"]
        == sum(each.calls for each in known.values())
    )
    assert amounts(rows) == Decimal(table["total"]["cost_usd"]["usd"])


def by_tag(plain: Plain, tag: str) -> dict[Optional[str], Sums]:
    def value(part: dict[str, Any]) -> Optional[str]:
        told = part.get("tags")
        return "(other)" if part.get("other") else told.get(tag) if isinstance(told, dict) else None

    return plain.by_part("tags", value)


def approximately(ms: float) -> Any:
    """Return what equals a latency as the page is told it: the mean of floats, in any order."""
    return {"ms": pytest.approx(ms), "text": mock.ANY}


@settings(few, max_examples=12)
@given(corpora)
def test_every_figure_is_a_plain_sum_over_the_lines(
    corpus: tuple[Path, httpx.Client], lines: list[bytes]
) -> None:
    place, client = corpus
    file = place / "shop.jsonl"
    fresh = place / ".fresh"
    fresh.write_bytes(b"".join(each + b"\n" for each in lines))
    fresh.replace(file)
    plain = Plain.of(file.read_bytes())
    total = plain.total()
    content = view(client, tagname="tenant", whole=["provider", "endpoint", "tag"])
    for name in ("calls", "errors", "unpriced"):
        assert content["total"][name] == getattr(total, name)
    for name in ("cost_usd", "reported_usd", "computed_usd", "estimated_usd"):
        assert Decimal(content["total"][name]["usd"]) == getattr(total, name)
    assert content["total"]["bytes_up"]["bytes"] == total.bytes_up
    assert (content["bad_lines"], content["bad_metrics"]) == (len(plain.bad), plain.bad_metrics)
    tables = content["tables"]
    check_table(tables["provider"], plain.grouped(lambda _when, _env, entry: [(entry["provider"],)]))
    check_table(
        tables["endpoint"], plain.grouped(lambda _when, _env, entry: [(entry["provider"], entry["endpoint"])])
    )
    models = plain.by_part("models", lambda part: part["model"])
    check_table(tables["model"], {(name,): sums for name, sums in models.items()})
    for table, tag in (("route", "route"), ("tag", "tenant")):
        check_table(tables[table], {(name,): sums for name, sums in by_tag(plain, tag).items()})
    assert content["total"]["p95_ms"] == (None if total.p95_ms is None else approximately(total.p95_ms))
    over_time = content["over_time"]
    for series in over_time["series"]:
        assert added(series["cost"]) == Decimal(series["total"]["usd"])
    assert added(series["total"] for series in over_time["series"]) == total.cost_usd
    assert sum(step["calls"] for step in over_time["steps"] if step) == total.calls
    assert sum(step["errors"] for step in over_time["steps"] if step) == total.errors
    for provider, sums in plain.grouped(lambda _when, _env, entry: [(entry["provider"],)]).items():
        narrow = view(client, provider=exactly(provider[0] or ""))["total"]
        assert (narrow["calls"], Decimal(narrow["cost_usd"]["usd"])) == (sums.calls, sums.cost_usd)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, httpx.Client]]:
    place = tmp_path_factory.mktemp("corpus")
    (place / "shop.jsonl").write_bytes(b"")
    with dashboard(place, "--tz", "UTC") as found, found.client() as client:
        yield place, client


def test_a_row_names_the_filters_that_leave_it_alone(tmp_path: Path) -> None:
    names = ["a*", "ab", "a\\*", "a\\b", "a\\\\b", "*", "a%", "a_"]
    plain = line(1, 0)
    lines = [
        plain.replace(b'"openai"', f'"{name}"'.replace("\\", "\\\\").encode()).replace(
            b'"requestCount":0', b'"requestCount":%d' % 2**index
        )
        for index, name in enumerate(names)
    ]
    (tmp_path / "shop.jsonl").write_bytes(b"".join(lines))
    with dashboard(tmp_path) as found, found.client() as client:
        rows = view(client, whole="provider")["tables"]["provider"]["rows"]
        assert {row["names"][0]: row["calls"] for row in rows} == {
            name: 2**index for index, name in enumerate(names)
        }
        for row in rows:
            assert view(client, **dict(row["filters"]))["total"]["calls"] == row["calls"]
        assert view(client, provider="a*")["total"]["calls"] == 2**8 - 1 - 2**5


def test_news_are_told_and_told_again_after_a_break(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(line(1, 1))
    with dashboard(tmp_path) as found, found.client() as client:
        state = view(client)["state"]
        with client.stream("GET", "api/events", params={"seen": state}) as events:
            assert events.headers["content-type"].startswith("text/event-stream")
            assert events.headers["cache-control"] == "no-store"
            append(file, line(2, 2))
            second = change(events.iter_lines(), state)
        assert view(client)["total"]["calls"] == 3
        append(file, line(3, 4))  # while nobody listens
        headers = {"Last-Event-ID": second}
        with client.stream("GET", "api/events", params={"seen": state}, headers=headers) as events:
            third = change(events.iter_lines(), second)
        content = view(client)
        assert (content["state"], content["total"]["calls"]) == (third, 7)
        file.rename(tmp_path / "shop.1.jsonl")
        file.write_bytes(line(4, 8))
        assert view(client)["total"]["calls"] == 15


def test_ctrl_c_while_a_browser_listens_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1, 1))
    with dashboard(tmp_path) as found, found.client() as client, client.stream("GET", "api/events") as events:
        next(events.iter_lines())
        assert found.stop() == (130, "\n"), "the server says so when it has waited for its last answers"


def test_ctrl_c_interrupts_a_question(tmp_path: Path) -> None:
    with (tmp_path / "shop.jsonl").open("wb") as out:
        for number in range(300):
            out.write(b"".join(line(number * 1000 + each, 1) for each in range(400)))
    with (
        dashboard(tmp_path, "--no-cache") as found,
        found.client() as client,
    ):  # the first question reads all of it: the copy is of the process
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(client.get("api/view")))
        asking.start()
        time.sleep(0.3)
        assert found.stop() == (130, "\n")
        asking.join(20)
        assert [(each.status_code, each.json()) for each in answers] == [
            (503, {"error": "the dashboard is stopping"})
        ]


def test_a_report_at_the_same_time_waits_for_no_dashboard(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1, 7))
    with dashboard(tmp_path) as found, found.client() as client:
        state = view(client)["state"]
        with client.stream("GET", "api/events", params={"seen": state}):
            begun = time.monotonic()
            assert report(tmp_path)["total"]["calls"] == "7"
            assert time.monotonic() - begun < 25  # it would wait for 30 s
        assert (tmp_path / FOLDER / "reports.duckdb").exists()


def test_the_loop_answers_while_a_question_waits_for_the_lock(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1, 7))
    with dashboard(tmp_path) as found, found.client() as client:
        with (tmp_path / FOLDER / "reports.lock").open("rb+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # as a command does that reads for a while
            answers: list[int] = []
            asking = threading.Thread(target=lambda: answers.append(view(client)["total"]["calls"]))
            asking.start()
            time.sleep(0.5)
            assert not answers
            with found.client() as other:
                assert other.get("").status_code == 200
            assert not answers
        asking.join(20)
        assert answers == [7]


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    place = tmp_path / "nowhere"
    with dashboard(place) as found, found.client() as client:
        content = view(client)
        assert (content["empty"], content["folder"]) == (True, str(place))
        place.mkdir()
        with client.stream("GET", "api/events", params={"seen": content["state"]}) as events:
            append(place / "shop.jsonl", line(1, 3))
            change(events.iter_lines(), content["state"])
        assert view(client)["total"]["calls"] == 3


def test_files_that_are_named_and_no_copy_kept(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "shop.jsonl"
    file.parent.mkdir()
    file.write_bytes(line(1, 3))
    with dashboard(tmp_path / "none", "--no-cache", file) as found, found.client() as client:
        assert view(client)["total"]["calls"] == 3
        append(file, line(2, 4))
        assert view(client)["total"]["calls"] == 7
        assert not (tmp_path / "none").exists()
        file.unlink()
        response = client.get("api/view")
        assert (response.status_code, response.json()["error"]) == (400, f"no such file or folder: {file}")


def test_options_are_what_the_page_shows_first(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1, 3))
    options = ["--since", "2026-03-01", "--provider", "open*", "--tag", "a b=c&d", "--env", "test"]
    with dashboard(tmp_path, *options) as found:
        query = urlsplit(found.url).query.partition("&")[2]
        assert query == "since=2026-03-01&provider=open%2A&env=test&tag=a+b%3Dc%26d"
        page = httpx.get(found.url, trust_env=False).text
        assert query.replace("&", "&amp;") in page
        assert "token" not in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl"], "recost: no such file or folder: nowhere.jsonl"),
        (["-"], "recost: dashboard cannot follow stdin: expected files or folders"),
        (["--tz", "Mars"], "recost: --tz: invalid time zone 'Mars'"),
        (["--since", "x"], "recost: --since: invalid time 'x'"),
        (["--host", "no.such.invalid"], "recost: cannot listen on no.such.invalid, port 9848: "),
        (["--model", "m", "--tag", "a=b"], "recost: models and tags cannot be combined"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    assert main(["dashboard", "--no-open", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(told)
    assert (said.err.count("\n"), said.out) == (1, "")


def test_a_port_that_is_out_of_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "--no-open", "--port", "70000"]) == 2
    assert "invalid number '70000': expected a whole number from 0 to 65535" in capsys.readouterr().err


def test_a_port_that_is_in_use_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", "--no-open", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"recost: cannot listen on 127.0.0.1, port {port}: address already in use; "
        "--port 0 uses any free port\n"
    )


def test_another_host_is_warned_of(tmp_path: Path) -> None:
    with dashboard(tmp_path, "--host", "0.0.0.0") as found:
        with found.client() as client:
            assert view(client)["empty"] is True
        code, said = found.stop()
    assert code == 130
    assert said.startswith("recost: warning: 0.0.0.0 is reachable from other machines without encryption")


def test_without_its_packages_it_says_what_to_install(tmp_path: Path) -> None:
    done = run_script(
        """
        import sys
        from importlib import util
        find = util.find_spec
        gone = {"starlette", "uvicorn"}
        util.find_spec = lambda name, package=None: None if name in gone else find(name, package)
        import recost.cli._shared.refusal
        from recost.cli import main
        print(main(["dashboard", "--no-open"]), main(["demo", "--dashboard"]), sep="\\n")
        """
    )
    assert done.stdout.splitlines() == ["2", "2"]
    assert done.stderr.splitlines() == [
        f"recost {command} needs starlette and uvicorn: pip install 'recost[dashboard]'"
        for command in ("dashboard", "demo --dashboard")
    ]


def test_nothing_of_it_is_imported_before_it_is_asked_for() -> None:
    done = run_script(
        """
        import sys
        from recost.cli import main
        main(["dashboard", "--help"])
        heavy = {"starlette", "uvicorn", "duckdb", "_duckdb", "asyncio", "webbrowser"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_browser_is_started_with_a_url_that_opens_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = tmp_path / "opened"
    monkeypatch.setenv("BROWSER", f"/bin/sh -c 'echo \"%s\" > {opened}'")
    found = Dashboard(tmp_path, "dashboard", "--port", 0, "--since", "7d")
    try:
        deadline = time.monotonic() + 20
        while not (opened.exists() and opened.read_text().strip()) and time.monotonic() < deadline:
            time.sleep(0.05)
        url = opened.read_text().strip()
        assert url.startswith(f"{found.origin}/?token=")
        assert url.endswith("&since=7d")
        assert url != found.url
        assert httpx.head(url, trust_env=False).status_code == 200
        assert httpx.get(url, trust_env=False).status_code == 200
        assert httpx.get(url, trust_env=False).status_code == 403
        assert httpx.get(found.url, trust_env=False).status_code == 200
    finally:
        assert found.stop() == (130, "\n")


def test_the_demo_opens_it_on_its_own_calls(tmp_path: Path) -> None:
    (tmp_path / "demo.jsonl").write_bytes(line(1, 1000))
    with dashboard(tmp_path, "--dashboard", command="demo") as found, found.client() as client:
        said = "".join(found.said)
        assert "Every call is accounted for." in said
        environment_of = re.search(r"env=(demo-\w+)", found.url)
        assert environment_of is not None
        calls = re.search(r"Recorded: (\d+) calls, (\d+) failed", said)
        assert calls is not None
        total = view(client, env=environment_of[1])["total"]
        assert (total["calls"], total["errors"]) == (int(calls[1]), int(calls[2]))
