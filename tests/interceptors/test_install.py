"""install, uninstall and what stands behind them."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
import urllib.request
from types import ModuleType
from typing import Any

import pytest

from recost.events import RawEvent
from recost.interceptors import CLIENTS, Interception, hub, install, interception, is_installed, uninstall
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange, unfinished
from recost.interceptors.fanout import FanoutSink
from tests.loopback import Loopback

httpx = pytest.importorskip("httpx")


def get(url: str) -> None:
    httpx.get(url, trust_env=False)


def test_installed_and_uninstalled(server: Loopback) -> None:
    recorded: list[RawEvent] = []
    assert not is_installed()
    install(recorded.append)
    assert is_installed()
    get(f"{server.url}/one")
    uninstall()
    assert not is_installed()
    get(f"{server.url}/two")
    uninstall()
    assert [event.path for event in recorded] == ["/one"]


def test_a_second_install_replaces_the_callback(server: Loopback) -> None:
    first: list[RawEvent] = []
    second: list[RawEvent] = []
    install(first.append)
    with httpx.Client(trust_env=False) as client, client.stream("GET", f"{server.url}/chunked") as response:
        install(second.append)
        response.read()
    get(f"{server.url}/plain")
    uninstall()
    assert not first
    assert [event.path for event in second] == ["/chunked", "/plain"]


@pytest.mark.parametrize("wrong", [None, 7, "print"])
def test_a_callback_must_be_callable(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"recost\.install\(\) takes a callable, got"):
        install(wrong)
    assert not is_installed()


def test_the_callback_runs_before_the_call_returns(server: Loopback, events: list[RawEvent]) -> None:
    get(f"{server.url}/plain")
    assert len(events) == 1


def test_a_callback_may_call_out_itself(server: Loopback) -> None:
    recorded: list[RawEvent] = []

    def callback(event: RawEvent) -> None:
        recorded.append(event)
        if event.path == "/plain":
            get(f"{server.url}/nested")

    install(callback)
    get(f"{server.url}/plain")
    uninstall()
    assert [event.path for event in recorded] == ["/plain", "/nested"]


def test_two_sinks_get_every_exchange(server: Loopback, events: list[RawEvent]) -> None:
    ended: list[Exchange] = []
    begun: list[bool] = []

    def before_call() -> bool:
        begun.append(True)
        return False

    interception.add("test", ended.append, before_call=before_call)
    get(f"{server.url}/both")
    interception.remove("test")
    get(f"{server.url}/one")
    assert [exchange.path for exchange in ended] == ["/both"]
    assert [event.path for event in events] == ["/both", "/one"]
    assert begun == [True]
    assert is_installed()


def test_before_call_runs_until_it_has_nothing_more_to_do(server: Loopback) -> None:
    found: list[bool] = []

    def before_call() -> bool:
        found.append(len(found) == 1)
        return found[-1]

    interception.add("test", lambda exchange: None, before_call=before_call)
    try:
        for _ in range(4):
            get(f"{server.url}/plain")
        assert found == [False, True]
        interception.unready()
        get(f"{server.url}/plain")
        assert found == [False, True, False]
    finally:
        interception.remove("test")


def test_listeners_that_change_while_before_call_runs_are_asked_at_the_next_call(server: Loopback) -> None:
    asked: list[str] = []

    def first() -> bool:
        asked.append("first")
        if len(asked) > 1:
            return True
        interception.add("second", lambda exchange: None, before_call=second)
        return True

    def second() -> bool:
        asked.append("second")
        return True

    interception.add("first", lambda exchange: None, before_call=first)
    try:
        for _ in range(3):
            get(f"{server.url}/plain")
        assert asked == ["first", "first", "second"]
    finally:
        interception.remove("first")
        interception.remove("second")


def test_a_call_that_begins_while_listeners_change_leaves_no_listener_out(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[Exchange] = []
    second: list[Exchange] = []

    def fan(*arguments: Any) -> Any:
        get(f"{server.url}/meanwhile")  # to the earlier sink
        return FanoutSink(*arguments)

    interception.add("first", first.append)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(hub, "FanoutSink", fan)
            interception.add("second", second.append)
        get(f"{server.url}/plain")
        assert [exchange.path for exchange in first] == ["/meanwhile", "/plain"]
        assert [exchange.path for exchange in second] == ["/plain"]
    finally:
        interception.remove("first")
        interception.remove("second")


def test_removing_one_of_two_keeps_the_clients_patched(events: list[RawEvent]) -> None:
    patched = interception.patches.names()
    assert "httpx.Client.send" in patched
    interception.add("test", lambda exchange: None)
    interception.remove("test")
    interception.remove("never added")
    assert interception.patches.names() == patched


@pytest.mark.parametrize("alone", [True, False])
def test_bodies_that_never_end_can_be_ended(server: Loopback, *, alone: bool) -> None:
    ended: list[Exchange] = []
    seen: list[RawEvent] = []
    if not alone:
        install(seen.append)
    interception.add("test", ended.append)
    sink = ended.append
    try:
        with httpx.Client(trust_env=False) as client:
            interception.add("test", sink)
            with client.stream("GET", f"{server.url}/stall?n=100"):
                interception.end_unfinished(lambda exchange: None)
                assert not ended
                interception.end_unfinished(sink)
                assert [exchange.status for exchange in ended] == [200]
        assert len(ended) == 1
        assert not unfinished
    finally:
        interception.remove("test")
        uninstall()
    assert len(seen) == (not alone)


def test_before_call_does_not_run_for_a_call_that_is_part_of_another() -> None:
    begun: list[bool] = []
    own = Interception()

    def before_call() -> bool:
        begun.append(True)
        return False

    own.sink, own.before_call = (lambda exchange: None), before_call
    outer = own.begin("httpx", ("http", "h", 80, "/", "GET"))
    assert outer is not None
    outer.active = True
    token = current.set(outer)
    try:
        assert own.begin("urllib3", ("http", "h", 80, "/", "GET")) is None
        assert own.begin("urllib3", ("http", "other", 80, "/", "GET")) is not None
    finally:
        current.reset(token)
    assert len(begun) == 2


def test_a_client_of_unknown_shape_is_skipped_and_reported() -> None:
    errors: list[BaseException] = []
    own = Interception()
    own.add("test", lambda exchange: None, on_error=errors.append)
    errors.clear()
    own._clients._instrument(ModuleType("httpx"))
    assert list(own.broken) == ["httpx"]
    assert [type(error) for error in errors] == [AttributeError]
    own._clients._instrument(httpx)
    assert not own.broken
    own.remove("test")


def test_an_error_sink_that_raises_is_contained() -> None:
    def fails(error: BaseException) -> None:
        raise ZeroDivisionError

    own = Interception()
    own.add("test", lambda exchange: None, on_error=fails)
    own.report(LookupError())
    own.remove("test")


def test_every_client_is_named_by_a_module_that_can_instrument_it() -> None:
    for name in set(CLIENTS.values()):
        assert callable(importlib.import_module(name).instrument)


def test_install_imports_no_client() -> None:
    code = """
        import sys
        before = set(sys.modules)
        from recost.interceptors import install
        install(print)
        clients = {"httpx", "httpx2", "urllib3", "aiohttp", "requests", "http.client"}
        print(sorted(clients & (set(sys.modules) - before)))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout.strip() == "[]", result.stderr


