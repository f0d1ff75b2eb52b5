"""The digest of a day or week: spend and change, the largest spenders, what was unusual, what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final, Optional

from recost._money import format_change, format_usd
from recost.alerts.config import Alert
from recost.alerts.rules import RuleData
from recost.analytics.anomalies import Anomaly, reviewed
from recost.analytics.periods import Period, parse_zone
from recost.analytics.query import Question
from recost.analytics.report import EXACT_COSTS, Group, ask

__all__ = ["Digest", "compose", "due"]

_TOP: Final = 5
_DAYS: Final = {"day": 1, "week": 7}
Rows = tuple[tuple[str, str], ...]
Digest = tuple[str, Rows, tuple[tuple[str, Rows], ...]]
"""A title, facts, and sections of rows."""


def due(alert: Alert, now: datetime) -> Optional[str]:
    """Return the day of the digest that is due, or None before its time of day.

    The day is one of the alert's time zone, so that each has one digest, whatever the clocks do.
    """
    local = now.astimezone(parse_zone(alert.options["timezone"]))
    day = local.date()
    if local.time() < alert.options["at"]:
        day -= timedelta(days=1)
    if alert.options["every"] == "week":
        day -= timedelta(days=day.weekday())
    return day.isoformat()


def compose(alert: Alert, facts: RuleData, day: str) -> Digest:
    """Return the digest of the whole days before a day."""
    zone = parse_zone(alert.options["timezone"])
    length = _DAYS[alert.options["every"]]
    end = datetime.combine(datetime.fromisoformat(day).date(), time.min, zone)
    start = datetime.combine(end.date() - timedelta(days=length), time.min, zone)
    before = Period(datetime.combine(start.date() - timedelta(days=length), time.min, zone), start)
    question = Question(by=(), period=Period(start, end), zone=zone, compare=before)
    total = ask(facts.readings, question).total
    month = Question(by=(), period=Period(end.replace(day=1), facts.now), zone=zone)
    of_month = ask(facts.readings, month).total.now.cost_usd if facts.now > end.replace(day=1) else Decimal()
    span = f"{start:%d %b}" if length == 1 else f"{start:%d %b} to {end - timedelta(days=1):%d %b}"
    rows = (
        ("cost", format_usd(total.now.cost_usd)),
        (f"change against the {alert.options['every']} before", _change(total)),
        ("calls", f"{total.now.calls:,}"),
        ("errors", f"{total.now.errors or 0:,}"),
        ("unknown cost", f"{total.now.unpriced:,} calls"),
        *_flat(total.now.flat_usd),
        ("month so far", format_usd(of_month)),
    )
    sections = (*_tops(alert, facts, question), *_unusual(facts, start, end))
    return f"{format_usd(total.now.cost_usd)} on {span}", rows, tuple(each for each in sections if each[1])


def _flat(flat_usd: Optional[Decimal]) -> Rows:
    """Return the part of the cost that is flat estimates."""
    return (("flat estimates", f"{format_usd(flat_usd)}: {EXACT_COSTS}"),) if flat_usd else ()


def _tops(alert: Alert, facts: RuleData, question: Question) -> Iterator[tuple[str, Rows]]:
    names = {
        "provider": "provider",
        "model": "model",
        f"tag:{alert.options['tenant']}": alert.options["tenant"],
    }
    for by, title in names.items():
        asked = Question(by=(by,), period=question.period, zone=question.zone, compare=question.compare)
        groups = [
            group for group in ask(facts.readings, asked).groups if group.names[0] and group.now.cost_usd
        ]
        rows = [(group.names[0] or "", _with_change(group)) for group in groups]
        more = [("others", f"{len(rows) - _TOP} more")] if len(rows) > _TOP else []
        yield f"by {title}", (*rows[:_TOP], *more)


def _with_change(group: Group) -> str:
    amount = format_usd(group.now.cost_usd)
    return amount if group.before is None else f"{amount} ({_change(group)})"


def _change(group: Group) -> str:
    """Return the change, which is unknown if recording began in the period before."""
    return "unknown" if group.before is None else format_change(group.now.cost_usd, group.before.cost_usd)


def _unusual(facts: RuleData, start: datetime, end: datetime) -> Iterator[tuple[str, Rows]]:
    found = reviewed(facts.readings, "provider", start, end, Decimal(1))
    yield "unusual", tuple((name or "not named", _amount_of(each)) for name, each in found)[:_TOP]


def _amount_of(found: Anomaly) -> str:
    cost, usual = format_usd(found.actual_usd), format_usd(found.usual_usd)
    return f"{cost} from {found.start:%d %b %H:%M}, usually {usual}"
