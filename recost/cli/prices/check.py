"""An explanation of the rule that matches a URL, and of the price of a call."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Optional
from urllib.parse import urlsplit

from recost._money import as_written
from recost._text import printable
from recost.cli._shared.tables import wrap
from recost.cli._shared.terminal import Style
from recost.cli.prices.listing import prices_of, unit_price, without
from recost.pricing.model import MatchResult, ProviderDef
from recost.pricing.paths import model_in_path
from recost.pricing.prices import PriceCase, Prices
from recost.pricing.registry import ProviderRegistry

__all__ = ["explain"]


def explain(registry: ProviderRegistry, url: str, method: str, style: Style) -> int:
    """Print the rule and the price of a URL. Return 1 if no rule matches, 2 if it is not a URL."""
    match = registry.match(url)
    host, path = _target(url)
    if host is None:
        print(f"recost: invalid URL {url.partition('?')[0]!r}: expected https://host/path", file=sys.stderr)
        return 2
    print(style(printable(f"{method} {host}{path}"), "bold"))
    if match is None or match.rule is None:
        for heading, text in (("rule", "no rule matches: provider unknown, cost unknown"), ("hint", _HINT)):
            print(wrap(f"  {heading:<10}", text))
        return 1
    prices = match.rule.prices_for(host, path, method)
    for heading, text in (
        *_rule_lines(registry, match, match.rule, host),
        *_case_lines(match.rule, prices),
        *_price_lines(registry, match, match.rule, prices, path),
    ):
        print(wrap(f"  {heading:<10}", text))
    return 0


_HINT = "custom_providers=[ProviderDef(…)] or providers_file add rules for other hosts"


def _target(url: str) -> tuple[Optional[str], str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None, "/"
    return parts.hostname, parts.path or "/"


def _rule_lines(
    registry: ProviderRegistry, match: MatchResult, rule: ProviderDef, host: str
) -> Iterator[tuple[str, str]]:
    rules = registry.list()
    number = next(index for index, other in enumerate(rules, 1) if other is rule)
    kind = "built in" if registry.is_builtin(rule) else "custom, before the built-in ones"
    yield "rule", f"number {number} of {len(rules)}, {kind}. The first match decides"
    exact = not rule.host_pattern.startswith("*.")
    yield "host", f"{rule.host_pattern}: " + ("the same name" if exact else f"{host} is below it")
    yield "path", f"begins with {rule.path_prefix}" if rule.path_prefix else "any: the rule has no prefix"
    yield "provider", match.provider
    yield "endpoint", match.endpoint_category + ("" if match.categorised else " (the templated path)")


def _case_lines(rule: ProviderDef, prices: Prices) -> Iterator[tuple[str, str]]:
    if isinstance(prices, PriceCase):
        named = (("method", prices.method), ("host", prices.host), ("path", prices.path))
        by = ", ".join(f"{name} {value}" for name, value in named if value is not None)
        yield "case", f"number {rule.prices.index(prices) + 1} of {len(rule.prices)}: {by or 'all calls'}"


def _price_lines(
    registry: ProviderRegistry, match: MatchResult, rule: ProviderDef, prices: Prices, path: str
) -> Iterator[tuple[str, str]]:
    """Yield the sources of the price, in the order in which they are tried."""
    if prices.shape is not None:
        yield "usage", f"read from the response, with capture_usage=True, as {prices.shape!r}"
    texts = _price_texts(registry, match, rule, prices, path)
    yield "priced by", next(texts)
    yield from (("", text) for text in texts)
    yield (
        "failed",
        "failed calls are billed as others" if rule.failed_calls_billed else "failed calls cost nothing",
    )


def _price_texts(
    registry: ProviderRegistry, match: MatchResult, rule: ProviderDef, prices: Prices, path: str
) -> Iterator[str]:
    if prices.shape is not None:
        yield "the cost reported in the response, if any"
    case = prices if isinstance(prices, PriceCase) else None
    own = [
        " ".join(unit_price(usd, unit)) + (f" ({day}, {source})" if source else "")
        for unit, usd, source, day in prices_of(rule, case)
        if usd is not None and "estimate" not in unit
    ]
    custom = not registry.is_builtin(rule)
    if custom:
        yield from (f"custom price: {text}" for text in own)
    if prices.shape is not None and prices.genai_provider is not None:
        named = model_in_path(path)
        model = f", model {named!r} from the path if the response names no model" if named else ""
        yield f"genai-prices, provider {prices.genai_provider!r}, by usage{model}"
    if not custom:
        yield from own
    if own and prices.leaves_out:
        yield without(prices.leaves_out)
    cents = match.cost_cents
    billed = prices.is_priced or prices.genai_provider or case is not None
    if cents is not None and not (cents == 0 and billed):
        estimate = " ".join(unit_price(as_written(cents) / 100, "call"))
        yield f"the flat estimate of {estimate} ({rule.cost_source or 'custom'})"
    yield "otherwise the cost is unknown (not 0)"
