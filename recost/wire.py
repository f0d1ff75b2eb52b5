"""The JSON contract: the only module that knows camelCase, protocol versions and timestamps."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Optional, Union

from recost._money import EXACT
from recost._patterns import LazyPattern

if TYPE_CHECKING:
    from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary

__all__ = [
    "EXTENDED_VERSION",
    "PROTOCOL_VERSION",
    "Line",
    "Metric",
    "Model",
    "encode_window",
    "format_timestamp",
    "metric_to_dict",
    "parse_line",
    "parse_start",
    "parse_time",
    "suspect",
    "too_deep",
    "window_to_dict",
]

PROTOCOL_VERSION = "1.0"
"""Of a frame that has no optional field."""
EXTENDED_VERSION = "1.1"
"""Of a frame that has one."""

_TOKENS = {
    "input": "input",
    "output": "output",
    "cache_read": "cacheRead",
    "cache_write": "cacheWrite",
    "reasoning": "reasoning",
}


def format_timestamp(epoch_ms: float) -> str:
    """Return an instant, given in milliseconds since the epoch, as ``2026-05-14T12:00:00.000Z``."""
    seconds, millis = divmod(math.floor(epoch_ms), 1000)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def metric_to_dict(entry: MetricEntry) -> dict[str, Any]:
    """Return the wire form of one metric; optional fields are left out where nothing is known."""
    return {
        "provider": entry.provider,
        "endpoint": entry.endpoint,
        "method": entry.method,
        "requestCount": entry.request_count,
        "errorCount": entry.error_count,
        "totalLatencyMs": entry.total_latency_ms,
        "p50LatencyMs": entry.p50_latency_ms,
        "p95LatencyMs": entry.p95_latency_ms,
        "totalRequestBytes": entry.total_request_bytes,
        "totalResponseBytes": entry.total_response_bytes,
        "estimatedCostCents": entry.estimated_cost_cents,
        **_optional(entry),
    }


def _optional(entry: MetricEntry) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if entry.cost_source is not None:
        found["costSource"] = dict(entry.cost_source)
    if entry.unpriced_count is not None:
        found["unpricedCount"] = entry.unpriced_count
    if entry.attempts is not None:
        found["attempts"] = entry.attempts
    if entry.tokens is not None:
        found["tokens"] = {_TOKENS[kind]: count for kind, count in entry.tokens.items() if kind in _TOKENS}
    if entry.models is not None:
        found["models"] = [_model_to_dict(each) for each in entry.models]
    if entry.tags is not None:
        found["tags"] = [_tags_to_dict(each) for each in entry.tags]
    return found


def _model_to_dict(entry: ModelEntry) -> dict[str, Any]:
    return {
        "model": entry.model,
        "requestCount": entry.request_count,
        "estimatedCostCents": entry.estimated_cost_cents,
        "unpricedCount": entry.unpriced_count,
        "inputTokens": entry.input_tokens,
        "outputTokens": entry.output_tokens,
    }


def _tags_to_dict(entry: TagEntry) -> dict[str, Any]:
    which: dict[str, Any] = {"other": True} if entry.tags is None else {"tags": dict(entry.tags)}
    return {
        **which,
        "requestCount": entry.request_count,
        "errorCount": entry.error_count,
        "estimatedCostCents": entry.estimated_cost_cents,
        "unpricedCount": entry.unpriced_count,
    }


def window_to_dict(summary: WindowSummary) -> dict[str, Any]:
    """Return the wire form of a window; ``windowEnd`` is after ``windowStart`` by at least 1 ms."""
    return {**_window_to_dict(summary), "metrics": [metric_to_dict(entry) for entry in summary.metrics]}


def _window_to_dict(summary: WindowSummary) -> dict[str, Any]:
    """Return the wire form of a window without its metrics, which come last."""
    start = math.floor(summary.window_start)
    end = max(math.floor(summary.window_end), start + 1)
    version = summary.protocol_version
    if version == PROTOCOL_VERSION and any(_optional(entry) for entry in summary.metrics):
        version = EXTENDED_VERSION
    return {
        "protocolVersion": version,
        "environment": summary.environment,
        "sdkLanguage": summary.sdk_language,
        "sdkVersion": summary.sdk_version,
        "windowStart": format_timestamp(start),
        "windowEnd": format_timestamp(end),
    }


def encode_window(summary: WindowSummary) -> bytes:
    """Return a window as one line of UTF-8 JSON, without the line feed.

    Each metric is encoded by itself: the encoder holds the interpreter until it is done, and for the
    thousands of a full window that takes long enough to be noticed.

    Raises:
        ValueError: A number is not finite.
    """
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    head = encode(_window_to_dict(summary))
    metrics = ",".join([encode(metric_to_dict(entry)) for entry in summary.metrics])
    return f'{head[:-1]},"metrics":[{metrics}]}}'.encode("utf-8", "replace")


# Reading. `recost.analytics.ingest.lines` reads the same lines with SQL, by the same rules; a test holds both
# against each other.

MAX_LINE_BYTES: Final = 32 << 20
"""Of a line without its line feed; a longer one is a bad line."""
MAX_DEPTH: Final = 32
"""Of brackets within brackets in a line; a window has seven."""
MAX_METRICS: Final = 100_000
"""Of one window."""
MAX_COUNT_DIGITS: Final = 15
MAX_CENTS: Final = 10**12 - 1
"""More than one metric of a window can have cost."""
MAX_LATENCY_MS: Final = 10**15
FIRST_START: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
LAST_START: Final = datetime(9999, 12, 1, tzinfo=timezone.utc)
VERSION_PATTERN: Final = r"1\.[0-9]{1,9}"
TIME_PATTERN: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?)?"
)
"""Of ISO 8601: a date; a date and a time of day, which is UTC where it has no offset."""

_VERSION: Final = LazyPattern(VERSION_PATTERN)
_TIME: Final = LazyPattern(TIME_PATTERN)
_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}\n")))
_NO_MARKS: Final = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level deeper, or, as a signed byte, one less."""
_STRING_OR_ODD: Final = LazyPattern(
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|,(?=[ \t\r]*[\]}])|-?(?i:nan|inf(?:inity)?)\b', re.DOTALL
)
_BLANK: Final = b" \t\n\v\f\r"
_LAST_PLACE: Final = Decimal(1).scaleb(-24)
_FINITE_DIGITS: Final = 18
_STEPS_AT_ONCE: Final = 1 << 14
_MAX_MENDED: Final = 1 << 18
"""Characters of a line in which commas and NaN are looked for, which takes a hundred times as long."""


