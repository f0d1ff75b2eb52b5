"""Checks of a build: a budget, a baseline file with earlier costs, and calls without a price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT, format_change, format_exact_usd, format_usd
from recost._version import __version__
from recost.analytics.query import Question
from recost.analytics.report import Report
from recost.errors import RecostError

__all__ = [
    "FORMAT",
    "Baseline",
    "BaselineError",
    "Limits",
    "baseline_of",
    "check_length",
    "content_of",
    "filters_of",
    "judge",
    "parse_baseline",
]

FORMAT: Final = 1
"""The version of the file format. Increased for changes that older versions would misread."""
_ALIKE: Final = 0.125
"""The tolerated difference of period lengths. Months differ, and so do runs of the same tests."""
_MOST: Final = 10**24
"""The exclusive upper bound of calls and of dollars."""


class BaselineError(RecostError):
    """An invalid baseline, or one for other calls."""


@dataclass(frozen=True)
class Baseline:
    """The totals of an earlier period. Costs are US dollars, exact."""

    by: tuple[str, ...]
    filters: Mapping[str, Sequence[str]]
    """The values of each filter."""
    since: Optional[datetime]
    """None if the period has no start."""
    until: datetime
    calls: int
    unpriced: int
    cost_usd: Decimal
    groups: Mapping[tuple[Optional[str], ...], Decimal]
    """Cost by the names of the dimensions in ``by``."""


def filters_of(question: Question) -> dict[str, list[str]]:
    """Return the filters of a question as a baseline stores them."""
    return {
        "provider": sorted(question.providers),
        "endpoint": sorted(question.endpoints),
        "model": sorted(question.models),
        "tag": sorted(f"{name}={value}" for name, value in question.tags),
        "env": sorted(question.environments),
        "project": sorted(question.projects),
    }


def baseline_of(report: Report, now: datetime) -> Baseline:
    """Return the baseline of a report."""
    question, total = report.question, report.total.now
    return Baseline(
        question.by,
        filters_of(question),
        question.period.since,
        question.period.ended(now),
        total.calls,
        total.unpriced,
        total.cost_usd,
        {group.names: group.now.cost_usd for group in report.groups},
    )


def check_length(baseline: Baseline, question: Question, now: datetime, name: str) -> None:
    """Raise an error if the baseline's period has another length, which can't be compared.

    Raises:
        BaselineError: The lengths differ by more than an eighth, or only one of them has a start.
    """
    period = question.period
    then = None if baseline.since is None else baseline.until - baseline.since
    here = None if period.since is None else period.ended(now) - period.since
    if then is None and here is None:
        return
    if then is None or here is None or abs(here - then) > _ALIKE * then:
        raise BaselineError(
            f"recost: {name} covers {_length(then)}, but this period is {_length(here)}: expected the "
            "same length. Change --since and --until, or write a new baseline"
        )


def _length(length: Optional[timedelta]) -> str:
    if length is None:
        return "all time"
    return str(timedelta(seconds=round(length.total_seconds()))).removesuffix(", 0:00:00")


def content_of(report: Report, now: datetime) -> dict[str, Any]:
    """Return the content of a baseline file. Amounts are `Decimal`."""
    kept = baseline_of(report, now)
    return {
        "recost_baseline": FORMAT,
        "version": __version__,
        "written": now.isoformat(),
        "since": None if kept.since is None else kept.since.isoformat(),
        "until": kept.until.isoformat(),
        "filters": kept.filters,
        "by": list(kept.by),
        "total": {"calls": kept.calls, "unpriced": kept.unpriced, "cost_usd": kept.cost_usd},
        "groups": [
            {
                **dict(zip(kept.by, group.names)),
                "calls": group.now.calls,
                "unpriced": group.now.unpriced,
                "cost_usd": group.now.cost_usd,
            }
            for group in report.groups
        ],
    }


def parse_baseline(content: Any, name: str) -> Baseline:
    """Parse the content of a baseline file.

    Args:
        content: The decoded JSON, with numbers as `Decimal`.
        name: The file name, for error messages.

    Raises:
        BaselineError: The content is invalid or has a later format.
    """
    found = content.get("recost_baseline") if isinstance(content, dict) else None
    if found is None:
        raise BaselineError(
            f"recost: {name} is not a baseline: expected a file of `recost gate --write-baseline`"
        )
    if isinstance(found, bool) or found != FORMAT:
        raise BaselineError(
            f"recost: {name} is a baseline of format {_shown(found)}; this recost reads {FORMAT}"
        )
    try:
        return _parsed(content)
    except KeyError as error:
        raise BaselineError(f"recost: {name} is damaged: {error} is missing") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise BaselineError(f"recost: {name} is damaged: {error}") from error


def _parsed(content: dict[str, Any]) -> Baseline:
    by, total = tuple(map(_text, _list(content["by"]))), content["total"]
    return Baseline(
        by,
        {
            "endpoint": [],  # earlier versions have not kept it
            **{_text(key): list(map(_text, _list(values))) for key, values in content["filters"].items()},
        },
        None if content["since"] is None else _moment(content["since"]),
        _moment(content["until"]),
        _count(total["calls"]),
        _count(total["unpriced"]),
        _amount(total["cost_usd"]),
        {tuple(_name(group[name]) for name in by): _amount(group["cost_usd"]) for group in content["groups"]},
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"got {_shown(value)}, expected a list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"got {_shown(value)}, expected a text")
    return value


def _name(value: Any) -> Optional[str]:
    return None if value is None else _text(value)


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no time zone")
    return moment


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise ValueError(f"got {_shown(value)}, expected a number of calls")
    return value


def _amount(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value < _MOST:
        raise ValueError(f"got {_shown(value)}, expected an amount in US dollars")
    return Decimal(value)


def _shown(value: Any) -> str:
    return f"{value!r:.40}"


@dataclass(frozen=True)
class Limits:
    """The limits of a build."""

    most_usd: Optional[Decimal] = None
    """The most that all calls may cost together. None for no budget."""
    baseline: Optional[Baseline] = None
    share: Decimal = Decimal(0)
    """The tolerated increase over the baseline. 0.2 is 20 per cent."""
    priced: bool = False
    """True if each call must have a known price."""

    @property
    def most_by_baseline(self) -> Optional[Decimal]:
        """The cost of the baseline with the tolerated increase, in US dollars."""
        if self.baseline is None:
            return None
        return EXACT.multiply(self.baseline.cost_usd, EXACT.add(Decimal(1), self.share))


def judge(report: Report, limits: Limits) -> Sequence[tuple[bool, str]]:
    """Return, for each limit, whether the calls stay within it, and a sentence on the result."""
    total = report.total.now
    known = "the known cost of " if total.unpriced else ""
    found = []
    if limits.most_usd is not None:
        held = total.cost_usd <= limits.most_usd
        cost, most = _apart(total.cost_usd, limits.most_usd)
        found.append((held, f"{known}{cost} is {_place(held)} the budget of {most}"))
    allowed = limits.most_by_baseline
    if limits.baseline is not None and allowed is not None:
        held = total.cost_usd <= allowed
        cost, most = _apart(total.cost_usd, allowed)
        before = limits.baseline.cost_usd
        change = format_change(total.cost_usd, before)
        limit = f"{most}, the baseline of {format_usd(before)} and {_percent(limits)}"
        found.append((held, f"{known}{cost} is {_place(held)} {limit} (change: {change})"))
    if limits.priced:
        held = total.unpriced == 0
        text = (
            "each call has a price"
            if held
            else f"{total.unpriced:,} call{'s' * (total.unpriced != 1)} without a known price"
        )
        found.append((held, text))
    return found


def _place(held: bool) -> str:
    return "within" if held else "over"


def _percent(limits: Limits) -> str:
    return f"{(limits.share * 100).normalize():f}%"


def _apart(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Format two amounts, with all digits if they differ but would look the same."""
    shown = format_usd(one), format_usd(other)
    return shown if one == other or shown[0] != shown[1] else (format_exact_usd(one), format_exact_usd(other))
