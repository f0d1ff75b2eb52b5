"""Guardrails of Amazon Bedrock: units of text checked by policies before and after the model.

Shapes: the service model ``bedrock-runtime`` of botocore (``GuardrailUsage``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Optional

from recost.pricing.usage.fields import add_part, child, count, counts
from recost.pricing.usage.model import Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["read_alone", "with_guardrails"]

_UNITS: Final = {
    "contentPolicyUnits": "guardrail_content_units",
    "topicPolicyUnits": "guardrail_topic_units",
    "sensitiveInformationPolicyUnits": "guardrail_pii_units",
    "contextualGroundingPolicyUnits": "guardrail_grounding_units",
}
"""Units by policy. Lists of words and regular expressions are free."""
_OTHERS: Final = {
    "automatedReasoningPolicyUnits": "guardrail_reasoning_units",
    "contentPolicyImageUnits": "guardrail_images",
}
"""Units that are billed by the policy or the image."""
_ACTION: Final = "amazon-bedrock-guardrailAction"
_TRACE: Final = "amazon-bedrock-trace"
_DEPTH: Final = 6


def read_alone(response: DecodedResponse) -> Optional[Usage]:
    """Return the usage of a guardrail that was applied to a text without a model."""
    usage = child(response.last, "usage")
    return response.usage(counts(usage, _UNITS), uncounted=_others([usage]))


def with_guardrails(usage: Usage, response: DecodedResponse) -> Usage:
    """Return a usage with that of the guardrails, which the response states if a trace was requested."""
    if response.gap and not response.streamed:
        usage = replace(usage, partial=True)  # a part of the trace may be missing
    applied = list(_applied(response))
    if not applied:
        if not any(_has_guardrail(document) for document in response.documents):
            return usage
        return replace(usage, uncounted=(*usage.uncounted, "guardrail"))
    units = dict(usage.units)
    for found in applied:
        for name, unit in _UNITS.items():
            add_part(units, unit, count(found.get(name)))
    return replace(usage, units=units, uncounted=(*usage.uncounted, *_others(applied)))


def _applied(response: DecodedResponse) -> Iterator[Mapping[str, Any]]:
    for document in response.documents:
        for trace in (child(document, "trace"), child(document, _TRACE)):
            yield from _metrics(trace.get("guardrail"), _DEPTH)


def _metrics(place: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the usage of each assessment. Assessments are below the ids of guardrails, some in lists."""
    if isinstance(place, list):
        for item in place if depth else ():
            yield from _metrics(item, depth - 1)
    elif isinstance(place, dict):
        usage = child(place, "invocationMetrics", "usage")
        if usage:
            yield usage
            return
        for value in place.values() if depth else ():
            yield from _metrics(value, depth - 1)


def _has_guardrail(document: Mapping[str, Any]) -> bool:
    if child(document, "trace", "guardrail") or _ACTION in document:
        return True
    return document.get("stopReason") == "guardrail_intervened"


def _others(applied: list[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(unit for name, unit in _OTHERS.items() if any(count(found.get(name)) for found in applied))
