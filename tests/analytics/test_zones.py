from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics import engine
from recost.analytics.dialect import DUCKDB
from recost.analytics.zones import local_time

pytest.importorskip("duckdb")
ZONES = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "UTC",
]
instants = st.integers(31_536_000, 4_102_444_800).map(lambda at: datetime.fromtimestamp(at, timezone.utc))


@given(
    st.sampled_from(ZONES), instants, st.lists(st.timedeltas(timedelta(0), timedelta(days=800)), min_size=1)
)
def test_local_times_are_those_of_the_zone(name: str, first: datetime, later: list[timedelta]) -> None:
    zone = ZoneInfo(name)
    times = sorted(first + each for each in later)
    values = ", ".join(f"({DUCKDB.moment(each)})" for each in times)
    local = local_time("started", zone, times[0], times[-1], DUCKDB)
    found = engine.connect(None).execute(
        f"SELECT {local} FROM (VALUES {values}) AS t(started) ORDER BY started"
    )
    assert [each for (each,) in found.fetchall()] == [
        each.astimezone(zone).replace(tzinfo=None) for each in times
    ]


def test_centuries_are_left_to_the_calendar() -> None:
    first, last = (datetime(year, 7, 1, tzinfo=timezone.utc) for year in (1971, 2020))
    text = local_time("started", ZoneInfo("Europe/Berlin"), first, last, DUCKDB)
    assert text == "timezone('Europe/Berlin', timezone('UTC', started))"
    fixed = local_time("started", timezone(timedelta(hours=-3)), first, last, DUCKDB)
    assert fixed == "(started + to_microseconds(-10800000000))"
