from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from recost.analytics.periods import Period, PeriodError, parse_moment, parse_zone, period_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 30, 10, 30, tzinfo=timezone.utc)
"""A Monday; clocks were put forward the day before."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", "2026-03-23T10:30+00:00"),
        ("12h", "2026-03-29T22:30+00:00"),
        ("90m", "2026-03-30T09:00+00:00"),
        ("2w", "2026-03-16T10:30+00:00"),
        ("now", "2026-03-30T10:30+00:00"),
        ("2026-03-28", "2026-03-28T00:00+01:00"),
        ("2026-03-30", "2026-03-30T00:00+02:00"),
        ("2026-03-28 08:15", "2026-03-28T08:15+01:00"),
        ("2026-03-01T12:00+05:00", "2026-03-01T12:00+05:00"),
        ("2026-03-01T12:00:01Z", "2026-03-01T12:00:01+00:00"),
        ("today", "2026-03-30T00:00+02:00"),
        ("yesterday", "2026-03-29T00:00+01:00"),
        ("this-week", "2026-03-30T00:00+02:00"),
        ("last-week", "2026-03-23T00:00+01:00"),
        ("this-month", "2026-03-01T00:00+01:00"),
        ("last-month", "2026-02-01T00:00+01:00"),
        (" Last-Month ", "2026-02-01T00:00+01:00"),
        ("last-7-days", "2026-03-24T00:00+01:00"),
        ("last-1-days", "2026-03-30T00:00+02:00"),
        ("last-1-hours", "2026-03-30T12:00+02:00"),
        ("last-24-hours", "2026-03-29T13:00+02:00"),
        ("last-36-hours", "2026-03-29T00:00+01:00"),
    ],
)
def test_moments(text: str, expected: str) -> None:
    assert parse_moment(text, BERLIN, NOW) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "7y",
        "tomorrow",
        "2026-13-01",
        "99999999d",
        "-3d",
        "999999w",
        "last-0-days",
        "last-days",
        "last-0-hours",
        "last-999999-hours",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(PeriodError, match="expected one of 7d"):
        parse_moment(text, BERLIN, NOW)


def test_hours_begin_by_the_clocks_of_the_place() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    assert parse_moment("last-2-hours", india, NOW) == datetime(2026, 3, 30, 15, tzinfo=india)
    repeated = datetime(2026, 10, 25, 1, 20, tzinfo=timezone.utc)  # 2:20 for the second time
    assert parse_moment("last-1-hours", BERLIN, repeated).astimezone(timezone.utc) == repeated.replace(
        minute=0
    )
    assert parse_moment("last-2-hours", BERLIN, repeated).astimezone(timezone.utc) == repeated.replace(
        hour=0, minute=0
    )
    howe = ZoneInfo("Australia/Lord_Howe")  # put back by half an hour at 15:00
    changed = datetime(2026, 4, 4, 16, 10, tzinfo=timezone.utc)
    assert parse_moment("last-9-hours", howe, changed).astimezone(howe).minute == 0


def test_a_day_or_a_month_that_is_over_ends() -> None:
    month = period_of("last-month", None, BERLIN, NOW)
    assert month == Period(datetime(2026, 2, 1, tzinfo=BERLIN), datetime(2026, 3, 1, tzinfo=BERLIN))
    assert period_of("yesterday", None, BERLIN, NOW).until == datetime(2026, 3, 30, tzinfo=BERLIN)
    assert period_of("today", None, BERLIN, NOW).until is None
    assert period_of("last-month", "now", BERLIN, NOW).until == NOW
    assert period_of(None, None, BERLIN, NOW) == Period()
    with pytest.raises(PeriodError, match="before it begins"):
        period_of("1d", "2d", BERLIN, NOW)


def test_the_period_before_is_as_long() -> None:
    assert period_of("7d", None, BERLIN, NOW).before(NOW) == Period(
        NOW - timedelta(days=14), NOW - timedelta(days=7)
    )
    short = period_of("yesterday", None, BERLIN, NOW)  # of 23 hours
    assert short.before(NOW).since == datetime(2026, 3, 28, tzinfo=BERLIN)
    with pytest.raises(PeriodError, match="needs a start"):
        Period().before(NOW)
    with pytest.raises(PeriodError, match="has not begun"):
        Period(NOW + timedelta(days=1)).before(NOW)


@pytest.mark.parametrize(
    ("name", "hours"), [("UTC", 0), ("z", 0), ("+05:30", 5.5), ("-0800", -8), ("Asia/Kathmandu", 5.75)]
)
def test_zones(name: str, hours: float) -> None:
    assert parse_zone(name).utcoffset(NOW.replace(tzinfo=None)) == timedelta(hours=hours)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "+99:00", "../etc/passwd", ""])
def test_no_zones(name: str) -> None:
    with pytest.raises(PeriodError, match="invalid time zone"):
        parse_zone(name)


def test_the_machine_has_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert parse_zone("local") == BERLIN
    for odd in ("", "CET-1CEST,M3.5.0,M10.5.0", "local"):
        monkeypatch.setenv("TZ", odd)
        assert parse_zone("local").utcoffset(NOW.replace(tzinfo=None)) is not None


@pytest.mark.parametrize(
    ("since", "until", "now", "expected"),
    [
        ("today", None, "2026-11-24 09:00", ("2026-11-23 00:00", "2026-11-23 09:00")),
        ("2026-11-24", "2026-11-24 09:00", "2026-11-28 12:00", ("2026-11-23 00:00", "2026-11-23 09:00")),
        ("today", None, "2026-03-30 09:00", ("2026-03-29 00:00", "2026-03-29 09:00")),
        ("yesterday", None, "2026-11-24 09:00", ("2026-11-22 00:00", "2026-11-23 00:00")),
        ("2026-11-20", None, "2026-11-24 09:00", ("2026-11-15 00:00", "2026-11-19 09:00")),
        ("2026-11-16", "2026-11-18", "2026-11-24 09:00", ("2026-11-14 00:00", "2026-11-16 00:00")),
        ("this-week", None, "2026-11-25 09:00", ("2026-11-16 00:00", "2026-11-18 09:00")),
        ("this-week", None, "2026-11-23 09:00", ("2026-11-16 00:00", "2026-11-16 09:00")),
        ("last-week", None, "2026-11-25 09:00", ("2026-11-09 00:00", "2026-11-16 00:00")),
        ("this-month", None, "2026-11-24 09:00", ("2026-10-01 00:00", "2026-10-24 09:00")),
        ("this-month", None, "2026-11-01 09:00", ("2026-10-01 00:00", "2026-10-01 09:00")),
        ("this-month", None, "2026-03-30 09:00", ("2026-02-01 00:00", "2026-03-01 00:00")),
        ("this-month", None, "2026-01-05 09:00", ("2025-12-01 00:00", "2025-12-05 09:00")),
        ("last-month", None, "2026-11-24 09:00", ("2026-09-01 00:00", "2026-10-01 00:00")),
        ("2026-11-01", None, "2026-11-24 09:00", ("2026-10-01 00:00", "2026-10-24 09:00")),
        ("2026-02-01", "2026-03-01", "2026-11-24 09:00", ("2026-01-01 00:00", "2026-02-01 00:00")),
        ("2026-11-01", "2026-11-02", "2026-11-24 09:00", ("2026-10-31 00:00", "2026-11-01 00:00")),
        ("2026-11-01", "2026-12-05", "2026-12-24 09:00", ("2026-09-28 00:00", "2026-11-01 00:00")),
        ("7d", None, "2026-11-24 09:00", ("2026-11-10 09:00", "2026-11-17 09:00")),
        ("last-7-days", None, "2026-11-24 09:00", ("2026-11-11 00:00", "2026-11-17 09:00")),
        ("last-30-days", None, "2026-11-30 09:00", ("2026-10-02 00:00", "2026-10-31 09:00")),
        ("last-1-days", None, "2026-03-30 09:00", ("2026-03-29 00:00", "2026-03-29 09:00")),
        ("3h", None, "2026-11-24 09:00", ("2026-11-24 03:00", "2026-11-24 06:00")),
        # What is to come of a period can't be compared.
        ("today", "2026-11-25", "2026-11-24 09:00", ("2026-11-23 00:00", "2026-11-23 09:00")),
        ("today", "2026-11-24 18:00", "2026-11-24 09:00", ("2026-11-23 00:00", "2026-11-23 09:00")),
        ("2026-11-01", "2026-12-01", "2026-11-24 09:00", ("2026-10-01 00:00", "2026-10-24 09:00")),
        ("2026-11-01", "2026-12-01", "2026-11-03 09:00", ("2026-10-01 00:00", "2026-10-03 09:00")),
        ("2026-03-01", "2026-04-01", "2026-03-30 09:00", ("2026-02-01 00:00", "2026-03-01 00:00")),
        ("2026-11-23", "2026-11-30", "2026-11-25 09:00", ("2026-11-16 00:00", "2026-11-18 09:00")),
        ("this-week", "2026-11-30", "2026-11-25 09:00", ("2026-11-16 00:00", "2026-11-18 09:00")),
        ("2026-11-24T06", "2026-11-24T18", "2026-11-24 09:00", ("2026-11-24 03:00", "2026-11-24 06:00")),
        ("2026-12-01", "2027-01-01", "2026-11-24 09:00", ("2026-11-01 00:00", "2026-12-01 00:00")),
        # Days of 23 and 25 hours, years, leap years.
        ("2026-03-29", "2026-03-30", "2026-11-24 09:00", ("2026-03-28 00:00", "2026-03-29 00:00")),
        ("2026-10-25", "2026-10-26", "2026-11-24 09:00", ("2026-10-24 00:00", "2026-10-25 00:00")),
        ("this-month", None, "2028-03-29 09:00", ("2028-02-01 00:00", "2028-02-29 09:00")),
        ("this-month", None, "2026-12-31 09:00", ("2026-11-01 00:00", "2026-12-01 00:00")),
        ("this-week", None, "2027-01-01 09:00", ("2026-12-21 00:00", "2026-12-25 09:00")),
        ("yesterday", None, "2027-01-01 00:30", ("2026-12-30 00:00", "2026-12-31 00:00")),
    ],
)
def test_like_is_compared_with_like(
    since: str, until: str | None, now: str, expected: tuple[str, str]
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=BERLIN)
    before = period_of(since, until, BERLIN, at).before(at)
    assert before.since is not None
    assert before.until is not None
    shown = tuple(f"{each.astimezone(BERLIN):%Y-%m-%d %H:%M}" for each in (before.since, before.until))
    assert shown == expected


def test_there_is_nothing_before_the_year_one() -> None:
    for text in ("0001-01-01", "0001-01-01 00:30"):
        with pytest.raises(PeriodError, match="starts too early"):
            period_of(text, None, timezone.utc, NOW).before(NOW)
