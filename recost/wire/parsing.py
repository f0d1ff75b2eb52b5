"""Reading lines of windows: the only parser in Python.

`recost.analytics.ingest.lines` reads the same lines with SQL, by the same rules. A test compares the two.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from itertools import accumulate
from typing import Any, Final, NamedTuple, Optional, Union

from recost._money import EXACT
from recost._patterns import LazyPattern
from recost.wire import parse_time

__all__ = [
    "FIRST_START",
    "LAST_START",
    "MAX_CENTS",
    "MAX_COUNT_DIGITS",
    "MAX_DEPTH",
    "MAX_LATENCY_MS",
    "MAX_LINE_BYTES",
    "MAX_METRICS",
    "VERSION_PATTERN",
    "WINDOW_ID_PATTERN",
    "ParsedMetric",
    "ParsedModel",
    "ParsedWindow",
    "may_be_too_deep",
    "parse_frame",
    "parse_metric",
    "parse_start",
    "parse_window",
    "too_deep",
]

MAX_LINE_BYTES: Final = 32 << 20
"""The longest valid line, without its line feed."""
MAX_DEPTH: Final = 32
"""The deepest valid nesting of brackets in a line. Windows have seven levels."""
MAX_METRICS: Final = 100_000
"""Maximum number of metrics of a valid window."""
MAX_COUNT_DIGITS: Final = 15
MAX_CENTS: Final = 10**12 - 1
"""The highest valid cost of one metric."""
MAX_LATENCY_MS: Final = 10**15
FIRST_START: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
LAST_START: Final = datetime(9999, 12, 1, tzinfo=timezone.utc)
VERSION_PATTERN: Final = r"1\.[0-9]{1,9}"
_VERSION: Final = LazyPattern(VERSION_PATTERN)
WINDOW_ID_PATTERN: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
"""A UUID, as RFC 9562 writes it."""
_WINDOW_ID: Final = LazyPattern(WINDOW_ID_PATTERN)
_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}\n")))
_NO_MARKS: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""Signed bytes: one level up for an opening bracket, one level down for a closing one."""
_STRING_OR_ODD: Final = LazyPattern(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|,(?=[ \t\r]*[\]}])|-?(?i:nan|inf(?:inity)?)\b', re.DOTALL
)
_BLANK: Final = b" \t\n\v\f\r"
_LAST_PLACE: Final = Decimal(1).scaleb(-24)
_FINITE_DIGITS: Final = 18
_STEPS_AT_ONCE: Final = 1 << 14
_MAX_MENDED: Final = 1 << 18
"""The longest line, in characters, that is repaired. Repairing takes a hundred times as long as parsing."""


class ParsedModel(NamedTuple):
    """The part of a metric that belongs to one model."""

    name: str
    calls: int
    unpriced: int
    cost_usd: Decimal
    """US dollars, exact."""


class ParsedMetric(NamedTuple):
    """The calls to one endpoint and method in a window."""

    provider: str
    endpoint: str
    method: str
    calls: int
    errors: int
    unpriced: int
    cost_usd: Decimal
    """US dollars, exact."""
    p50_ms: Optional[float]
    p95_ms: Optional[float]
    flat_usd: Decimal = Decimal(0)
    """The estimated part of the cost of calls whose responses were not metered, exact."""
    models: Sequence[ParsedModel] = ()
    """Calls that belong to no model are not included."""


class ParsedWindow(NamedTuple):
    """The window of one line. Times are UTC."""

    project: str
    environment: str
    started: datetime
    ended: datetime
    """Equal to ``started`` if the line has no valid end."""
    metrics: Sequence[ParsedMetric]
    bad_metrics: int
    """The number of metrics without a valid name, count or cost."""
    window_id: Optional[str] = None
    """A UUID in lower case, since protocol 1.2. None if it is missing or invalid."""

    @property
    def cost_usd(self) -> Decimal:
        """The cost of all metrics in US dollars, exact."""
        return reduce(EXACT.add, (metric.cost_usd for metric in self.metrics), Decimal(0))

    def by_provider(self) -> list[tuple[str, int]]:
        """Return the providers and their calls, most calls first."""
        calls: dict[str, int] = {}
        for metric in self.metrics:
            calls[metric.provider] = calls.get(metric.provider, 0) + metric.calls
        return sorted(calls.items(), key=lambda each: (-each[1], each[0]))


def parse_window(line: bytes, project: str = "") -> Optional[ParsedWindow]:
    """Parse a line. Return None if it is invalid: truncated, over a limit, or not a window.

    A window is a JSON object with a protocol version 1.x, a start of 1970 or later and a list of metrics. A
    metric needs names that are strings, counts that are integers and a cost that is a number. The first of
    duplicate keys is used.
    """
    content = parse_frame(line)
    started = None if content is None else _start(content)
    if content is None or started is None:
        return None
    entries = content.get("metrics")
    if not isinstance(entries, list) or len(entries) > MAX_METRICS:
        return None
    metrics = [parse_metric(entry) for entry in entries]
    good = [metric for metric in metrics if metric is not None]
    environment, end = content.get("environment"), _moment(content.get("windowEnd"))
    return ParsedWindow(
        project,
        environment if isinstance(environment, str) else "",
        started,
        started if end is None else max(started, end),
        good,
        len(metrics) - len(good),
        _window_id(content.get("windowId")),
    )


def parse_start(line: bytes) -> Optional[datetime]:
    """Return the start of the window of a line, or None for an invalid line. Metrics are not parsed."""
    content = parse_frame(line)
    if content is None or not isinstance(content.get("metrics"), list):
        return None
    return _start(content)


