"""Calls through gateways: priced as their provider's, by what the gateway says, or free from its cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Optional

import pytest

from recost import ProviderDef
from recost.interceptors.capture import WholeCapture
from recost.interceptors.exchange import nowhere
from recost.interceptors.request_body import keep_body
from recost.metering import Meter
from recost.pricing.cost import Cost
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from tests.exchanges import begun

pytest.importorskip("genai_prices", minversion="0.2", reason="these prices are not installed")

CHAT: Final[Mapping[str, Any]] = {
    "object": "chat.completion",
    "model": "gpt-4o-mini",
    "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
"""At $0.15 and $0.60 a million: $0.00021."""
MESSAGE: Final[Mapping[str, Any]] = {
    "type": "message",
    "model": "claude-sonnet-4-20250514",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hello"}],
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
"""At $3 and $15 a million: $0.0045."""
CONTENT: Final[Mapping[str, Any]] = {
    "candidates": [{"content": {"parts": [{"text": "Hello"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100},
    "modelVersion": "gemini-2.0-flash",
}
"""At $0.10 and $0.40 a million: $0.00014."""


def cost_of(
    url: str,
    document: Mapping[str, Any],
    headers: Optional[Mapping[str, str]] = None,
    *,
    rules: tuple[ProviderDef, ...] = (),
    streamed: bool = False,
) -> Cost:
    """Return the cost of a call whose response has these headers. Headers that are not read are dropped."""
    routes = Routes(ProviderRegistry(list(rules)))
    meter = Meter(routes, report=lambda _: None)
    host, _, path = url.partition("/")
    exchange = begun(nowhere, "httpx", ("https", host, 443, f"/{path}", "POST"))
    exchange.status = 200
    wanted = routes.find((host, f"/{path}", "POST")).wanted
    assert wanted is not None
    body = json.dumps(document).encode()
    content_type = "text/event-stream" if streamed else "application/json"
    body = b"data: " + body + b"\n\ndata: [DONE]\n\n" if streamed else body
    exchange.capture = WholeCapture(wanted.headers, headers or {}, content_type, body)
    exchange.finish()
    return meter.cost_of(exchange)


def with_cost(**gateway: str) -> dict[str, Any]:
    """Return Vercel's response: the provider is in the model's name, the cost in the message's metadata."""
    message = {"role": "assistant", "content": "Hello", "provider_metadata": {"gateway": gateway}}
    return {**CHAT, "model": "openai/gpt-4o-mini", "choices": [{"finish_reason": "stop", "message": message}]}


@pytest.mark.parametrize(
    ("url", "document", "usd"),
    [
        ("gateway.ai.cloudflare.com/v1/acc/gw/openai/chat/completions", CHAT, "0.00021"),
        ("gateway.ai.cloudflare.com/v1/acc/gw/anthropic/v1/messages", MESSAGE, "0.0045"),
        (
            "gateway.ai.cloudflare.com/v1/acc/gw/google-ai-studio/v1beta/models/gemini-2.0-flash:generateContent",
            CONTENT,
            "0.00014",
        ),
        ("gateway.pydantic.dev/proxy/openai/chat/completions", CHAT, "0.00021"),
        ("gateway-us.pydantic.dev/proxy/anthropic/v1/messages", MESSAGE, "0.0045"),
        ("gateway-eu.pydantic.dev/proxy/chat/chat/completions", CHAT, "0.00021"),
        ("oai.helicone.ai/v1/chat/completions", CHAT, "0.00021"),
        ("oai.hconeai.com/v1/chat/completions", CHAT, "0.00021"),
        ("anthropic.helicone.ai/v1/messages", MESSAGE, "0.0045"),
    ],
)
def test_the_host_or_the_path_tells_who_is_behind(url: str, document: Mapping[str, Any], usd: str) -> None:
    cost = cost_of(url, document)
    assert (cost.source, cost.usd) == ("computed", Decimal(usd))


@pytest.mark.parametrize(
    ("url", "header", "hit"),
    [
        ("gateway.ai.cloudflare.com/v1/acc/gw/openai/chat/completions", "cf-aig-cache-status", "HIT"),
        ("oai.helicone.ai/v1/chat/completions", "helicone-cache", "HIT"),
        ("api.portkey.ai/v1/chat/completions", "x-portkey-cache-status", "SEMANTIC HIT"),
    ],
)
def test_what_comes_from_a_gateways_cache_costs_nothing(url: str, header: str, hit: str) -> None:
    behind = {"x-portkey-provider": "openai"}
    for streamed in (False, True):
        cost = cost_of(url, CHAT, {header: hit, **behind}, streamed=streamed)
        assert (cost.source, cost.model) == ("reported", "gpt-4o-mini")
        assert cost.usd == 0
        assert cost.usage is not None
        assert not cost.usage.units
    for other in ("MISS", "SEMANTIC MISS", "DISABLED", "REFRESH", ""):
        assert cost_of(url, CHAT, {header: other, **behind}).usd == Decimal("0.00021")


