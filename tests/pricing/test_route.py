"""Resolving targets: once each, within bounds, and never by their query."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import REMEMBERED, UNKNOWN_PROVIDER, Routes


def routes(*rules: ProviderDef) -> Routes:
    return Routes(ProviderRegistry(rules))


def test_what_is_wanted_of_a_response_is_the_same_the_second_time() -> None:
    asked = routes()
    for _ in range(2):
        assert asked.find(("api.openai.com", "/v1/chat/completions", "POST")).wanted is not None
        assert asked.find(("api.openai.com", "/v1/chat/completions?key=sk-1", "POST")).wanted is not None
        assert asked.find(("api.openai.com", "/v1/models", "GET")).wanted is None
        assert asked.find(("nobody.example", "", "GET")).wanted is None


def test_no_query_is_remembered() -> None:
    asked = routes()
    for number in range(100):
        asked.find(("api.openai.com", f"/v1/chat/completions?key=sk-{number}", "POST"))
        asked.find(("api.openai.com", f"/v1/chat/completions#{number}", "POST"))
    assert list(asked._known) == [("api.openai.com", "/v1/chat/completions", "POST")]


def test_what_is_remembered_is_bounded() -> None:
    asked = routes()
    for number in range(3000):
        asked.find(("api.openai.com", f"/v1/{number}", "POST"))
        asked.find(("api.openai.com", f"/v1/{number}" + "x" * 1000, "POST"))
        assert len(asked._known) <= REMEMBERED
    assert all(len(path) < 1000 for _, path, _ in asked._known)
    assert asked._known, "the latest are"


def test_a_call_keeps_the_route_of_the_first_who_asks() -> None:
    first, second = routes(), routes(ProviderDef("api.openai.com", "mine"))
    call = SimpleNamespace(
        target=("https", "api.openai.com", 443, "/v1/chat/completions", "POST"), route=None
    )
    assert first.of(call).provider == "openai"
    assert second.of(call).provider == "mine", "other rules"
    assert call.route is first.of(call)
    assert second.of(call) is second.of(call)


def test_what_the_rules_say() -> None:
    case = PriceCase(method="GET", usd_per_call=Decimal(1))
    mine = ProviderDef(
        "mine.example", "mine", cost_per_request_cents=7.0, failed_calls_billed=True, prices=(case,)
    )
    asked = routes(mine)
    got, posted = (asked.find(("mine.example", "/a", method)) for method in ("GET", "POST"))
    assert (got.own, got.priced, got.prices.usd_per_call, got.category) == (True, True, Decimal(1), None)
    assert (posted.priced, posted.flat_cents, posted.failed_calls_billed) == (False, Decimal("7.0"), True)


def test_what_no_rule_says() -> None:
    route = routes().find(("nobody.example", "", "GET"))
    assert (route.rule, route.provider, route.shape, route.path) == (None, UNKNOWN_PROVIDER, None, "/")
    assert not any((route.own, route.priced, route.flat_cents, route.failed_calls_billed))


@pytest.mark.parametrize(("method", "known"), [("POST", True), ("GET", False)])
def test_a_built_in_estimate_is_for_post(method: str, known: bool) -> None:
    route = routes().find(("api.openai.com", "/v1/chat/completions", method))
    assert (route.flat_cents is not None) == known
