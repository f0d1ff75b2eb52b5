"""Questions about cost: grouping, filters, period and order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import Final, Literal, Optional

from recost.analytics.periods import Period
from recost.errors import RecostError

__all__ = ["DIMENSIONS", "SORTS", "TIMES", "Question", "QuestionError", "exactly", "in_utc_days"]

TIMES: Final = ("minute", "hour", "day", "week", "month")
DIMENSIONS: Final = ("provider", "endpoint", "method", "model", "route", "environment", "project", *TIMES)
"""The dimensions that calls are grouped by. ``tag:NAME`` is also allowed."""
EVER: Final = Period()
_INSTANT: Final = timedelta(microseconds=1)
SORTS: Final = ("cost", "calls", "errors", "unpriced", "bytes", "p50", "p95", "name", "change")


class QuestionError(RecostError, ValueError):
    """A question that is invalid, or that the files contain no data for."""


@dataclass(frozen=True)
class Question:
    """A question about cost. A window counts at the instant at which it starts.

    Raises:
        QuestionError: A dimension, the order or the limit is invalid.
    """

    by: tuple[str, ...] = ("provider",)
    """Up to two of `DIMENSIONS` or ``tag:NAME``. Empty for the total only."""
    period: Period = EVER
    zone: tzinfo = timezone.utc
    """The time zone of minutes, hours, days, weeks (which start on Monday) and months."""
    compare: Optional[Period] = None
    """The period that changes are relative to."""
    sort: Optional[str] = None
    """One of `SORTS`. None sorts by time if the first group is a time, else by cost."""
    limit: Optional[int] = None
    """Maximum number of groups. The others are summed up in one row."""
    providers: tuple[str, ...] = ()
    """Filters that match any of these values. ``*`` matches any text, and an empty filter matches all.

    See `exactly` for a filter without wildcards.
    """
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Names and values. Each name must match."""
    environments: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.by) > 2:
            raise QuestionError(f"recost: too many dimensions: {', '.join(self.by)}; expected at most two")
        if len(set(self.by)) != len(self.by):
            raise QuestionError(f"recost: duplicate dimension {self.by[0]!r}")
        for name in self.by:
            if name not in DIMENSIONS and not (name.startswith("tag:") and len(name) > 4):
                raise QuestionError(
                    f"recost: invalid dimension {name!r}: expected one of {', '.join(DIMENSIONS)}, tag:NAME"
                )
        if self.sort is not None and self.sort not in SORTS:
            raise QuestionError(f"recost: invalid order {self.sort!r}: expected one of {', '.join(SORTS)}")
        unsorted = {"model": ("errors", "bytes", "p50", "p95"), "tag": ("bytes", "p50", "p95")}
        if self.sort in unsorted.get(self.breakdown or "", ()):
            raise QuestionError(
                f"recost: invalid order {self.sort!r}: it is not recorded by {self.breakdown}"
            )
        if self.limit is not None and self.limit < 1:
            raise QuestionError(f"recost: invalid limit {self.limit}: expected at least 1")
        if self.by_model and self.by_tag:
            raise QuestionError(
                "recost: models and tags cannot be combined: a window holds the calls by model and the "
                "calls by tag, but not by both"
            )

    @property
    def by_model(self) -> bool:
        """True if the question needs the breakdown by model."""
        return "model" in self.by or bool(self.models)

    @property
    def by_tag(self) -> bool:
        """True if the question needs the breakdown by tags."""
        return bool(self.tags) or any(tag_of(name) is not None for name in self.by)

    @property
    def breakdown(self) -> Optional[Literal["model", "tag"]]:
        """The breakdown within metrics that the question needs, or None."""
        return "model" if self.by_model else "tag" if self.by_tag else None

    @property
    def chronological(self) -> bool:
        """True if the first dimension is a time, and groups are sorted by it."""
        return self.sort is None and bool(self.by) and self.by[0] in TIMES

    def shift(self) -> Optional[tuple[datetime, datetime]]:
        """Return the starts of the compared period and of this one, or None without a comparison."""
        if self.compare is None or self.compare.since is None or self.period.since is None:
            return None
        return self.compare.since, self.period.since


def tag_of(name: str) -> Optional[str]:
    """Return the tag name of a dimension, or None for other dimensions. ``route`` is a tag."""
    return "route" if name == "route" else name[4:] if name.startswith("tag:") else None


def exactly(name: str) -> str:
    """Return the filter that matches only this name. Backslashes escape wildcards."""
    return name.replace("\\", "\\\\").replace("*", "\\*")


def in_utc_days(question: Question, now: datetime) -> Question:
    """Return the question for the whole UTC days that its period touches, at most today."""
    since, until = question.period.since, question.period.until
    last = ((until or now) - _INSTANT).astimezone(timezone.utc).date()
    end = datetime.combine(last + timedelta(days=1), time(), timezone.utc)
    start = None
    if since is not None:
        start = datetime.combine(since.astimezone(timezone.utc).date(), time(), timezone.utc)
    return replace(question, period=Period(start, end), zone=timezone.utc)