def test_a_providers_own_response_reports_no_cache_hits() -> None:
    # A header of that name from a host that is no gateway's is not even kept.
    cost = cost_of("api.openai.com/v1/chat/completions", CHAT, {"cf-aig-cache-status": "HIT"})
    assert cost.usd == Decimal("0.00021")


@pytest.mark.parametrize(
    ("provider", "document", "usd"),
    [
        ("openai", CHAT, "0.00021"),
        ("anthropic", {**CHAT, "model": "claude-sonnet-4-20250514"}, "0.0045"),
        ("mistral-ai", {**CHAT, "model": "mistral-large-2411"}, "0.0026"),
        ("xai", {**CHAT, "model": "grok-3-mini"}, "0.00035"),
    ],
)
def test_portkey_names_the_provider_in_a_header(provider: str, document: Mapping[str, Any], usd: str) -> None:
    url = "api.portkey.ai/v1/chat/completions"
    cost = cost_of(url, document, {"x-portkey-provider": provider})
    assert (cost.source, cost.usd) == ("computed", Decimal(usd))
    assert cost_of(url, document).source == "unknown"  # nobody says who was behind it
    assert cost_of(url, document, {"x-portkey-provider": "nobody\x1b[2J"}).source == "unknown"


@pytest.mark.parametrize(
    ("asked", "headers", "source", "usd"),
    [
        ("openai/gpt-4o-mini", {}, "computed", "0.00021"),
        ("openai/gpt-4o-mini", {"cf-aig-provider": "openai"}, "computed", "0.00021"),
        ("dynamic/cheap", {"cf-aig-provider": "openai"}, "computed", "0.00021"),
        ("dynamic/cheap", {}, "unknown", None),
        ("gpt-4o-mini", {}, "unknown", None),
    ],
)
def test_cloudflare_names_the_provider_in_a_header_or_the_request_does(
    asked: str, headers: Mapping[str, str], source: str, usd: Optional[str]
) -> None:
    routes = Routes(ProviderRegistry())
    path = "/v1/acc/gw/compat/chat/completions"
    exchange = begun(nowhere, "httpx", ("https", "gateway.ai.cloudflare.com", 443, path, "POST"))
    exchange.status = 200
    wanted = routes.of(exchange).wanted
    assert wanted is not None
    assert wanted.fields == ("model",)
    exchange.request = keep_body(json.dumps({"model": asked, "messages": []}).encode(), wanted.fields)
    exchange.capture = WholeCapture(wanted.headers, headers, "application/json", json.dumps(CHAT).encode())
    exchange.finish()
    cost = Meter(routes, report=lambda _: None).cost_of(exchange)
    assert (cost.source, cost.usd) == (source, None if usd is None else Decimal(usd))


@pytest.mark.parametrize(
    ("document", "source", "usd"),
    [
        (with_cost(cost="0.0002", marketCost="0.00021"), "reported", "0.0002"),
        (with_cost(cost="0", marketCost="0.00019"), "reported", "0.00019"),  # with a key of one's own
        (with_cost(cost="0"), "computed", "0.00021"),
        (with_cost(cost="-1"), "computed", "0.00021"),
        (with_cost(cost="1e999"), "computed", "0.00021"),
        ({**CHAT, "model": "openai/gpt-4o-mini"}, "computed", "0.00021"),
        ({**CHAT, "model": "nobody/gpt-4o-mini"}, "unknown", None),
        (CHAT, "unknown", None),
    ],
)
def test_vercel_names_the_provider_in_the_model(
    document: Mapping[str, Any], source: str, usd: Optional[str]
) -> None:
    cost = cost_of("ai-gateway.vercel.sh/v1/chat/completions", document)
    assert (cost.source, cost.usd) == (source, None if usd is None else Decimal(usd))


OWN: Final = ProviderDef("llm.example.com", "litellm", usage="litellm")


@pytest.mark.parametrize(
    ("told", "streamed", "source", "usd"),
    [
        ("0.000345", False, "reported", "0.000345"),
        ("3.45e-05", False, "reported", "0.0000345"),
        ("0.0", False, "reported", "0"),  # from its cache
        ("None", False, "unknown", None),
        ("-1", False, "unknown", None),
        ("0.000345", True, "unknown", None),  # told before the stream had cost anything
    ],
)
def test_litellm_tells_the_cost_in_a_header(
    told: str, streamed: bool, source: str, usd: Optional[str]
) -> None:
    headers = {"x-litellm-response-cost": told}
    for document in (CHAT, {"object": "list", "data": []}, MESSAGE):
        cost = cost_of("llm.example.com/v1/any", document, headers, rules=(OWN,), streamed=streamed)
        assert (cost.source, cost.usd) == (source, None if usd is None else Decimal(usd))
