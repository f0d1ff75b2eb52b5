"""What calls cost at one time, in a file, for a build to be compared with later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import EXACT, format_change, format_exact_usd, format_usd
from recost._version import __version__
from recost.analytics.query import Question
from recost.analytics.report import Answer
from recost.errors import RecostError

__all__ = [
    "FORMAT",
    "Baseline",
    "BaselineError",
    "Limits",
    "baseline_of",
    "check_length",
    "content_of",
    "judge",
    "parse_baseline",
    "scope_of",
]

FORMAT: Final = 1
"""Of the file; raised when older readers would misread it."""
_ALIKE: Final = 0.125
"""How much lengths of periods may differ: months do, and so do runs of the same tests."""
_MOST: Final = 10**24
"""More than any number of calls or dollars can be."""


class BaselineError(RecostError):
    """It is no baseline, or one of other calls."""


@dataclass(frozen=True)
class Baseline:
    """Totals at one time. Costs are US dollars, exact."""

    by: tuple[str, ...]
    scope: Mapping[str, Sequence[str]]
    """The filters that were in force."""
    since: Optional[datetime]
    """None: from the beginning on."""
    until: datetime
    calls: int
    unpriced: int
    cost_usd: Decimal
    groups: Mapping[tuple[Optional[str], ...], Decimal]
    """Cost by the names that ``by`` tells."""


def scope_of(question: Question) -> dict[str, list[str]]:
    """Return the filters of a question as they are kept in a baseline."""
    return {
        "provider": sorted(question.providers),
        "endpoint": sorted(question.endpoints),
        "model": sorted(question.models),
        "tag": sorted(f"{name}={value}" for name, value in question.tags),
        "env": sorted(question.environments),
        "project": sorted(question.projects),
    }


def baseline_of(answer: Answer, now: datetime) -> Baseline:
    """Return what an answer amounts to."""
    question, total = answer.question, answer.total.now
    return Baseline(
        question.by,
        scope_of(question),
        question.period.since,
        question.period.ended(now),
        total.calls,
        total.unpriced,
        total.cost_usd,
        {group.names: group.now.cost_usd for group in answer.groups},
    )


def check_length(baseline: Baseline, question: Question, now: datetime, name: str) -> None:
    """Refuse a baseline of a period of another length: its cost says nothing about this one.

    Raises:
        BaselineError: The lengths differ by more than an eighth, or only one of them has a beginning.
    """
    period = question.period
    then = None if baseline.since is None else baseline.until - baseline.since
    here = None if period.since is None else period.ended(now) - period.since
    if then is None and here is None:
        return
    if then is None or here is None or abs(here - then) > _ALIKE * then:
        raise BaselineError(
            f"recost: {name} is of a period of another length: {_length(then)}, not {_length(here)}: choose "
            "--since and --until for as long a period, or write the baseline anew"
        )


def _length(length: Optional[timedelta]) -> str:
    return (
        "from the beginning on" if length is None else str(timedelta(seconds=round(length.total_seconds())))
    )


def content_of(answer: Answer, now: datetime) -> dict[str, Any]:
    """Return what a baseline's file holds; amounts are `Decimal`."""
    kept = baseline_of(answer, now)
    return {
        "recost_baseline": FORMAT,
        "version": __version__,
        "written": now.isoformat(),
        "since": None if kept.since is None else kept.since.isoformat(),
        "until": kept.until.isoformat(),
        "filters": kept.scope,
        "by": list(kept.by),
        "total": {"calls": kept.calls, "unpriced": kept.unpriced, "cost_usd": kept.cost_usd},
        "groups": [
            {
                **dict(zip(kept.by, group.names)),
                "calls": group.now.calls,
                "unpriced": group.now.unpriced,
                "cost_usd": group.now.cost_usd,
            }
            for group in answer.groups
        ],
    }


def parse_baseline(content: Any, name: str) -> Baseline:
    """Return the baseline that a file holds.

    Args:
        content: Its JSON, the numbers of which are `Decimal`.
        name: Of the file, for what is wrong with it.

    Raises:
        BaselineError: It is not a baseline, or has a later format.
    """
    found = content.get("recost_baseline") if isinstance(content, dict) else None
    if found is None:
        raise BaselineError(f"recost: {name} is no baseline of `recost gate --write-baseline`")
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
    """What calls may cost."""

    most_usd: Optional[Decimal] = None
    """All of them together; None: any amount."""
    baseline: Optional[Baseline] = None
    share: Decimal = Decimal(0)
    """More than this part above the baseline is too much: 0.2 are 20 per cent."""
    priced: bool = False
    """Whether each call is to have a price."""

    @property
    def most_by_baseline(self) -> Optional[Decimal]:
        """What the baseline and the share allow, in US dollars."""
        if self.baseline is None:
            return None
        return EXACT.multiply(self.baseline.cost_usd, EXACT.add(Decimal(1), self.share))


def judge(answer: Answer, limits: Limits) -> Sequence[tuple[bool, str]]:
    """Return, for each limit, whether it holds, and that in words."""
    total = answer.total.now
    found = []
    if limits.most_usd is not None:
        held = total.cost_usd <= limits.most_usd
        cost, most = _apart(total.cost_usd, limits.most_usd)
        found.append((held, f"{cost} is {_place(held)} the budget of {most}"))
    allowed = limits.most_by_baseline
    if limits.baseline is not None and allowed is not None:
        held = total.cost_usd <= allowed
        cost, most = _apart(total.cost_usd, allowed)
        before = limits.baseline.cost_usd
        change = format_change(total.cost_usd, before)
        text = f"{cost} is {_place(held)} {most}, the baseline of {format_usd(before)} and {_percent(limits)}"
        found.append((held, f"{text} (change: {change})"))
    if limits.priced:
        held = total.unpriced == 0
        text = "each call has a price" if held else f"{total.unpriced:,} calls have no known price"
        found.append((held, text))
    return found


def _place(held: bool) -> str:
    return "within" if held else "over"


def _percent(limits: Limits) -> str:
    return f"{(limits.share * 100).normalize():f}%"


def _apart(one: Decimal, other: Decimal) -> tuple[str, str]:
    """Return two amounts, with all their digits where they would look alike and are not."""
    shown = format_usd(one), format_usd(other)
    return shown if one == other or shown[0] != shown[1] else (format_exact_usd(one), format_exact_usd(other))
