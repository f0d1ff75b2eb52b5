"""Periods begin and end as the clocks of their zone go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.budgets.calendar import PERIODS, load_zone, period_at


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("per", "zone", "now", "start", "end"),
    [
        ("day", "UTC", "2026-11-21T13:00", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("day", "UTC", "2026-11-21T00:00", "2026-11-21T00:00", "2026-11-22T00:00"),
        ("day", "Asia/Kolkata", "2026-11-21T18:29", "2026-11-20T18:30", "2026-11-21T18:30"),
        # 23 hours and 25 hours.
        ("day", "Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("day", "Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("day", "America/New_York", "2026-03-08T12:00", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("day", "America/New_York", "2026-11-01T12:00", "2026-11-01T04:00", "2026-11-02T05:00"),
        # Clocks skip midnight: the day begins at 1:00.
        ("day", "America/Asuncion", "2023-10-01T12:00", "2023-10-01T04:00", "2023-10-02T03:00"),
        ("day", "Asia/Beirut", "2022-03-27T12:00", "2022-03-26T22:00", "2022-03-27T21:00"),
        # Midnight comes twice: the first one counts.
        ("day", "America/Havana", "2022-11-06T04:30", "2022-11-06T04:00", "2022-11-07T05:00"),
        ("day", "America/Havana", "2022-11-06T05:30", "2022-11-06T04:00", "2022-11-07T05:00"),
        # Clocks go back over midnight, at 0:01: the day before is not taken up again.
        ("day", "America/St_Johns", "2010-11-07T02:45", "2010-11-07T02:30", "2010-11-08T03:30"),
        # A day that never was.
        ("day", "Pacific/Apia", "2011-12-30T09:59", "2011-12-29T10:00", "2011-12-30T10:00"),
        ("day", "Pacific/Apia", "2011-12-30T10:00", "2011-12-30T10:00", "2011-12-31T10:00"),
        ("hour", "UTC", "2026-11-21T13:59:59", "2026-11-21T13:00", "2026-11-21T14:00"),
        ("hour", "Asia/Kolkata", "2026-11-21T13:59", "2026-11-21T13:30", "2026-11-21T14:30"),
        # The hour from 2 to 3 comes twice, and each is one.
        ("hour", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T00:00", "2026-10-25T01:00"),
        ("hour", "Europe/Berlin", "2026-10-25T01:30", "2026-10-25T01:00", "2026-10-25T02:00"),
        ("week", "UTC", "2026-11-21T13:00", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("week", "Europe/Berlin", "2026-10-25T22:59", "2026-10-18T22:00", "2026-10-25T23:00"),
        ("month", "UTC", "2026-12-31T23:59", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "UTC", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("month", "Europe/Berlin", "2026-10-31T22:59", "2026-09-30T22:00", "2026-10-31T23:00"),
        ("month", "Asia/Tokyo", "2026-01-31T14:59", "2025-12-31T15:00", "2026-01-31T15:00"),
    ],
)
def test_a_period(per: Any, zone: str, now: str, start: str, end: str) -> None:
    period = period_at(per, load_zone(zone), utc(now))
    assert (period.start, period.end) == (utc(start), utc(end))


def test_all_time_never_ends() -> None:
    period = period_at("total", load_zone("UTC"), utc("2026-11-21T13:00"))
    assert (period.start, period.end, period.label) == (None, None, "")


ZONES = ["UTC", "Europe/Berlin", "America/Havana", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]


@given(
    st.sampled_from([per for per in PERIODS if per != "total"]),
    st.sampled_from(ZONES),
    st.integers(0, 2**31 - 1).map(lambda s: datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=s)),
)
def test_every_moment_is_in_one_period_and_the_next_begins_where_it_ends(
    per: Any, name: str, now: datetime
) -> None:
    zone = load_zone(name)
    period = period_at(per, zone, now)
    assert period.start is not None
    assert period.end is not None
    assert period.start <= now < period.end
    assert period_at(per, zone, period.start)[0] == period.start
    if per != "hour":  # an hour in which the clocks are put by half an hour overlaps the next one
        assert period_at(per, zone, period.end).start == period.end
        assert period_at(per, zone, period.end - timedelta(microseconds=1)) == period