def may_be_too_deep(lines: bytes) -> bool:
    """Return True if brackets may be nested too deep in whole lines. False is certain if they are JSON.

    This check takes a millisecond per megabyte. `too_deep` takes a hundred times as long.
    """
    rest = lines.translate(None, _BRACKETS)
    for _ in range(MAX_DEPTH // 2):  # each turn takes a level or two
        fewer = rest.replace(b"[]", b"").replace(b"{}", b"")
        if len(fewer) == len(rest):
            break
        rest = fewer
    return bool(rest.strip(b"\n"))


def too_deep(line: bytes) -> bool:
    """Return True if brackets outside strings are nested deeper than `MAX_DEPTH` in a line."""
    marks = line.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    structure = b"".join(marks.replace(b'""', b"").split(b'"')[::2])
    steps = memoryview(structure.translate(_STEPS)).cast("b")
    depth = 0
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        *depths, depth = accumulate(steps[start : start + _STEPS_AT_ONCE], initial=depth)
        if max(*depths, depth) > MAX_DEPTH:
            return True
    return False


def parse_frame(line: bytes) -> Optional[dict[str, Any]]:
    """Return the JSON object of a line of protocol 1.x, or None for any other line."""
    if len(line) > MAX_LINE_BYTES + 1 or len(line.rstrip(b"\n")) > MAX_LINE_BYTES:
        return None
    if may_be_too_deep(line) and too_deep(line):
        return None
    try:
        content = _loaded(line.strip(_BLANK).decode())
    except (ValueError, RecursionError):
        return None
    version = content.get("protocolVersion") if isinstance(content, dict) else None
    return content if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _loaded(text: str) -> Any:
    """Decode JSON as DuckDB does: trailing commas and NaN in upper or lower case are accepted."""
    try:
        content = _DECODER.decode(text)
    except ValueError:
        if len(text) > _MAX_MENDED:
            raise
        content = _DECODER.decode(_STRING_OR_ODD.sub(_plain, text))
    if "\\ud" in text or "\\uD" in text:
        json.dumps(content, ensure_ascii=False).encode()  # raises for a lone surrogate
    return content


def _plain(found: re.Match[str]) -> str:
    text = found[0]
    return text if text[0] == '"' else "" if text == "," else "NaN"


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else dict(reversed(pairs))


def _integer(text: str) -> Union[int, float]:
    return int(text) if len(text) <= _FINITE_DIGITS else math.inf  # no valid number has more digits


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_first_wins, parse_int=_integer)


def _start(content: dict[str, Any]) -> Optional[datetime]:
    started = _moment(content.get("windowStart"))
    return started if started is not None and FIRST_START <= started <= LAST_START else None


def _moment(text: Any) -> Optional[datetime]:
    try:
        return parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _window_id(value: Any) -> Optional[str]:
    return value.lower() if isinstance(value, str) and _WINDOW_ID.fullmatch(value) else None


def parse_metric(entry: Any) -> Optional[ParsedMetric]:
    """Return a metric of a window's JSON, or None for an invalid one."""
    if not isinstance(entry, dict):
        return None
    provider, endpoint, method = (entry.get(name) for name in ("provider", "endpoint", "method"))
    if not (isinstance(provider, str) and isinstance(endpoint, str) and isinstance(method, str)):
        return None
    calls, errors = _count(entry.get("requestCount")), _count(entry.get("errorCount"))
    cost = _dollars(entry.get("estimatedCostCents"))
    if calls is None or errors is None or cost is None:
        return None
    return ParsedMetric(
        provider, endpoint, method, calls, errors, _count(entry.get("unpricedCount")) or 0, cost,
        _latency(entry.get("p50LatencyMs")), _latency(entry.get("p95LatencyMs")),
        _flat(entry), tuple(_models(entry.get("models"))),
    )  # fmt: skip


def _flat(entry: dict[str, Any]) -> Decimal:
    """Return the flat estimates of a metric: 0 if it has attempts, which only metered calls report."""
    sources = entry.get("costSource")
    if not isinstance(sources, dict) or _count(entry.get("attempts")) is not None:
        return Decimal(0)
    return _dollars(sources.get("estimated")) or Decimal(0)


def _models(entries: Any) -> Iterator[ParsedModel]:
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("model") if isinstance(entry, dict) else None
        if isinstance(name, str):
            calls, unpriced = (_count(entry.get(field)) or 0 for field in ("requestCount", "unpricedCount"))
            yield ParsedModel(name, calls, unpriced, _dollars(entry.get("estimatedCostCents")) or Decimal(0))


def _count(value: Any) -> Optional[int]:
    number = _number(value, 10**MAX_COUNT_DIGITS - 1)
    return int(number) if number is not None and number == int(number) else None


def _dollars(cents: Any) -> Optional[Decimal]:
    if _number(abs(cents) if isinstance(cents, float) else cents, MAX_CENTS) is None:
        return None
    exact = Decimal(repr(cents)).quantize(_LAST_PLACE, ROUND_HALF_UP, EXACT)
    return EXACT.scaleb(exact, -2) if exact >= 0 else None


def _latency(value: Any) -> Optional[float]:
    number = _number(value, MAX_LATENCY_MS)
    return None if number is None else float(number)


def _number(value: Any, most: int) -> Optional[Union[int, float]]:
    """Return a JSON number between 0 and ``most``, or None for anything else, NaN included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value <= most else None
