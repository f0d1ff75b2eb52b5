"""Amazon Bedrock: converse, invoke and OpenAI-style endpoints, plain and streamed.

Shapes: the service model ``bedrock-runtime`` of botocore, and
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Optional

from recost.pricing.usage.extractors import anthropic, bedrock_guardrails, openai
from recost.pricing.usage.fields import add, add_part, child, children, count, identifier
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import tier_name
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"usage"|TokenCount|invocationMetrics|"message_stop"|guardrail')

_METRICS: Final = "amazon-bedrock-invocationMetrics"
_HEADER: Final = "x-amzn-bedrock-{}-count"
_ARN: Final = "arn:"


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage, whose place depends on the endpoint and the model."""
    if response.path.startswith("/guardrail/"):
        return bedrock_guardrails.read_alone(response)
    found = _read(response)
    return None if found is None else bedrock_guardrails.with_guardrails(found, response)


def _read(response: DecodedResponse) -> Optional[Usage]:
    for document in reversed(response.documents):
        units = _read_converse(child(document, "usage"))
        if units:
            return response.usage(
                units,
                _router_choice(document),
                final=_is_final(response, document),
                tier=_tier(response, document),
            )
    found = None if anthropic.is_message(response) else _read_metrics(response)
    return _tiered(
        found or openai.read(response) or _read_metrics(response) or _read_model(response), response
    )


def _read_converse(usage: Mapping[str, Any]) -> dict[str, Number]:
    """Return the counts of a ``TokenUsage``. Its input excludes tokens read from or written to the cache."""
    units: dict[str, Number] = {}
    fresh, output_tokens = count(usage.get("inputTokens")), count(usage.get("outputTokens"))
    cached = _either(usage, "cacheReadInputTokens", "cacheReadInputTokenCount")
    written = _either(usage, "cacheWriteInputTokens", "cacheWriteInputTokenCount")
    lasting = _lasting(usage.get("cacheDetails"))
    if fresh is not None:
        inside = count(usage.get("totalTokens")) == add(fresh, output_tokens)  # some models include the cache
        units["input_tokens"] = fresh if inside else add(fresh, cached, written)
        add_part(units, "cache_read_tokens", cached)
        add_part(
            units,
            "cache_write_tokens",
            written if written is None or lasting > written else written - lasting,
        )
        add_part(units, "cache_write_1h_tokens", lasting)
    if output_tokens is not None:
        units["output_tokens"] = output_tokens
    return units


def _lasting(details: Any) -> Number:
    lasting = [detail for detail in children(details) if detail.get("ttl") == "1h"]
    return add(*(count(detail.get("inputTokens")) for detail in lasting))


def _read_metrics(response: DecodedResponse) -> Optional[Usage]:
    """Return the counts of Bedrock itself, from the last chunk of an invocation or its headers."""
    metrics = next((found for document in response.documents if (found := child(document, _METRICS))), {})
    names = ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
    counts = [count(metrics.get(name)) for name in names]
    if not metrics:
        headers = ("input-token", "output-token", "cache-read-input-token", "cache-write-input-token")
        counts = [count(response.headers.get(_HEADER.format(name))) for name in headers]
    units: dict[str, Number] = {}
    input_tokens, output_tokens, cached, written = counts
    if not input_tokens and "embed" in response.path:
        return None  # embedded images are not counted in tokens
    if input_tokens is not None:
        units["input_tokens"] = add(input_tokens, cached, written)
        add_part(units, "cache_read_tokens", cached)
        add_part(units, "cache_write_tokens", written)
    if output_tokens is not None:
        units["output_tokens"] = output_tokens
    all_counted = cached is not None or (response.ended and not response.gap)
    return response.usage(units, final=bool(metrics) or all_counted)


def _read_model(response: DecodedResponse) -> Optional[Usage]:
    """Return the counts in the documents of Llama and Titan."""
    units: dict[str, Number] = {}
    for document in response.documents:
        input_tokens = _either(document, "prompt_token_count", "inputTextTokenCount")
        output_tokens = _either(document, "generation_token_count", "totalOutputTextTokenCount")
        results = document.get("results")
        if output_tokens is None and isinstance(results, list):
            output_tokens = add(*(count(child(result).get("tokenCount")) for result in results))
        if input_tokens is not None:
            units["input_tokens"] = input_tokens
        if output_tokens is not None:
            units["output_tokens"] = output_tokens
    final = response.is_last(response.last) if response.documents else response.ended
    return response.usage(units, final=final and (len(units) > 1 or not response.gap))


def _router_choice(document: Mapping[str, Any]) -> Optional[str]:
    """Return the model that a prompt router chose, without the account that its ARN names."""
    model = identifier(child(document, "trace", "promptRouter").get("invokedModelId"))
    return model.rpartition("/")[2] if model is not None and model.startswith(_ARN) else model


def _is_final(response: DecodedResponse, document: Mapping[str, Any]) -> bool:
    return response.is_last(document) or (response.streamed and "metrics" in document)


def _tier(response: DecodedResponse, document: Mapping[str, Any]) -> Optional[str]:
    if child(document, "performanceConfig").get("latency") == "optimized":
        return "optimized"
    tier = identifier(child(document, "serviceTier").get("type"))
    return tier_name(tier or response.headers.get("x-amzn-bedrock-service-tier"))


def _tiered(found: Optional[Usage], response: DecodedResponse) -> Optional[Usage]:
    tier = _tier(response, response.last)
    return found if found is None or tier is None else replace(found, tier=tier)


def _either(document: Mapping[str, Any], *names: str) -> Optional[Number]:
    return next((found for name in names if (found := count(document.get(name))) is not None), None)
