"""Write the table of all built-in rules: ``python -m tests.pricing.rules_page > recost/pricing/rules.md``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Optional

from recost._money import format_unit_price
from recost.cli.prices.listing import prices_of
from recost.pricing.model import ProviderDef
from recost.pricing.prices import NO_USAGE, PriceCase
from recost.pricing.providers import BUILTIN_PROVIDERS

__all__ = ["page"]

_HEADING = """\
# The built-in rules

The prices of `recost.BUILTIN_PROVIDERS`, in the order in which rules are tried. The first matching line of a
rule decides. `python -m tests.pricing.rules_page` writes this table. `recost prices` shows the same, with the
age of each price.

Prices of tokens are those of [genai-prices](https://github.com/pydantic/genai-prices), by model. A flat
estimate is for POST, in `recost.init()` without `capture_usage` and where a response doesn't state its
usage. *Unknown* costs are counted, and no sum includes them. A price *without* something is an estimate.

| endpoint | method | what is billed | source | checked |
|---|---|---|---|---|
"""


def page() -> str:
    """Return the page, in Markdown."""
    return _HEADING + "".join(f"| {' | '.join(row)} |\n" for row in _rows())


def _rows() -> Iterator[tuple[str, str, str, str, str]]:
    for rule in BUILTIN_PROVIDERS:
        for case in (*rule.prices, None):
            prices = rule.own_prices if case is None else case
            billed, sources, days = [], [], []
            for unit, usd, source, day in prices_of(rule, case):
                billed.append(_billed(unit, usd))
                sources += [source] if source and source not in sources else []
                days += [day] if day and day not in days else []
            if prices.leaves_out:
                billed.append(f"without: {', '.join(prices.leaves_out)}")
            yield (
                f"`{_endpoint(rule, case)}`",
                _method(rule, case),
                "; ".join(billed) or _nothing(prices.usage),
                ", ".join(sources),
                ", ".join(days),
            )


def _endpoint(rule: ProviderDef, case: Optional[PriceCase]) -> str:
    host = rule.host_pattern if case is None else case.host or rule.host_pattern
    path = rule.path_prefix if case is None else case.path or rule.path_prefix
    return host + (path or "")


def _method(rule: ProviderDef, case: Optional[PriceCase]) -> str:
    if case is not None and case.method is not None:
        return case.method.replace("|", ", ")
    return "POST" if case is None and rule.cost_source else ""


def _billed(unit: str, usd: Optional[Decimal]) -> str:
    if usd is None:
        return unit
    return "the call is free" if usd == 0 and unit == "call" else f"{format_unit_price(usd)} for {unit}"


def _nothing(usage: Optional[str]) -> str:
    return "unknown" if usage in (None, NO_USAGE) else "unknown: custom rule needed"


if __name__ == "__main__":
    print(page(), end="")
