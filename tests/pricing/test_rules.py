"""Each built-in rule: its source, its example, and its line in the table of all rules."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from recost.interceptors.capture import Whole
from recost.interceptors.exchange import Exchange, nowhere
from recost.metering import Meter
from recost.pricing.cost import Cost
from recost.pricing.model import ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry
from tests.pricing.rule_examples import Example, example_of
from tests.pricing.rules_page import page

PAGE = Path(__file__).parents[2] / "recost" / "pricing" / "rules.md"


def cost_of(example: Example) -> Cost:
    body = json.dumps(example.answer).encode()
    exchange = Exchange(nowhere, "httpx", example.method, "https", example.host, 443, example.path)
    exchange.status, exchange.request_bytes, exchange.response_bytes = 200, 1000, len(body)
    exchange.capture = Whole((), {}, "application/json", body)
    exchange.finish()
    return Meter(ProviderRegistry(), report=lambda _: None).cost_of(exchange)


@pytest.mark.parametrize(
    "rule", BUILTIN_PROVIDERS, ids=lambda rule: f"{rule.host_pattern}{rule.path_prefix or ''}"
)
def test_the_example_of_a_rule_costs_what_it_says(rule: ProviderDef) -> None:
    pytest.importorskip("genai_prices", minversion="0.2")
    example = example_of(rule)
    match = ProviderRegistry().lookup(example.host, example.path)
    assert match is not None
    assert match.rule is rule
    cost = cost_of(example)
    usd = None if example.usd is None else Decimal(example.usd)
    assert (cost.usd, cost.source, cost.provider) == (usd, example.source, rule.provider)


def test_the_examples_are_of_all_kinds() -> None:
    sources = [example_of(rule).source for rule in BUILTIN_PROVIDERS]
    assert {source: sources.count(source) > 5 for source in set(sources)} == dict.fromkeys(
        ("computed", "estimated", "reported", "unknown"), True
    )


def test_no_price_is_without_a_source_and_a_day() -> None:
    for rule in BUILTIN_PROVIDERS:
        for prices in (rule.own_prices, *rule.prices):
            assert prices.is_priced == (prices.price_source is not None), (rule, prices)
            assert not prices.is_priced or len(str(prices.price_date)) == len("2026-11-21"), (rule, prices)


def test_no_catch_all_has_a_flat_estimate() -> None:
    for rule in BUILTIN_PROVIDERS:
        assert rule.path_prefix or rule.cost_per_request_cents is None, rule


def test_the_table_has_what_the_rules_say() -> None:
    assert PAGE.read_text() == page(), "python -m tests.pricing.rules_page > recost/pricing/rules.md"
    lines = PAGE.read_text().splitlines()
    assert sum(line.startswith("| `") for line in lines) == sum(
        len(rule.prices) + 1 for rule in BUILTIN_PROVIDERS
    )
