"""The conformance suite of the built-in rules: source, day, example call, and example response of each."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from recost.interceptors.capture import WholeCapture
from recost.interceptors.exchange import nowhere
from recost.metering import Meter
from recost.pricing.cost import Cost
from recost.pricing.model import ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from tests.conformance.providers import Example, example_of
from tests.exchanges import begun

every_rule = pytest.mark.parametrize(
    "rule", BUILTIN_PROVIDERS, ids=lambda rule: f"{rule.host_pattern}{rule.path_prefix or ''}"
)
HOSTS = sorted({rule.host_pattern for rule in BUILTIN_PROVIDERS})


def example(rule: ProviderDef) -> Example:
    try:
        return example_of(rule)
    except KeyError:
        pytest.fail(f"add an example of {rule.provider} {rule.path_prefix} to tests/conformance/providers.py")


def cost_of(example: Example) -> Cost:
    body = json.dumps(example.response).encode()
    exchange = begun(nowhere, "httpx", ("https", example.host, 443, example.path, example.method))
    exchange.status, exchange.request_bytes, exchange.response_bytes = 200, 1000, len(body)
    exchange.capture = WholeCapture(tuple(example.headers), example.headers, "application/json", body)
    exchange.finish()
    return Meter(Routes(ProviderRegistry()), report=lambda _: None).cost_of(exchange)


def is_read(rule: ProviderDef) -> bool:
    return any(prices.shape is not None for prices in (rule.own_prices, *rule.prices))


@every_rule
def test_its_example_url_matches_it(rule: ProviderDef) -> None:
    called = example(rule)
    match = ProviderRegistry().lookup(called.host, called.path)
    assert match is not None
    assert match.rule is rule, f"{called.host}{called.path} is matched by an earlier rule"


@every_rule
def test_its_example_costs_what_was_worked_out_by_hand(rule: ProviderDef) -> None:
    pytest.importorskip("genai_prices", minversion="0.2")
    called = example(rule)
    cost = cost_of(called)
    usd = None if called.usd is None else Decimal(called.usd)
    assert (cost.usd, cost.source, cost.provider) == (usd, called.source, rule.provider)


@every_rule
def test_each_price_has_a_source_and_the_day_it_was_checked(rule: ProviderDef) -> None:
    for prices in (rule.own_prices, *rule.prices):
        assert prices.is_priced == (prices.price_source is not None), f"price_source is missing: {prices}"
        assert prices.is_priced == (prices.price_date is not None), f"price_date is missing: {prices}"
        if prices.price_source is not None and prices.price_date is not None:
            assert "https://" in prices.price_source
            date.fromisoformat(prices.price_date)


@every_rule
def test_a_catch_all_has_no_flat_estimate(rule: ProviderDef) -> None:
    assert rule.path_prefix or rule.cost_per_request_cents is None


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_whose_responses_are_read_has_an_example_response(host: str) -> None:
    rules = [rule for rule in BUILTIN_PROVIDERS if rule.host_pattern == host]
    if not any(map(is_read, rules)):
        return
    usages = [cost_of(example(rule)).usage for rule in rules]
    assert any(usage is not None for usage in usages), f"no example of {host} has a response with usage"


def test_the_examples_are_of_all_kinds() -> None:
    sources = [example_of(rule).source for rule in BUILTIN_PROVIDERS]
    assert {source: sources.count(source) > 5 for source in set(sources)} == dict.fromkeys(
        ("computed", "estimated", "reported", "unknown"), True
    )
