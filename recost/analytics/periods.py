"""Periods of time and their text forms: ``7d``, ``2026-11-01``, ``yesterday``, ``last-month``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final, Optional

from recost._validate import nearest

__all__ = ["Period", "PeriodError", "parse_length", "parse_moment", "parse_zone", "period_of"]

_SPAN: Final = re.compile(r"(\d{1,6})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")
_WORDS: Final = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month")
_LAST_DAYS: Final = re.compile(r"last-([1-9]\d{0,3})-days")
"""Whole days: today until now, and the days before."""
_LAST_HOURS: Final = re.compile(r"last-([1-9]\d{0,4})-hours")
"""Whole hours of local time: the current one until now, and the hours before."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
_FORMS: Final = (
    f"7d, 12h, 2026-11-01, 2026-11-01T12:00+01:00, {', '.join(_WORDS)}, last-7-days, last-24-hours"
)


class PeriodError(ValueError):
    """An invalid time, period or time zone."""


@dataclass(frozen=True)
class Period:
    """A span of time. The end is exclusive, and None means unbounded."""

    since: Optional[datetime] = None
    until: Optional[datetime] = None
    unit: Optional[str] = field(default=None, compare=False)
    """``day``, ``week`` or ``month`` if the period was given as one."""

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise PeriodError(f"the period ends ({self.until}) before it begins ({self.since})")

    def ended(self, now: datetime) -> datetime:
        """Return its end, or now if it has begun and not ended: the future cannot be compared."""
        if self.until is None or (now < self.until and (self.since is None or self.since < now)):
            return now
        return self.until

    def before(self, now: datetime) -> Period:
        """Return the period that this one is compared with.

        A period that has not ended is compared up to now. A period that starts at midnight is compared with
        as many days before, up to the same time of day: today until now with yesterday until the same time. A
        week is compared with the week before, and a month with the month before up to the same day. Any other
        period is compared with the same length just before it.

        Raises:
            PeriodError: The period has no start, has not begun, or starts too early.
        """
        if self.since is None:
            raise PeriodError("a comparison needs a start of the period: --since 7d")
        until = self.ended(now)
        if until <= self.since:
            raise PeriodError("a period that has not begun cannot be compared")
        try:
            if self.since != _midnight(self.since, self.since.tzinfo):
                return Period(_utc(self.since) - (_utc(until) - _utc(self.since)), self.since)
            asked = until if self.until is None else self.until
            zone = self.since.tzinfo
            return self._days_before(self.since, until.astimezone(zone), asked.astimezone(zone))
        except OverflowError as error:
            raise PeriodError("the period starts too early to be compared with the time before it") from error

    def _days_before(self, since: datetime, until: datetime, asked: datetime) -> Period:
        """Return the period before with the same times of day, in local time.

        Args:
            since: The start of this period.
            until: The end of this period, or now if it has not ended.
            asked: The end of this period.
        """
        days = -((since - asked) // _DAY)  # in local time, where a started day counts
        ends = _following_month(since)
        of_month = self.unit == "month" or (self.unit != "day" and (asked == ends or days > _WEEK))
        if since.day == 1 and asked <= ends and of_month:
            first = _midnight(since - _DAY, since.tzinfo).replace(day=1)
            return Period(first, since if until == ends else min(first + (until - since), since))
        if self.unit == "week" and days <= _WEEK:
            days = _WEEK
        return Period(since - days * _DAY, until - days * _DAY)


def _following_month(first: datetime) -> datetime:
    return (first.replace(day=1) + timedelta(days=31)).replace(day=1)


def parse_zone(name: str) -> tzinfo:
    """Return a time zone: ``local``, ``UTC``, ``Europe/Berlin``, ``+05:30``.

    Raises:
        PeriodError: The name is unknown.
    """
    if name.lower() in {"utc", "z"}:
        return timezone.utc
    if name.lower() == "local":
        return _local_zone()
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes < 24 * 60:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - slow to import, and rarely needed

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise PeriodError(f"invalid time zone {name!r}: expected Europe/Berlin, UTC or +01:00") from error


def _local_zone() -> tzinfo:
    """Return the time zone of the machine, or its current offset if the name is unknown."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        try:
            _, _, name = str(Path("/etc/localtime").readlink()).partition("zoneinfo/")
        except OSError:
            name = ""
    try:
        return parse_zone(name) if name and name.lower() != "local" else _offset_of_now()
    except PeriodError:
        return _offset_of_now()


def _offset_of_now() -> tzinfo:
    zone = datetime.now().astimezone().tzinfo
    return timezone.utc if zone is None else zone


def period_of(since: Optional[str], until: Optional[str], zone: tzinfo, now: datetime) -> Period:
    """Parse a period. Without an end, a period given as a day, week or month ends with it.

    Raises:
        PeriodError: A text is invalid.
    """
    start = None if since is None else parse_moment(since, zone, now)
    end = None if until is None else parse_moment(until, zone, now)
    if end is None and since is not None:
        end = _end_of(since.strip().lower(), zone, now)
    return Period(start, end, None if since is None else _unit_of(since.strip().lower()))


def parse_length(text: str) -> Optional[timedelta]:
    """Parse a length of time like ``90m``, ``12h``, ``7d`` or ``2w``. Return None for any other text."""
    span = _SPAN.fullmatch(text.strip().lower())
    return None if span is None else timedelta(**{_UNITS[span[2]]: int(span[1])})


def parse_moment(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Parse an instant: a time ago, the start of a day, week or month, or a date and time.

    Raises:
        PeriodError: The text is invalid.
    """
    word = text.strip().lower()
    length = parse_length(text)
    try:
        if length is not None:
            return now - length
        if word == "now":
            return now
        hours = _LAST_HOURS.fullmatch(word)
        if hours is not None:
            return _hours_before(int(hours[1]) - 1, zone, now)
        if word in _WORDS or _LAST_DAYS.fullmatch(word):
            return _beginning(word, zone, now)
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except (ValueError, OverflowError) as error:
        near = nearest(word, _WORDS)
        expected = f"expected one of {_FORMS}" if near is None else f"did you mean {near!r}?"
        raise PeriodError(f"invalid time {text!r}: {expected}") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _utc(moment: datetime) -> datetime:
    """Return the same instant in UTC, where differences are elapsed time."""
    return moment.astimezone(timezone.utc)


def _hours_before(count: int, zone: tzinfo, now: datetime) -> datetime:
    """Return the start of the local hour that is ``count`` hours before the current one."""
    moment = (_utc(now) - timedelta(hours=count)).astimezone(zone)
    into = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
    return (_utc(moment) - into).astimezone(zone)  # keeps a repeated hour apart


def _beginning(word: str, zone: tzinfo, now: datetime) -> datetime:
    day = _midnight(now.astimezone(zone), zone)
    if word == "today":
        return day
    if word == "yesterday":
        return _midnight(day - timedelta(days=1), zone)
    several = _LAST_DAYS.fullmatch(word)
    if several is not None:
        return _midnight(day - timedelta(days=int(several[1]) - 1), zone)
    if word.endswith("week"):
        monday = day - timedelta(days=day.weekday() + (7 if word == "last-week" else 0))
        return _midnight(monday, zone)
    first = day.replace(day=1)
    if word == "last-month":
        first = (first - timedelta(days=1)).replace(day=1)
    return _midnight(first, zone)


def _end_of(word: str, zone: tzinfo, now: datetime) -> Optional[datetime]:
    following = {"yesterday": "today", "last-week": "this-week", "last-month": "this-month"}.get(word)
    return None if following is None else _beginning(following, zone, now)


def _unit_of(word: str) -> Optional[str]:
    if _LAST_DAYS.fullmatch(word) or word in {"today", "yesterday"}:
        return "day"
    return None if word not in _WORDS else word.rpartition("-")[2]


def _midnight(moment: datetime, zone: Optional[tzinfo]) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=zone)
