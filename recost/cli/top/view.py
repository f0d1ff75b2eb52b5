"""The content of ``recost top``: headings, a table of rates, and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Callable, Final, Optional

from recost._money import EXACT
from recost.analytics.rates import BUCKETS, BY, By, CallRates, CallSums, Recent
from recost.analytics.timeseries import sparkline
from recost.cli._shared.footnotes import Note, flat_note, skipped_note, unpriced_note
from recost.cli._shared.formats import (
    UNKNOWN,
    counted,
    format_cost,
    format_ms,
    format_share,
    is_unknown,
    name_of,
    share_of,
)
from recost.cli._shared.tables import Cell, Column, Table, Usd, cost_cell
from recost.cli._shared.terminal import WIDE, prints_bars

__all__ = ["HELP", "KEYS", "SORTS", "View", "headings", "notes", "span_of", "table_of"]

SORTS: Final = ("cost", "calls", "errors", "p95")
KEYS: Final = "c/a/e/p sort  g group  space pause  h help  q quit"
HELP: Final = """\
c  sort by cost              g  group by {by}
a  sort by calls         space  pause or go on
e  sort by errors            h  close this help
p  sort by p95               q  quit, as Ctrl-C does

A window counts when it ends, up to 30 s after its calls. Rates are over the
span shown above, at least a minute. A day and a month (30 days) are projections
of that rate. p95 is the mean of the windows' p95, weighted by calls. Calls
without a known price are not included in the cost. Errors and latencies are not
recorded by model."""
_BARS: Final = 10
_MONTH_DAYS: Final = 30
_SORT_KEYS: Final = {"c": "cost", "a": "calls", "e": "errors", "p": "p95"}
_ROOMY: Final = 130
"""The width from which all columns are shown."""
_MISSING: Final = "-"


@dataclass(frozen=True)
class View:
    """The grouping, the order and the state of the screen."""

    by: By = "endpoint"
    sort: str = "cost"
    paused: bool = False
    help: bool = False

    @property
    def next_by(self) -> By:
        """The next grouping."""
        return BY[(BY.index(self.by) + 1) % len(BY)]

    def after(self, key: str) -> View:
        """Return the view after a key was pressed. Unknown keys change nothing."""
        if key == "g":
            return replace(self, by=self.next_by)
        if key == " ":
            return replace(self, paused=not self.paused)
        if key in {"h", "?"}:
            return replace(self, help=not self.help)
        return replace(self, sort=_SORT_KEYS.get(key, self.sort))


@dataclass(frozen=True)
class _Measure:
    title: str
    cell: Callable[[CallSums], Cell]
    from_width: int = 0
    """The width from which it is shown."""


def table_of(rates: CallRates, view: View, width: int, most: Optional[int] = None) -> Table:
    """Return the table, with the totals of all groups.

    Args:
        rates: The rates to show.
        view: The grouping and the order.
        width: The width in columns of the terminal.
        most: Maximum number of rows, without the totals. The last one has all other groups.
    """
    measures = [each for each in _measures(rates, view, width) if width >= each.from_width]
    bars = width >= _ROOMY and prints_bars()
    heads = _heads(view.by, width)
    columns = [Column(name, least=8) for name in heads]
    columns += [Column(each.title, right=True) for each in measures]
    columns += [Column("cost over time", least=_BARS)] * bars
    groups = sorted(rates.groups.items(), key=lambda group: _weight(view.sort, *group))
    shown = groups if most is None or len(groups) <= most else groups[: max(most - 1, 0)]

    def row(names: Sequence[str], sums: CallSums, trend: str = "") -> list[Cell]:
        return [*names, *(each.cell(sums) for each in measures), *([trend] if bars else [])]

    table = Table(columns)
    for names, sums in shown:
        table.rows.append(row(_named(view.by, names, len(heads)), sums, _bars(rates.trends[names])))
    if len(shown) < len(groups):
        rest = CallSums()
        for _, sums in groups[len(shown) :]:
            rest.add(sums)
        table.rows.append(row(_filled(heads, counted(len(groups) - len(shown), "other")), rest))
    everything = rates.trends and [sum(part, Decimal(0)) for part in zip(*rates.trends.values())]
    table.total = row(_filled(heads, "total"), rates.total, _bars(everything or []))
    return table


def _heads(by: By, width: int) -> Sequence[str]:
    return ("provider", by) if by in {"endpoint", "model"} and width >= WIDE else (by,)


def _filled(heads: Sequence[str], name: str) -> list[str]:
    return [name, *[""] * (len(heads) - 1)]


def _named(by: By, names: tuple[Optional[str], ...], columns: int) -> list[str]:
    shown = [*(name or "(blank)" for name in names[:-1]), name_of(by, names[-1])]
    if len(shown) == columns:
        return shown
    return [shown[-1] if by == "model" and names[-1] is not None else " ".join(shown)]


def _measures(rates: CallRates, view: View, width: int) -> list[_Measure]:
    def usd(sums: CallSums, minutes: int = 1) -> Cell:
        if is_unknown(sums):
            return UNKNOWN
        return Usd(EXACT.multiply(rates.a_minute(sums.cost_usd), Decimal(minutes)))

    def errors(sums: CallSums) -> str:
        known = view.by != "model" or sums is rates.total
        return format_share(sums.errors, sums.calls) if known else _MISSING

    found = [
        _Measure("calls/min", lambda sums: _rate(rates.a_minute(sums.calls))),
        _Measure("cost/min", usd),
        _Measure("a day", lambda sums: usd(sums, 24 * 60)),
        _Measure("a month", lambda sums: usd(sums, 24 * 60 * _MONTH_DAYS)),
        _Measure("share", lambda sums: share_of(sums, rates.total), WIDE),
        _Measure("errors" if width >= WIDE else "err", errors),
        _Measure("p50", lambda sums: _ms(sums.p50_ms), WIDE),
        _Measure("p95", lambda sums: _ms(sums.p95_ms)),
    ]
    if rates.total.unpriced:
        found.append(_Measure("unpriced", lambda sums: f"{sums.unpriced:,}"))
    found += [
        _Measure("calls", lambda sums: f"{sums.calls:,}", _ROOMY),
        _Measure("cost", cost_cell, _ROOMY),
    ]
    return found


def _weight(sort: str, names: tuple[Optional[str], ...], sums: CallSums) -> tuple[object, ...]:
    first = {
        "cost": sums.cost_usd,
        "calls": sums.calls,
        "errors": sums.errors / sums.calls if sums.calls > 0 else 0,
        "p95": sums.p95_ms or 0.0,
    }[sort]
    return (-first, -sums.cost_usd, -sums.calls, [name or "" for name in names])  # type: ignore[operator]


def _bars(trend: Sequence[Decimal]) -> str:
    step = BUCKETS // _BARS
    return sparkline([sum(trend[at : at + step], Decimal(0)) for at in range(0, len(trend), step)])


def _rate(rate: Decimal) -> str:
    if rate >= 100 or not rate:
        return f"{rate:,.0f}"
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"


def _ms(value: Optional[float]) -> str:
    return _MISSING if value is None else format_ms(value)


def headings(rates: CallRates, recent: Recent, view: View, now: datetime) -> list[str]:
    """Return the two lines above the table: its content and its age.

    Args:
        rates: The rates to show.
        recent: The source of the rates.
        view: The grouping and the order.
        now: The present time in the time zone of the reader.
    """
    paused = "  PAUSED" if view.paused else ""
    first = f"recost top  {now:%H:%M:%S}  by {view.by}, most {view.sort} first{paused}"
    over = f"the last {span_of(recent.over)}"
    if recent.latest is None:
        return [first, f"no window in {over}"]
    ended = recent.latest.astimezone(now.tzinfo)
    day = f"{ended:%Y-%m-%d} " if ended.date() != now.date() else ""
    latest = f"latest window {day}{ended:%H:%M:%S}"
    if not rates.total.calls:
        return [first, f"no calls in {over}; {latest}"]
    total = f"{counted(rates.total.calls, 'call')}, {format_cost(rates.total)}"
    return [first, f"{total} in {span_of(rates.span)} of {over}; {latest}"]


def notes(rates: CallRates, bad_lines: int, bad_metrics: int) -> list[Note]:
    """Return the notes on the figures."""
    return [
        Note("day, month", "projections of the rate over a day and over 30 days", warns=False),
        *skipped_note(bad_lines, bad_metrics, hint=""),
        *flat_note(rates.total.flat_usd),
        *unpriced_note(rates.total.unpriced, rates.total.calls),
    ]


def span_of(length: timedelta) -> str:
    """Return a length of time: ``45 s``, ``5 min``, ``4 min 30 s``, ``2 h``, ``1 h 30 min``."""
    seconds = round(length.total_seconds())
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
