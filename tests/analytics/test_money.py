from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.money import format_change, format_usd


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.0000000001", "<$0.000001"),
        ("0.000012", "$0.000012"),
        ("0.0009996", "$0.0010"),
        ("0.0214", "$0.0214"),
        ("0.99996", "$1.00"),
        ("1.005", "$1.00"),
        ("31.07", "$31.07"),
        ("9999.994", "$9,999.99"),
        ("9999.996", "$10,000"),
        ("12345", "$12,345"),
        ("12345678.9", "$12,345,679"),
        ("-2.5", "-$2.50"),
    ],
)
def test_amounts(amount: str, shown: str) -> None:
    assert format_usd(Decimal(amount)) == shown


@given(st.decimals(0, Decimal("1e9"), allow_nan=False, allow_infinity=False))
def test_what_is_shown_is_near(amount: Decimal) -> None:
    shown = format_usd(amount)
    if shown.startswith("<"):
        assert amount < Decimal("0.000001")
        return
    value = Decimal(shown.replace("$", "").replace(",", ""))
    assert abs(value - amount) <= max(amount / 200, Decimal("0.0000005"))
    assert len(shown) <= 14


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ("1", "1", "="),
        ("1", "0", "new"),
        ("0", "1", "-100%"),
        ("1.5", "1", "+50%"),
        ("1.034", "1", "+3.4%"),
        ("0.9", "1", "-10%"),
        ("50", "1", "x50"),
    ],
)
def test_changes(now: str, before: str, shown: str) -> None:
    assert format_change(Decimal(now), Decimal(before)) == shown
