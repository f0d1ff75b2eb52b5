"""Periods of time as people write them: ``7d``, ``2026-11-01``, ``yesterday``, ``last-month``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Final, Optional

__all__ = ["Period", "SpanError", "parse_length", "parse_moment", "parse_zone", "period_of"]

_SPAN: Final = re.compile(r"(\d{1,6})([mhdw])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_OFFSET: Final = re.compile(r"([+-])(\d{2}):?(\d{2})")
_WORDS: Final = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month")
_LAST_DAYS: Final = re.compile(r"last-([1-9]\d{0,3})-days")
"""Whole days: today, as far as it goes, and those before."""
_LAST_HOURS: Final = re.compile(r"last-([1-9]\d{0,4})-hours")
"""Whole hours of local time: this one, as far as it goes, and those before."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
_FORMS: Final = (
    f"7d, 12h, 2026-11-01, 2026-11-01T12:00+01:00, {', '.join(_WORDS)}, last-7-days, last-24-hours"
)


class SpanError(ValueError):
    """It is no time, or no time zone."""


@dataclass(frozen=True)
class Period:
    """From an instant on, and up to another, which is not part of it; None: without bound."""

    since: Optional[datetime] = None
    until: Optional[datetime] = None
    unit: Optional[str] = field(default=None, compare=False)
    """``day``, ``week`` or ``month``, where the period was asked for as one."""

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise SpanError(f"the period ends ({self.until}) before it begins ({self.since})")

    def ended(self, now: datetime) -> datetime:
        """Return its end; now, where it has begun and goes on: what is to come can't be compared."""
        if self.until is None or (now < self.until and (self.since is None or self.since < now)):
            return now
        return self.until

    def before(self, now: datetime) -> Period:
        """Return the period that this one is compared with.

        A period that goes on is compared as far as it has come. From midnight on it is as many days before,
        up to the same time of day: today up to now is compared with yesterday up to the same time. A week is
        compared with the week before, and a month with the month before up to the same day. Any other period
        is compared with the same length just before it.

        Raises:
            SpanError: It has no beginning, has not begun, or begins too early.
        """
        if self.since is None:
            raise SpanError("a period to compare with needs a beginning: --since 7d")
        until = self.ended(now)
        if until <= self.since:
            raise SpanError("a period that has not begun has none before it to compare with")
        try:
            if self.since != _midnight(self.since, self.since.tzinfo):
                return Period(_utc(self.since) - (_utc(until) - _utc(self.since)), self.since)
            asked = until if self.until is None else self.until
            zone = self.since.tzinfo
            return self._days_before(self.since, until.astimezone(zone), asked.astimezone(zone))
        except OverflowError as error:
            raise SpanError("there is no time before the period to compare it with") from error

    def _days_before(self, since: datetime, until: datetime, asked: datetime) -> Period:
        """Return the period with the same times of day before, in local time.

        Args:
            since: When this one begins.
            until: When it ends, or how far it has come.
            asked: When it ends.
        """
        days = -((since - asked) // _DAY)  # of clocks; one that has begun is one
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
        SpanError: There is none of this name.
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
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - takes a while, and most ask for none

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise SpanError(f"no time zone {name!r}: Europe/Berlin, UTC, +01:00") from error


def _local_zone() -> tzinfo:
    """Return the machine's time zone; its offset of now where its name is not told."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        try:
            _, _, name = str(Path("/etc/localtime").readlink()).partition("zoneinfo/")
        except OSError:
            name = ""
    try:
        return parse_zone(name) if name and name.lower() != "local" else _offset_of_now()
    except SpanError:
        return _offset_of_now()


def _offset_of_now() -> tzinfo:
    zone = datetime.now().astimezone().tzinfo
    return timezone.utc if zone is None else zone


def period_of(since: Optional[str], until: Optional[str], zone: tzinfo, now: datetime) -> Period:
    """Return the period that two texts tell; one of a day or a month ends with it when no end is told.

    Raises:
        SpanError: A text is no time.
    """
    start = None if since is None else parse_moment(since, zone, now)
    end = None if until is None else parse_moment(until, zone, now)
    if end is None and since is not None:
        end = _end_of(since.strip().lower(), zone, now)
    return Period(start, end, None if since is None else _unit_of(since.strip().lower()))


def parse_length(text: str) -> Optional[timedelta]:
    """Return a length of time like ``90m``, ``12h``, ``7d`` or ``2w``; None where the text is none."""
    span = _SPAN.fullmatch(text.strip().lower())
    return None if span is None else timedelta(**{_UNITS[span[2]]: int(span[1])})


def parse_moment(text: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the instant that a text tells: so long ago, the beginning of a day, a time of day.

    Raises:
        SpanError: It tells none.
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
        raise SpanError(f"{text!r} is no time; there are: {_FORMS}") from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _utc(moment: datetime) -> datetime:
    """Return the same instant in UTC, where a difference is what has passed."""
    return moment.astimezone(timezone.utc)


def _hours_before(count: int, zone: tzinfo, now: datetime) -> datetime:
    """Return the beginning of an hour of local time, so many hours before that of now."""
    moment = (_utc(now) - timedelta(hours=count)).astimezone(zone)
    into = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
    return (_utc(moment) - into).astimezone(zone)  # an hour that clocks repeat stays what it is


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
