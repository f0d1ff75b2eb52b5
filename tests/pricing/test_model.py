from __future__ import annotations

import math
import pickle
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.pricing.model import PathCase, PriceCase, ProviderDef, to_cents


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
    with pytest.raises(ValueError, match=r"ProviderDef\.host_pattern: got .*, expected a host name"):
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
        ("usage", ""),
        ("usage", "Open AI"),
        ("usage", 1),
        ("genai_provider", " "),
        ("genai_factor", -1),
        ("usd_per_call", -1),
        ("usd_per_call", "0.1"),
        ("usd_per_call", True),
        ("usd_per_call", math.nan),
        ("usd_per_call", math.inf),
        ("usd_per_call", Decimal("-0.1")),
        ("usd_per_call", Decimal("NaN")),
        ("usd_per_gb", -1),
        ("usd_per_gb_up", "x"),
        ("usd_per_gb_down", -1),
        ("fixed_usd", -1),
        ("minimum_usd", -1),
        ("usd_per_unit", [("pages", 1)]),
        ("usd_per_unit", {"Pages": 1}),
        ("usd_per_unit", {1: 1}),
        ("free_units", 1000),
        ("prices", [PriceCase()]),
        ("prices", ("a",)),
        ("price_source", ""),
        ("price_date", "2026"),
        ("price_date", "2026-13"),
        ("price_date", "2026-02-30"),
        ("price_date", "November 2026"),
        ("price_date", 2026),
    ],
)
def test_fields_that_are_refused(field: str, given: Any) -> None:
    with pytest.raises(ValueError, match=rf"recost: ProviderDef\.{field}: got .*, expected "):
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


@pytest.mark.parametrize(
    ("amount", "exact"),
    [
        (0, "0"),
        (1, "1"),
        (0.1, "0.1"),
        (Decimal("0.0000004"), "0.0000004"),
        (1e-7, "1E-7"),
        (10**30, "1E+30"),
    ],
)
def test_prices_are_the_decimal_number_that_was_written(amount: Any, exact: str) -> None:
    priced = rule(usd_per_call=amount, usd_per_unit={"pages": amount})
    assert priced.usd_per_call == Decimal(exact)
    assert priced.usd_per_unit == {"pages": Decimal(exact)}


def test_a_unit_without_a_price_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"ProviderDef\.usd_per_unit\.pages: got -1, expected "):
        rule(usd_per_unit={"pages": -1})
    with pytest.raises(ValueError, match=r"ProviderDef\.usd_per_unit\.pages: got None, expected "):
        rule(usd_per_unit={"pages": None})


@pytest.mark.parametrize("date", ["2026-11", "2026-11-30", "2024-02-29"])
def test_dates_that_are_accepted(date: str) -> None:
    assert rule(price_date=date).price_date == date


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "v1"},
        {"path": "/v1?x=1"},
        {"path": 1},
        {"method": "post"},
        {"method": "POST,GET"},
        {"method": ""},
        {"host": 1},
        {"usd_per_call": -1},
        {"price_date": "x"},
    ],
)
def test_price_cases_that_are_refused(fields: Any) -> None:
    with pytest.raises(ValueError, match=rf"recost: PriceCase\.{next(iter(fields))}: got .*, expected "):
        PriceCase(**fields)


def test_a_rule_is_a_value_like_any_other() -> None:
    cases = (PriceCase(path="/a", usd_per_call=Decimal(2)),)
    made = [rule(usd_per_unit={"pages": 1}, prices=cases) for _ in range(2)]
    assert made[0] == made[1]
    assert hash(made[0]) == hash(made[1])
    assert pickle.loads(pickle.dumps(made[0])) == made[0]
    assert replace(made[0], usd_per_call=Decimal(5)).own_prices.usd_per_call == 5
    assert rule(usd_per_call=1) != rule(usd_per_call=2)


def test_a_rule_keeps_its_prices_when_the_mapping_it_was_made_of_changes() -> None:
    prices = {"pages": Decimal(1)}
    made = rule(usd_per_unit=prices)
    prices["pages"] = Decimal(9)
    assert made.own_prices.usd_per_unit == {"pages": Decimal(1)}


def test_a_case_reads_answers_as_its_rule_does() -> None:
    cases = (
        PriceCase(path="/a", usage="none"),
        PriceCase(path="/b"),
        PriceCase(path="/c", usage="anthropic"),
    )
    made = rule(usage="openai", genai_provider="openai", prices=cases)
    shapes = [made.prices_for("h", path, "GET").shape for path in ("/a", "/b", "/c", "/d")]
    assert shapes == [None, "openai", "anthropic", "openai"]
    assert made.prices_for("h", "/b", "GET").genai_provider == "openai"


SEGMENTS = st.sampled_from(["", "a", "b", "ab", "a.b", "x:y", "%2F"])
TEMPLATES = SEGMENTS | st.sampled_from(["*", "**", "a*", "*b"])


def matches(text: str, pattern: str) -> bool:
    """What the documentation says, by trying everything."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        return any(matches(text[skip:], pattern[2:]) for skip in range(len(text) + 1))
    if pattern[0] == "*":
        within = len(text.partition("/")[0])
        return any(matches(text[skip:], pattern[1:]) for skip in range(1, within + 1))
    return text[:1] == pattern[0] and matches(text[1:], pattern[1:])


@given(st.lists(SEGMENTS, max_size=4), st.lists(TEMPLATES, max_size=4))
def test_templates_match_as_the_documentation_says(segments: list[str], template: list[str]) -> None:
    path, pattern = "/" + "/".join(segments), "/" + "/".join(template)
    assert PriceCase(path=pattern).matches("h", path, "GET") == matches(path, pattern)


@pytest.mark.parametrize(
    ("template", "host", "wanted"),
    [
        ("s3.*.amazonaws.com", "s3.us-east-1.amazonaws.com", True),
        ("s3.*.amazonaws.com", "S3.us-east-1.amazonaws.com.", True),
        ("s3.*.amazonaws.com", "s3.dualstack.us-east-1.amazonaws.com", False),
        ("s3.*.amazonaws.com", "x.s3.us-east-1.amazonaws.com", False),
        ("*.s3.*.amazonaws.com", "a.b.s3.us-east-1.amazonaws.com", True),
        ("*.s3.*.amazonaws.com", "s3.us-east-1.amazonaws.com", False),
        ("bedrock-runtime*.*.amazonaws.com", "bedrock-runtime-fips.us-east-1.amazonaws.com", True),
        ("bedrock-runtime*.*.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com", True),
        ("*aiplatform.googleapis.com", "us-east5-aiplatform.googleapis.com", True),
        ("*aiplatform.googleapis.com", "aiplatform.googleapis.com", True),
        ("*aiplatform.googleapis.com", "x.aiplatform.googleapis.com", False),
    ],
)
def test_hosts_of_cases(template: str, host: str, wanted: bool) -> None:
    assert PriceCase(host=template).matches(host, "/", "GET") is wanted
