"""Costs and cache hits that gateways state in response headers, independent of the response's shape.

Sources, as of 2026-11: https://developers.cloudflare.com/ai-gateway/glossary/ (``cf-aig-cache-status``),
https://docs.helicone.ai/features/advanced-usage/caching (``helicone-cache``),
https://portkey.ai/docs/api-reference/response-schema (``x-portkey-cache-status``),
https://docs.litellm.ai/docs/proxy/response_headers (``x-litellm-response-cost``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, Optional

from recost._patterns import LazyPattern
from recost.captured import CapturedResponse
from recost.pricing.usage.model import Usage

__all__ = ["GATEWAY_HEADERS", "gateway_headers", "with_headers"]

_CLOUDFLARE: Final = "cf-aig-cache-status"
_HELICONE: Final = "helicone-cache"
_PORTKEY: Final = "x-portkey-cache-status"
_LITELLM: Final = "x-litellm-response-cost"

GATEWAY_HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "litellm": (_LITELLM,),
    "portkey": (_PORTKEY, "x-portkey-provider"),
}
"""Names by the shape of a rule, for gateways on any host."""
_COST: Final = LazyPattern(r"[0-9]{1,15}(?:\.[0-9]{1,30})?(?:e-[0-9]{1,2})?\Z")
"""US dollars, as Python prints a float."""
_CACHES: Final = (_CLOUDFLARE, _HELICONE, _PORTKEY)


def gateway_headers(host: str) -> tuple[str, ...]:
    """Return the names of the headers in which the gateway at a host reports cache hits."""
    if host == "gateway.ai.cloudflare.com":
        return (_CLOUDFLARE,)
    return (_HELICONE,) if host.endswith((".helicone.ai", ".hconeai.com")) else ()


def with_headers(captured: CapturedResponse, usage: Optional[Usage]) -> Optional[Usage]:
    """Return a usage with the cost that a gateway's headers state. A response from its cache costs 0.

    LiteLLM sends its header before a stream, whose cost is not yet known. It is ignored there.
    """
    headers = captured.headers
    if any(headers.get(name, "").upper().endswith("HIT") for name in _CACHES):
        return Usage(None if usage is None else usage.model, reported_usd=Decimal(0))
    stated = headers.get(_LITELLM, "")
    if not _COST.match(stated) or captured.content_type.lower().startswith("text/event-stream"):
        return usage
    return replace(usage or Usage(), reported_usd=Decimal(stated), parts=(), uncounted=())
