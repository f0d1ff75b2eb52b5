"""Equal steps of local time for the bars of a chart, including empty ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Final

from recost.analytics.report import FORMATS

__all__ = ["bucket_names", "bucket_of"]

_LONGEST: Final = (
    ("minute", timedelta(hours=2)),
    ("hour", timedelta(days=4)),
    ("day", timedelta(days=120)),
    ("week", timedelta(days=3 * 366)),
)
_STEPS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


def bucket_of(length: timedelta) -> str:
    """Return the step that divides a length of time into some dozen bars."""
    return next((name for name, longest in _LONGEST if length <= longest), "month")


def bucket_names(bucket: str, first: datetime, last: datetime, zone: tzinfo) -> list[str]:
    """Return the names of the steps from ``first`` to ``last``, as a report names them."""
    return [f"{moment:{FORMATS[bucket]}}" for moment in _moments(bucket, first, last, zone)]


def _moments(bucket: str, first: datetime, last: datetime, zone: tzinfo) -> Iterator[datetime]:
    moment = _beginning(bucket, first.astimezone(zone).replace(tzinfo=None))
    end = last.astimezone(zone).replace(tzinfo=None)
    while moment <= end:
        yield moment
        moment = _following(bucket, moment)


def _beginning(bucket: str, moment: datetime) -> datetime:
    if bucket == "minute":
        return moment.replace(second=0, microsecond=0)
    if bucket == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if bucket == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if bucket == "month" else day


def _following(bucket: str, moment: datetime) -> datetime:
    if bucket == "month":
        return (moment + timedelta(days=31)).replace(day=1)
    return moment + _STEPS[bucket]
