"""What an application must not notice of a client's interceptor, and what is captured meanwhile."""

from __future__ import annotations

import asyncio
import gc
import gzip
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import copy_context
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Optional

import pytest

import recost
from recost.captured import CapturedResponse, Wanted
from recost.interceptors import interception
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange, Unrouted, nowhere, unfinished
from tests.conformance.clients import Ask, Driver, every_async_client, every_client
from tests.exchanges import begun
from tests.interceptors import faults
from tests.interceptors.faults import outcome
from tests.interceptors.truth import Events, seen, truth
from tests.loopback import Loopback, wait_until

WANTED = Unrouted(Wanted(("server",), ("model",)))
BODY = b'{"model": "m-1", "secret": "s"}'
BOUNDARY = {"contain", "_comes_from_outside", "_signal_handlers", "_is_raise", "end"}
"""Functions that keep errors out of the call, and can't be kept out themselves."""


class Kept(NamedTuple):
    """A finished call, and what was captured of it."""

    exchange: Exchange
    response: Optional[CapturedResponse]
    fields: Optional[Mapping[str, str]]


@pytest.fixture
def kept() -> Iterator[list[Kept]]:
    """Each finished call while the test runs, as a listener gets it that reads calls."""
    found: list[Kept] = []

    def sink(exchange: Exchange) -> None:
        capture, request = exchange.capture, exchange.request
        fields = None if request is None else request.fields()
        found.append(Kept(exchange, None if capture is None else capture.take(), fields))

    unfinished.clear()
    interception.add("conformance", sink, metered=lambda _: WANTED)
    yield found
    interception.remove("conformance")


def _outcome(driver: Driver, ask: Ask) -> Any:
    return outcome(lambda: driver.call(ask)[1:])


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@every_client
@pytest.mark.parametrize("how", ["whole", "streamed"])
@pytest.mark.parametrize("path", ["/plain?n=100", "/plain?n=0", "/gzip?n=5000", "/chunked?n=3000"])
def test_the_body_is_captured_as_it_passes(
    driver: Driver, how: str, path: str, server: Loopback, kept: list[Kept]
) -> None:
    got = driver.call(Ask(server.url + path, how, BODY))
    assert wait_until(lambda: kept)
    ((exchange, response, fields),) = kept
    assert fields == {"model": "m-1"}
    assert response is not None
    assert response.complete
    decoded = gzip.decompress(response.head) if response.encoding else response.head
    assert decoded == (b"z" * 5000 if "gzip" in path else got.body)  # http.client decodes nothing
    assert response.content_type == ("" if "gzip" in path else "text/plain")
    assert response.headers.keys() == {"server"}
    assert (exchange.scheme, exchange.host, exchange.port) == ("http", "127.0.0.1", server.port)
    assert (exchange.finished, exchange.active, exchange.owner) == (True, False, None)
    assert 0 < exchange.headers_ns <= exchange.ended_ns or exchange.headers_ns == 0


@every_client
@pytest.mark.parametrize(
    ("how", "path"),
    [("whole", "/truncate?n=3000"), ("streamed", "/truncate?n=3000"), ("left", "/chunked?n=3000000&k=30")],
)
def test_a_body_that_was_cut_off_is_not_captured_as_complete(
    driver: Driver, how: str, path: str, server: Loopback, kept: list[Kept]
) -> None:
    if how == "left" and not driver.streams:
        return
    outcome(lambda: driver.call(Ask(server.url + path, how)))
    gc.collect()
    assert wait_until(lambda: kept)
    ((exchange, response, _),) = kept
    assert exchange.status == 200
    assert response is None or not response.complete
    assert not unfinished


@every_client
def test_a_body_from_an_iterator_is_not_read(driver: Driver, server: Loopback, kept: list[Kept]) -> None:
    driver.call(Ask(server.url + "/plain", body=driver.pieces(BODY[:9], BODY[9:])))
    assert wait_until(lambda: kept)
    assert not kept[0].fields
    assert kept[0].exchange.request_bytes == server.log[0].request_bytes == len(BODY)


ENDINGS = [
    ("whole", "/plain"),
    ("streamed", "/plain"),
    ("left", "/chunked?n=3000000&k=30"),
    ("whole", "/reset"),
    ("streamed", "/truncate"),
]


@every_client
@pytest.mark.parametrize(("how", "path"), ENDINGS)
def test_the_context_is_left_as_it_was(
    driver: Driver, how: str, path: str, server: Loopback, events: Events
) -> None:
    outer = begun(nowhere, "another", ("http", "127.0.0.1", server.port, "/", "GET"))
    for before in (None, outer):
        assert _context_after(driver, Ask(server.url + path, how), before) is before
    gc.collect()
    assert wait_until(lambda: len(events) == 2)
    assert [*unfinished] == [outer]


def _context_after(driver: Driver, ask: Ask, before: Optional[Exchange]) -> Optional[Exchange]:
    """Make a call while another exchange is the current one, and return the current one after it."""

    async def on_a_loop() -> Optional[Exchange]:
        assert driver.make is not None
        current.set(before)
        with suppress(Exception):  # which one it is, other tests compare
            await driver.make(ask)
        return current.get()

    def here() -> Optional[Exchange]:
        current.set(before)
        outcome(lambda: driver.call(ask))
        return current.get()

    return copy_context().run(here) if driver.make is None else asyncio.run(on_a_loop())


