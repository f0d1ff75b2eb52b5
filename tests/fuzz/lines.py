"""Targets of all that reads lines of windows."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from recost.analytics.follow import Follower, last_lines
from recost.analytics.ingest.content import DamagedError, pieces, unpack
from recost.analytics.ingest.sources import Source
from recost.wire import parsing

GOOD: Final = (
    b'{"protocolVersion":"1.1","environment":"test","sdkLanguage":"python","sdkVersion":"0.2.0",'
    b'"windowStart":"2026-11-20T10:00:00.000Z","windowEnd":"2026-11-20T10:00:30.000Z","metrics":[{'
    b'"provider":"openai","endpoint":"chat","method":"POST","requestCount":3,"errorCount":1,'
    b'"totalLatencyMs":9.5,"p50LatencyMs":3.0,"p95LatencyMs":4.0,"totalRequestBytes":1,'
    b'"totalResponseBytes":1,"estimatedCostCents":0.25,"costSource":{"computed":0.25},"unpricedCount":1,'
    b'"attempts":3,"models":[{"model":"gpt-4o","requestCount":2,"estimatedCostCents":0.2,"unpricedCount":0}]}]}'
)
ODD: Final = (
    b"1e9999999999999999999", b"-1", b"-0.0", b"1e400", b"1e-400", b"NaN", b"-infinity", b"2.5", b"3.0",
    b"1e1", b"9" * 30, b"1" * 5000, b'"3"', b"true", b"null", b"[]", b"{}", b"[[1]]", b'""', b'"a\\u0000b"',
    b'"\\ud800"', b'"\\ud83d\\ude00"', b'"\xff"', b'"\xed\xa0\x80"', b"999999999999", b"1000000000000",
    b'"2026-02-30"', b'"2026-11-20T10:00:00+02:00"', b'"0001-01-01T00:00:00Z"', b'"9999-12-02T00:00:00Z"',
    b'"10000-01-01T00:00:00Z"', b'"2026-11-20T24:00:00Z"', b'"2026-11-20T10:00:00.123456789Z"',
    b'"2026-11-20 10:00"', b'"1.7"', b'"2.0"', b'"1.x"', b"999999999999999", b"1000000000000000",
    b"0.1234567890123456789", b"5e-25", b"01", b"+1", b".5", b"[" * 40 + b"]" * 40,
    b'{"a":' * 40 + b"1" + b"}" * 40, b'"]"', b'"{"', b'"\\""', b'"\\\\"', b'{"a":1,}',
)  # fmt: skip
"""Values, not all of them JSON, that readers have disagreed on or stumbled over."""


def parse(data: bytes) -> None:
    """Parse anything; the two ways of asking when a window began agree."""
    found = parsing.parse_window(data)
    if found is not None:
        assert parsing.parse_start(data) == found.started
        assert found.ended >= found.started
        assert all(metric.calls >= 0 and metric.cost_usd >= 0 for metric in found.metrics)
    parsing.may_be_too_deep(data)
    parsing.too_deep(data)


def mixed(data: bytes) -> bytes:
    """Return a good line with odd values in it, chosen by the data."""
    content: Any = json.loads(GOOD)
    places: list[tuple[Any, Any]] = []
    todo = [content]
    while todo:
        each = todo.pop()
        for key in each if isinstance(each, dict) else range(len(each)):
            places.append((each, key))
            if isinstance(each[key], (dict, list)):
                todo.append(each[key])
    used: list[bytes] = []
    for place, value in zip(data[::2], data[1::2]):
        where, key = places[place % len(places)]
        where[key] = f"\0{len(used)}\0"
        used.append(ODD[value % len(ODD)])
    text = json.dumps(content).encode()
    for number, value_text in enumerate(used):
        text = text.replace(b'"\\u0000%d\\u0000"' % number, value_text)
    return text


def parse_mixed(data: bytes) -> None:
    parse(mixed(data[:8]))


class _Sql:
    """A connection that is opened once."""

    def __init__(self) -> None:
        self._connection: Any = None
        self._folder = Path(tempfile.mkdtemp(prefix="recost-fuzz-"))

    def read(self, data: bytes) -> tuple[list[tuple[Any, ...]], int, int]:
        """Return started, names, counts and cost of each metric; bad lines, bad metrics."""
        from recost.analytics import engine
        from recost.analytics.ingest import lines, tables

        if self._connection is None:
            self._connection = engine.connect(None, self._folder)
            tables.create_tables(self._connection)
        path = self._folder / "x.jsonl"
        path.write_bytes(data)
        ((bad_lines, bad_metrics),) = lines.add_lines(self._connection, {path: 1}, self._folder).values()
        rows = self._connection.execute(
            "SELECT started, environment, provider, endpoint, method, calls, errors, unpriced, cost, "
            "p50_ms, p95_ms, models FROM metrics"
        ).fetchall()
        tables.drop_rows(self._connection, 1)
        return rows, bad_lines, bad_metrics


_sql = _Sql()


def same(line: bytes) -> None:
    """Read a line with SQL and with Python: the same window, or a bad line in both."""
    line = line.replace(b"\n", b" ")
    found = parsing.parse_window(line[3:] if line.startswith(b"\xef\xbb\xbf") else line)
    rows, bad_lines, bad_metrics = _sql.read(line + b"\n")
    if found is None:
        assert (rows, bad_metrics) == ([], 0), (line, rows)
        assert bad_lines == bool(line.strip(b" \t\v\f\r\xef\xbb\xbf")) or not line.strip(), (line, bad_lines)
        return
    assert (bad_lines, bad_metrics) == (0, found.bad_metrics), (line, bad_lines, bad_metrics, found)
    started = found.started.replace(tzinfo=None)
    expected = [
        (
            started, found.environment, metric.provider, metric.endpoint, metric.method, metric.calls,
            metric.errors, metric.unpriced, metric.cost_usd * 100, metric.p50_ms or 0, metric.p95_ms or 0,
            [(each.name, each.calls, each.unpriced, each.cost_usd * 100) for each in metric.models],
        )
        for metric in found.metrics
    ]  # fmt: skip
    read = [
        (*row[:-1], [_model(each) for each in row[-1] or () if each and each["model"] is not None])
        for row in rows
    ]
    assert sorted(map(repr, map(_plain, read))) == sorted(map(repr, map(_plain, expected))), line


def _model(each: Any) -> tuple[Any, ...]:
    return (
        each["model"],
        each["requestCount"] or 0,
        each["unpricedCount"] or 0,
        each["estimatedCostCents"] or 0,
    )


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    models = [(name, calls, unpriced, float(cost)) for name, calls, unpriced, cost in row[-1]]
    return (*row[:8], *(float(figure) + 0.0 for figure in row[8:11]), models)


def same_mixed(data: bytes) -> None:
    same(mixed(data[:8]))


def follow(data: bytes) -> None:
    """Follow a file that grows in pieces: the whole lines, each once, in order."""
    with tempfile.TemporaryDirectory(prefix="recost-fuzz-") as folder:
        path = Path(folder) / "x.jsonl"
        first, rest = data[: len(data) // 3], data[len(data) // 3 :]
        path.write_bytes(first)
        follower = Follower(lambda: [Source(path, "x")])
        seen = [line for _, line in follower.start(10**6)]
        size = 1 + (data[0] if data else 0)
        with path.open("ab") as file:
            for start in range(0, len(rest), size):
                file.write(rest[start : start + size])
                file.flush()
                seen += [line for _, line in follower.news()]
        follower.close()
    expected = [line + b"\n" for line in data.split(b"\n")[:-1]]
    assert [line.removeprefix(b"\xef\xbb\xbf") for line in seen] == [
        line.removeprefix(b"\xef\xbb\xbf") for line in expected
    ]


def last(data: bytes) -> None:
    count = data[0] if data else 1
    found, end = last_lines(io.BytesIO(data), count)
    whole = [line + b"\n" for line in data.split(b"\n")[:-1]]
    if whole and len(whole) <= count:
        whole[0] = whole[0].removeprefix(b"\xef\xbb\xbf")
    assert found == whole[max(len(whole) - count, 0) :]
    assert end == data.rfind(b"\n") + 1


def cut(data: bytes) -> None:
    """Cut into blocks of any size, the pieces are the data, and the lines its lines."""
    size = 1 + (data[0] if data else 0)
    found = list(pieces(data[at : at + size] for at in range(0, len(data), size)))
    assert b"".join(piece.data for piece in found) == data
    assert [piece.line for piece in found] == [
        line for line in data.splitlines(keepends=True) if line
    ] or any(byte in data for byte in b"\r\v\f\x1c\x1d\x1e\x85")


def _with_file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], None]:
    folder = Path(tempfile.mkdtemp(prefix="recost-fuzz-"))

    def run(data: bytes) -> None:
        path = folder / name
        path.write_bytes(data)
        read(path)

    return run


def _unpack(path: Path) -> None:
    data, found = path.read_bytes(), b""
    try:
        for block in unpack(path):
            found += block
    except DamagedError:
        whole = zlib.decompressobj(31)
        try:
            assert found.startswith(whole.decompress(data))
        except zlib.error:
            return
    else:
        assert found == (gzip.decompress(data) if data else b"")


def _prune(path: Path) -> None:
    from datetime import datetime, timezone

    from recost.cli.prune import _sift

    kept = io.BytesIO()
    before = datetime(2027, 1, 1, tzinfo=timezone.utc)
    count = _sift(path, kept, before)
    assert count.dropped_bytes + len(kept.getvalue()) == path.stat().st_size
    kept_lines = kept.getvalue().split(b"\n")
    assert sum(bool(line.strip()) for line in kept_lines) == count.kept + count.unreadable


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "line": parse,
    "line-values": parse_mixed,
    "two-parsers": same,
    "two-parsers-values": same_mixed,
    "follow": follow,
    "last-lines": last,
    "pieces": cut,
    "gzip": _with_file("x.jsonl.gz", _unpack),
    "prune": _with_file("x.jsonl", _prune),
}
_FILES: Final = (
    GOOD + b"\n",
    GOOD + b"\n" + GOOD + b"\n" + GOOD[:90],
    b"\xef\xbb\xbf" + GOOD + b"\n\n\r\n{}\n",
    b"\n\n",
)
SEEDS: Final = {
    "line": (GOOD, *ODD),
    "two-parsers": (
        GOOD,
        *(mixed(bytes([place, value])) for place in range(0, 40, 7) for value in range(0, 50, 9)),
    ),
    "line-values": tuple(bytes([n, n + 1, n + 7, n]) for n in range(0, 200, 17)),
    "two-parsers-values": tuple(bytes([n, n + 1, n + 7, n]) for n in range(0, 200, 17)),
    "gzip": (
        gzip.compress(GOOD),
        gzip.compress(GOOD)[:-9],
        gzip.compress(GOOD) * 2,
        gzip.compress(b"") + b"\0" * 9,
    ),
    **dict.fromkeys(("follow", "last-lines", "pieces", "prune"), _FILES),
}
