"""A hundred calls at a time, of every kind and on every client: what is recorded is what happened.

The truth is the server's log for what reached it, and the test's own ledger for what did not.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional
from urllib.parse import parse_qs, urlsplit

import pytest

from recost import RawEvent, init, install, uninstall
from tests.integration.clients import ASYNC_SENDERS, CLIENTS, SENDERS, AsyncSender, Call, Sender, installed
from tests.loopback import Loopback, Served, refused_port
from tests.scripts import windows

pytestmark = [
    # Clients on some Python versions leave the transport of a call that was cancelled to the collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

AT_A_TIME = 100
CANCEL_AFTER_S = 0.3
"""How long a call hangs before its own time-out ends it."""


@dataclass(frozen=True)
class Kind:
    """A way for a call to go. Its path is its own, so that its sums can be told from the others'."""

    path: str
    query: str = ""
    method: str = "GET"
    body: int = 0
    pieces: int = 0
    early: bool = False
    ends: bool = True
    """The call runs to its end: its bytes are known to both sides."""
    reaches: bool = True
    """The server sees the call."""
    hangs: bool = False
    """No answer comes: the call is cancelled, or times out."""

    @property
    def fails(self) -> bool:
        """Whether the client may raise."""
        return not self.ends and not self.early


KINDS = (
    Kind("/plain/read", "n=1234"),
    Kind("/plain/upload", "n=10", "POST", body=4321),
    Kind("/plain/replaced", "n=10", "PUT", body=17),
    Kind("/plain/pieces", "n=10", "POST", body=3000, pieces=7),
    Kind("/plain/head", "n=50", "HEAD"),
    Kind("/chunked/read", "n=2000&k=5"),
    Kind("/sse/read", "k=4"),
    Kind("/gzip/read", "n=5000"),
    Kind("/empty/answer"),
    Kind("/close/read", "n=777"),
    Kind("/flaky/missing", "fail=1000000&code=404&n=33"),
    Kind("/flaky/unavailable", "fail=1000000&code=503&n=44"),
    Kind("/stall/early", "n=8000", early=True, ends=False),
    Kind("/hang/cancelled", ends=False, hangs=True),
    Kind("/hang/upload", "", "POST", body=50, ends=False, hangs=True),
    Kind("/truncate/half", "n=600", ends=False),
    Kind("/reset/search", "", "POST", body=20, ends=False),
    Kind("/refused/call", ends=False, reaches=False),
)


class Ledger:
    """The calls of one run, as the test makes them, and what the server knows of them."""

    def __init__(self, server: Loopback, count: int) -> None:
        self._server = server
        self._refused = f"http://127.0.0.1:{refused_port()}"
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._seen: set[int] = set()
        self._read = 0
        self.kinds = dict(zip(range(count), itertools.cycle(KINDS)))
        """Number of a call and its kind."""
        self.unexpected: list[str] = []

    def call(self, number: int) -> Call:
        kind = self.kinds[number]
        base = self._server.url if kind.reaches else self._refused
        return Call(
            kind.method,
            f"{base}{kind.path}?id={number}&{kind.query}",
            body=b"u" * kind.body if kind.body else None,
            pieces=kind.pieces,
            stream=number // len(KINDS) % 2 == 0,
            early=kind.early,
            timeout_s=CANCEL_AFTER_S if kind.hangs else 30.0,
        )

    def outcome(self, number: int, failure: Optional[BaseException]) -> None:
        """Note what the client made of a call that should have succeeded."""
        if failure is not None and not self.kinds[number].fails:
            self.unexpected.append(f"{self.kinds[number].path}: {failure!r}")

    def arrived(self, number: int) -> bool:
        """Tell whether the server has seen the call."""
        with self._lock:
            log = self._server.log
            while self._read < len(log):
                self._seen.add(int(log[self._read].query["id"]))
                self._read += 1
            return number in self._seen

    def served(self) -> dict[int, Served]:
        """Return the server's log by the calls' numbers; a call that came twice is a failure."""
        numbers = [int(entry.query["id"]) for entry in self._server.log]
        assert len(set(numbers)) == len(numbers), "a call was sent twice"
        return dict(zip(numbers, self._server.log))


