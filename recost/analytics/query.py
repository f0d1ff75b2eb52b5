"""A question about cost: what to group by, which calls, when, in which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone, tzinfo
from typing import Final, Literal, Optional

from recost.analytics.periods import Period
from recost.errors import RecostError

__all__ = ["DIMENSIONS", "SORTS", "TIMES", "Question", "QuestionError", "exactly"]

TIMES: Final = ("minute", "hour", "day", "week", "month")
DIMENSIONS: Final = ("provider", "endpoint", "method", "model", "route", "environment", "project", *TIMES)
"""What to group by, besides ``tag:NAME``."""
EVER: Final = Period()
SORTS: Final = ("cost", "calls", "errors", "unpriced", "bytes", "p50", "p95", "name", "change")


class QuestionError(RecostError, ValueError):
    """The question cannot be answered from what the files hold, or is not understood."""


@dataclass(frozen=True)
class Question:
    """What is asked. A window belongs to the instant at which it begins.

    Raises:
        QuestionError: It asks for what there is not.
    """

    by: tuple[str, ...] = ("provider",)
    """One or two of `DIMENSIONS` or ``tag:NAME``; none: the total only."""
    period: Period = EVER
    zone: tzinfo = timezone.utc
    """Of minutes, hours, days, weeks (from Monday on) and months."""
    compare: Optional[Period] = None
    """The period that changes are against."""
    sort: Optional[str] = None
    """One of `SORTS`; None: by time where it is grouped by time, else by cost."""
    limit: Optional[int] = None
    """How many groups; what the others amount to is told in one row."""
    providers: tuple[str, ...] = ()
    """Filters: any of these, ``*`` standing for any text, `exactly` for no more than itself; none: all."""
    endpoints: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Names and values. All of these names are to match."""
    environments: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.by) > 2:
            raise QuestionError(f"recost: by at most two of them, not {', '.join(self.by)}")
        if len(set(self.by)) != len(self.by):
            raise QuestionError(f"recost: twice by {self.by[0]}")
        for name in self.by:
            if name not in DIMENSIONS and not (name.startswith("tag:") and len(name) > 4):
                raise QuestionError(
                    f"recost: by {name!r} is unknown; there are: {', '.join(DIMENSIONS)}, tag:NAME"
                )
        if self.sort is not None and self.sort not in SORTS:
            raise QuestionError(f"recost: sort {self.sort!r} is unknown; there are: {', '.join(SORTS)}")
        if self.limit is not None and self.limit < 1:
            raise QuestionError("recost: the limit is at least 1")
        if self.by_model and self.by_tag:
            raise QuestionError(
                "recost: models and tags cannot be combined: a window holds the calls by model and the "
                "calls by tag, but not by both"
            )

    @property
    def by_model(self) -> bool:
        """Whether it is answered from the breakdown by model."""
        return "model" in self.by or bool(self.models)

    @property
    def by_tag(self) -> bool:
        """Whether it is answered from the breakdown by tags."""
        return bool(self.tags) or any(tag_of(name) is not None for name in self.by)

    @property
    def breakdown(self) -> Optional[Literal["model", "tag"]]:
        """Which breakdown within a metric it is answered from."""
        return "model" if self.by_model else "tag" if self.by_tag else None

    @property
    def chronological(self) -> bool:
        """Whether the first group is a time, and the groups stand in its order."""
        return self.sort is None and bool(self.by) and self.by[0] in TIMES

    def shift(self) -> Optional[tuple[datetime, datetime]]:
        """Return the beginnings of the period before and of this one."""
        if self.compare is None or self.compare.since is None or self.period.since is None:
            return None
        return self.compare.since, self.period.since


def tag_of(name: str) -> Optional[str]:
    """Return the tag's name where groups are by a tag: ``route`` is the tag of that name."""
    return "route" if name == "route" else name[4:] if name.startswith("tag:") else None


def exactly(name: str) -> str:
    """Return the filter that a name alone meets: a backslash takes the meaning from what follows."""
    return name.replace("\\", "\\\\").replace("*", "\\*")
