"""The result of the demo: the calls in the file, compared with the log of the server."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recost._money import EXACT
from recost.cli._shared.formats import UNKNOWN, format_bytes, format_ms
from recost.cli._shared.tables import Cell, Column, Table, Usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recost.cli.demo.server import ServedRequest
    from recost.config import Settings

__all__ = ["Row", "add_up", "local_files", "read_windows", "reconcile", "table"]

_COLUMNS: Final = (
    Column("provider"),
    Column("endpoint", least=8),
    Column("method"),
    *(Column(title, right=True) for title in ("calls", "errors", "p50", "p95", "bytes", "cost")),
)


@dataclass
class Row:
    """The calls of one (provider, endpoint, method), over all windows of a run."""

    provider: str
    endpoint: str
    method: str
    calls: int = 0
    errors: int = 0
    size: int = 0
    """Bytes sent and received."""
    cents: float = 0.0
    unpriced: int = 0
    """Calls without a known price, not included in ``cents``."""
    latencies: list[tuple[int, float, float]] = field(default_factory=list)
    """Calls, p50 and p95 of each window."""

    def add(self, metric: dict[str, Any]) -> None:
        """Add one metric of a window."""
        self.calls += metric["requestCount"]
        self.errors += metric["errorCount"]
        self.size += metric["totalRequestBytes"] + metric["totalResponseBytes"]
        self.cents += metric["estimatedCostCents"]
        self.unpriced += metric.get("unpricedCount", 0)
        self.latencies.append((metric["requestCount"], metric["p50LatencyMs"], metric["p95LatencyMs"]))

    @property
    def cost(self) -> Cell:
        """The cost, or ``unknown`` if calls have no known price and the others are free."""
        return UNKNOWN if self.unpriced and not self.cents else _usd(self.cents)

    @property
    def p50_ms(self) -> float:
        """The median: the mean of the windows' medians, weighted by calls."""
        return sum(calls * p50 for calls, p50, _ in self.latencies) / self.calls

    @property
    def p95_ms(self) -> float:
        """The 95th percentile: the highest of the windows."""
        return max(p95 for _, _, p95 in self.latencies)


def _usd(cents: float) -> Usd:
    return Usd(EXACT.scaleb(Decimal(repr(cents)), -2))


def local_files(settings: Settings) -> list[Path]:
    """Return the local file, and the files into which it may have been rotated."""
    name = settings.project_id or "default"
    folder = Path(settings.local_dir)
    rotated = [folder / f"{name}.{number + 1}.jsonl" for number in range(settings.local_backups)]
    return [folder / f"{name}.jsonl", *rotated]


def read_windows(paths: Iterable[Path], environment: str) -> list[dict[str, Any]]:
    """Return the windows of one environment in these files. Missing files are skipped."""
    mark = json.dumps(environment).encode()
    windows = []
    for path in paths:
        with suppress(OSError), path.open("rb") as lines:
            windows += [json.loads(line) for line in lines if mark in line]
    return [window for window in windows if window["environment"] == environment]


def add_up(windows: Iterable[dict[str, Any]]) -> list[Row]:
    """Return one row for each provider, endpoint and method, the costliest first."""
    rows: dict[tuple[str, str, str], Row] = {}
    for window in windows:
        for metric in window["metrics"]:
            key = (metric["provider"], metric["endpoint"], metric["method"])
            rows.setdefault(key, Row(*key)).add(metric)
    return sorted(rows.values(), key=lambda row: (-row.cents, row.provider, row.endpoint, row.method))


def table(rows: Sequence[Row]) -> Table:
    """Return the rows as a table with their total."""
    cells: list[Sequence[Cell]] = [
        (
            row.provider, row.endpoint, row.method, str(row.calls), str(row.errors),
            format_ms(row.p50_ms), format_ms(row.p95_ms), format_bytes(row.size), row.cost,
        )
        for row in rows
    ]  # fmt: skip
    calls, errors, size = (sum(getattr(row, name) for row in rows) for name in ("calls", "errors", "size"))
    cost = _usd(sum(row.cents for row in rows))
    total = ("total", "", "", str(calls), str(errors), "", "", format_bytes(size), cost)
    return Table(_COLUMNS, cells, total)


def reconcile(served: Sequence[ServedRequest], refused: int, rows: Sequence[Row]) -> tuple[bool, str]:
    """Return whether the file matches the log of the server, and two sentences on it."""
    truth = len(served) + refused
    failed = sum(request.status >= 400 for request in served) + refused
    calls, errors = sum(row.calls for row in rows), sum(row.errors for row in rows)
    complete = truth > 0 and (calls, errors) == (truth, failed)
    return complete, (
        f"Served {len(served)} and refused {refused}: {truth} calls, {failed} failed. "
        f"Recorded: {calls} calls, {errors} failed.\n"
        + ("Every call is accounted for." if complete else "NOT EVERY CALL IS ACCOUNTED FOR.")
    )
