from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost._money import format_change, format_column, format_exact_usd, format_unit_price, format_usd


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


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "$0"),
        ("12.5", "$12.5"),
        ("0.0083", "$0.0083"),
        ("0.0005", "$0.5/1k"),
        ("0.0000004", "$0.4/1M"),
        ("0.000016", "$0.016/1k"),
        ("1E-12", "$1.000E-12"),
        ("100", "$100"),
    ],
)
def test_prices_of_a_unit(usd: str, text: str) -> None:
    assert format_unit_price(Decimal(usd)) == text


def test_an_amount_in_full() -> None:
    assert format_exact_usd(Decimal("1234.50000001")) == "$1,234.50000001"


def test_cents_are_rounded_before_they_are_dropped() -> None:
    assert format_usd(Decimal("9999.996")) == "$10,000"
    assert format_usd(Decimal("9999.994")) == "$9,999.99"


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        ([], []),
        (["0", "0"], ["$0", "$0"]),
        (["0.0075", "0"], ["$0.0075", "$0.0000"]),
        (["0.0075", "0.000012"], ["$0.007500", "$0.000012"]),
        (["0.16", "0", "0.00001"], ["$0.1600", "$0.0000", "<$0.0001"]),
        (["1.2", "0.004", "-1"], ["$1.20", "<$0.01", "-$1.00"]),
        (["12345", "0.3"], ["$12,345", "<$1"]),
        (["0.0000001"], ["<$0.000001"]),
    ],
)
def test_amounts_of_a_column_have_the_same_places(amounts: list[str], shown: list[str]) -> None:
    assert format_column([Decimal(each) for each in amounts]) == shown
