"""The latest windows of a project, and sums over a period, read from its files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Optional, Protocol

from recost._money import EXACT
from recost.analytics.ingest.content import DamagedError, pieces, read_blocks, unpack
from recost.analytics.ingest.sources import Source, SourceError, find_sources
from recost.wire import format_timestamp
from recost.wire.parsing import ParsedMetric, ParsedWindow, parse_window

__all__ = ["INTERVALS", "MAX_GROUPS", "MAX_RECENT", "FolderReader", "Reader", "TooSlowError", "WindowFilter"]

MAX_RECENT: Final = 50
"""Maximum number of windows of `recent`."""
INTERVALS: Final = ("day", "window")
_RECENT_BYTES: Final = 32 << 20
_WITHIN_S: Final = 20.0
MAX_GROUPS: Final = 100_000
"""Maximum number of intervals of sums."""
_BYTES: Final = ("totalRequestBytes", "totalResponseBytes")


class TooSlowError(Exception):
    """The end of a question that takes too long: commands and a columnar copy are made for it."""


@dataclass(frozen=True)
class WindowFilter:
    """The windows that a question is about. None is any."""

    since: Optional[datetime] = None
    until: Optional[datetime] = None
    """Exclusive."""
    environment: Optional[str] = None
    provider: Optional[str] = None

    def has(self, window: ParsedWindow) -> bool:
        """Return True if a window belongs to it."""
        return (
            (self.since is None or self.since <= window.started)
            and (self.until is None or window.started < self.until)
            and self.environment in (None, window.environment)
        )


class Reader(Protocol):
    """The windows of a store, for the routes that read."""

    def recent(self, project: str, limit: int, environment: Optional[str]) -> list[bytes]:
        """Return the JSON of the latest windows, the latest first.

        Raises:
            DatabaseError: The database cannot be read.
            OSError: A file cannot be read.
        """
        ...

    def analytics(self, project: str, interval: str, period: WindowFilter) -> list[dict[str, Any]]:
        """Return the sums by day (UTC) or by start of the windows, in their order.

        Raises:
            DatabaseError: The database cannot be read.
            OSError: A file cannot be read.
            TooSlowError: It takes more than 20 s, or has more than 100,000 intervals.
        """
        ...


class FolderReader:
    """The files of a folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recent(self, project: str, limit: int, environment: Optional[str]) -> list[bytes]:
        """Return the JSON of the latest windows, from the last 32 MB of the files."""
        found: list[bytes] = []
        for line in _last_lines(self._folder, project):
            window = parse_window(line, project)
            if window is not None and environment in (None, window.environment):
                found.append(line.strip())
                if len(found) == limit:
                    break
        return found

    def analytics(self, project: str, interval: str, period: WindowFilter) -> list[dict[str, Any]]:
        """Return the sums of the files."""
        return _analytics(self._folder, project, interval, period)


def _last_lines(folder: Path, project: str) -> Iterator[bytes]:
    left = _RECENT_BYTES
    for source in reversed(_sources(folder, project)):
        if source.compressed or left <= 0:
            continue
        with source.path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(size - left, 0)
            file.seek(start)
            content = file.read(size - start)
        left -= len(content)
        lines = content.split(b"\n")
        yield from reversed(lines[1:-1] if start else lines[:-1])


@dataclass
class _MetricSums:
    """Sums of the metrics of an interval."""

    calls: int = 0
    errors: int = 0
    unpriced: int = 0
    usd: Decimal = Decimal(0)
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_BYTES, 0))

    def add(self, metric: ParsedMetric) -> None:
        self.calls += metric.calls
        self.errors += metric.errors
        self.unpriced += metric.unpriced
        self.usd = EXACT.add(self.usd, metric.cost_usd)

    def to_dict(self, interval: str) -> dict[str, Any]:
        return {
            "interval": interval,
            "requestCount": self.calls,
            "errorCount": self.errors,
            **self.bytes,
            "estimatedCostCents": float(EXACT.scaleb(self.usd, 2)),
            "unpricedCount": self.unpriced,
        }


def _analytics(folder: Path, project: str, interval: str, period: WindowFilter) -> list[dict[str, Any]]:
    deadline = time.monotonic() + _WITHIN_S
    groups: dict[str, _MetricSums] = {}
    for number, line in enumerate(_lines(folder, project)):
        if number % 64 == 0 and time.monotonic() > deadline:
            raise TooSlowError
        window = parse_window(line, project)
        if window is None or not period.has(window):
            continue
        start = format_timestamp(window.started.timestamp() * 1000)
        name = start[:10] if interval == "day" else start
        if name not in groups and len(groups) == MAX_GROUPS:
            raise TooSlowError
        _add(line, window, period.provider, groups.setdefault(name, _MetricSums()))
    return [groups[name].to_dict(name) for name in sorted(groups)]


def _add(line: bytes, window: ParsedWindow, provider: Optional[str], sums: _MetricSums) -> None:
    for metric in window.metrics:
        if provider in (None, metric.provider):
            sums.add(metric)
    for entry in json.loads(line)["metrics"]:
        if isinstance(entry, dict) and provider in (None, entry.get("provider")):
            for name in _BYTES:
                count = entry.get(name)
                sums.bytes[name] += count if isinstance(count, int) else 0


def _lines(folder: Path, project: str) -> Iterator[bytes]:
    for source in _sources(folder, project):
        # Rotated at this moment, or damaged: what is readable counts.
        with suppress(FileNotFoundError, DamagedError):
            for piece in pieces((unpack if source.compressed else read_blocks)(source.path)):
                if piece.line:
                    yield piece.line


def _sources(folder: Path, project: str) -> list[Source]:
    """Return the files of a project, the oldest first."""
    try:
        found = [each for each in find_sources([str(folder)], folder) if each.project == project]
        return sorted(found, key=lambda each: each.path.stat().st_mtime)
    except (SourceError, FileNotFoundError):
        return []
