"""Inference providers whose API is OpenAI's. A workspace of Databricks has a host of its own."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import PricePage, free, openai_like, per_million, unknown

__all__ = ["RULES"]

_DATABRICKS: Final = PricePage(
    "https://www.databricks.com/product/pricing/foundation-model-serving", "2026-11-21"
)
_GROQ: Final = PricePage("https://console.groq.com/docs/models", "2026-11-21")
_DEEPSEEK: Final = PricePage("https://api-docs.deepseek.com/quick_start/pricing", "2026-11-21")
_TOGETHER: Final = PricePage("https://www.together.ai/pricing", "2026-11-21")
_FIREWORKS: Final = PricePage("https://fireworks.ai/pricing", "2026-11-21")
_CEREBRAS: Final = PricePage("https://www.cerebras.ai/pricing", "2026-11-21")
_VOYAGE: Final = PricePage("https://docs.voyageai.com/docs/pricing", "2026-11-21")
_RERANKERS: Final = PricePage(
    "https://docs.voyageai.com/docs/pricing (rerankers, as litellm's list has them)", "2026-11-29"
)
_MOONSHOT: Final = PricePage("https://platform.moonshot.ai/docs/pricing/chat", "2026-11-21")
_ZAI: Final = PricePage("https://docs.z.ai/guides/overview/pricing", "2026-11-21")
_NOVITA: Final = PricePage("https://novita.ai/docs/guides/llm-billing", "2026-11-29")
_LISTED: Final = (
    ("api.minimax.io", "minimax", "/v1"),
    ("api.minimaxi.com", "minimax", "/v1"),
    ("inference.baseten.co", "baseten", "/v1"),
    ("oai.endpoints.kepler.ai.cloud.ovh.net", "ovhcloud", "/v1"),
    ("api.arcee.ai", "arcee", "/api/v1"),
    ("api.avian.io", "avian", "/v1"),
    ("api.meta.ai", "meta", "/v1"),
)
"""Host, provider, and base of the paths. genai-prices has prices of their tokens."""
_RERANK: Final = {
    "rerank-3": "0.05",
    "rerank-3-lite": "0.02",
    "rerank-2.5": "0.05",
    "rerank-2.5-lite": "0.02",
    "rerank-2": "0.05",
    "rerank-2-lite": "0.02",
    "rerank-1": "0.05",
    "rerank-lite-1": "0.02",
}
"""Models of Voyage that genai-prices doesn't have: dollars for a million tokens."""

RULES: Final = (
    *openai_like("api.groq.com", "groq", "/openai/v1", _GROQ, usage="groq"),
    *openai_like("api.deepseek.com", "deepseek", "", _DEEPSEEK, usage="deepseek"),
    *openai_like("api.together.ai", "together", "/v1", _TOGETHER, usage="together"),
    # Where Together's own SDK sends chats, since version 3.
    *openai_like("api-inference.together.ai", "together", "/v1", _TOGETHER, usage="together"),
    *openai_like("api.together.xyz", "together", "/v1", _TOGETHER, usage="together"),
    *openai_like("api.fireworks.ai", "fireworks", "/inference/v1", _FIREWORKS, usage="fireworks"),
    *openai_like("api.cerebras.ai", "cerebras", "/v1", _CEREBRAS, usage="cerebras"),
    ProviderDef(
        "api.voyageai.com",
        "voyage",
        "/v1/rerank",
        usage="voyage",
        genai_provider="voyageai",
        usd_per_unit={f"{model}.input_tokens": per_million(usd) for model, usd in _RERANK.items()},
        prices=(free(_VOYAGE),),
        price_source=_RERANKERS.url,
        price_date=_RERANKERS.day,
    ),
    *openai_like("api.voyageai.com", "voyage", "/v1", _VOYAGE, usage="voyage", genai_provider="voyageai"),
    *openai_like(
        "api.moonshot.ai", "moonshot", "/v1", _MOONSHOT, usage="moonshot", genai_provider="moonshotai"
    ),
    *openai_like(
        "api.moonshot.cn", "moonshot", "/v1", _MOONSHOT, usage="moonshot", genai_provider="moonshotai"
    ),
    # Calls within a plan for coding have no price by token.
    *openai_like("api.z.ai", "zai", "/api/paas/v4", _ZAI, usage="zai", cases=(unknown("/api/coding/**"),)),
    *openai_like(
        "open.bigmodel.cn", "zhipuai", "/api/paas/v4", usage="zai", cases=(unknown("/api/coding/**"),)
    ),
    *openai_like("api.novita.ai", "novita", "/openai", _NOVITA, usage="compatible"),
    *(
        rule
        for host, provider, base in _LISTED
        for rule in openai_like(host, provider, base, usage="compatible")
    ),
    *(
        ProviderDef(
            host,
            "databricks",
            "/serving-endpoints",
            usage="databricks",
            genai_provider="databricks",
            prices=(free(_DATABRICKS),),
        )
        for host in ("*.cloud.databricks.com", "*.azuredatabricks.net", "*.gcp.databricks.com")
    ),
)
