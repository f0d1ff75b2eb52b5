"""What every client's interceptor must do, whatever the client: `DRIVERS` has them all."""

from __future__ import annotations

import gc
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.interceptors import CLIENTS, install, interception, uninstall
from recost.interceptors.context import current
from recost.interceptors.exchange import unfinished
from tests.conformance.clients import DRIVERS, ELSEWHERE, Ask, Driver, Got, every_client
from tests.interceptors.faults import outcome
from tests.interceptors.truth import ENDINGS, Events, seen, truth
from tests.loopback import Loopback, refused_port, wait_until
from tests.metered import metered_server, usd
from tests.scripts import ROOT, calls, windows


@pytest.fixture(autouse=True)
def _nothing_under_way() -> Iterator[None]:
    unfinished.clear()
    yield
    gc.collect()


@pytest.mark.parametrize("module", CLIENTS)
def test_each_client_stands_in_all_its_other_places(module: str) -> None:
    page = (ROOT / "recost/interceptors/README.md").read_text()
    rows = page[page.index("| client | seen through") :].split("\n\n", 1)[0].splitlines()
    named = {name.split()[0].strip("`") for row in rows for name in row.split("|")[1].split(",")}
    unseen = page[page.index("- Not seen:") :].split("\n\n", 1)[0]
    drivers = [driver for driver in DRIVERS if driver.module == module]
    project = (ROOT / "pyproject.toml").read_text()
    groups = project[project.index("[dependency-groups]") : project.index("[project.scripts]")]
    needed = {driver.needs.replace("_", "-") for driver in drivers} - {"http", "urllib"}
    places = {
        "a Driver in tests/conformance/clients.py": bool(drivers) or module in ELSEWHERE,
        'its name under "Clients" in recost/interceptors/README.md': module in named,
        'no mention under "Not seen" in recost/interceptors/README.md': f"`{module}`" not in unseen,
        "its library in the group dev of pyproject.toml": all(
            f'"{name}>' in groups or f'"{name}"' in groups for name in needed
        ),
    }
    assert [place for place, there in places.items() if not there] == []


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
    if not driver.streams:
        return
    got = driver.call(Ask(server.url + "/chunked?n=3000000&k=30", "left"))
    del got
    gc.collect()
    assert wait_until(lambda: events)
    (event,) = events
    assert (event.status_code, event.path) == (200, "/chunked")
    assert 0 < event.response_bytes < 3_000_000
    assert len(server.log) == 1


@every_client
@pytest.mark.parametrize("how", ["whole", "streamed"])
@pytest.mark.parametrize("path", ["/reset", "/truncate?n=3000", "/hang", ""])
def test_a_failure_is_the_clients_own_and_recorded(
    driver: Driver, how: str, path: str, server: Loopback, events: Events
) -> None:
    url = f"{server.url}{path}" if path else f"http://127.0.0.1:{refused_port()}/plain"

    def scenario() -> Any:
        return driver.call(Ask(url, how, timeout_s=0.2 if path == "/hang" else 20))[1:]

    recorded = outcome(scenario)
    assert wait_until(lambda: events)
    ((status, error, attempts),) = [(each.status_code, each.error, each.attempts) for each in events]
    assert (status, error) == ((200, False) if "truncate" in path else (0, True))
    assert attempts == max(len(server.log), 1)  # aiohttp tries a GET again after a reset
    uninstall()
    assert recorded == outcome(scenario)
    server.release.set()


@every_client
def test_a_redirect_is_an_attempt_of_its_call(driver: Driver, server: Loopback, events: Events) -> None:
    got = driver.call(Ask(server.url + "/redirect?to=/plain", redirected=True))
    assert wait_until(lambda: events)
    served = [(each.path, each.status) for each in server.log]
    found = [(each.path, each.status_code, each.attempts) for each in events]
    if driver.redirects == "attempts":
        assert found == [("/redirect", 200, 2)]
        assert events[0].response_bytes == len(got.body)
    else:
        assert found == [(path, status, 1) for path, status in served]
    assert len(served) == (1 if driver.redirects is None else 2)


@every_client
@pytest.mark.parametrize("how", ["whole", "streamed"])
def test_a_body_from_an_iterator_is_sized_and_sent_as_it_is(
    driver: Driver, how: str, server: Loopback, events: Events
) -> None:
    def own_call() -> None:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url + "/own") as got:
            got.read()

    driver.call(Ask(server.url + "/plain", how, driver.pieces(b"a" * 300, b"", b"b" * 700, between=own_call)))
    assert wait_until(lambda: len(events) == 4)
    assert seen(events) == truth(server)
    assert sorted((each.path, each.request_bytes) for each in events) == [
        *[("/own", 0)] * 3,
        ("/plain", 1000),
    ]


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
    unfinished[outer] = None
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
def test_a_body_that_is_under_way_when_recost_stops_arrives_whole_and_is_counted(
    driver: Driver, server: Loopback, tmp_path: Path
) -> None:
    bodies = []

    def call() -> None:
        bodies.append(driver.call(Ask(server.url + "/stall?n=1000", "streamed")).body)

    with recost.init(local_dir=tmp_path, project_id="t"):
        thread = threading.Thread(target=call)
        thread.start()
        assert wait_until(lambda: any(each.status == 200 for each in unfinished.copy()))
    server.release.set()
    thread.join()
    assert bodies == [b"s" * 1000]
    assert calls(windows(tmp_path)) == {"/stall": 1}
    assert not unfinished


@every_client
def test_nothing_is_recorded_after_recost_is_uninstalled(
    driver: Driver, server: Loopback, events: Events
) -> None:
    uninstall()
    assert driver.call(Ask(server.url + "/plain")).body == b"x" * 100
    assert not events
    assert not unfinished
    assert interception.patches.names() == []


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
        if driver.remembers:
            assert cost is not None
            assert (cost.usd, cost.source, cost.complete) == (usd(tokens), "computed", True)
        assert wait_until(lambda: spend.cost == usd(tokens))
        assert spend.calls == 1


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
        assert not unfinished
