"""Costs that a response states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Callable, Final, Optional

from recost.pricing.usage.fields import add, child, children, dollars, scaled
from recost.pricing.usage.response import DecodedResponse

__all__ = ["reported_cost"]


def reported_cost(response: DecodedResponse, usage: Mapping[str, Any]) -> Optional[Decimal]:
    """Return the US dollars that a response states in its ``usage`` or beside it."""
    if response.shape == "vercel":
        return _read_vercel(response.documents)
    reader = _READERS.get(response.shape)
    return None if reader is None else reader(usage)


def _read_vercel(documents: Sequence[Mapping[str, Any]]) -> Optional[Decimal]:
    """Return the cost stated by Vercel's gateway. Its ``cost`` is 0 if another party bills the call.

    https://vercel.com/docs/ai-gateway, as of 2026-11.
    """
    for document in reversed(documents):
        for choice in children(document.get("choices")):
            message = child(choice, "message") or child(choice, "delta")
            gateway = child(message, "provider_metadata", "gateway")
            for name in ("cost", "marketCost"):
                cost = scaled(gateway.get(name), 0)
                if cost:
                    return cost
    return None


def _read_openrouter(usage: Mapping[str, Any]) -> Optional[Decimal]:
    """Return OpenRouter's total cost. With the user's own key it is a fee on top of the provider's bill.

    https://openrouter.ai/docs/use-cases/usage-accounting
    """
    cost = dollars(usage.get("cost"))
    if cost is None or usage.get("is_byok") is not True:
        return cost
    upstream = dollars(child(usage, "cost_details").get("upstream_inference_cost"))
    return Decimal(add(cost, upstream))


def _read_perplexity(usage: Mapping[str, Any]) -> Optional[Decimal]:
    return dollars(child(usage, "cost").get("total_cost"))


def _read_xai(usage: Mapping[str, Any]) -> Optional[Decimal]:
    """Return xAI's cost, given in ticks of $10^-10: https://docs.x.ai/developers/cost-tracking."""
    return scaled(usage.get("cost_in_usd_ticks"), -10)


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Optional[Decimal]]]] = {
    "openrouter": _read_openrouter,
    "perplexity": _read_perplexity,
    "xai": _read_xai,
}
