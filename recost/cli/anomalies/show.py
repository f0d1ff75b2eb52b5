"""Anomalies as a table for people, and as JSON."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, Optional

from recost._money import format_change, format_usd
from recost.analytics.anomalies import LEAST_DAYS, MOST_DAYS, Anomaly, Review, ReviewPeriod
from recost.analytics.query import tag_of
from recost.analytics.timeseries import Series
from recost.cli._shared.arguments import right_now
from recost.cli._shared.footnotes import Note, rendered, skipped_note, unpriced_note
from recost.cli._shared.formats import counted, name_of, zone_name
from recost.cli._shared.output import exact_json
from recost.cli._shared.tables import Cell, Column, Table, Usd, wrap
from recost.cli._shared.terminal import WIDTH, Style, prints_bars, terminal_width

__all__ = ["CostHistory", "GroupReview", "as_json", "as_text"]

_NAMED: Final = 5
"""Groups with too little data that are named."""


@dataclass(frozen=True)
class CostHistory:
    """Costs over time from the files."""

    series: dict[tuple[str, Optional[str]], Series]
    """Series by dimension and name of the group."""
    unpriced: int
    bad_lines: int
    bad_metrics: int


@dataclass(frozen=True)
class GroupReview:
    """The review of one group."""

    by: str
    name: Optional[str]
    review: Review

    @property
    def title(self) -> str:
        """The name of the group, with its dimension."""
        return f"{tag_of(self.by) or self.by} {name_of(self.by, self.name)}"


def as_json(
    findings: Sequence[GroupReview],
    found: CostHistory,
    span: ReviewPeriod,
    arguments: argparse.Namespace,
    zone: tzinfo,
) -> str:
    """Return one JSON object. Amounts are numbers with all their digits."""
    content = {
        "since": _instant(span.since, zone),
        "until": _instant(span.until, zone),
        "min_usd": arguments.min_usd,
        "deviations": arguments.deviations,
        "anomalies": [
            {"by": each.by, "name": each.name, "buckets": each.review.buckets, **_flat(anomaly, zone)}
            for each in findings
            for anomaly in each.review.anomalies
        ],
        "compared": [_named(each) for each in findings if each.review.buckets],
        "too_little_data": [_named(each) for each in findings if each.review.buckets is None],
        "unpriced": found.unpriced,
        "not_read": found.bad_lines + found.bad_metrics,
    }
    return exact_json(content)


def _instant(moment: datetime, zone: tzinfo) -> str:
    return moment.replace(tzinfo=zone).isoformat(timespec="seconds")


def _flat(anomaly: Anomaly, zone: tzinfo) -> dict[str, Any]:
    return {
        "start": _instant(anomaly.start, zone),
        "end": _instant(anomaly.end, zone),
        "running": anomaly.running,
        "actual_usd": anomaly.actual_usd,
        "usual_usd": anomaly.usual_usd,
        "deviations": round(anomaly.deviations, 1) if math.isfinite(anomaly.deviations) else None,
    }


def _named(each: GroupReview) -> dict[str, Any]:
    return {"by": each.by, "name": each.name, "days": each.review.days, "spent_usd": each.review.spent_usd}


def as_text(
    findings: Sequence[GroupReview],
    found: CostHistory,
    span: ReviewPeriod,
    _arguments: argparse.Namespace,
    zone: tzinfo,
) -> str:
    """Return a table as wide as the terminal, at least 40 columns, with its notes."""
    style, width = Style.of(sys.stdout), terminal_width()
    head = f"{span.since:%Y-%m-%d %H:%M} to {span.until:%Y-%m-%d %H:%M} ({zone_name(zone, right_now())})"
    if width < WIDTH:
        head = wrap("", head, width)
    titles = {"actual": 9, "usual": 2, "change": 3, _deviations(): 1}
    table = Table([Column("when", least=20), Column("what", least=12, rank=8), *_figures(titles)], alike=True)
    hits = [(each, anomaly) for each in findings for anomaly in each.review.anomalies]
    hits.sort(key=lambda hit: (hit[1].start, -abs(hit[1].actual_usd - hit[1].usual_usd)))
    table.rows += [_row(each, anomaly) for each, anomaly in hits]
    compared = sum(each.review.buckets is not None for each in findings)
    text = wrap("", _nothing(findings, compared), width)
    notes = rendered(_notes(findings, found), style, width)
    return "\n\n".join(
        filter(None, [style(head, "dim"), table.render(style, width) if hits else text, notes])
    )


def _nothing(findings: Sequence[GroupReview], compared: int) -> str:
    if not findings:
        return "nothing was compared: no calls with a cost of at least --min-usd"
    return f"nothing unusual in {compared:,} of {counted(len(findings), 'group')}"


def _figures(ranks: Mapping[str, int]) -> list[Column]:
    return [Column(title, right=True, rank=rank) for title, rank in ranks.items()]


def _deviations() -> str:
    return "deviation (\u03c3)" if prints_bars() else "deviation"


def _row(each: GroupReview, anomaly: Anomaly) -> list[Cell]:
    far = f"{anomaly.deviations:+,.1f}" if math.isfinite(anomaly.deviations) else "infinite"
    return [
        f"{_when(anomaly)}{' so far' * anomaly.running}",
        each.title,
        Usd(anomaly.actual_usd),
        Usd(anomaly.usual_usd),
        format_change(anomaly.actual_usd, anomaly.usual_usd),
        far,
    ]


def _when(anomaly: Anomaly) -> str:
    start, end = anomaly.start, anomaly.end
    if (start.hour, end.hour) == (0, 0):  # whole days
        last = end - timedelta(days=1)
        return f"{start:%m-%d}" if last == start else f"{start:%m-%d} to {last:%m-%d}"
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%m-%d %H:%M}"
    return f"{start:%m-%d %H:%M} to {until}"


def _notes(findings: Sequence[GroupReview], found: CostHistory) -> Iterator[Note]:
    if any(each.review.buckets for each in findings):
        yield Note(
            "usual",
            f"the median at the same hour on similar days, of up to {MOST_DAYS} days before. Deviations are "
            "robust (from the median), between square roots. Models and tags are parts of "
            "providers: rows don't add up",
            warns=False,
        )
    young = [each for each in findings if each.review.buckets is None]
    if young:
        young.sort(key=lambda each: (-each.review.spent_usd, each.title))
        names = ", ".join(
            f"{each.title} ({counted(each.review.days, 'day')}, {format_usd(each.review.spent_usd)})"
            for each in young[:_NAMED]
        )
        more = f" and {len(young) - _NAMED:,} more" if len(young) > _NAMED else ""
        yield Note(
            "too little",
            f"fewer than {LEAST_DAYS} whole days, or calls on fewer than half of the days. Not compared, "
            f"with the cost in this period: {names}{more}",
        )
    yield from unpriced_note(found.unpriced)
    yield from skipped_note(found.bad_lines, found.bad_metrics)
