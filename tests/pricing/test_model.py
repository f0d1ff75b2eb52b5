from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from recost.pricing.model import PathCase, ProviderDef, to_cents


def rule(**fields: Any) -> ProviderDef:
    return ProviderDef(**{"host_pattern": "api.example.com", "provider": "example", **fields})


@pytest.mark.parametrize(
    "pattern",
    [
        "api.example.com",
        "*.example.com",
        "API.Example.COM",
        "api.example.com.",
        "localhost",
        "127.0.0.1",
        "::1",
        "[::1]",
        "bücher.example",
        "*.bücher.example",
        "xn--bcher-kva.example",
        "under_score.example",
    ],
)
def test_hosts_that_are_accepted(pattern: str) -> None:
    assert rule(host_pattern=pattern).host_pattern == pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        " ",
        "https://api.example.com",
        "api.example.com:443",
        "api.example.com/v1",
        "user@api.example.com",
        "*",
        "*.",
        "*example.com",
        "api.*.com",
        "*.*.example.com",
        "*.[::1]",
        "*.::1",
        "[::1]:80",
        "[::1",
        "a..b",
        ".example.com",
        "api.example.com?",
        "a" * 300,
        "ü" * 300,
        None,
        7,
    ],
)
def test_hosts_that_are_refused(pattern: Any) -> None:
    with pytest.raises(ValueError, match=r"ProviderDef\.host_pattern: got .*, wanted a host name"):
        rule(host_pattern=pattern)


def test_a_refusal_shows_no_userinfo() -> None:
    with pytest.raises(ValueError, match="host_pattern") as refusal:
        rule(host_pattern="https://user:hunter2@api.example.com")
    assert "hunter2" not in str(refusal.value)
    assert "user" not in str(refusal.value)
    assert "api.example.com" in str(refusal.value)


def test_a_refusal_is_short() -> None:
    with pytest.raises(ValueError, match="host_pattern") as refusal:
        rule(host_pattern="a/" * 10_000)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("provider", ""),
        ("provider", "  "),
        ("provider", None),
        ("path_prefix", "v1"),
        ("path_prefix", ""),
        ("path_prefix", "/v1?x=1"),
        ("path_prefix", "/v1#x"),
        ("path_prefix", 1),
        ("endpoint_category", ""),
        ("endpoint_category", "\t"),
        ("endpoint_category", 1),
        ("cost_per_request_cents", -0.1),
        ("cost_per_request_cents", math.nan),
        ("cost_per_request_cents", math.inf),
        ("cost_per_request_cents", "1.0"),
        ("cost_per_request_cents", True),
        ("cost_per_request_cents", 10**400),
        ("failed_calls_billed", "yes"),
        ("path_cases", [PathCase("/a", "a")]),
        ("path_cases", ("a",)),
        ("cost_source", ""),
    ],
)
def test_fields_that_are_refused(field: str, given: Any) -> None:
    with pytest.raises(ValueError, match=rf"recost: ProviderDef\.{field}: got .*, wanted "):
        rule(**{field: given})


@pytest.mark.parametrize(
    "fields", [("", "sms"), ("/Messages", ""), ("/Messages", "sms", -1.0), (None, "sms")]
)
def test_path_cases_that_are_refused(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"PathCase\."):
        PathCase(*fields)


@pytest.mark.parametrize("given", [0, 0.0, 1, 0.79, None])
def test_prices_that_are_accepted(given: Any) -> None:
    assert rule(cost_per_request_cents=given).cost_per_request_cents == given


def test_cents_are_the_decimal_number_that_was_written() -> None:
    assert to_cents(0.1) == Decimal("0.1")
    assert to_cents(3) == Decimal(3)
    assert to_cents(None) is None
