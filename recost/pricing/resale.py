"""Providers that bill what another provider does: routers, gateways, and Databricks for Claude."""

from __future__ import annotations

from typing import Final, Optional

from recost._patterns import LazyPattern

__all__ = ["prices_of_others"]

_OWN_NAMES: Final = {
    "aws-bedrock": "aws",
    "azure-openai": "azure",
    "bedrock": "aws",
    "fireworks-ai": "fireworks",
    "google-ai-studio": "google",
    "google-vertex-ai": "google",
    "grok": "x-ai",
    "mistral-ai": "mistral",
    "perplexity-ai": "perplexity",
    "together-ai": "together",
    "vertex-ai": "google",
    "workers-ai": "cloudflare",
    "xai": "x-ai",
}
"""Providers behind routers and gateways that pass their prices on unchanged, by their other ids:
https://huggingface.co/docs/inference-providers/pricing, https://vercel.com/docs/ai-gateway/pricing, as of
2026-11."""
_CLAUDE: Final = LazyPattern(
    r"(?:databricks-|system\.ai\.|(?:[a-z]{2,8}\.)?anthropic\.)(claude-[a-z0-9-]{1,64}?)(?:-v[0-9]{1,2}(?::[0-9])?)?\Z"
)
"""Databricks takes what Anthropic does for its models:
https://www.databricks.com/product/pricing/proprietary-foundation-model-serving (DBU at $0.07, in
litellm's list), as of 2026-11-30. It is an estimate: the price of a DBU depends on region and contract."""


def prices_of_others(
    provider: str, served_by: Optional[str], models: tuple[Optional[str], ...]
) -> Optional[tuple[str, tuple[Optional[str], ...]]]:
    """Return the provider whose prices apply to models without a price at the first one, and their names."""
    if served_by is not None:  # the router adds nothing to what that provider takes
        return _OWN_NAMES.get(served_by, served_by), models
    if provider == "databricks":
        found = [_CLAUDE.match(name) for name in models if name]
        names = tuple(match.group(1) for match in found if match is not None)
        return ("anthropic", names) if names else None
    return None
