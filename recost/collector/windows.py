"""The check of one window before it is stored: bounded before it is parsed, and as strict as reports.

A window that passes is read by every command. Fields that are not named here are stored unchanged.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Optional

from recost.decompression import Decompressor, UndecodableError
from recost.wire import parse_time
from recost.wire.parsing import (
    FIRST_START,
    LAST_START,
    MAX_CENTS,
    MAX_COUNT_DIGITS,
    MAX_LATENCY_MS,
    VERSION_PATTERN,
    may_be_too_deep,
    too_deep,
)

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_METRICS",
    "InvalidWindowError",
    "ReceivedWindow",
    "read_window",
    "too_large",
    "window_id_of",
]

MAX_BODY_BYTES: Final = 8 << 20
"""The longest body, as sent and unpacked."""
MAX_METRICS: Final = 2000
"""Maximum number of metrics of a window. The SDKs split larger ones."""
_MAX_BRACKETS: Final = 400_000
_MAX_VALUES: Final = 1_500_000
_SHORT: Final = 16 << 10
"""Bytes of a line that is kept with its content until it is stored."""
_FINITE_DIGITS: Final = 18
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_MANY_DIGITS: Final = b"0" * 19
"""A run of digits that are all translated to 0. A regular expression takes ten times as long to find one."""
_BLANK: Final = b" \t\n\r"
_LINE_ENDS: Final = bytes.maketrans(b"\n\r", b"  ")
_VERSION: Final = re.compile(VERSION_PATTERN)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMES: Final = ("provider", "endpoint", "method")
_COUNTS: Final = ("requestCount", "errorCount", "totalRequestBytes", "totalResponseBytes")
_NUMBERS: Final = (
    ("totalLatencyMs", MAX_LATENCY_MS),
    ("p50LatencyMs", MAX_LATENCY_MS),
    ("p95LatencyMs", MAX_LATENCY_MS),
    ("estimatedCostCents", MAX_CENTS),
)
_MAX_COUNT: Final = 10**MAX_COUNT_DIGITS - 1
_LEAST_LENGTH: Final = timedelta(milliseconds=1)


class InvalidWindowError(Exception):
    """A body that is not stored. The message quotes nothing of it.

    Attributes:
        status: 413 if it is too large, 415 for an unknown coding, otherwise 422.
        reason: A word for the counters.
    """

    def __init__(self, message: str, status: int = 422, reason: str = "invalid") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class ReceivedWindow(NamedTuple):
    """A window that may be stored."""

    line: bytes
    """The JSON as received, on one line, without a line feed."""
    id: Optional[bytes]
    """The 16 bytes of its ``windowId``, or None for a window without one."""
    metrics: int
    """The number of metrics."""
    calls: int
    """The number of calls."""
    content: Optional[dict[str, Any]] = None
    """The content of the line. None for a long line, which is parsed again when needed."""


def read_window(body: bytes, coding: str = "") -> ReceivedWindow:
    """Return the window of a body.

    Args:
        body: At most `MAX_BODY_BYTES` bytes.
        coding: The value of Content-Encoding: ``gzip``, ``identity`` or nothing.

    Raises:
        InvalidWindowError: It breaks the wire format or a limit.
    """
    line = _unpacked(body, coding).translate(_LINE_ENDS).strip(_BLANK)
    _bound(line)
    try:
        content = _decoded(line)
        if b"\\ud" in line or b"\\uD" in line:
            json.dumps(content, ensure_ascii=False).encode()  # raises for a lone surrogate
    except (ValueError, RecursionError) as error:
        reason = error.args[0] if isinstance(error, _RefusedJsonError) else "expected JSON in UTF-8"
        raise InvalidWindowError(f"invalid body: {reason}") from None
    if not isinstance(content, dict):
        raise InvalidWindowError("invalid body: expected an object")
    _check_head(content)
    metrics, calls = _check_metrics(content.get("metrics"))
    return ReceivedWindow(line, _id_in(content), metrics, calls, content if len(line) <= _SHORT else None)


def window_id_of(line: bytes) -> Optional[bytes]:
    """Return the 16 bytes of the ``windowId`` in a line of a file, or None for any other line."""
    if b"windowId" not in line and b"\\" not in line:
        return None
    try:
        _bound(line)
        content = _decoded(line)
        return _id_in(content) if isinstance(content, dict) else None
    except (ValueError, RecursionError, InvalidWindowError):
        return None


def _unpacked(body: bytes, coding: str) -> bytes:
    name = coding.strip().lower()
    if name in {"", "identity"}:
        content = body
    elif name in {"gzip", "x-gzip"}:
        content = _gunzipped(body)
    else:
        raise InvalidWindowError("invalid Content-Encoding: expected gzip or identity", 415, "coding")
    if len(content) > MAX_BODY_BYTES:
        raise too_large()
    return content


def _gunzipped(body: bytes) -> bytes:
    decoder = Decompressor("gzip", MAX_BODY_BYTES + 1)
    decoder.feed(body)
    parts = []
    try:
        while part := decoder.read():
            parts.append(part)
    except UndecodableError:
        raise InvalidWindowError("invalid body: expected gzip") from None
    if decoder.exhausted:
        raise too_large()
    if not decoder.ended:
        raise InvalidWindowError("invalid body: the gzip data end early")
    return b"".join(parts)


def too_large() -> InvalidWindowError:
    """Return the error of a body that is longer than `MAX_BODY_BYTES`."""
    return InvalidWindowError(f"body too large: expected at most {MAX_BODY_BYTES} bytes", 413, "size")


def _bound(line: bytes) -> None:
    """Raise an error for what would take much memory or a deep stack to parse."""
    if may_be_too_deep(line) and too_deep(line):
        raise InvalidWindowError("invalid body: nested too deep", reason="depth")
    if line.count(b"{") + line.count(b"[") > _MAX_BRACKETS or line.count(b",") > _MAX_VALUES:
        raise InvalidWindowError("body too large: too many values", 413, "values")


class _RefusedJsonError(ValueError):
    """JSON that Python accepts and the wire format does not."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedJsonError("a name is repeated in an object")
    return found