class Model(NamedTuple):
    """The calls of a metric that used one model."""

    name: str
    calls: int
    unpriced: int
    cost_usd: Decimal
    """US dollars, exact."""


class Metric(NamedTuple):
    """The calls to one endpoint in a window."""

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
    """Of the cost, estimates of calls whose answers were not looked at; exact."""
    models: Sequence[Model] = ()
    """Of some of the calls; the others have no model."""


class Line(NamedTuple):
    """The window of one line."""

    environment: str
    started: datetime
    ended: datetime
    """The start, where the line has no valid end."""
    metrics: Sequence[Metric]
    bad_metrics: int
    """Metrics without a valid name, count or cost."""


def parse_line(line: bytes) -> Optional[Line]:
    """Return the window of a line; None for a bad line: torn, over a limit, or of another program.

    A line is a window when it is a JSON object with a protocol version 1.x, a start from 1970 on and a list
    of metrics. A metric needs its names as strings, its counts as whole numbers and its cost as a number.
    Of a key that occurs twice the first counts.
    """
    content = _head(line)
    started = None if content is None else _start(content)
    if content is None or started is None:
        return None
    entries = content.get("metrics")
    if not isinstance(entries, list) or len(entries) > MAX_METRICS:
        return None
    metrics = [_metric(entry) for entry in entries]
    good = [metric for metric in metrics if metric is not None]
    environment, end = content.get("environment"), _moment(content.get("windowEnd"))
    return Line(
        environment if isinstance(environment, str) else "",
        started,
        started if end is None else max(started, end),
        good,
        len(metrics) - len(good),
    )


def parse_start(line: bytes) -> Optional[datetime]:
    """Return when the window of a line began; None for a bad line. Metrics are not looked at."""
    content = _head(line)
    if content is None or not isinstance(content.get("metrics"), list):
        return None
    return _start(content)


