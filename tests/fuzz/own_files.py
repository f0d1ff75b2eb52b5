"""Targets of all that reads recost's own files (spool, pace, numbers, alerts) and the answers of ledgers."""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from binascii import crc32
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from recost import wire
from recost._documents import parse_json
from recost.alerts.config import ConfigError, load_config
from recost.alerts.state import StateError, read_state
from recost.analytics.periods import Period
from recost.delivery.frozen import call_count, halves, thaw
from recost.delivery.pace_file import DamagedError, PaceFile
from recost.delivery.pace_state import PaceState
from recost.delivery.spool_file import MAX_LINE_BYTES, SpoolFile
from recost.delivery.stats_file import running
from recost.ledger.model import Days, LedgerDay, LedgerError
from recost.ledger.model_names import ModelNames
from recost.ledger.providers import LEDGERS, ledger_of
from recost.ledger.reconcile import billed, compare
from recost.ledger.store import LedgerFile

_folder: Final = Path(tempfile.mkdtemp(prefix="recost-fuzz-"))
FIRST: Final = date(2026, 11, 20)
DAYS: Final = Days(FIRST, FIRST + timedelta(days=2))


class _Answering:
    """A ledger's client whose every request has the same response."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def get(self, _path: str, _params: Any = None, _headers: Any = None) -> Any:
        return self._content()

    def post(self, _path: str, _content: Mapping[str, Any]) -> Any:
        return self._content()

    def _content(self) -> Any:
        try:
            return parse_json(self._data.decode("utf-8-sig"))
        except (ValueError, ArithmeticError) as error:
            raise LedgerError(str(error)) from None


def answer(provider: str, data: bytes) -> None:
    """Pull with one response: a `LedgerError`, or buckets that can be kept and read."""
    client: Any = _Answering(data)
    buckets: list[LedgerDay] = []
    problem = ""
    try:
        buckets += ledger_of(provider).pull(client, DAYS, "account")
    except LedgerError as error:
        problem = str(error)
    if problem:
        assert len(problem) < 1000
        return
    assert [bucket.day for bucket in buckets] == list(DAYS)
    for row in (row for bucket in buckets for row in bucket.rows):
        assert row.requests is None or row.requests >= 0
        assert all(count >= 0 for count in row.tokens.values())
        assert row.amount is None or row.amount.is_finite()


def ledger(data: bytes) -> None:
    """Read a ledger's file, and compare what it says with nothing."""
    path = _folder / "ledger" / "openai.default.jsonl"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)
    file = LedgerFile(_folder, "openai", "default")
    for day in file.days():
        file.rows(day)
    for by in (("model",), ("key",)):
        said = billed([file], Period(None, None), ModelNames(), by_key=by == ("key",))
        found = compare(said, {}, by)
        assert found.total.billed_usd.is_finite()
        assert found.total.coverage is None or 0 <= found.total.coverage <= 1


def alerts(data: bytes) -> None:
    path = _folder / "recost.toml"
    path.write_bytes(data)
    problem = ""
    try:
        found = load_config(path, {}, secrets=False)
    except ConfigError as error:
        problem = str(error)
    if problem:
        assert problem.isprintable()
        assert len(problem) < 1500
        return
    assert all(name in found.targets for alert in found.alerts for name in alert.to)


def alert_state(data: bytes) -> None:
    path = _folder / "state.json"
    path.write_bytes(data)
    try:
        found = read_state(path)
    except StateError:
        return
    assert all(isinstance(each.size, Decimal) for each in found.open.values())


def pace(data: bytes) -> None:
    """Change a state: with a checksum that fits, so that the numbers are reached as well."""
    path = _folder / "shop.cloud.pace"
    for content in (data, b"recpace1" + struct.pack("<I", crc32(data)) + data):
        path.write_bytes(content)
        path.chmod(0o600)
        file = PaceFile(path, clock=lambda: 1e9, monotonic=lambda: 1e3)

        def step(state: PaceState) -> bool:
            state.meet(b"12345678", 5.0)
            state.refuse(state.now, 1e9)
            state.accept()
            return state.is_valid() and state.spacing_s >= 0

        try:
            assert file.change(step, lost=PaceState())
        except DamagedError:
            assert file.change(step, lost=PaceState()), "it was replaced"


