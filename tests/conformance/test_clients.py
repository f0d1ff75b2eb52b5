"""What every client's interceptor must do, whatever the client: `DRIVERS` has them all."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.interceptors import CLIENTS, install, interception, uninstall
from recost.interceptors.context import current
from recost.interceptors.exchange import streaming
from tests.conformance.clients import DRIVERS, ELSEWHERE, Ask, Driver, Got
from tests.interceptors.faults import outcome
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, refused_port, wait_until
from tests.metered import metered_server, usd
from tests.scripts import calls, windows

ALL = [
    pytest.param(
        driver, id=driver.name, marks=pytest.mark.skipif(driver.missing, reason=f"{driver.needs} is missing")
    )
    for driver in DRIVERS
]
every_client = pytest.mark.parametrize("driver", ALL)


@pytest.fixture(autouse=True)
def _nothing_under_way() -> Iterator[None]:
    streaming.clear()
    yield
    gc.collect()


def test_each_client_has_a_driver_here() -> None:
    assert {driver.module for driver in DRIVERS} | ELSEWHERE.keys() == CLIENTS.keys()


@every_client
@pytest.mark.parametrize("how", ["whole", "streamed"])
@pytest.mark.parametrize("path", [*ENDINGS, "/status/500", "/empty"])
def test_a_call_is_recorded_once_with_its_status_and_sizes(
    driver: Driver, how: str, path: str, server: Loopback, events: Events
) -> None:
    got = driver.call(Ask(server.url + path, how))
    assert wait_until(lambda: events)
    assert seen(events) == truth(server)
    assert (events[0].attempts, events[0].error) == (1, got.status >= 400)
    assert 0 <= (events[0].time_to_headers_ms or 0) <= events[0].latency_ms


@every_client
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_body_that_is_sent_is_sized(driver: Driver, size: int, server: Loopback, events: Events) -> None:
    driver.call(Ask(server.url + "/plain", body=b"b" * size))
    assert wait_until(lambda: events)
    assert seen(events) == truth(server)
    assert events[0].request_bytes == size


@every_client
def test_a_response_that_is_left_early_is_recorded_once(
    driver: Driver, server: Loopback, events: Events
) -> None:
    got = driver.call(Ask(server.url + "/chunked?n=3000000&k=30", "left"))
    del got
    gc.collect()
    assert wait_until(lambda: events)
    (event,) = events
    assert (event.status_code, event.path) == (200, "/chunked")
    assert 0 < event.response_bytes < 3_000_000
    assert len(server.log) == 1


@every_client
@pytest.mark.parametrize("path", ["/reset", "/truncate?n=3000", ""])
def test_a_failure_is_the_clients_own_and_recorded(
    driver: Driver, path: str, server: Loopback, events: Events
) -> None:
    url = f"{server.url}{path}" if path else f"http://127.0.0.1:{refused_port()}/plain"

    def scenario() -> Any:
        return driver.call(Ask(url))[1:]

    recorded = outcome(scenario)
    assert wait_until(lambda: events)
    (event,) = events
    assert (event.status_code, event.error) == ((200, False) if "truncate" in path else (0, True))
    uninstall()
    assert recorded == outcome(scenario)


@every_client
@pytest.mark.parametrize("path", ["/plain", "/reset"])
def test_the_context_is_left_as_it_was(driver: Driver, path: str, server: Loopback, events: Events) -> None:
    outcome(lambda: driver.call(Ask(server.url + path)))
    assert current.get() is None
    driver.call(Ask(server.url + "/plain"))
    assert wait_until(lambda: len(events) == 2)
    assert not streaming


@every_client
def test_concurrent_calls_are_recorded_each(driver: Driver, server: Loopback, events: Events) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(driver.call, [Ask(f"{server.url}/plain?n={size}") for size in range(30)]))
    assert wait_until(lambda: len(events) == 30)
    assert seen(events) == truth(server)


@every_client
def test_a_call_below_another_client_is_part_of_its_call(
    driver: Driver, server: Loopback, events: Events
) -> None:
    outer = interception.begin("another", ("http", "127.0.0.1", server.port, "/plain", "GET"))
    assert outer is not None
    outer.active = True
    token = current.set(outer)
    try:
        driver.call(Ask(server.url + "/plain"))
    finally:
        current.reset(token)
    assert not events
    outer.status = 200
    outer.finish()
    assert [event.path for event in events] == ["/plain"]
    driver.call(Ask(server.url + "/plain"))
    assert wait_until(lambda: len(events) == 2)


@every_client
def test_a_call_that_is_under_way_when_recost_stops_is_counted(
    driver: Driver, server: Loopback, tmp_path: Path
) -> None:
    with recost.init(local_dir=tmp_path, project_id="t"):
        thread = threading.Thread(target=outcome, args=[lambda: driver.call(Ask(server.url + "/hang"))])
        thread.start()
        assert wait_until(lambda: server.log)
    server.release.set()
    thread.join()
    assert calls(windows(tmp_path)) == {"/hang": 1}
    assert len(server.log) == 1


@every_client
def test_no_response_is_kept(driver: Driver, server: Loopback, events: Events) -> None:
    got = driver.call(Ask(server.url + "/plain"))
    dead = threading.Event()
    weakref.finalize(got.response, dead.set)
    del got
    gc.collect()
    assert dead.is_set()
    assert wait_until(lambda: events)


@every_client
def test_what_a_listener_raises_never_reaches_the_call(driver: Driver, server: Loopback) -> None:
    bare = outcome(lambda: driver.call(Ask(server.url + "/plain"))[1:])

    def fails(_event: Any) -> None:
        raise RuntimeError("a listener's own")

    install(fails)
    try:
        assert outcome(lambda: driver.call(Ask(server.url + "/plain"))[1:]) == bare
    finally:
        uninstall()


@every_client
@pytest.mark.parametrize("coded", ["json", "gzip", "sse", "slow"])
@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_a_metered_answer_is_priced_and_has_its_cost(
    driver: Driver, coded: str, how: str, tmp_path: Path
) -> None:
    with (
        metered_server() as server,
        recost.init(capture_usage=True, custom_providers=server.rules(), local_dir=tmp_path),
    ):
        with recost.track() as spend:
            got = driver.call(Ask(f"{server.url}/v1/chat?as={coded}", how, b"{}"))
        cost = recost.cost_for(got.response)
        (tokens,) = server.log
        assert cost is not None
        assert (cost.usd, cost.source, cost.complete) == (usd(tokens), "computed", True)
        assert (spend.calls, spend.cost) == (1, usd(tokens))


@every_client
def test_a_budget_that_is_used_up_lets_nothing_be_sent(
    driver: Driver, server: Loopback, tmp_path: Path
) -> None:
    rule = recost.ProviderDef("127.0.0.1", "house", cost_per_request_cents=100)
    budget = recost.Budget("0.50", on_exceed="raise")
    with recost.init(custom_providers=[rule], budgets=[budget], local_dir=tmp_path) as handle:
        got: Got = driver.call(Ask(server.url + "/plain"))
        assert got.status == 200
        handle.flush_blocking()
        assert wait_until(lambda: outcome(lambda: driver.call(Ask(server.url + "/plain")))[0] == "raised")
        sent = len(server.log)
        with pytest.raises(recost.RecostBudgetExceededError):
            driver.call(Ask(server.url + "/plain"))
        assert len(server.log) == sent
        assert current.get() is None
