"""Pricing a call once, also where several listeners price it at the same time."""

from __future__ import annotations

from typing import Any, Callable

from recost.interceptors.fanout import FanoutSink
from recost.metering import Meter
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from tests.exchanges import begun


def meter() -> Meter:
    return Meter(Routes(ProviderRegistry()), report=lambda error: None)


class _Interrupted(ProviderRegistry):
    """Lets something else happen in the midst of its first look-up."""

    def __init__(self, meanwhile: Callable[[], Any]) -> None:
        super().__init__()
        self._meanwhile = [meanwhile]

    def resolve(self, host: str, path: str) -> Any:
        while self._meanwhile:
            self._meanwhile.pop()()
        return super().resolve(host, path)


def test_meters_of_several_listeners_that_price_at_once_keep_what_each_has_found() -> None:
    second = meter()
    first = Meter(Routes(_Interrupted(lambda: second.cost_of(exchange))), report=lambda error: None)
    fan = FanoutSink([lambda exchange: None], readers=2)
    exchange = begun(fan, "httpx", ("https", "api.openai.com", 443, "/v1/chat/completions", "POST"))
    exchange.finish()
    first.cost_of(exchange)
    assert first.has_priced(exchange)
    assert second.has_priced(exchange)
    assert first.cost_of(exchange) is first.cost_of(exchange)