@dataclass
class Truth:
    """What should have been recorded, per (method, path)."""

    statuses: Counter[tuple[str, str, int]]
    request_bytes: Counter[tuple[str, str]]
    response_bytes: Counter[tuple[str, str]]

    @classmethod
    def of(cls, ledger: Ledger) -> Truth:
        statuses: Counter[tuple[str, str, int]] = Counter()
        request_bytes: Counter[tuple[str, str]] = Counter()
        response_bytes: Counter[tuple[str, str]] = Counter()
        served = ledger.served()
        for number, kind in ledger.kinds.items():
            entry = served.get(number)
            assert entry is not None or kind.hangs or not kind.reaches, f"{kind.path} never arrived"
            # A call that was given up before it was answered has no status, whatever the server wrote later.
            status = 0 if entry is None or kind.hangs else entry.status
            statuses[kind.method, kind.path, status] += 1
            if kind.ends and entry is not None:
                assert entry.complete
                request_bytes[kind.method, kind.path] += entry.request_bytes
                response_bytes[kind.method, kind.path] += entry.response_bytes
        return cls(statuses, request_bytes, response_bytes)

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return calls and errors."""
        result: dict[tuple[str, str], tuple[int, int]] = {}
        for (method, path, status), count in self.statuses.items():
            calls, errors = result.get((method, path), (0, 0))
            result[method, path] = calls + count, errors + (count if status == 0 or status >= 400 else 0)
        return result


@dataclass(frozen=True)
class Recorded:
    """What the file says, per (method, path)."""

    counts: dict[tuple[str, str], tuple[int, int]]
    request_bytes: Counter[tuple[str, str]]
    response_bytes: Counter[tuple[str, str]]

    @classmethod
    def of(cls, folder: Path) -> Recorded:
        counts: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
        request_bytes: Counter[tuple[str, str]] = Counter()
        response_bytes: Counter[tuple[str, str]] = Counter()
        for window in windows(folder):
            for metric in window["metrics"]:
                assert metric["provider"] == "unknown"
                key = metric["method"], metric["endpoint"]
                calls, errors = counts[key]
                counts[key] = calls + metric["requestCount"], errors + metric["errorCount"]
                request_bytes[key] += metric["totalRequestBytes"]
                response_bytes[key] += metric["totalResponseBytes"]
        return cls(dict(counts), request_bytes, response_bytes)


def _call_on_thread(ledger: Ledger, number: int, send: Sender) -> None:
    try:
        send(ledger.call(number))
    except Exception as failure:  # noqa: BLE001 - the kinds of failure are the clients' own
        ledger.outcome(number, failure)


async def _call_as_task(ledger: Ledger, number: int, send: AsyncSender) -> None:
    call = ledger.call(number)
    if ledger.kinds[number].hangs and call.stream:
        await _cancel(ledger, number, send)
        return
    try:
        await send(call)
    except Exception as failure:  # noqa: BLE001
        ledger.outcome(number, failure)


async def _cancel(ledger: Ledger, number: int, send: AsyncSender) -> None:
    """Cancel a call that the server has seen and does not answer."""
    call = ledger.call(number)
    patient = Call(call.method, call.url, body=call.body, pieces=call.pieces)
    task: asyncio.Task[int] = asyncio.ensure_future(send(patient))
    while not ledger.arrived(number):  # noqa: ASYNC110 - the server is on threads
        await asyncio.sleep(0.005)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def _tasks(ledger: Ledger, numbers: Iterator[int], send: AsyncSender, at_a_time: int) -> None:
    async def work() -> None:
        for number in numbers:
            await _call_as_task(ledger, number, send)

    await asyncio.gather(*(work() for _ in range(at_a_time)))


def _threads(ledger: Ledger, numbers: Iterator[int], send: Sender, at_a_time: int) -> list[threading.Thread]:
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            _call_on_thread(ledger, number, send)

    threads = [threading.Thread(target=work) for _ in range(at_a_time)]
    for thread in threads:
        thread.start()
    return threads


async def _sync_and_async(client: str, ledger: Ledger, half: int) -> None:
    """One half on threads, the other as tasks of this loop, at the same time."""
    first, second = _halves(ledger)
    with SENDERS[client]() as send:
        threads = _threads(ledger, first, send, half)
        async with ASYNC_SENDERS[client]() as async_send:
            await _tasks(ledger, second, async_send, half)
        await asyncio.to_thread(_join, threads)


async def _sync_only(client: str, ledger: Ledger, half: int) -> None:
    """One half on threads, the other on threads that tasks of this loop wait for."""
    first, second = _halves(ledger)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(half))
    with SENDERS[client]() as send:
        threads = _threads(ledger, first, send, half)

        async def work() -> None:
            for number in second:
                await asyncio.to_thread(_call_on_thread, ledger, number, send)

        await asyncio.gather(*(work() for _ in range(half)))
        await asyncio.to_thread(_join, threads)


async def _async_only(client: str, ledger: Ledger, half: int) -> None:
    """One half in event loops on threads of their own, the other as tasks of this loop."""
    first, second = _halves(ledger)
    loops = 5

    async def elsewhere() -> None:
        async with ASYNC_SENDERS[client]() as send:
            await _tasks(ledger, locked, send, half // loops)

    locked = _Locked(first)
    threads = [threading.Thread(target=asyncio.run, args=(elsewhere(),)) for _ in range(loops)]
    for thread in threads:
        thread.start()
    async with ASYNC_SENDERS[client]() as send:
        await _tasks(ledger, second, send, half)
    await asyncio.to_thread(_join, threads)


class _Locked:
    """An iterator that several threads may share."""

    def __init__(self, iterator: Iterator[int]) -> None:
        self._iterator = iterator
        self._lock = threading.Lock()

    def __iter__(self) -> _Locked:
        return self

    def __next__(self) -> int:
        with self._lock:
            return next(self._iterator)


def _halves(ledger: Ledger) -> tuple[Iterator[int], Iterator[int]]:
    """Deal the calls out so that every kind is in both halves."""
    numbers = sorted(ledger.kinds)
    rounds = [numbers[start : start + len(KINDS)] for start in range(0, len(numbers), len(KINDS))]
    first = itertools.chain.from_iterable(calls for index, calls in enumerate(rounds) if index // 2 % 2 == 0)
    second = itertools.chain.from_iterable(calls for index, calls in enumerate(rounds) if index // 2 % 2)
    return first, second


def _join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def _make_calls(client: str, ledger: Ledger) -> None:
    if client in SENDERS and client in ASYNC_SENDERS:
        run = _sync_and_async
    else:
        run = _sync_only if client in SENDERS else _async_only
    asyncio.run(run(client, ledger, AT_A_TIME // 2))


def _check(client: str, server: Loopback, folder: Path, count: int) -> None:
    if not installed(client):
        pytest.skip(f"{client} is not installed")
    ledger = Ledger(server, count)
    events: list[RawEvent] = []
    errors: list[Exception] = []
    handle = init(local_dir=str(folder), on_error=errors.append)
    install(events.append)
    try:
        _make_calls(client, ledger)
        gc.collect()
    finally:
        uninstall()
        handle.dispose()
        server.release.set()
    assert errors == []
    assert ledger.unexpected == []

    truth = Truth.of(ledger)
    assert sum(truth.statuses.values()) == count
    assert Counter((e.method, e.path, e.status_code) for e in events) == truth.statuses
    ended = {(kind.method, kind.path) for kind in KINDS if kind.ends}
    request_bytes: Counter[tuple[str, str]] = Counter()
    response_bytes: Counter[tuple[str, str]] = Counter()
    for event in events:
        assert parse_qs(urlsplit(event.url).query) == {}
        assert event.attempts == 1
        if (event.method, event.path) in ended:
            request_bytes[event.method, event.path] += event.request_bytes
            response_bytes[event.method, event.path] += event.response_bytes
    assert request_bytes == truth.request_bytes
    assert response_bytes == truth.response_bytes

    recorded = Recorded.of(folder)
    assert recorded.counts == truth.counts()
    assert {key: recorded.request_bytes[key] for key in ended} == dict(truth.request_bytes)
    assert {key: recorded.response_bytes[key] for key in ended} == dict(truth.response_bytes)


@pytest.mark.parametrize("client", CLIENTS)
def test_the_file_equals_the_truth(client: str, server: Loopback, tmp_path: Path) -> None:
    _check(client, server, tmp_path, 216)


@pytest.mark.slow
@pytest.mark.parametrize("run", [1, 2, 3])
@pytest.mark.parametrize("client", CLIENTS)
def test_the_file_equals_the_truth_of_a_thousand_calls(
    client: str, run: int, server: Loopback, tmp_path: Path
) -> None:
    _check(client, server, tmp_path, 1008)
