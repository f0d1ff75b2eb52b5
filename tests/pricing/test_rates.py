"""What is found once for many calls is what genai-prices makes of each of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.pricing.genai import GenaiPrices, Quote
from recost.pricing.rates import find_rates, kinds_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
KINDS = (
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens", "output_tokens",
    "reasoning_tokens", "input_audio_tokens", "web_searches",
)  # fmt: skip


class Prices:
    """Prices at a time that the test sets, with and without what was found before."""

    def __init__(self) -> None:
        self.now = NOW
        self._prices = GenaiPrices(None, lambda: self.now)
        self.library: Any = self._prices._load()

    def quote(self, provider: str, model: str, units: dict[str, int], tier: Optional[str]) -> Optional[Quote]:
        return self._prices.quote(provider, [model], units, tier)

    def worked_out(
        self, provider: str, model: str, units: dict[str, int], tier: Optional[str]
    ) -> Optional[Quote]:
        try:
            found: Quote = self.library.work_out(provider, model, units, tier, self.now)
        except (LookupError, ValueError):
            return None
        return found


def models() -> list[tuple[str, str]]:
    data: Any = pytest.importorskip("genai_prices.data")
    return [(provider.id, model.id) for provider in data.providers for model in provider.models]


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.mark.slow
def test_every_model_as_often_as_it_takes(prices: Prices) -> None:
    units = {"input_tokens": 1200, "cache_read_tokens": 1000, "output_tokens": 77, "reasoning_tokens": 0}
    learned = 0
    for provider, model in models():
        for _ in range(10):
            prices.quote(provider, model, units, None)
        other = {"input_tokens": 123_457, "cache_read_tokens": 3, "output_tokens": 1, "reasoning_tokens": 0}
        expected = prices.worked_out(provider, model, other, None)
        assert prices.quote(provider, model, other, None) == expected, (provider, model)
        known = [entry for key, entry in prices.library.known().rates.items() if key[:2] == (provider, model)]
        learned += any(isinstance(entry, tuple) for entry in known)
    assert learned > len(models()) / 2


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(models()),
    st.lists(st.dictionaries(st.sampled_from(KINDS), st.integers(0, 3_000_000)), min_size=1, max_size=5),
    st.sampled_from([None, None, "default", "priority", "flex", "batch"]),
    st.integers(0, 3 * 24 * 60),
)
def test_any_usage(
    model: tuple[str, str], usages: list[dict[str, int]], tier: Optional[str], minutes: int
) -> None:
    prices = Prices()
    prices.now = NOW + timedelta(minutes=minutes)
    for units in usages:
        # mostly they add up
        for part, whole in (("cache_read_tokens", "input_tokens"), ("reasoning_tokens", "output_tokens")):
            if part in units:
                units[whole] = units.get(whole, 0) + units[part]
    for _ in range(11):
        for units in usages:
            assert prices.quote(*model, units, tier) == prices.worked_out(*model, units, tier)


def changes() -> Iterator[tuple[str, str, datetime]]:
    """Yield models, and the instants at which their prices change: each hour, and the first of a day."""
    data: Any = pytest.importorskip("genai_prices.data")
    for provider in data.providers:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                times = [getattr(price.constraint, name, None) for name in ("start_time", "end_time")]
                for of_day in filter(None, times):
                    yield provider.id, model.id, datetime.combine(NOW, of_day).replace(tzinfo=timezone.utc)
                if day := getattr(price.constraint, "start_date", None):
                    yield provider.id, model.id, datetime(day.year, day.month, day.day, tzinfo=timezone.utc)


def test_a_price_that_changes(prices: Prices) -> None:
    every = list(changes())
    hourly = [each for each in every if each[2].date() == NOW.date()]
    assert hourly
    units = {"input_tokens": 1_000_000, "output_tokens": 1_000_000}
    differing = 0
    for provider, model, change in [*hourly, *every[::20]]:
        found = set()
        for second in (-61, -1, 0, 59, 60):
            prices.now = change + timedelta(seconds=second)
            for _ in range(12):
                quote = prices.quote(provider, model, units, None)
            assert quote == prices.worked_out(provider, model, units, None)
            found.add(None if quote is None else quote.usd)
        differing += len(found) > 1
    assert differing


def test_a_model_that_has_no_price_for_one_thing_has_one_for_another(prices: Prices) -> None:
    assert prices.quote("openai", "gpt-4o", {"pages": 3}, None) is None
    assert prices.quote("openai", "gpt-4o", {}, None) is None
    quote = prices.quote("openai", "gpt-4o", {"input_tokens": 3_000_000}, None)
    assert quote is not None
    assert quote.usd == Decimal("7.5")


def test_what_does_not_grow_evenly() -> None:
    units = {"input_tokens": 3, "output_tokens": 2}
    assert find_rates(units, lambda each: Decimal(max(each["input_tokens"], 1000))) is None
    assert find_rates(units, lambda each: Decimal(each["input_tokens"] * each["output_tokens"])) is None
    rates = find_rates(units, lambda each: Decimal(5 + 2 * each["input_tokens"] + 7 * each["output_tokens"]))
    assert rates is not None
    assert rates.price({"input_tokens": 10, "output_tokens": 1}) == 32


@pytest.mark.parametrize(
    "units",
    [
        {"input_tokens": 1, "cache_read_tokens": 2},
        {"input_tokens": 3, "cache_read_tokens": 2, "cache_write_tokens": 2},
        {"output_tokens": 1, "reasoning_tokens": 2},
        {"input_tokens": -1},
        {"input_tokens": 1, "seconds": 2},
        {"input_tokens": Decimal(1)},
        {"input_tokens": True},
    ],
)
def test_usages_that_are_worked_out_each_time(units: dict[str, Any]) -> None:
    assert kinds_of(units) is None
