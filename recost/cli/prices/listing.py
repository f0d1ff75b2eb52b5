"""The prices of all rules, one per line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import format_unit_price
from recost._text import printable
from recost.cli._shared.formats import UNKNOWN
from recost.cli._shared.tables import shorten
from recost.cli._shared.terminal import WIDTH, Style
from recost.pricing.model import ProviderDef
from recost.pricing.prices import PriceCase
from recost.pricing.registry import ProviderRegistry

__all__ = ["Price", "list_prices", "prices_of", "show_prices", "unit_price", "without"]

REPORTED: Final = "cost in the response"
NO_PRICE: Final = "yours to give"
_REPORTING: Final = frozenset({"exa", "openrouter", "perplexity", "xai"})
_GENAI: Final = "genai-prices, https://github.com/pydantic/genai-prices"


@dataclass(frozen=True)
class Price:
    """One price in the list."""

    provider: str
    where: str
    method: Optional[str]
    unit: str
    usd: Optional[Decimal]
    source: Optional[str]
    date: Optional[str]
    age_months: Optional[int]
    builtin: bool
    leaves_out: tuple[str, ...] = ()
    """Other charges and conditions that are not known. With any of them, the price is an estimate."""

    def to_dict(self) -> dict[str, Any]:
        """Return the price for JSON. Money is a string, which is exact."""
        return {**asdict(self), "usd": None if self.usd is None else format(self.usd, "f")}


def list_prices(registry: ProviderRegistry, provider: Optional[str], today: date) -> list[Price]:
    """Return the prices of all rules, or of one provider."""
    found: list[Price] = []
    for rule in registry.list():
        if provider is None or rule.provider == provider.lower():
            builtin = registry.is_builtin(rule)
            start = len(found)
            for case in (*rule.prices, None):
                where = _where(rule, case)
                for unit, usd, source, day in prices_of(rule, case):
                    method = None if case is None else case.method
                    age = None if day is None else _months(day, today)
                    known = (rule.provider, where, method, unit, usd, source, day, age, builtin)
                    found.append(Price(*known, _left_out(rule, case, usd, day)))
            if len(found) == start:
                where = _where(rule, None)
                found.append(Price(rule.provider, where, None, NO_PRICE, None, None, None, None, builtin))
    return found


def _left_out(
    rule: ProviderDef, case: Optional[PriceCase], usd: Optional[Decimal], day: Optional[str]
) -> tuple[str, ...]:
    """Return the charges that a price does not include. They are unknown for a flat estimate."""
    if usd is None or day is None:
        return ()
    return (rule.own_prices if case is None else case).leaves_out


def prices_of(
    rule: ProviderDef, case: Optional[PriceCase]
) -> Iterator[tuple[str, Optional[Decimal], Optional[str], Optional[str]]]:
    """Yield unit, price, source and date of a rule's own prices, or of one of its cases."""
    prices = rule.own_prices if case is None else case
    source, day = prices.price_source, prices.price_date
    if prices.shape in _REPORTING:
        yield REPORTED, None, None, None
    if prices.shape is not None and prices.genai_provider is not None:
        yield f"tokens ({prices.genai_provider})", None, _GENAI, None
    for name, unit in _AMOUNTS.items():
        usd = getattr(prices, name)
        if usd is not None:
            yield unit, usd, source, day
    for unit, usd in prices.usd_per_unit.items():
        yield unit, usd, source, day
    if case is None and rule.cost_per_request_cents is not None:
        estimate = Decimal(repr(rule.cost_per_request_cents)) / 100
        yield "call (estimate)", estimate, rule.cost_source, None
    for each in rule.path_cases if case is None else ():
        if each.cost_per_request_cents is not None:
            estimate = Decimal(repr(each.cost_per_request_cents)) / 100
            yield f"{each.endpoint_category} (estimate)", estimate, rule.cost_source, None


_AMOUNTS: Final = {
    "usd_per_call": "call",
    "usd_per_gb": "GB",
    "usd_per_gb_up": "GB up",
    "usd_per_gb_down": "GB down",
    "fixed_usd": "counted call",
    "minimum_usd": "call (least)",
}


def show_prices(prices: list[Price], style: Style) -> str:
    """Return prices by provider and path in 80 columns, with numbered sources below."""
    sources: dict[tuple[str, str], int] = {}
    lines: list[str] = []
    provider = where = ""
    for price in prices:
        if price.provider != provider:
            lines += ["", style(printable(price.provider), "bold")]
        target = f"{price.where}  {price.method or ''}".rstrip() + ("" if price.builtin else "  (yours)")
        if (price.provider, target) != (provider, where):
            lines.append("  " + shorten(target, WIDTH - 2))
        provider, where = price.provider, target
        note = ""
        if price.source is not None:
            number = sources.setdefault((price.date or "", price.source), len(sources) + 1)
            note = f"[{number}]"
        amount, unit = _amount(price)
        line, day = f"    {amount:>11}  {unit:<45}", price.date or ""
        if len(line) > _DAY_AT and day:  # the unit of a model with a long name
            lines.append(printable(line.rstrip()))
            line = " " * _DAY_AT
        lines.append(printable(f"{line} {day:>10}  {note}".rstrip()))
        if price.leaves_out:
            lines.append(printable(f"{'':>17}{without(price.leaves_out)}"))
    if sources:
        lines += ["", style("sources", "bold")]
        lines += [_note(number, day, source) for (day, source), number in sources.items()]
    return "\n".join(lines[1:])


def without(names: tuple[str, ...]) -> str:
    """Return a sentence on charges that a price does not include."""
    return f"an estimate, without: {', '.join(names)}"


def _note(number: int, day: str, source: str) -> str:
    heading = f"{f'[{number}]':>6} "
    lines = textwrap.wrap(printable(f"{day} {source}".strip()), WIDTH - len(heading))
    return heading + ("\n" + " " * len(heading)).join(lines)


def _amount(price: Price) -> tuple[str, str]:
    """Return the amount, or its kind if the rule has no amount, and what it is for."""
    if price.usd is None:
        return {REPORTED: "exact", NO_PRICE: UNKNOWN}.get(price.unit, "by model"), price.unit
    return unit_price(price.usd, price.unit)


def unit_price(usd: Decimal, unit: str) -> tuple[str, str]:
    """Return a price in words: ``$0.01`` and ``per web search``, ``$0.1`` and ``per 1,000 calls``."""
    amount, _, per = format_unit_price(usd).partition("/")
    unit, paren, note = unit.partition(" (")
    of, _, name = unit.rpartition(".")  # a unit of one model
    words = {"amount_usd": "dollar charged", "sms": "SMS"}.get(name, name).replace("_", " ")
    if per:
        words = f"{_COUNTS[per]} {words if words.endswith(('s', 'S', 'GB')) else f'{words}s'}"
    elif words.endswith("s"):
        words = words.removesuffix("es" if words.endswith("ches") else "s")
    return amount, f"per {words}{' of ' * bool(of)}{of}{paren}{note}"


_DAY_AT: Final = 62
"""The column of the day before which a price ends, or else has a line of its own."""
_COUNTS: Final = {"1k": "1,000", "1M": "1M"}


def _where(rule: ProviderDef, case: Optional[PriceCase]) -> str:
    if case is None:
        return rule.host_pattern + (rule.path_prefix or "")
    return (case.host or rule.host_pattern) + (case.path or rule.path_prefix or "")


def _months(day: str, today: date) -> int:
    year, month = map(int, day.split("-")[:2])
    return max(0, (today.year - year) * 12 + today.month - month)
