"""One rule for each kind of alert: it finds what is unusual or exceeded now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from importlib.util import find_spec
from typing import Callable, Final

from recost._money import EXACT, format_usd
from recost.alerts.config import Alert
from recost.alerts.model import Finding
from recost.analytics.anomalies import reviewed
from recost.analytics.forecast import Horizon, forecast
from recost.analytics.periods import Period, parse_zone, period_of
from recost.analytics.query import Question, in_utc_days
from recost.analytics.report import ask
from recost.analytics.store import Readings
from recost.analytics.timeseries import series_of
from recost.ledger.model_names import ModelNames
from recost.ledger.reconcile import billed, compare, seen
from recost.ledger.store import LedgerFile

__all__ = ["RuleData", "RuleError", "find"]

_ACTIVE: Final = timedelta(hours=2)
"""An anomaly that ended longer ago is over."""
_LEVEL: Final = 0.8
_ONE_HOUR: Final = timedelta(hours=1)


class RuleError(Exception):
    """The reason why a rule cannot be evaluated."""


@dataclass(frozen=True)
class RuleData:
    """The data that rules look at."""

    readings: Readings
    ledgers: Sequence[LedgerFile]
    now: datetime


def find(alert: Alert, facts: RuleData) -> list[Finding]:
    """Return what an alert finds now. Digests are not found here.

    Raises:
        RuleError: A package or a ledger is missing.
        OSError: A ledger cannot be read.
    """
    return list(_RULES[alert.on](alert, facts))


def _anomalies(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    options = alert.options
    by, now = options["by"], facts.now.astimezone(parse_zone(options["timezone"]))
    since = now - _ACTIVE - _ONE_HOUR
    for name, found in reviewed(facts.readings, by, since, now, options["min_usd"], options["deviations"]):
        more = EXACT.subtract(found.actual_usd, found.usual_usd)
        over = found.end <= now.replace(tzinfo=None) - _ACTIVE
        if over or more <= 0 or (name is None and by != "provider"):
            continue
        cost, usual = format_usd(found.actual_usd), format_usd(found.usual_usd)
        yield Finding(
            group=name or "",
            period=f"{found.start:%Y-%m-%d %H:%M}",
            size=more,
            level=1,
            title=f"{name or 'cost'}: {cost} since {found.start:%H:%M}, usually {usual}",
            facts=(
                (by, name or "all"),
                ("cost", cost),
                ("usual", usual),
                ("deviation", f"{found.deviations:.1f} standard deviations"),
            ),
        )


def _budgets(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    options = alert.options
    zone = parse_zone(options["timezone"])
    word = {"day": "today", "week": "this-week", "month": "this-month"}[options["per"]]
    period = period_of(word, None, zone, facts.now)
    question = Question(
        by=(options["by"],) if options["by"] else (),
        period=period,
        zone=zone,
        providers=_filter(options["provider"]),
        models=_filter(options["model"]),
        projects=_filter(options["project"]),
    )
    limit: Decimal = options["limit_usd"]
    result = ask(facts.readings, question)
    groups = result.groups if options["by"] else [result.total]
    for group in groups:
        name = (group.names[0] if group.names else None) or ""
        spent = group.now.cost_usd
        reached = sum(spent >= EXACT.multiply(limit, fraction) for fraction in options["fractions"])
        if not reached or not spent:
            continue
        share = f"{spent / limit * 100:.0f}%" if limit else "more than nothing"
        starts = period.since.date().isoformat() if period.since is not None else ""
        shown = f"{format_usd(limit)} a {options['per']}"
        yield Finding(
            group=name,
            period=starts,
            size=spent,
            level=reached,
            title=f"{name or alert.name}: {format_usd(spent)} of {format_usd(limit)}, {share} of the limit",
            facts=(("spent", format_usd(spent)), ("limit", shown), ("since", starts)),
        )


def _filter(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def _coverage(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    if not facts.ledgers:
        raise RuleError("no ledger was pulled yet: recost ledger pull")
    since = facts.now - timedelta(days=alert.options["days"] + 3)
    question = in_utc_days(Question(period=Period(since, None)), facts.now)
    names = ModelNames()
    said = billed(facts.ledgers, question.period, names, by_key=False)
    recorded = seen(facts.readings, question, names, by_key=False)
    least: Decimal = alert.options["min"]
    for (name, *_), sums in compare(said, recorded, ("provider",)).groups.items():
        if sums.state != "judged" or sums.coverage is None or sums.coverage * 100 >= least:
            continue
        shown = f"{sums.coverage * 100:.1f}%"
        yield Finding(
            group=name or "",
            period="",
            size=EXACT.subtract(least, sums.coverage * 100),
            level=1,
            title=f"{name}: {shown} of the bill was recorded, expected {least}%",
            facts=(
                ("billed", format_usd(sums.billed_usd)),
                ("unseen", format_usd(sums.unseen_usd)),
                ("coverage", shown),
                ("verdict", sums.verdict),
            ),
        )


def _forecast(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    if find_spec("statsmodels") is None:
        raise RuleError("statsmodels is not installed: pip install 'recost[forecast]'")
    zone = parse_zone(alert.options["timezone"])
    local = facts.now.astimezone(zone).replace(tzinfo=None)
    first = local.date().replace(day=1)
    horizon = Horizon(first, local, (first + timedelta(days=31)).replace(day=1))
    _, everything = series_of(facts.readings, Question(zone=zone))
    made = forecast(None, everything, horizon, _LEVEL)
    limit: Decimal = alert.options["limit_usd"]
    if made.expected_usd is not None and made.expected_usd > limit:
        yield Finding(
            group="",
            period=f"{first:%Y-%m}",
            size=made.expected_usd,
            level=1,
            title=f"{first:%B} will cost {format_usd(made.expected_usd)}, limit {format_usd(limit)}",
            facts=(("spent", format_usd(made.spent_usd)), ("expected", format_usd(made.expected_usd))),
        )


def _unpriced(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    zone, by = parse_zone(alert.options["timezone"]), alert.options["by"]
    period = period_of("today", None, zone, facts.now)
    for group in ask(facts.readings, Question(by=(by,), period=period, zone=zone)).groups:
        if group.now.unpriced >= alert.options["min_calls"]:
            name, unknown = group.names[0] or "", f"{group.now.unpriced:,}"
            yield Finding(
                group=name,
                period=f"{facts.now.astimezone(zone):%Y-%m-%d}",
                size=Decimal(group.now.unpriced),
                level=1,
                title=f"{name or by}: {unknown} of {group.now.calls:,} calls have an unknown cost",
                facts=((by, name or "not named"), ("unknown", unknown)),
            )


def _pulls(alert: Alert, facts: RuleData) -> Iterator[Finding]:
    for file in facts.ledgers:
        pulled = datetime.fromtimestamp(file.path.stat().st_mtime, timezone.utc)
        age = facts.now - pulled
        if age > alert.options["max_age"]:
            name = f"{file.provider} ({file.account})"
            yield Finding(
                group=name,
                period="",
                size=Decimal(int(age.total_seconds())),
                level=1,
                title=f"{name}: the ledger was last pulled on {pulled:%Y-%m-%d %H:%M} UTC",
                facts=(("account", file.account), ("last pull", f"{pulled:%Y-%m-%d %H:%M} UTC")),
            )


_RULES: Final[Mapping[str, Callable[[Alert, RuleData], Iterator[Finding]]]] = {
    "anomaly": _anomalies,
    "budget": _budgets,
    "coverage": _coverage,
    "forecast": _forecast,
    "unpriced": _unpriced,
    "pull_failed": _pulls,
}