def _integer(text: str) -> Any:
    return int(text) if len(text) <= _FINITE_DIGITS else float("inf")  # no valid number has more digits


def _decoded(line: bytes) -> Any:
    is_long = _MANY_DIGITS in line.translate(_DIGITS)
    return (_LONG_DECODER if is_long else _DECODER).decode(line.decode())


def _constant(_: str) -> Any:
    raise _RefusedJsonError("NaN and Infinity are not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_constant)
_LONG_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_constant=_constant
)
"""The decoder for long runs of digits. As integers they would take long to decode."""


def _check_head(content: dict[str, Any]) -> None:
    version = content.get("protocolVersion")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise InvalidWindowError("invalid protocolVersion: expected 1.x")
    for name in ("environment", "sdkLanguage", "sdkVersion"):
        if not _is_name(content.get(name)):
            raise InvalidWindowError(f"invalid {name}: expected a text that is not blank")
    started, ended = (_moment(content, name) for name in ("windowStart", "windowEnd"))
    if not FIRST_START <= started <= LAST_START:
        raise InvalidWindowError("invalid windowStart: out of range")
    if ended - started < _LEAST_LENGTH:
        raise InvalidWindowError("invalid windowEnd: expected at least 1 ms after windowStart")


def _moment(content: dict[str, Any], name: str) -> datetime:
    text = content.get(name)
    try:
        if isinstance(text, str) and text.endswith("Z"):
            return parse_time(text)
    except ValueError:
        pass
    raise InvalidWindowError(f"invalid {name}: expected 2026-05-14T12:00:00.000Z")


def _id_in(content: dict[str, Any]) -> Optional[bytes]:
    text = content.get("windowId")
    if text is None:
        return None
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise InvalidWindowError("invalid windowId: expected a UUID")
    return bytes.fromhex(text.replace("-", ""))


def _check_metrics(entries: Any) -> tuple[int, int]:
    """Return the numbers of metrics and calls."""
    if not isinstance(entries, list) or not entries:
        raise InvalidWindowError("invalid metrics: expected a list that is not empty")
    if len(entries) > MAX_METRICS:
        raise InvalidWindowError(f"invalid metrics: expected at most {MAX_METRICS}")
    keys, calls = set(), 0
    for index, entry in enumerate(entries):
        problem = _problem(entry)
        if problem is not None:
            raise InvalidWindowError(f"invalid metrics[{index}].{problem}")
        keys.add((entry["provider"], entry["endpoint"], entry["method"]))
        calls += int(entry["requestCount"])
    if len(keys) != len(entries):
        raise InvalidWindowError("invalid metrics: provider, endpoint and method are repeated")
    return len(entries), calls


def _problem(entry: Any) -> Optional[str]:
    """Return the invalid field of a metric and the expected value, or None if all are valid."""
    if not isinstance(entry, dict):
        return "*: expected an object"
    for name in _NAMES:
        if not _is_name(entry.get(name)):
            return f"{name}: expected a text that is not blank"
    for name in _COUNTS:
        if not _is_count(entry.get(name)):
            return f"{name}: expected a whole number from 0 to {_MAX_COUNT}"
    for name, most in _NUMBERS:
        value = entry.get(name)
        if type(value) not in {int, float} or not 0 <= value <= most:  # type: ignore[operator]
            return f"{name}: expected a number from 0 to {most}"
    if entry["errorCount"] > entry["requestCount"]:
        return "errorCount: expected at most requestCount"
    return None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_count(value: Any) -> bool:
    if type(value) is float:
        return value.is_integer() and 0 <= value <= _MAX_COUNT
    return type(value) is int and 0 <= value <= _MAX_COUNT