def parse_time(text: str) -> datetime:
    """Return a time of a line, in UTC.

    Raises:
        ValueError: It is invalid, or no time can be that.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"invalid time {text[:40]!r}: expected 2026-05-14T12:00:00.000Z")
    day, clock = text[:10], text[11:]
    offset = timezone.utc
    if clock.endswith("Z"):
        clock = clock[:-1]
    elif clock[-6:-5] in {"+", "-"}:
        minutes = int(clock[-5:-3]) * 60 + int(clock[-2:])
        offset = timezone(timedelta(minutes=-minutes if clock[-6] == "-" else minutes))
        clock = clock[:-6]
    whole, _, fraction = clock.partition(".")
    hour, minute, second = (*map(int, whole.split(":")), 0)[:3] if whole else (0, 0, 0)
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    year, month, date = map(int, day.split("-"))
    try:
        moment = datetime(year, month, date, hour, minute, second, micros, offset)
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise ValueError(f"invalid time {text[:40]!r}: out of range") from None


def suspect(lines: bytes) -> bool:
    """Return whether brackets may be nested too deep in whole lines; False is certain of lines that are JSON.

    It takes a millisecond for a megabyte, where each line would take a hundred times that.
    """
    rest = lines.translate(None, _BRACKETS)
    for _ in range(MAX_DEPTH // 2):  # each turn takes a level or two
        fewer = rest.replace(b"[]", b"").replace(b"{}", b"")
        if len(fewer) == len(rest):
            break
        rest = fewer
    return bool(rest.strip(b"\n"))


def too_deep(line: bytes) -> bool:
    """Return whether brackets in a line are nested deeper than `MAX_DEPTH`, those in strings left out."""
    marks = line.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    structure = b"".join(marks.replace(b'""', b"").split(b'"')[::2])
    steps = memoryview(structure.translate(_STEPS)).cast("b")
    depth = 0
    for start in range(0, len(steps), _STEPS_AT_ONCE):
        *depths, depth = accumulate(steps[start : start + _STEPS_AT_ONCE], initial=depth)
        if max(*depths, depth) > MAX_DEPTH:
            return True
    return False


def _head(line: bytes) -> Optional[dict[str, Any]]:
    """Return the object of a line of protocol 1.x; None for another line."""
    if len(line) > MAX_LINE_BYTES + 1 or len(line.rstrip(b"\n")) > MAX_LINE_BYTES:
        return None
    if suspect(line) and too_deep(line):
        return None
    try:
        content = _loaded(line.strip(_BLANK).decode())
    except (ValueError, RecursionError):
        return None
    version = content.get("protocolVersion") if isinstance(content, dict) else None
    return content if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _loaded(text: str) -> Any:
    """Return what a text of JSON holds; as with DuckDB, a comma before a bracket and NaN in any case pass."""
    try:
        content = _DECODER.decode(text)
    except ValueError:
        if len(text) > _MAX_MENDED:
            raise
        content = _DECODER.decode(_STRING_OR_ODD.sub(_plain, text))
    if "\\ud" in text or "\\uD" in text:
        json.dumps(content, ensure_ascii=False).encode()  # raises for half a character
    return content


def _plain(found: re.Match[str]) -> str:
    text = found[0]
    return text if text[0] == '"' else "" if text == "," else "NaN"


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _integer(text: str) -> Union[int, float]:
    return int(text) if len(text) <= _FINITE_DIGITS else math.inf  # of more digits none is used


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_first_wins, parse_int=_integer)


def _start(content: dict[str, Any]) -> Optional[datetime]:
    started = _moment(content.get("windowStart"))
    return started if started is not None and FIRST_START <= started <= LAST_START else None


def _moment(text: Any) -> Optional[datetime]:
    try:
        return parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _metric(entry: Any) -> Optional[Metric]:
    if not isinstance(entry, dict):
        return None
    provider, endpoint, method = (entry.get(name) for name in ("provider", "endpoint", "method"))
    if not (isinstance(provider, str) and isinstance(endpoint, str) and isinstance(method, str)):
        return None
    calls, errors = _count(entry.get("requestCount")), _count(entry.get("errorCount"))
    cost = _dollars(entry.get("estimatedCostCents"))
    if calls is None or errors is None or cost is None:
        return None
    return Metric(
        provider, endpoint, method, calls, errors, _count(entry.get("unpricedCount")) or 0, cost,
        _latency(entry.get("p50LatencyMs")), _latency(entry.get("p95LatencyMs")),
        _flat(entry), tuple(_models(entry.get("models"))),
    )  # fmt: skip


def _flat(entry: dict[str, Any]) -> Decimal:
    """Return the estimates of a metric; none where attempts are told, as they are of metered calls only."""
    sources = entry.get("costSource")
    if not isinstance(sources, dict) or _count(entry.get("attempts")) is not None:
        return Decimal(0)
    return _dollars(sources.get("estimated")) or Decimal(0)


def _models(entries: Any) -> Iterator[Model]:
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("model") if isinstance(entry, dict) else None
        if isinstance(name, str):
            calls, unpriced = (_count(entry.get(field)) or 0 for field in ("requestCount", "unpricedCount"))
            yield Model(name, calls, unpriced, _dollars(entry.get("estimatedCostCents")) or Decimal(0))


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
    """Return a number of JSON that is within bounds; NaN is within none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if 0 <= value <= most else None
