"""An example call for each built-in rule, with its response and its cost, worked out by hand: `example_of`.

Prices in the comments are those of the sources that the rules name, in US dollars for a million tokens
unless another quantity is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple, Optional

from recost.pricing.model import ProviderDef

__all__ = ["Example", "example_of"]


class Example(NamedTuple):
    """A call, its response, and its cost."""

    method: str
    path: str
    """Without the rule's prefix."""
    response: Any
    usd: Optional[str]
    """None: unknown."""
    source: str = "computed"
    host: str = ""
    """Empty: the rule's host pattern with ``x`` for ``*``."""
    headers: Mapping[str, str] = {}
    """Headers of the response."""


_UNKNOWN = "unknown"


def _chat(model: str, usd: str, path: str = "", **more: Any) -> Example:
    """Return the example of a chat with 1,000 tokens in and 100 out."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **more}
    reported = "cost" in more
    return Example(
        "POST", path, {"model": model, "usage": usage}, usd, "reported" if reported else "computed"
    )


def _embeddings(model: Optional[str], usd: Optional[str]) -> Example:
    """Return the example of embeddings of 1,000 tokens."""
    source = "computed" if usd is not None else _UNKNOWN
    response: dict[str, Any] = {
        "object": "list",
        "data": [],
        "model": model,
        "usage": {"prompt_tokens": 1000},
    }
    return Example("POST", "", response, usd, source)


def _free(path: str, method: str = "GET") -> Example:
    return Example(method, path, {}, "0")


def _unknown(method: str, path: str, response: Any = None) -> Example:
    return Example(method, path, response or {}, None, _UNKNOWN)


_NEWER = _embeddings("tomorrow-9", None)
"""For providers without a model that has a price for this."""
_UNPRICED = _chat("tomorrow-9", "")._replace(usd=None, source=_UNKNOWN)
"""For providers whose prices are unknown: the response is read, and its tokens are counted."""

_CHATS = {
    "openai": _chat("gpt-4o-mini", "0.00021"),  # $0.15, $0.60
    "mistral": _chat("mistral-large-2512", "0.00065"),  # $0.50, $1.50
    "groq": _chat("llama-3.3-70b-versatile", "0.000669"),  # $0.59, $0.79
    "deepseek": _chat("deepseek-v3.2", "0.00026312"),  # $0.2288, $0.3432
    "together": _chat("zai-org/GLM-5.2", "0.00184"),  # $1.40, $4.40
    "fireworks": _chat("accounts/fireworks/models/gpt-oss-120b", "0.00021"),  # $0.15, $0.60
    "cerebras": _chat("qwen-3-32b", "0.00048"),  # $0.40, $0.80
    "voyage": _UNPRICED,
    "moonshot": _chat("kimi-k2.6", "0.00135"),  # $0.95, $4
    "zai": _chat("glm-4.6", "0.00082"),  # $0.60, $2.20
    "zhipuai": _chat("glm-4-plus", "0.000759"),  # $0.69 both
    "novita": _chat("baidu/ernie-4.5-21B-a3b", "0.000098"),  # $0.07, $0.28
    "minimax": _chat("MiniMax-M2", "0.00042"),  # $0.30, $1.20
    "baseten": _chat("deepseek-ai/DeepSeek-V4-Pro", "0.002088"),  # $1.74, $3.48
    "ovhcloud": _chat("Meta-Llama-3_3-70B-Instruct", "0.000814"),  # $0.74 both
    "arcee": _chat("deepseek/deepseek-v4-pro", "0.002088"),  # $1.74, $3.48
    "avian": _chat("Meta-Llama-3.3-70B-Instruct", "0.000495"),  # $0.45 both
    "meta": _chat("muse-spark-1.1", "0.001675"),  # $1.25, $4.25
    "openrouter": _chat("openai/gpt-5", "0.002", cost=0.002),
    "xai": _chat("grok-4.5", "0.0026"),  # $2, $6
    "perplexity": _chat("sonar", "0.006", cost={"total_cost": 0.006}),
}
_EMBEDDINGS = {
    "openai": _embeddings("text-embedding-3-small", "0.00002"),
    "mistral": _embeddings("mistral-embed", "0.0001"),
    "voyage": _embeddings("voyage-3.5", "0.00006"),
}
_NOT_KNOWN_TO_BE_FREE = ("arcee", "avian", "baseten", "meta", "minimax", "ovhcloud", "zhipuai")
"""Providers whose pages were not read: what a list of models costs there is unknown."""
_BY_TOKENS = (
    "dashscope",
    "deepinfra",
    "github_models",
    "hyperbolic",
    "mistral",  # its host for plans
    "nebius",
    "nvidia",
    "sambanova",
)
"""Providers whose tokens are counted without a price."""
_LISTS = {
    "fireworks": "/inference/v1/models",
    "groq": "/openai/v1/models",
    "openrouter": "/api/v1/models",
    "zai": "/api/paas/v4/models",
}
_IMAGE = {"created": 1, "data": [{"b64_json": "AA"}]}
_TRANSCRIPT = {"id": "t1", "status": "completed", "speech_model": "universal", "audio_duration": 3600}
_MESSAGE = {
    "type": "message",
    "model": "claude-haiku-4-5",
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
_CHARGE = {
    "object": "charge",
    "status": "succeeded",
    "captured": True,
    "currency": "usd",
    "amount_captured": 2000,
}
_INTENT = {"object": "payment_intent", "status": "succeeded", "currency": "usd", "amount_received": 2000}
_SMS = "/2010-04-01/Accounts/AC1/Messages.json"
_WORKERS_AI = "/client/v4/accounts/1/ai/run/@cf/meta/llama-3.1-8b-instruct"

_OWN: dict[tuple[str, Optional[str]], Example] = {
    # $0.05
    ("voyage", "/v1/rerank"): Example(
        "POST", "", {"model": "rerank-2.5", "usage": {"total_tokens": 1000}}, "0.00005"
    ),
    # $4 for 1,000 pages of the model that the list knows best.
    ("mistral", "/v1/ocr"): Example(
        "POST", "", {"model": "mistral-ocr-latest", "usage_info": {"pages_processed": 10}}, "0.04"
    ),
    ("openai", "/v1/images/generations"): Example("POST", "", _IMAGE, "0.04", "estimated"),
    # $0.006 a minute, if it is whisper-1.
    ("openai", "/v1/audio/transcriptions"): Example(
        "POST", "", {"text": "x", "usage": {"type": "duration", "seconds": 60}}, "0.006", "estimated"
    ),
    ("openai", "/v1/audio/speech"): Example("POST", "", {}, "0.015", "estimated"),
    ("openai", None): _free("/v1/files", "POST"),
    ("anthropic", "/v1/messages"): Example("POST", "", _MESSAGE, "0.0015"),  # $1, $5
    ("anthropic", None): _free("/v1/files", "POST"),
    # 2.9 % of $20, and 30 cents, if the card is of the US.
    ("stripe", "/v1/charges"): Example("POST", "", _CHARGE, "0.88", "estimated"),
    ("stripe", "/v1/payment_intents"): Example("POST", "", _INTENT, "0.88", "estimated"),
    ("stripe", "/v1/customers"): _free("", "POST"),
    ("stripe", "/v1/subscriptions"): _unknown("POST", ""),
    ("stripe", None): _unknown("POST", "/v1/tax/calculations"),
    # $0.0083 a segment, without the carriers' fees.
    ("twilio", None): Example("POST", _SMS, {"num_segments": "2"}, "0.0166", "estimated"),
    ("sendgrid", "/v3/mail/send"): Example("POST", "", {}, "0.001", "estimated"),
    ("sendgrid", None): _unknown("POST", "/v3/marketing/contacts"),
    ("pinecone", "/vectors/upsert"): Example("POST", "", {"upsertedCount": 1}, "0.0008", "estimated"),
    ("pinecone", "/query"): Example("POST", "", {"usage": {"readUnits": 6}}, "0.000096"),  # $16
    ("pinecone", None): Example("GET", "/vectors/fetch", {"usage": {"readUnits": 1}}, "0.000016"),
    # $0.035, $0.14
    ("aws", None): Example(
        "POST",
        "/model/amazon.nova-micro-v1:0/converse",
        {"usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100}},
        "0.000049",
        host="bedrock-runtime.us-east-1.amazonaws.com",
    ),
    # $0.30, $2.50
    ("gcp", None): Example(
        "POST",
        "/v1beta/models/gemini-2.5-flash:generateContent",
        {
            "modelVersion": "gemini-2.5-flash",
            "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100},
        },
        "0.00055",
        host="generativelanguage.googleapis.com",
    ),
    ("github", "/repos"): _free("/o/r"),
    ("github", "/users"): _free("/u"),
    ("github", "/search"): _free("/code"),
    ("github", None): _free("/rate_limit"),
    ("coingecko", "/api/v3/simple/price"): _unknown("GET", ""),
    ("coingecko", "/api/v3/coins"): _unknown("GET", "/markets"),
    ("coingecko", None): _unknown("GET", "/api/v3/ping"),
    ("hackernews", "/v0/topstories"): _unknown("GET", ""),
    ("hackernews", "/v0/item"): _unknown("GET", "/8863"),
    ("hackernews", None): _unknown("GET", "/v0/maxitem.json"),
    ("wttr", None): _unknown("GET", "/London"),
    ("zenquotes", None): _unknown("GET", "/api/random"),
    ("ip-api", None): _unknown("GET", "/json"),
    ("azure", None): _chat("gpt-4o-mini", "0.00021", "/openai/deployments/d/chat/completions"),
    ("openrouter", "/api/v1/embeddings"): _embeddings("openai/text-embedding-3-small", None),
    ("openrouter", "/api/v1"): _free("/models"),
    ("exa", "/search"): Example(
        "POST", "", {"results": [], "costDollars": {"total": 0.005}}, "0.005", "reported"
    ),
    ("exa", "/contents"): Example("POST", "", {"costDollars": {"total": 0.001}}, "0.001", "reported"),
    ("exa", None): _free("/research/v1"),
    ("huggingface", None): _chat("llama-3.3-70b-versatile", "", "/v1/chat/completions")._replace(
        usd=None, source=_UNKNOWN
    ),
    # $0.282, $0.827
    ("cloudflare", None): Example(
        "POST",
        _WORKERS_AI,
        {"result": {"response": "x", "usage": {"prompt_tokens": 1000, "completion_tokens": 100}}},
        "0.0003647",
    ),
    ("elevenlabs", "/v1/text-to-speech"): _unknown("POST", "/v1")._replace(headers={"character-cost": "5"}),
    ("elevenlabs", None): _unknown("GET", "/v1/voices"),
    ("deepgram", "/v1/listen"): _unknown("POST", "", {"metadata": {"duration": 60}}),
    ("deepgram", "/v1/speak"): _unknown("POST", ""),
    ("deepgram", None): _unknown("GET", "/v1/projects"),
    ("assemblyai", "/v2/transcript"): Example("GET", "/t1", _TRANSCRIPT, "0.15"),  # an hour
    ("assemblyai", None): _unknown("POST", "/v2/upload"),
    ("replicate", "/v1/predictions"): _unknown(
        "GET", "/p1", {"status": "succeeded", "metrics": {"predict_time": 2.5}}
    ),
    ("replicate", None): _unknown("GET", "/v1/models"),
    ("tavily", "/search"): Example("POST", "", {"usage": {"credits": 2}}, "0.016"),  # $0.008 a credit
    ("tavily", "/extract"): Example("POST", "", {"usage": {"credits": 5}}, "0.04"),
    ("tavily", None): Example("POST", "/crawl", {"usage": {"credits": 10}}, "0.08"),
    ("firecrawl", None): _unknown("POST", "/v1/scrape", {"creditsUsed": 1}),
    ("serpapi", "/search"): _unknown("GET", ""),
    ("serper", None): Example("POST", "/search", {"organic": [], "credits": 2}, "0.002"),  # $1 a thousand
    ("algolia", "/1/indexes"): Example("POST", "/movies/query", {"hits": []}, "0"),  # of 10,000 free ones
    ("mapbox", "/geocoding"): _free("/v5/mapbox.places/x.json"),  # of 100,000 free ones
    ("mapbox", "/search/geocode"): _free("/v6/forward"),
    ("mapbox", "/directions"): _free("/v5/mapbox/driving/1,2;3,4"),
    ("mapbox", None): _unknown("GET", "/styles/v1/mapbox/streets-v12"),
    ("deepl", "/v2/translate"): _unknown("POST", "", {"translations": [{"billed_characters": 5}]}),
    ("deepl", None): _unknown("GET", "/v2/languages"),
    ("slack", None): _free("/api/chat.postMessage", "POST"),
}
_BY_HOST = {
    "api-free.deepl.com": _free("/v2/translate", "POST"),
    "gateway.ai.cloudflare.com": _chat("gpt-4o-mini", "0.00021", "/v1/acc/gw/openai/chat/completions"),
    "gateway.pydantic.dev": _chat("gpt-4o-mini", "0.00021", "/proxy/openai/chat/completions"),
    "gateway-us.pydantic.dev": Example("POST", "/proxy/anthropic/v1/messages", _MESSAGE, "0.0015"),
    "gateway-eu.pydantic.dev": _chat("gpt-4o-mini", "0.00021", "/proxy/chat/chat/completions"),
    "oai.helicone.ai": _chat("gpt-4o-mini", "0.00021", "/v1/chat/completions"),
    "oai.hconeai.com": _chat("gpt-4o-mini", "0.00021", "/v1/chat/completions"),
    "anthropic.helicone.ai": Example("POST", "/v1/messages", _MESSAGE, "0.0015"),
    "groq.helicone.ai": _CHATS["groq"]._replace(path="/openai/v1/chat/completions"),
    "perplexity.helicone.ai": _CHATS["perplexity"]._replace(path="/chat/completions"),
    "uploads.github.com": _free("/repos/o/r/releases/1/assets", "POST"),
    **{
        host: _chat("system.ai.gpt-oss-20b", "0.0001", "/chat/completions")  # $0.07, $0.30
        for host in ("*.cloud.databricks.com", "*.azuredatabricks.net", "*.gcp.databricks.com")
    },
    "*.models.ai.azure.com": _chat("phi-4", "0.000175", "/v1/chat/completions"),  # $0.125, $0.50
    "api.portkey.ai": _unknown("POST", "/chat/completions", {"model": "gpt-4o-mini", "usage": {}}),
    "ai-gateway.vercel.sh": _chat("openai/gpt-4o-mini", "0.00021", "/chat/completions"),
    # The list has another name of the model.
    "*.api.aws": _chat("openai.gpt-oss-120b", "", "/v1/chat/completions")._replace(
        usd=None, source=_UNKNOWN, host="bedrock-mantle.us-east-1.api.aws"
    ),
}
_COHERE = {
    "chat": _unknown("POST", "", {"usage": {"billed_units": {"input_tokens": 100, "output_tokens": 50}}}),
    "embed": _unknown("POST", "", {"meta": {"billed_units": {"input_tokens": 100}}}),
    "rerank": Example("POST", "", {"meta": {"billed_units": {"search_units": 3}}}, "0.006"),  # $2 a thousand
}


def example_of(rule: ProviderDef) -> Example:
    """Return the example of a rule, with its whole path.

    Raises:
        KeyError: An example is missing.
    """
    prefix = rule.path_prefix or ""
    found = _BY_HOST.get(rule.host_pattern) or _find(rule)
    host = found.host or rule.host_pattern.replace("*", "x")
    usd = found.usd
    if usd is not None and rule.genai_factor is not None and found.source == "computed":
        usd = str(Decimal(usd) * rule.genai_factor)
    return found._replace(host=host, path=prefix + found.path, usd=usd)


def _find(rule: ProviderDef) -> Example:
    provider, prefix = rule.provider, rule.path_prefix
    if rule.usage is not None and rule.genai_provider is None and provider in _BY_TOKENS:
        return _NEWER if (prefix or "").endswith("/embeddings") else _UNPRICED
    regional = rule.host_pattern.endswith(".api.openai.com")
    if (provider, prefix) in _OWN and not (regional and prefix is None):
        return _OWN[provider, prefix]
    if provider == "cohere":
        return _COHERE[(prefix or "").rpartition("/")[2]] if prefix else _free("/v1/models")
    if prefix is None and provider in _NOT_KNOWN_TO_BE_FREE:
        return _unknown("GET", "/v1/models")
    if prefix is None and provider in {*_CHATS, *_LISTS, *_BY_TOKENS, "openai"}:
        return _free(_LISTS.get(provider, "/v1/models"))
    return _EMBEDDINGS.get(provider, _NEWER) if (prefix or "").endswith("/embeddings") else _CHATS[provider]
