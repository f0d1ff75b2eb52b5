from __future__ import annotations

import asyncio
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import pytest

from recost.interceptors import install, interception, uninstall
from recost.interceptors.exchange import unfinished
from recost.lifecycle import init
from recost.lifecycle.reporting import Reporter
from recost.pricing.model import ProviderDef
from recost.testing import capture_calls, capture_windows
from tests.loopback import Loopback, refused_port
from tests.scripts import windows as windows_in

RULE = ProviderDef(
    host_pattern="127.0.0.1",
    provider="ours",
    path_prefix="/plain",
    endpoint_category="things",
    cost_per_request_cents=2.5,
)


def fetch(url: str) -> None:
    with urllib.request.urlopen(url) as response:
        response.read()


def test_each_call_is_there_when_the_client_returns(server: Loopback) -> None:
    with capture_calls() as calls:
        fetch(f"{server.url}/plain?n=10")
        assert [(call.method, call.path, call.status_code) for call in calls] == [("GET", "/plain", 200)]
        with pytest.raises(urllib.error.HTTPError) as failure:
            fetch(f"{server.url}/status/503")
        failure.value.close()
        assert [call.error for call in calls] == [False, True]
    fetch(f"{server.url}/plain")
    assert len(calls) == 2
    assert calls[0].response_bytes == 10
    assert interception.sink is None


def test_provider_and_endpoint_are_filled_in(server: Loopback) -> None:
    with capture_calls(custom_providers=[RULE]) as calls:
        fetch(f"{server.url}/plain/deeper")
        fetch(f"{server.url}/chunked")
    assert [(call.provider, call.endpoint_category) for call in calls] == [
        ("ours", "things"),
        ("unknown", "/chunked"),
    ]


def test_settings_are_those_of_init(server: Loopback) -> None:
    with capture_calls(exclude_hosts=["127.0.0.1"]) as calls, capture_windows(enabled=False) as windows:
        fetch(f"{server.url}/plain")
        windows.flush()
    assert (calls, windows) == ([], [])
    with capture_calls(enabled=False) as calls:
        fetch(f"{server.url}/plain")
    assert calls == []
    with pytest.raises(ValueError, match="exclude_host"), capture_calls(exclude_host=["a"]):
        pass
    with pytest.raises(ValueError, match="max_buckets"), capture_windows(max_buckets=0):
        pass