def spool(data: bytes) -> None:
    """Read the lines of a spool. A window that is read back is written as it was."""
    path = _folder / "shop.cloud.spool"
    path.write_bytes(data)
    path.chmod(0o600)
    file = SpoolFile.take(path)
    assert file is not None
    try:
        places = []
        while (found := file.next()) is not None:
            place, line = found
            places.append(place)
            assert len(line) <= MAX_LINE_BYTES
            window = thaw(line)
            if window is not None:
                again = thaw(wire.encode_window(window))
                assert again is not None
                assert call_count(again) == call_count(window) == sum(map(call_count, halves(window)))
            file.finish(place)
        assert places == sorted(set(places))
        file.rewind()
        assert file.next() is None
    finally:
        file.close()


def numbers(data: bytes) -> None:
    """Read the numbers of a process that runs: ours, which has the lock."""
    import fcntl

    path = _folder / "shop.0123456789ab01234567.stats"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(fd, data)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        processes, unreadable = running(_folder)
    finally:
        os.close(fd)
    assert len(processes) + unreadable == 1
    assert all(each["captured"] >= 0 for each in processes)


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    **{f"ledger-{provider}": partial(answer, provider) for provider in LEDGERS},
    "ledger-file": ledger,
    "recost-toml": alerts,
    "alert-state": alert_state,
    "pace": pace,
    "spool": spool,
    **({} if sys.platform == "win32" else {"stats": numbers}),
}
ALERTS: Final = (
    b'[[notify]]\nname = "team"\ntype = "slack"\nurl_env = "SLACK"\n'
    b'[[notify]]\nname = "ops"\ntype = "email"\nhost = "mail.example"\nport = 587\nfrom = "a@b.example"\n'
    b'to = ["c@d.example"]\n[[alert]]\non = "budget"\nlimit_usd = 5.5\nper = "day"\nfractions = [0.8, 1]\n'
    b'to = ["team", "ops"]\nquiet = "22:00-07:00"\ntimezone = "Europe/Berlin"\n'
)
ALERT_STATE: Final = (
    b'{"version":1,"open":{"a\\u001fopenai\\u001f2026":{"size":"1.5","level":1,"title":"x"}},'
    b'"digests":{"d":"2026-11-20"},"queue":[{"target":"team","alert":"a","message":{"id":"1","subject":"s",'
    b'"kind":"firing","title":"t","facts":[["a","b"]],"sections":[["s",[["a","b"]]]],"created":"x"}}],'
    b'"dropped":0}'
)
_LEDGER: Final = (
    b'{"provider":"openai","account":"default","start":"2026-11-20T00:00:00.000Z",'
    b'"end":"2026-11-21T00:00:00.000Z","final":true,"complete":true,"pulledAt":"2026-11-29T00:00:00.000Z",'
    b'"rows":[{"basis":"billed","model":"gpt-4o","keyId":"k","requests":3,"tokens":{"input":5},'
    b'"amount":"1.5","currency":"USD"},{"basis":"credit","amount":"2","currency":"EUR"}]}\n'
)
_WINDOW: Final = (
    b'{"protocolVersion":"1.2","windowId":"0193-x","environment":"test","sdkLanguage":"python",'
    b'"sdkVersion":"0.2.0","windowStart":"2026-11-20T10:00:00.000Z","windowEnd":"2026-11-20T10:00:30.000Z",'
    b'"metrics":[{"provider":"openai","endpoint":"chat","method":"POST","requestCount":3,"errorCount":1,'
    b'"totalLatencyMs":9.5,"p50LatencyMs":3.0,"p95LatencyMs":4.0,"totalRequestBytes":1,'
    b'"totalResponseBytes":1,"estimatedCostCents":0.25,"tags":[{"tags":{"a":"b"},"requestCount":3,'
    b'"errorCount":0,"estimatedCostCents":0.25,"unpricedCount":0}]}]}'
)
_NUMBERS: Final = (
    b'{"pid":5,"started":1.5,"written":2.5,"captured":3,"excluded":0,"destinations":{"cloud":{"status":"ok",'
    b'"pending":1,"spooled":0,"sent":3,"recovered":0,"dropped":{"rejected":2},"error":null}}}'
)
_ANSWERS: Final = {
    "openrouter": b'{"data":[{"hash":"k","name":"n","model":"openai/gpt-4o","provider_name":"OpenAI",'
    b'"prompt_tokens":5,"completion_tokens":6,"requests":1,"usage":1.5,"byok_usage_inference":0.5}]}',
    "openai": b'{"data":[{"start_time":1795132800,"id":"k","name":"n","results":[{"amount":{"value":"1.5",'
    b'"currency":"usd"},"line_item":"gpt-4o, input","project_id":"p","api_key_id":"k","model":"gpt-4o",'
    b'"num_model_requests":3,"input_tokens":5}]}],"has_more":false,"next_page":null}',
    "anthropic": b'{"data":[{"id":"k","name":"n","starting_at":"2026-11-20T00:00:00Z","cost":{"amount":"1.5",'
    b'"currency":"USD","requests":3},"group":{"model":"claude","api_key_id":"k"},"usage":{"output_tokens":5,'
    b'"cache_creation":{"ephemeral_1h_input_tokens":1}}}],"has_more":false}',
    "together": b'{"data":[{"date":"2026-11-20","line_items":[{"product_name":"p","cost":"1.5","quantity":2,'
    b'"unit":"t","applied_credit":"0.5","attributes":{"model":"m"}}]}],"next_cursor":null}',
    "deepgram": b'{"projects":[{"project_id":"p"}],"results":[{"dollars":1.5,"grouping":{"line_item":"l",'
    b'"accessor":"k","deployment":"hosted"}}]}',
    "xai": b'{"timeSeries":[{"dataPoints":[{"timestamp":"2026-11-20T00:00:00Z","values":[1.5]}]}],'
    b'"limitReached":false}',
    "twilio": b'{"usage_records":[{"category":"totalprice","start_date":"2026-11-20","price":"1.5",'
    b'"price_unit":"usd","usage":"3","usage_unit":"x","count":"3"}],"next_page_uri":"http://[/x?y"}',
}
_ODD: Final = (b'{"data":[[]]}', b'{"data":{}}', b'{"has_more":true,"next_page":[]}', b"[1]", b"1e60")
SEEDS: Final = {
    **{f"ledger-{provider}": (data, *_ODD) for provider, data in _ANSWERS.items()},
    "ledger-file": (_LEDGER, _LEDGER * 2, _LEDGER.replace(b'"gpt-4o"', b"true"), _LEDGER[:-30]),
    "recost-toml": (ALERTS, b"[[alert]]\non = 0x" + b"f" * 4000, b'"\\u001b[31m" = 1'),
    "alert-state": (ALERT_STATE, b'{"version":1}', b'{"version":1e60}'),
    "pace": (
        struct.pack("<8d", 1e9, 1e3, 5.0, 1000.0, 1.0, 150.0, 0.0, -1.0)
        + b"12345678"
        + struct.pack("<d", 9.0),
        struct.pack("<8d", *[float("nan")] * 8),
        struct.pack("<8d", *[1e308] * 8),
    ),
    "spool": (
        b"+" + _WINDOW + b"\n-" + _WINDOW + b"\n?" + _WINDOW + b"\n",
        b"+x\n\n+",
        b"-\n+" + _WINDOW[:50],
    ),
    "stats": (_NUMBERS, b"[" * 2000, b'{"destinations":{}}'),
}
