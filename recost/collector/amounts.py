"""Amounts that the metrics of windows add to counters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Union

from recost._money import EXACT
from recost.wire.parsing import MAX_CENTS, MAX_COUNT_DIGITS

__all__ = ["MIXED", "UNKNOWN", "Amount", "Labels", "amounts_of"]

MIXED: Final = "mixed"
"""The source of a cost of several models and several sources: a window does not say which has which."""
UNKNOWN: Final = "unknown"
"""The source of a cost without one, as in windows of protocol 1.0."""
_SOURCES: Final = ("reported", "computed", "estimated")
_KINDS: Final = {
    "input": "input", "output": "output", "cacheRead": "cache_read", "cacheWrite": "cache_write",
    "reasoning": "reasoning",
}  # fmt: skip
_MODEL_KINDS: Final = {"input": "inputTokens", "output": "outputTokens"}
_MAX_COUNT: Final = 10**MAX_COUNT_DIGITS - 1
_ZERO: Final = Decimal(0)
_ROUNDING: Final = Decimal("1e-9")
"""The share of a cost that may be rounding: each part of it is the nearest float of its own."""


Labels = tuple[str, ...]
"""Project, provider, model, endpoint, environment, and source or kind."""
Amount = tuple[str, Labels, Union[int, Decimal]]
"""An addition to one counter: its family, its labels, and a count or US cents."""


def amounts_of(project: str, environment: str, entry: dict[str, Any]) -> list[Amount]:
    """Return what a valid metric adds. The sum over models is that of the metric, whatever its parts say."""
    provider, endpoint = entry["provider"], entry["endpoint"]
    calls, unpriced = int(entry["requestCount"]), _count(entry.get("unpricedCount"))
    cost = entry["estimatedCostCents"]
    models = _models(entry.get("models"))
    found: list[Amount] = [
        ("errors", (project, provider, "", endpoint, environment, ""), int(entry["errorCount"]))
    ]
    if models and not _is_all(models[0], entry):
        for family, total, field in (
            ("calls", calls, "requestCount"),
            ("unpriced", unpriced, "unpricedCount"),
        ):
            for model, count in _split(models, field, total):
                found.append((family, (project, provider, model, endpoint, environment, ""), count))
        costs, tokens = _costs(models, cost, entry.get("costSource")), _tokens(models, entry.get("tokens"))
    else:  # what most windows have: no model, or one that all calls have
        model = models[0]["model"] if models else ""
        labels = (project, provider, model, endpoint, environment, "")
        found.append(("calls", labels, calls))
        found.append(("unpriced", labels, unpriced))
        costs = [(model, source, part) for source, part in _sources(cost, entry.get("costSource"))]
        tokens = [(model, kind, count) for kind, count in _kinds(entry.get("tokens"))]
    for model, source, part in costs:
        found.append(("cost", (project, provider, model, endpoint, environment, source), part))
    for model, kind, count in tokens:
        found.append(("tokens", (project, provider, model, endpoint, environment, kind), count))
    return found


def _is_all(model: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Return True if a model has all that its metric has."""
    tokens = entry.get("tokens")
    return (
        len(entry["models"]) == 1
        and isinstance(tokens, dict)
        and model.get("requestCount") == entry["requestCount"]
        and model.get("unpricedCount") == entry.get("unpricedCount")
        and model.get("estimatedCostCents") == entry["estimatedCostCents"]
        and model.get("inputTokens") == tokens.get("input")
        and model.get("outputTokens") == tokens.get("output")
    )


def _models(entries: Any) -> list[dict[str, Any]]:
    """Return the valid models of a metric, each once."""
    if not isinstance(entries, list):
        return []
    found = {
        each["model"]: each
        for each in entries
        if isinstance(each, dict) and isinstance(each.get("model"), str)
    }
    return list(found.values())


def _split(models: list[dict[str, Any]], field: str, total: int) -> list[tuple[str, int]]:
    """Return the counts by model, and that of calls without one."""
    parts = [(each["model"], _count(each.get(field))) for each in models]
    rest = total - sum(count for _, count in parts)
    if rest < 0:  # they contradict the total
        return [("", total)]
    return [*parts, ("", rest)] if rest else parts


def _costs(models: list[dict[str, Any]], cost: float, sources: Any) -> list[tuple[str, str, Decimal]]:
    """Return the cents by model and source, without zeros."""
    by_source = _sources(cost, sources)
    by_model = _parts(
        [(each["model"], _cents(each.get("estimatedCostCents"))) for each in models], Decimal(repr(cost))
    )
    if len(by_model) <= 1:
        model = by_model[0][0] if by_model else ""
        return [(model, source, part) for source, part in by_source]
    source = by_source[0][0] if len(by_source) == 1 else MIXED
    return [(model, source, part) for model, part in by_model]


def _sources(cost: float, sources: Any) -> list[tuple[str, Decimal]]:
    """Return the cents by source, without zeros."""
    if not cost:
        return []
    cents = Decimal(repr(cost))
    if not isinstance(sources, dict):
        return [(UNKNOWN, cents)]
    for name in _SOURCES:
        if sources.get(name) == cost and len(sources) == 1:
            return [(name, cents)]
    parts = _parts([(name, _cents(sources.get(name))) for name in _SOURCES], cents)
    return [(name or UNKNOWN, part) for name, part in parts]


def _kinds(tokens: Any) -> list[tuple[str, int]]:
    """Return the tokens by kind, without zeros."""
    if not isinstance(tokens, dict):
        return []
    counts = [(_KINDS.get(field), _count(value)) for field, value in tokens.items()]
    return [(kind, count) for kind, count in counts if kind is not None and count]


def _parts(parts: list[tuple[str, Decimal]], total: Decimal) -> list[tuple[str, Decimal]]:
    """Return parts that have exactly this total: with a nameless rest, and without zeros."""
    parts = [(name, part) for name, part in parts if part]
    if len(parts) == 1 and parts[0][1] == total:
        return parts
    rest = total
    for _, part in parts:
        rest = EXACT.subtract(rest, part)
    if not rest:
        return parts
    if parts and abs(rest) <= EXACT.multiply(total, _ROUNDING):
        index = max(range(len(parts)), key=lambda each: parts[each][1])
        parts[index] = (parts[index][0], EXACT.add(parts[index][1], rest))
        return parts
    return [*parts, ("", rest)] if rest > 0 else [("", total)]  # they contradict the total


def _tokens(models: list[dict[str, Any]], tokens: Any) -> list[tuple[str, str, int]]:
    """Return tokens by model and kind, without zeros. Windows have the models of two kinds only."""
    found = []
    counts = tokens if isinstance(tokens, dict) else {}
    only = models[0]["model"] if len(models) == 1 else ""
    for field, kind in _KINDS.items():
        of_models = _MODEL_KINDS.get(kind)
        total = _count(counts.get(field))
        if of_models is None:
            parts = [(only, total)]
        else:
            known = sum(_count(each.get(of_models)) for each in models)
            parts = _split(models, of_models, total if field in counts else known)
        found += [(model, kind, count) for model, count in parts if count]
    return found


def _count(value: Any) -> int:
    if type(value) is int:
        return value if 0 <= value <= _MAX_COUNT else 0
    return int(value) if type(value) is float and 0 <= value <= _MAX_COUNT and value.is_integer() else 0


def _cents(value: Any) -> Decimal:
    return Decimal(repr(value)) if type(value) in {int, float} and 0 < value <= MAX_CENTS else _ZERO