def test_the_environment_is_not_read(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOST_ENABLED", "no")
    monkeypatch.setenv("RECOST_API_KEY", "bad")
    with capture_calls() as calls, capture_windows() as windows:
        fetch(f"{server.url}/plain")
    assert (len(calls), len(windows)) == (1, 1)


def test_captures_nest(server: Loopback) -> None:
    seen: list[str] = []
    install(lambda event: seen.append(event.path))
    try:
        with capture_calls() as outer:
            fetch(f"{server.url}/plain/1")
            with capture_calls() as inner:
                fetch(f"{server.url}/plain/2")
            fetch(f"{server.url}/plain/3")
        fetch(f"{server.url}/plain/4")
    finally:
        uninstall()
    assert [call.path for call in outer] == ["/plain/1", "/plain/2", "/plain/3"]
    assert [call.path for call in inner] == ["/plain/2"]
    assert seen == ["/plain/1", "/plain/2", "/plain/3", "/plain/4"]


def test_an_sdk_that_is_running_goes_on(server: Loopback, tmp_path: Path) -> None:
    errors: list[Exception] = []
    with init(local_dir=tmp_path, on_error=errors.append) as handle:
        fetch(f"{server.url}/before")
        with capture_calls() as calls, capture_windows() as windows:
            fetch(f"{server.url}/within")
        assert not handle.disposed
        fetch(f"{server.url}/after")
        assert handle.flush_blocking()
        interception.report(RuntimeError("still reported"))
    assert len(errors) == 1
    assert [call.path for call in calls] == ["/within"]
    assert [metric.endpoint for metric in windows[0].metrics] == ["/within"]
    recorded = {metric["endpoint"] for window in windows_in(tmp_path) for metric in window["metrics"]}
    assert recorded == {"/before", "/within", "/after"}


async def test_async_code_and_threads_are_captured(server: Loopback) -> None:
    with capture_calls() as calls:
        async with httpx.AsyncClient(trust_env=False) as client:
            await asyncio.gather(*(client.get(f"{server.url}/plain/{number}") for number in range(20)))
        threads = [threading.Thread(target=fetch, args=(f"{server.url}/chunked",)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(call.path for call in calls) == sorted(served.path for served in server.log)
    assert len(calls) == 30


def test_a_streamed_call_is_there_when_its_body_has_ended(server: Loopback) -> None:
    with capture_calls() as calls, httpx.Client(trust_env=False) as client:
        with client.stream("GET", f"{server.url}/sse") as response:
            assert calls == []
            response.read()
        assert [call.response_bytes for call in calls] == [server.log[0].response_bytes]


def test_windows_come_with_each_flush(server: Loopback) -> None:
    before = threading.enumerate()
    with capture_windows(custom_providers=[RULE], environment="test", project_id="shop") as windows:
        windows.flush()
        assert windows == []
        fetch(f"{server.url}/plain")
        fetch(f"{server.url}/plain")
        assert windows == []
        windows.flush()
        [window] = windows
        fetch(f"{server.url}/plain")
    assert len(windows) == 2
    assert (window.project_id, window.environment) == ("shop", "test")
    [metric] = window.metrics
    assert (metric.provider, metric.endpoint, metric.request_count) == ("ours", "things", 2)
    assert metric.estimated_cost_cents == 5.0
    assert windows.errors == []
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in left if thread.name.startswith("recost-")]


def test_a_test_that_fails_leaves_nothing_behind(server: Loopback) -> None:
    with pytest.raises(urllib.error.URLError), capture_calls(), capture_windows() as windows:
        fetch(f"http://127.0.0.1:{refused_port()}")
    assert len(windows) == 1
    assert interception.sink is None


def test_more_calls_than_the_inbox_holds(server: Loopback) -> None:
    with capture_windows() as windows:
        for _ in range(12_000):
            exchange = interception.begin("test", ("http", "127.0.0.1", 80, "/many", "GET"))
            assert exchange is not None
            unfinished[exchange] = None
            exchange.headers_received(200)
            exchange.finish()
    assert sum(metric.request_count for window in windows for metric in window.metrics) == 12_000
    assert windows.errors == []


def test_a_failure_of_recost_reaches_on_error_and_not_the_call(server: Loopback) -> None:
    errors: list[Exception] = []

    class Broken(list[object]):
        def append(self, item: object) -> None:
            raise RuntimeError("secret")

    from recost.config import resolve
    from recost.lifecycle.compose import Composition
    from recost.testing import _Labeller

    report = Reporter(errors.append)
    composition = Composition(resolve(None, {}, {}), report)
    interception.add("broken", _Labeller(composition, Broken(), report))  # type: ignore[arg-type]
    try:
        fetch(f"{server.url}/plain")
    finally:
        interception.remove("broken")
    report.notifier.close(time.monotonic() + 10)
    assert len(errors) == 1
    assert "secret" not in str(errors[0])


def test_no_thread_is_left_of_what_was_told(server: Loopback) -> None:
    told: list[Exception] = []
    before = threading.enumerate()
    with capture_windows(on_error=told.append), capture_calls(on_error=told.append):
        interception.report(RuntimeError("told on a thread"))
        fetch(f"{server.url}/plain")
    assert len(told) == 2, "each of the two tells"
    left = [thread for thread in threading.enumerate() if thread not in before]
    assert not [thread for thread in left if thread.name == "recost-notifier"]
