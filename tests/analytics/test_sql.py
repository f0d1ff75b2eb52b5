"""The sums of quarters of an hour answer as the metrics do, wherever a period cuts them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Optional
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost import wire
from recost.analytics.periods import Period
from recost.analytics.query import Question
from recost.analytics.report import Figures, Report
from recost.analytics.sql import Statement
from recost.analytics.store import Selection
from tests.analytics.corpora import few, windows
from tests.analytics.test_report import answer, written

CLOCKS = datetime(2026, 3, 29, 1, tzinfo=timezone.utc)
"""When they are put forward in Berlin."""
SPAN_S = 3 * 3600
ZONES = st.sampled_from([timezone.utc, *map(ZoneInfo, ("Europe/Berlin", "Asia/Kathmandu"))])
DENSE = timedelta(minutes=1)


@st.composite
def dense(draw: st.DrawFn) -> bytes:
    """Make a line whose window is of the hours around a change of clocks."""
    start = (CLOCKS.timestamp() + draw(st.integers(-SPAN_S, SPAN_S))) * 1000
    return wire.encode_window(replace(draw(windows()), window_start=start, window_end=start + 1))


lines = st.lists(dense(), min_size=1, max_size=8)
moments = st.one_of(
    st.integers(-SPAN_S // 900, SPAN_S // 900).map(lambda quarter: CLOCKS + timedelta(minutes=15 * quarter)),
    st.integers(-SPAN_S, SPAN_S).map(lambda second: CLOCKS + timedelta(seconds=second)),
)


def raw(folder: Path, question: Question) -> Report:
    """Return the answer from the metrics themselves: an endpoint is in no sum."""
    return answer(folder, replace(question, endpoints=("*",)))


def alike(found: Figures, expected: Figures) -> bool:
    """Tell whether they are the same, but for the order in which floats were added."""
    return all(
        value == (pytest.approx(vars(expected)[name]) if name.endswith("_ms") else vars(expected)[name])
        for name, value in vars(found).items()
    )


def agree(found: Report, expected: Report) -> None:
    assert alike(found.total.now, expected.total.now)
    groups = {group.names: group for group in expected.groups}
    assert {group.names for group in found.groups} == set(groups)
    for group in found.groups:
        other = groups[group.names]
        assert alike(group.now, other.now)
        assert (group.before is None) == (other.before is None)
        if group.before is not None and other.before is not None:
            assert alike(group.before, other.before)


@few
@given(
    lines,
    st.sampled_from(
        [
            ("provider",),
            ("hour",),
            ("day", "provider"),
            ("week", "environment"),
            ("project",),
            (),
            ("model",),
            ("model", "day"),
            ("tag:tenant",),
            ("route", "tag:tenant"),
            ("tag:tenant", "provider"),
        ]
    ),
    ZONES,
    st.one_of(st.none(), moments),
    st.one_of(st.none(), moments),
    st.booleans(),
)
def test_any_period(
    content: list[bytes],
    by: tuple[str, ...],
    zone: Any,
    since: Optional[datetime],
    until: Optional[datetime],
    compare: bool,
) -> None:
    if since is not None and until is not None and since >= until:
        since, until = until, since + DENSE
    period = Period(since, until)
    before = period.before(CLOCKS) if compare and since is not None and until is not None else None
    question = Question(by=by, zone=zone, period=period, compare=before)
    with written(content) as (folder, _):
        agree(answer(folder, question), raw(folder, question))
        filtered = replace(question, environments=("test",), providers=("open*", "s*"), projects=("shop",))
        agree(answer(folder, filtered), raw(folder, filtered))
        if question.by_model:
            named = replace(question, models=("gpt*", "m"))
            agree(answer(folder, named), raw(folder, named))
        if question.by_tag:
            named = replace(question, tags=(("tenant", "a*"), ("route", "b")))
            agree(answer(folder, named), raw(folder, named))


@few
@given(lines, lines, lines)
def test_files_that_grow_and_go(first: list[bytes], more: list[bytes], second: list[bytes]) -> None:
    question = Question(by=("hour",))
    with written(first, second) as (folder, _):
        agree(answer(folder, question), raw(folder, question))
        with (folder / "shop.jsonl").open("ab") as file:
            file.write(b"".join(line + b"\n" for line in more))
        agree(answer(folder, question), raw(folder, question))
        (folder / "shop.1.jsonl").unlink()
        agree(answer(folder, question), raw(folder, question))


FIRST, LAST = datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2026, 12, 31, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("question", "first", "expected"),
    [
        (Question(), FIRST, True),
        (Question(by=("day", "provider"), zone=ZoneInfo("Asia/Kathmandu")), FIRST, True),
        (Question(by=("month",), projects=("shop",)), FIRST, True),
        # Its clocks were 44 minutes and a half behind until 1972.
        (Question(by=("day",), zone=ZoneInfo("Africa/Monrovia")), FIRST.replace(year=1971), False),
        (Question(by=("provider",), zone=ZoneInfo("Africa/Monrovia")), FIRST.replace(year=1971), True),
        (Question(by=("minute",)), FIRST, False),
        (Question(by=("endpoint",)), FIRST, False),
        (Question(by=("method", "provider")), FIRST, False),
        (Question(by=("model",)), FIRST, True),
        (Question(by=("route", "day")), FIRST, True),
        (Question(by=("tag:tenant", "endpoint")), FIRST, False),
        (Question(endpoints=("a",)), FIRST, False),
        (Question(models=("a",)), FIRST, True),
        (Question(models=("a",), endpoints=("b",)), FIRST, False),
        (
            Question(
                by=("hour",),
                period=Period(CLOCKS, CLOCKS + timedelta(minutes=7)),
                compare=Period(CLOCKS - timedelta(minutes=7), CLOCKS),
            ),
            FIRST,
            False,
        ),
    ],
)
def test_what_is_answered_from_them(question: Question, first: datetime, *, expected: bool) -> None:
    text, _ = Statement(question, Selection({1: "shop"}, False, first, LAST)).groups()
    assert ("FROM quarters" in text) == expected
