"""Rates of the last minutes: what is added up, over which span, and what is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.rates import BUCKETS, BY, Recent
from recost.wire.parsing import ParsedMetric, ParsedWindow, parse_window
from tests.analytics.corpora import Plain, good_lines

NOW = datetime(2026, 3, 27, 12, 0, 3, 700_000, tzinfo=timezone.utc)
OVER = timedelta(minutes=5)


def window(ended_s: float, calls: int = 1, usd: str = "0.1", length_s: float = 30) -> ParsedWindow:
    """Make a window that ended so many seconds ago."""
    ended = NOW - timedelta(seconds=ended_s)
    metric = ParsedMetric("openai", "chat", "POST", calls, 0, 0, Decimal(usd), 10.0, 20.0)
    return ParsedWindow("shop", "test", ended - timedelta(seconds=length_s), ended, [metric], 0)


def recent(*windows: ParsedWindow, over: timedelta = OVER) -> Recent:
    found = Recent(over)
    for each in windows:
        found.add(each, NOW)
    return found


@given(st.lists(good_lines, max_size=6), st.sampled_from(BY))
def test_sums_are_those_of_the_lines(lines: list[bytes], by: str) -> None:
    found = Recent(timedelta(days=1))
    plain = Plain()
    for line in lines:
        parsed = parse_window(line, "shop")
        assert parsed is not None
        now = parsed.ended
        moved = ParsedWindow("shop", "", NOW - (now - parsed.started), NOW, parsed.metrics, 0)
        found.add(moved, NOW)
        plain._line(1, line)
    rates = found.rates(by, NOW)  # type: ignore[arg-type]
    expected = plain.total()
    assert (rates.total.calls, rates.total.errors, rates.total.unpriced) == (
        expected.calls, expected.errors, expected.unpriced,
    )  # fmt: skip
    assert (rates.total.cost_usd, rates.total.flat_usd) == (expected.cost_usd, expected.flat_usd)
    groups = rates.groups.values()
    assert sum(group.calls for group in groups) == expected.calls
    assert sum(group.unpriced for group in groups) == expected.unpriced
    assert abs(sum((group.cost_usd for group in groups), Decimal(0)) - expected.cost_usd) < Decimal("0.0001")
    trends = sum((sum(trend, Decimal(0)) for trend in rates.trends.values()), Decimal(0))
    assert abs(trends - expected.cost_usd) < Decimal("0.0001")


def test_a_steady_stream_has_its_own_rate() -> None:
    found = Recent(OVER)
    for step in range(100):  # 50 minutes of 6 calls in 30 s
        now = NOW + timedelta(seconds=30 * step)
        metric = ParsedMetric("openai", "chat", "POST", 6, 3, 1, Decimal("0.60"), 10.0, 20.0)
        found.add(ParsedWindow("shop", "test", now - timedelta(seconds=30), now, [metric], 0), now)
        rates = found.rates("provider", now + timedelta(seconds=step % 30))
        if not step:  # one window of half a minute: counted over a minute
            continue
        assert rates.a_minute(rates.total.calls) == pytest.approx(Decimal(12), rel=Decimal("0.05"))
        assert rates.a_minute(rates.total.cost_usd) == pytest.approx(Decimal("1.2"), rel=Decimal("0.05"))
    assert len(found._parts) <= 2 * BUCKETS + 1, "what is old is forgotten"


@pytest.mark.parametrize(
    ("ends", "calls", "span_s"),
    [
        ([270, 240, 0], 3, 300),  # the first began 300 s ago
        ([30, 0], 2, 60),
        ([0], 1, 60),  # one window of 30 s: no less than a minute
        ([1000, 0], 1, 299),  # the record is older than the span
        ([1000], 0, 299),
        ([100], 1, 100),  # nothing since: the span has gone on, but for a window that may be open
        ([], 0, 300),
    ],
)
def test_the_span(ends: Sequence[float], calls: int, span_s: float) -> None:
    rates = recent(*map(window, ends)).rates("provider", NOW)
    assert rates.total.calls == calls
    assert rates.span.total_seconds() == pytest.approx(span_s, abs=5)


def test_windows_leave_the_span_and_the_rate_falls() -> None:
    found = recent(window(30), window(0))
    totals = [
        found.rates("provider", NOW + timedelta(seconds=after)).total.calls
        for after in (0, 200, 320, 340, 400)
    ]
    assert totals[:2] == [2, 2]
    assert totals[-1] == 0
    assert sorted(totals, reverse=True) == totals


def test_a_clock_that_is_ahead() -> None:
    found = recent(window(-3600))
    assert found.latest == NOW
    assert found.rates("provider", NOW).total.calls == 1


def test_what_is_frozen_stays() -> None:
    found = recent(window(0))
    frozen = found.frozen()
    found.add(window(0, 41), NOW)
    assert frozen.rates("provider", NOW).total.calls == 1
    assert found.rates("provider", NOW).total.calls == 42


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ("", {(None): (10, "5")}),
        (
            '{"model":"a","requestCount":4,"estimatedCostCents":100,"unpricedCount":1},{"model":"b",'  # noqa: ISC004
            '"requestCount":5,"estimatedCostCents":150}',
            {"a": (4, "1"), "b": (5, "1.5"), None: (1, "2.5")},
        ),
        ('{"model":"a","requestCount":10,"estimatedCostCents":500}', {"a": (10, "5")}),
        ('7,{"model":7},{"model":"a","requestCount":10,"estimatedCostCents":500}', {"a": (10, "5")}),
    ],
)
def test_models_and_what_tells_none(models: str, expected: dict[Optional[str], tuple[int, str]]) -> None:
    line = (
        '{"protocolVersion":"1.1","windowStart":"2026-03-27T12:00:00Z","windowEnd":"x","metrics":[{'
        '"provider":"openai","endpoint":"chat","method":"POST","requestCount":10,"errorCount":0,'
        f'"estimatedCostCents":500,"models":[{models}]}}]}}'
    )
    parsed = parse_window(line.encode(), "shop")
    assert parsed is not None
    assert parsed.ended == parsed.started, "an end that is none"
    groups = recent(parsed).rates("model", NOW).groups
    assert {name: (sums.calls, sums.cost_usd) for (_, name), sums in groups.items()} == {
        name: (calls, Decimal(usd)) for name, (calls, usd) in expected.items()
    }
