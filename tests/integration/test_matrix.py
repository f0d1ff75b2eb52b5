"""What the SDKs are tested with: the comparison finds what is wrong, and the server speaks both HTTPs."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.matrix.compare import Recorded, compare_calls, compare_windows
from tests.integration.matrix.environments import NoEnvironmentError, make
from tests.integration.matrix.run import Outcome, run
from tests.integration.matrix.table import as_markdown, as_text, together
from tests.integration.named_hosts import Answer, Asked, NamedHosts, NamedServed, named_hosts
from tests.integration.sdks import SDKS, load, missing
from tests.loopback import wait_until
from tests.scripts import run_script

pytestmark = pytest.mark.slow

LARGE = b"x" * 200_000


def _served(path: str = "/a", status: int = 200, size: int = 10) -> NamedServed:
    return NamedServed("GET", path, {}, {}, 5, status, size, host="h.example")


def _event(path: str = "/a", status: int = 200, size: int = 10, attempts: int = 1) -> dict[str, Any]:
    return {
        "host": "h.example",
        "method": "GET",
        "path": path,
        "status_code": status,
        "request_bytes": 5,
        "response_bytes": size,
        "attempts": attempts,
    }


def _differences(log: list[NamedServed], *events: dict[str, Any], left: str = "") -> list[str]:
    return [difference.text for difference in compare_calls(log, Recorded(events), {left})]


def test_calls_that_were_recorded_as_served_make_no_difference() -> None:
    log = [_served(), _served(), _served("/b"), _served(status=0, size=0)]
    assert not _differences(log, _event(), _event("/b"), _event(), _event(status=0, size=0))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([_event()], "served, not recorded"),
        ([_event(), _event(), _event()], "recorded, not served"),
        ([_event(), _event(size=11)], "recorded, not served"),
        ([_event(), _event(size=9)], "recorded, not served"),
        ([_event(), _event(status=500)], "recorded, not served"),
        ([_event(), _event("/b")], "recorded, not served"),
        ([_event(attempts=2), _event()], "as attempts"),
    ],
)
def test_each_kind_of_miscount_is_found(events: list[dict[str, Any]], said: str) -> None:
    assert any(said in text for text in _differences([_served(), _served()], *events))


def test_the_attempts_of_one_call_are_recorded_by_the_last_one() -> None:
    log = [_served(status=429, size=1), _served()]
    assert not _differences(log, _event(attempts=2))
    assert _differences(log, _event())


def test_attempts_explain_no_request_to_another_path() -> None:
    assert _differences([_served("/b", 429), _served()], _event(attempts=2))


def test_a_redirect_is_recorded_under_the_first_path_with_the_last_answer() -> None:
    log = [_served(status=302, size=0), _served("/b", 302, 0), _served("/c", size=7)]
    assert not _differences(log, _event(size=7, attempts=3))
    assert _differences(log, _event(size=8, attempts=3))


def test_an_answer_that_was_left_is_recorded_as_shorter_and_never_as_longer() -> None:
    log = [_served(), _served()]
    assert not _differences(log, _event(size=3), _event(), left="/a")
    assert _differences(log, _event(size=3), _event())
    assert _differences(log, _event(size=11), _event(), left="/a")


def test_the_windows_are_compared_with_what_is_expected_and_with_the_calls() -> None:
    metric = {
        "provider": "p",
        "endpoint": "e",
        "method": "GET",
        "requestCount": 1,
        "errorCount": 0,
        "totalRequestBytes": 5,
        "totalResponseBytes": 10,
    }
    recorded = Recorded([_event()], [{"metrics": [metric]}])
    assert not list(compare_windows(recorded, {("p", "e", "GET"): (1, 0)}))
    for wrong in ({("p", "e", "GET"): (2, 0)}, {("p", "e", "GET"): (1, 1)}, {("q", "e", "GET"): (1, 0)}):
        assert list(compare_windows(recorded, wrong))
    more = replace(recorded, events=[_event(size=11)])
    assert [text for _, text in compare_windows(more, {("p", "e", "GET"): (1, 0)})] == [
        "windows: 10 response bytes, the calls have 11"
    ]


def _site(asked: Asked) -> Answer:
    answers = {
        "/pieces": Answer([LARGE, b"", b"end"]),
        "/size": Answer(str(len(asked.body)).encode()),
        "/repeats": Answer(str(asked.repeats).encode()),
        "/stall": Answer(stall=True),
        "/nothing": Answer(b"", 204),
    }
    return answers[asked.path]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[NamedHosts, Path]]:
    with named_hosts(["site.example"], _site, tmp_path) as made:
        yield made


@pytest.mark.parametrize("http2", [False, True])
def test_the_server_speaks_http_1_and_2_and_logs_the_same(site: tuple[NamedHosts, Path], http2: bool) -> None:
    httpx = pytest.importorskip("httpx")
    if http2:
        pytest.importorskip("h2", reason="HTTP/2 needs h2")
    server, bundle = site
    context = ssl.create_default_context(cafile=str(bundle))
    url = f"https://127.0.0.1:{server.port}"
    options = {"headers": {"Host": "site.example"}, "extensions": {"sni_hostname": "site.example"}}
    with httpx.Client(verify=context, http2=http2, trust_env=False) as client:
        found = client.get(f"{url}/pieces", **options)
        assert found.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert found.content == LARGE + b"end"
        assert client.post(f"{url}/size?a=1", content=LARGE, **options).content == b"200000"
        assert client.post(f"{url}/size", content=iter([LARGE, b"more"]), **options).content == b"200004"
        assert [client.get(f"{url}/repeats", **options).content for _ in range(2)] == [b"0", b"1"]
        assert client.get(f"{url}/nothing", **options).status_code == 204
        assert client.head(f"{url}/size", **options).content == b""
        # Last, because httpx opens another connection afterwards.
        with pytest.raises(httpx.ReadTimeout):
            client.get(f"{url}/stall", timeout=0.2, **options)
    assert wait_until(lambda: any(entry.path == "/stall" for entry in server.log))
    assert server.http2 == (1 if http2 else 0)
    assert not server.problems
    assert [
        (entry.host, entry.method, entry.path, entry.status, entry.request_bytes, entry.response_bytes)
        for entry in server.log
    ] == [
        ("site.example", "GET", "/pieces", 200, 0, 200_003),
        ("site.example", "POST", "/size", 200, 200_000, 6),
        ("site.example", "POST", "/size", 200, 200_004, 6),
        ("site.example", "GET", "/repeats", 200, 0, 1),
        ("site.example", "GET", "/repeats", 200, 0, 1),
        ("site.example", "GET", "/nothing", 204, 0, 0),
        ("site.example", "HEAD", "/size", 200, 0, 0),
        ("site.example", "GET", "/stall", 0, 0, 0),
    ]
    assert server.log[1].query == {"a": "1"}
    assert server.log[0].streamed
    assert not server.log[1].streamed


def test_what_an_sdk_s_file_raises_is_told(site: tuple[NamedHosts, Path]) -> None:
    httpx = pytest.importorskip("httpx")
    server, bundle = site
    context = ssl.create_default_context(cafile=str(bundle))
    url, names = f"https://127.0.0.1:{server.port}/unknown", {"sni_hostname": "site.example"}
    with httpx.Client(verify=context, trust_env=False) as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(url, extensions=names)
    assert wait_until(lambda: server.problems)
    assert isinstance(server.problems[0], KeyError)


def test_names_lead_to_the_server_and_everything_else_nowhere() -> None:
    result = run_script(
        """
        import socket
        from tests.integration.named_hosts import map_names

        with socket.create_server(("127.0.0.1", 0)) as server:
            map_names(["api.example"], server.getsockname()[1])
            with socket.create_connection(("api.example", 443), 5):
                print("connected")
            try:
                socket.create_connection(("other.example", 443), 5)
            except OSError as error:
                print(type(error).__name__)
            with socket.socket() as bare:
                try:
                    bare.connect(("169.254.169.254", 80))
                except OSError as error:
                    print(type(error).__name__)
        """
    )
    assert result.stdout.split() == ["connected", "gaierror", "ConnectionRefusedError"], result.stderr


def test_every_sdk_s_file_has_what_the_matrix_asks_of_it() -> None:
    for name in SDKS:
        sdk = load(name)
        assert sdk.HOSTS
        assert sdk.TRANSPORT
        assert any(sdk.DISTRIBUTION in requirement for requirement in sdk.REQUIRES), name
        assert all(calls >= failed for calls, failed in sdk.EXPECTED.values())
        assert sdk.LEFT.keys() <= sdk.EXPECTED.keys(), name
        assert callable(sdk.answer)
        assert callable(sdk.use)


@pytest.mark.skipif(missing("requests") != "", reason="requests is not installed on this Python")
def test_a_run_tells_of_calls_that_recost_was_not_meant_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = load("requests")
    monkeypatch.setattr(sdk, "EXPECTED", {**sdk.EXPECTED, ("unknown", "/nowhere", "GET"): (1, 0)})
    outcome = run("requests", "before", tmp_path)
    assert outcome.differences == ["windows: unknown /nowhere GET: 0 calls, 0 of them failed; expected 1, 0"]
    assert outcome.served == outcome.recorded
    assert not outcome.provider_right
    assert outcome.streaming_right


def test_the_table_adds_the_runs_of_an_sdk_up() -> None:
    good = Outcome("a", "1.0", "3.11.7", "httpx", 3, 3, provider_right=True, streaming_right=True)
    bad = replace(good, recorded=2, streaming_right=False, differences=["served, not recorded"])
    row = together([good, bad])
    assert (row.served, row.recorded, row.provider_right, row.streaming_right) == (6, 5, True, False)
    assert as_text([row]).splitlines()[1].split() == ["a", "1.0", "httpx", "6", "5", "right", "WRONG"]
    assert "| a | 1.0 | httpx | 6 | 5 | right | WRONG |" in as_markdown([row])
    assert as_text([Outcome("b")]).splitlines()[1].split() == ["b", "?", "0", "0", "WRONG", "n/a"]


def test_an_environment_that_can_not_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(NoEnvironmentError, match="no-such-python"):
        make("requests", str(tmp_path / "no-such-python"), tmp_path / "environments")
