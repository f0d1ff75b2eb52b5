"""Responses and scopes: what they cost, exactly, however many calls are under way."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given

import recost
from recost._text import printable
from recost.interceptors.context import cost_scope
from recost.interceptors.exchange import Exchange, nowhere
from recost.pricing.cost import Cost
from tests.exchanges import begun
from tests.hostile_names import is_inert, names
from tests.metered import CANARY, MODEL, Metered, metered_server, usd
from tests.scripts import windows

WAYS = ("", "?as=sse", "?as=gzip", "?as=slow")


@pytest.fixture(scope="module")
def server() -> Iterator[Metered]:
    with metered_server() as running:
        yield running


@pytest.fixture
def handle(server: Metered, tmp_path: Path) -> Iterator[recost.RecostHandle]:
    server.log.clear()
    errors: list[Exception] = []
    with recost.init(
        local_dir=tmp_path,
        project_id="t",
        capture_usage=True,
        custom_providers=server.rules(),
        on_error=errors.append,
    ) as running:
        yield running
    assert not errors


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [metric for window in windows(folder) for metric in window["metrics"]]


def tokens_in(body: bytes) -> int:
    """Return what an answer says, plain or streamed."""
    text = body.decode()
    if text.startswith("data:"):
        text = [line[6:] for line in text.splitlines() if line.startswith("data: {")][-1]
    used: int = json.loads(text)["usage"]["prompt_tokens"]
    return used


Made = tuple[Any, bytes]


def _httpx(module: Any, url: str) -> Made:
    with (
        module.Client(trust_env=False, timeout=60) as client,
        client.stream("POST", url, json={}) as response,
    ):
        return response, response.read()


def with_httpx(url: str) -> Made:
    import httpx

    return _httpx(httpx, url)


def with_httpx2(url: str) -> Made:
    return _httpx(pytest.importorskip("httpx2"), url)


def with_httpx_at_once(url: str) -> Made:
    import httpx

    response = httpx.post(url, json={}, trust_env=False, timeout=60)
    return response, response.content


def with_requests(url: str) -> Made:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        response = session.post(url, json={})
        return response, response.content


def with_urllib3(url: str) -> Made:
    import urllib3

    with urllib3.PoolManager() as manager:
        response = manager.request("POST", url, body=b"{}", headers={"accept-encoding": "gzip"})
        return response, response.data


def with_urllib(url: str) -> Made:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url.replace("?as=gzip", ""), data=b"{}") as response:
        return response, response.read()


CLIENTS = [with_httpx, with_httpx2, with_httpx_at_once, with_requests, with_urllib3, with_urllib]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", CLIENTS)
def test_each_response_has_its_own_cost(
    server: Metered, handle: recost.RecostHandle, tmp_path: Path, make: Callable[[str], Made], way: str
) -> None:
    url = f"{server.url}/v1/chat{way}"

    def call(_: int) -> tuple[Any, Decimal]:
        response, body = make(url)
        return recost.cost_for(response), usd(tokens_in(body))

    with ThreadPoolExecutor(25) as pool:
        costs = list(pool.map(call, range(50)))
    for cost, wanted in costs:
        assert cost is not None
        assert (cost.usd, cost.source, cost.provider, cost.model) == (wanted, "computed", "house", MODEL)
        assert cost.complete
        assert not cost.partial
    handle.dispose()
    (metric,) = _merged(metrics(tmp_path))
    assert metric["requestCount"] == len(server.log) == 50
    assert metric["estimatedCostCents"] == pytest.approx(float(sum(map(usd, server.log)) * 100))
    assert metric["tokens"] == sum(server.log)


def _merged(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    calls = sum(metric["requestCount"] for metric in found)
    cents = sum(metric["estimatedCostCents"] for metric in found)
    tokens = sum(metric.get("tokens", {}).get("input", 0) for metric in found)
    return [{"requestCount": calls, "estimatedCostCents": cents, "tokens": tokens}]


@pytest.mark.parametrize("client", ["aiohttp", "httpx", "httpx2"])
async def test_each_response_of_200_tasks_has_its_own_cost(
    server: Metered, handle: recost.RecostHandle, client: str
) -> None:
    module = pytest.importorskip(client)
    url = f"{server.url}/v1/chat"
    make: Any = (
        module.ClientSession() if client == "aiohttp" else module.AsyncClient(trust_env=False, timeout=60)
    )
    async with make as session:

        async def call(number: int) -> None:
            response = await session.post(url + WAYS[number % len(WAYS)], json={})
            body = await response.read() if client == "aiohttp" else response.content
            cost = recost.cost_for(response)
            assert cost is not None
            assert cost.usd == usd(tokens_in(body))

        with recost.track() as spend:
            await asyncio.gather(*[call(number) for number in range(200)])
        assert spend.calls == len(server.log) == 200
        assert spend.cost == sum(map(usd, server.log))


def test_before_the_body_is_complete_there_is_no_cost(server: Metered, handle: recost.RecostHandle) -> None:
    import httpx

    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", f"{server.url}/v1/chat", json={}) as r,
    ):
        early = recost.cost_for(r)
        assert early is not None
        assert (early.usd, early.complete) == (None, False)
        r.read()
        late = recost.cost_for(r)
    assert late is not None
    assert (late.usd, late.complete) == (usd(server.log[0]), True)
    assert recost.provider_for(r) == "house"


def test_a_response_that_was_not_seen(server: Metered, tmp_path: Path) -> None:
    import httpx

    before = httpx.post(f"{server.url}/v1/chat", trust_env=False)
    with recost.init(local_dir=tmp_path, custom_providers=server.rules()):
        assert recost.cost_for(before) is None
        assert recost.provider_for(before) is None
        assert recost.cost_for(object()) is None


def test_an_object_that_holds_the_response(server: Metered, handle: recost.RecostHandle) -> None:
    class Parsed:
        def __init__(self, response: Any) -> None:
            self.http_response = response

    cost = recost.cost_for(Parsed(with_httpx(f"{server.url}/v1/chat")[0]))
    assert cost is not None
    assert cost.usd == usd(server.log[0])


def call(server: Metered) -> None:
    with_httpx_at_once(f"{server.url}/v1/chat")


def test_scopes_nest_and_end(server: Metered, handle: recost.RecostHandle) -> None:
    with recost.track() as outer:
        call(server)
        with recost.track() as inner:
            call(server)
        call(server)
    call(server)
    first, second, third, _ = map(usd, server.log)
    assert (inner.calls, inner.cost) == (1, second)
    assert (outer.calls, outer.cost) == (3, first + second + third)
    assert outer.by_provider == {"house": outer.cost}
    assert outer.by_model == {MODEL: outer.cost}
    assert outer.unpriced == 0


def test_a_copied_context_and_a_plain_thread(server: Metered, handle: recost.RecostHandle) -> None:
    with recost.track() as spend:
        context = contextvars.copy_context()
        for target in (lambda: context.run(call, server), lambda: call(server)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert spend.calls == 1


def test_decorators(server: Metered, handle: recost.RecostHandle, tmp_path: Path) -> None:
    @recost.track()
    @recost.tag(tenant="acme")
    def plain(times: int) -> int:
        """Call."""
        for _ in range(times):
            call(server)
        return times

    @recost.track()
    async def coroutine() -> None:
        await asyncio.gather(*[asyncio.to_thread(call, server) for _ in range(3)])

    tracked: Any = plain
    assert plain(2) + plain(1) == tracked.spend.calls == 3
    assert plain.__doc__ == "Call."
    asyncio.run(coroutine())
    tracked = coroutine
    assert tracked.spend.calls == 3
    handle.dispose()
    tagged = [row for metric in metrics(tmp_path) for row in metric.get("tags", [])]
    assert sum(row["requestCount"] for row in tagged if row["tags"] == {"tenant": "acme"}) == 3
    assert sum(row["requestCount"] for row in tagged) == 3


def test_generators_are_refused() -> None:
    def generator() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        recost.track()(generator)


def test_tags_by_set_with_exact_sums(server: Metered, tmp_path: Path) -> None:
    server.log.clear()
    with recost.init(
        local_dir=tmp_path,
        project_id="t",
        capture_usage=True,
        custom_providers=server.rules(),
        max_tag_sets=3,
    ):
        spent: dict[str, list[int]] = {}
        for number in range(12):
            tenant = f"t{number % 4}"
            with recost.tag(tenant=tenant, feature="search"), recost.tag(feature=None):
                call(server)
            spent.setdefault(tenant if number % 4 < 3 else "other", []).append(server.log[-1])
    rows = [row for metric in metrics(tmp_path) for row in metric["tags"]]
    found: dict[str, list[float]] = {}
    for row in rows:
        sums = found.setdefault("other" if row.get("other") else row["tags"]["tenant"], [0, 0.0])
        sums[0] += row["requestCount"]
        sums[1] += row["estimatedCostCents"]
        assert row.get("tags", {"tenant": ""}).keys() == {"tenant"}
    # Windows may end in between: "other" has what was beyond the limit in its own window.
    if len(windows(tmp_path)) == 1:
        assert {
            name: [len(used), pytest.approx(float(sum(map(usd, used)) * 100))] for name, used in spent.items()
        } == found
    assert sum(sums[0] for sums in found.values()) == 12


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({"tenant": " "}, "tenant"),
        ({"tenant": "x" * 101}, "101"),
        ({f"t{n}": 1 for n in range(11)}, "11 tags"),
        ({" ": "a"}, "name"),
        ({"n" * 101: "a"}, "101"),
        ({"a\x1b[2J": "a"}, r"\\x1b"),
        ({"a\ud800": "a"}, "name"),
    ],
)
def test_tags_that_are_refused(tags: dict[str, Any], wanted: str) -> None:
    with pytest.raises(ValueError, match=wanted):
        recost.tag(**tags)


# Hypothesis collects garbage: on Python 3.9, pytest-asyncio leaves a loop of an earlier test to that.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@given(names)
def test_the_value_of_a_tag_is_shown_as_it_can_be(name: str) -> None:
    """A visitor may have chosen it: nothing of it reaches a window that a terminal would act on."""
    try:
        tagged = recost.tag(tenant=name)
    except ValueError:
        assert not name.strip() or len(name) > 100
        return
    with tagged:
        inside = cost_scope.get()
        assert inside is not None
        ((_, value),) = inside.tags
    assert is_inert(value)
    assert "\n" not in value
    assert value == printable(name)


def test_without_metering_nothing_is_read_and_windows_say_what_is_unpriced(
    server: Metered, tmp_path: Path
) -> None:
    server.log.clear()
    with recost.init(local_dir=tmp_path, project_id="t", custom_providers=server.rules()):
        response, _ = with_httpx(f"{server.url}/v1/chat")
        cost = recost.cost_for(response)
        assert cost is not None
        assert cost.usd is None
    (window,) = windows(tmp_path)
    assert window["protocolVersion"] == "1.2"
    assert set(window["metrics"][0]) == {
        "provider",
        "endpoint",
        "method",
        "requestCount",
        "errorCount",
        "totalLatencyMs",
        "p50LatencyMs",
        "p95LatencyMs",
        "totalRequestBytes",
        "totalResponseBytes",
        "estimatedCostCents",
        "costSource",
        "unpricedCount",
    }


def test_no_text_of_an_answer_is_kept(server: Metered, handle: recost.RecostHandle, tmp_path: Path) -> None:
    shown = []
    with recost.track() as spend:
        for way in WAYS:
            response, _ = with_httpx(f"{server.url}/v1/chat{way}")
            shown.append(repr(recost.cost_for(response)))
    shown.append(repr(spend))
    handle.dispose()
    shown.extend(path.read_text() for path in tmp_path.iterdir())
    assert len(shown) > len(WAYS)
    assert not [text for text in shown if CANARY in text]


# The collector may come across the event loop of an earlier test, which is not what is tested here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_response_is_not_kept_alive(server: Metered, handle: recost.RecostHandle) -> None:
    import gc
    import weakref

    from recost.interceptors import responses

    before = set(responses._exchanges)  # what earlier tests have left open
    response, _ = with_httpx(f"{server.url}/v1/chat")
    gone = weakref.ref(response)
    assert recost.cost_for(response) is not None
    del response
    gc.collect()
    assert gone() is None
    assert set(responses._exchanges) <= before


def test_a_call_that_another_thread_is_pricing_is_counted_as_well() -> None:
    pricing, go_on = threading.Event(), threading.Event()

    def price_of(_: Exchange) -> Cost:
        pricing.set()
        assert go_on.wait(60)
        return Cost(Decimal(1), "computed", "t")

    spend = recost.Spend(price_of)
    spend.collect(begun(nowhere, "httpx", ("http", "h", 80, "/", "GET")))
    thread = threading.Thread(target=spend.price_calls)
    thread.start()
    assert pricing.wait(60)
    threading.Timer(0.1, go_on.set).start()
    assert (spend.calls, spend.cost) == (1, Decimal(1))
    thread.join()


def test_what_piles_up_is_priced_when_a_call_begins_not_where_one_ends(server: Metered) -> None:
    """Without ``init()`` no thread does it; and a call may end in a finaliser, which must only append."""
    priced: list[str] = []

    def price_of(exchange: Exchange) -> Cost:
        priced.append(exchange.host)
        return Cost(Decimal(1), "computed", "t")

    spend = recost.Spend(price_of)
    count = 1_200
    for _ in range(count):
        spend.collect(begun(nowhere, "httpx", ("http", "h", 80, "/", "GET")))
    assert not priced
    events: list[recost.RawEvent] = []
    recost.install(events.append)
    try:
        with recost.track(_spend=spend):
            with_httpx(f"{server.url}/v1/chat")
            assert priced == ["h"] * count
            with_httpx(f"{server.url}/v1/chat")
    finally:
        recost.uninstall()
    assert (len(events), spend.calls, spend.cost) == (2, count + 2, Decimal(count + 2))
