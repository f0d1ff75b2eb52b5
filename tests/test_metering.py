"""Whose answers are looked at: asked once a call, so remembered, within bounds, and never with a query."""

from __future__ import annotations

from typing import Any, Callable

from recost.interceptors.exchange import Exchange
from recost.interceptors.fanout import Fan
from recost.metering import Meter
from recost.pricing.registry import ProviderRegistry


def meter() -> Meter:
    return Meter(ProviderRegistry(), report=lambda error: None)


def test_what_is_wanted_of_an_answer_is_the_same_the_second_time() -> None:
    asked = meter()
    for _ in range(2):
        assert asked.wanted(("api.openai.com", "/v1/chat/completions", "POST")) is not None
        assert asked.wanted(("api.openai.com", "/v1/chat/completions?key=sk-1", "POST")) is not None
        assert asked.wanted(("api.openai.com", "/v1/models", "GET")) is None
        assert asked.wanted(("nobody.example", "", "GET")) is None


def test_no_query_is_remembered() -> None:
    asked = meter()
    for number in range(100):
        asked.wanted(("api.openai.com", f"/v1/chat/completions?key=sk-{number}", "POST"))
        asked.wanted(("api.openai.com", f"/v1/chat/completions#{number}", "POST"))
    assert list(asked._known) == [("api.openai.com", "/v1/chat/completions", "POST")]


def test_what_is_remembered_is_bounded() -> None:
    asked = meter()
    for number in range(3000):
        asked.wanted(("api.openai.com", f"/v1/{number}", "POST"))
        asked.wanted(("api.openai.com", f"/v1/{number}" + "x" * 1000, "POST"))
        assert len(asked._known) <= 1024
    assert all(len(path) < 1000 for _, path, _ in asked._known)
    assert asked._known, "the latest are"


class _Interrupted(ProviderRegistry):
    """Lets something else happen in the midst of its first look-up."""

    def __init__(self, meanwhile: Callable[[], Any]) -> None:
        super().__init__()
        self._meanwhile = [meanwhile]

    def lookup(self, host: str, path: str) -> Any:
        while self._meanwhile:
            self._meanwhile.pop()()
        return super().lookup(host, path)


def test_meters_of_several_listeners_that_price_at_once_keep_what_each_has_found() -> None:
    second = meter()
    first = Meter(_Interrupted(lambda: second.cost_of(exchange)), report=lambda error: None)
    fan = Fan([lambda exchange: None], readers=2)
    exchange = Exchange(fan, "httpx", "POST", "https", "api.openai.com", 443, "/v1/chat/completions")
    exchange.finish()
    first.cost_of(exchange)
    assert first.has_priced(exchange)
    assert second.has_priced(exchange)
    assert first.cost_of(exchange) is first.cost_of(exchange)