@every_async_client
@pytest.mark.parametrize(
    ("how", "path", "status"), [("whole", "/hang", 0), ("streamed", "/stall?n=1000", 200)]
)
def test_a_call_that_is_cancelled_is_recorded_once(
    driver: Driver, how: str, path: str, status: int, server: Loopback, events: Events
) -> None:
    contexts: list[Optional[Exchange]] = []

    async def call() -> None:
        assert driver.make is not None
        try:
            await driver.make(Ask(server.url + path, how))
        finally:
            contexts.append(current.get())

    async def cancel() -> None:
        task = asyncio.ensure_future(call())
        assert await asyncio.to_thread(
            wait_until,
            lambda: server.log and any(each.status == status for each in unfinished.copy()),
        )
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    server.release.set()
    gc.collect()
    assert contexts == [None]
    assert [(each.status_code, each.attempts) for each in events] == [(status, 1)]
    assert not unfinished


@every_async_client
def test_a_call_that_is_never_awaited_is_no_call(driver: Driver, server: Loopback, events: Events) -> None:
    asked: list[Exchange] = []
    interception.add("conformance", lambda _: None, gate=asked.append)
    try:
        driver.call(Ask(server.url + "/plain", "unawaited"))
    finally:
        interception.remove("conformance")
    gc.collect()
    assert (events, asked, server.log) == ([], [], [])
    assert not unfinished


@every_client
def test_a_call_is_recorded_once_however_long_one_waits(
    driver: Driver, server: Loopback, kept: list[Kept]
) -> None:
    """A second exchange of the call would end with the response, its reader, or the collector."""
    for how in ("whole", "streamed", "left"):
        got = driver.call(Ask(server.url + "/sse", how))
        del got
        gc.collect()
    assert wait_until(lambda: len(kept) == 3)
    assert not unfinished
    assert len({id(each.exchange) for each in kept}) == len(kept) == len(server.log)


@every_client
@pytest.mark.usefixtures("uncollected")
def test_nothing_of_a_call_lives_longer_than_without_recost(driver: Driver, server: Loopback) -> None:
    bare = {how: _survivors(driver, server.url, how) for how in ("whole", "streamed")}
    found: list[Exchange] = []
    interception.add("conformance", found.append, metered=lambda _: WANTED)
    try:
        recorded = {how: _survivors(driver, server.url, how) for how in ("whole", "streamed")}
    finally:
        interception.remove("conformance")
    assert recorded == bare
    assert len(found) == 4


def _survivors(driver: Driver, url: str, how: str) -> tuple[list[bool], int]:
    """Return whether the response and the sent iterator are alive, and the new references to a body."""
    sent = driver.pieces(b"a" * 300, b"b" * 300)
    got = driver.call(Ask(url + "/plain", how, sent))
    alive = [weakref.ref(got.response), weakref.ref(sent)]
    del got, sent
    body = bytes(bytearray(b"c" * 100_000))
    before = sys.getrefcount(body)
    driver.call(Ask(url + "/plain", how, body))
    return [each() is not None for each in alive], sys.getrefcount(body) - before


@every_client
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_error_in_any_function_of_recost_reaches_no_call(
    driver: Driver, server: Loopback, tmp_path: Path
) -> None:
    asks = [Ask(server.url + "/gzip?n=3000", "streamed", BODY), Ask(server.url + "/reset")]
    bare = [_outcome(driver, ask) for ask in asks]
    heard: list[Exception] = []
    rule = recost.ProviderDef("127.0.0.1", "house", "/", "any", usage="openai", cost_per_request_cents=0.01)
    wrong = []
    with (
        recost.init(
            local_dir=tmp_path,
            capture_usage=True,
            custom_providers=[rule],
            budgets=[recost.Budget(1000, "day", on_exceed="raise")],
            on_error=heard.append,
        ),
        recost.track(),
    ):
        for ask, expected in zip(asks, bare):
            doors, below = faults.doors_and_functions(partial(driver.call, ask))
            reached = {
                code
                for code in below - doors
                if "interceptors" in code.co_filename and code.co_name not in BOUNDARY
            }
            assert len(reached) > 4
            for code, functions in faults.functions_of(reached).items():
                with faults.failing(code, functions, faults.raising(RuntimeError("own"))):
                    if _outcome(driver, ask) != expected:
                        wrong.append(f"{ask.url}: {faults.place(code)}")
                assert current.get() is None
    gc.collect()
    unfinished.clear()
    assert not wrong, "\n".join(wrong)
    assert heard


@every_client
def test_a_refused_call_leaves_nothing_behind(driver: Driver, server: Loopback, events: Events) -> None:
    asked: list[Exchange] = []

    def refuse(exchange: Exchange) -> None:
        asked.append(exchange)
        raise recost.RecostBudgetExceededError("house", Decimal(1), Decimal(1))

    interception.add("conformance", lambda _: None, gate=refuse)
    try:
        for ask in (Ask(server.url + "/plain"), Ask(server.url + "/plain", "streamed", driver.pieces(b"a"))):
            assert _outcome(driver, ask)[1][0] == "RecostBudgetExceededError"
            assert _context_after(driver, ask, None) is None
    finally:
        interception.remove("conformance")
    gc.collect()
    assert len(asked) == 4, "a client underneath is asked again"
    assert (server.log, events) == ([], [])
    assert not unfinished
    driver.call(Ask(server.url + "/plain"))
    assert wait_until(lambda: events)
    assert seen(events) == truth(server)
