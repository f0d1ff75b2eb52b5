"""One line as it comes, for `recost tail` and `recost top`; `recost.analytics.report` adds up files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Optional

from recost.analytics.report import add_up
from recost.wire import Metric, Model, parse_line

__all__ = ["Metric", "Model", "Window", "parse_window"]


@dataclass(frozen=True)
class Window:
    """What a line of a project's file holds."""

    project: str
    environment: str
    started: datetime
    metrics: Sequence[Metric]
    bad_metrics: int
    """Metrics without a valid name, count or cost."""
    ended: datetime
    """The start, where the line has no valid end."""

    @property
    def cost_usd(self) -> Decimal:
        """US dollars, exact."""
        return add_up(metric.cost_usd for metric in self.metrics)

    def by_provider(self) -> list[tuple[str, int]]:
        """Return providers and their calls, those with the most first."""
        calls: dict[str, int] = {}
        for metric in self.metrics:
            calls[metric.provider] = calls.get(metric.provider, 0) + metric.calls
        return sorted(calls.items(), key=lambda each: (-each[1], each[0]))


def parse_window(line: bytes, project: str) -> Optional[Window]:
    """Return the window of a line; None for a bad line, see `recost.wire.parse_line`."""
    found = parse_line(line)
    return None if found is None else Window(project, **found._asdict())