def test_a_hook_that_fires_after_uninstall_does_nothing() -> None:
    code = """
        from recost.interceptors import install, interception, uninstall
        install(print)
        uninstall()
        import httpx, http.client
        print(interception.patches.names(), type(httpx.Client.__dict__["send"]).__name__)
        install(print)
        print("httpx.Client.send" in interception.patches.names())
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout.split("\n")[:2] == ["[] function", "True"], result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_reports_its_own_calls_only(server: Loopback) -> None:
    code = f"""
        import gc, os, httpx
        from recost.interceptors import install
        seen = []
        install(seen.append)
        client = httpx.Client(trust_env=False)
        response = client.send(client.build_request("GET", "{server.url}/stall?n=100"), stream=True)
        child = os.fork()
        if child == 0:
            httpx.get("{server.url}/child", trust_env=False)
            response.close()
            print([event.path for event in seen], flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        response.close()
        print([event.path for event in seen])
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.stdout.split("\n")[:2] == ["['/child']", "['/stall']"], result.stderr


def test_two_clients_on_top_of_each_other_are_one_call(server: Loopback, events: list[RawEvent]) -> None:
    requests = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        session.get(f"{server.url}/plain")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{server.url}/other") as response:
        response.read()
    assert [event.path for event in events] == ["/plain", "/other"]
