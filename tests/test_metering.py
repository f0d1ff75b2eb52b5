"""Whose answers are looked at: asked once a call, so remembered, within bounds, and never with a query."""

from __future__ import annotations

from recost.metering import Meter
from recost.pricing.registry import ProviderRegistry


def meter() -> Meter:
    return Meter(ProviderRegistry(), report=lambda error: None)


def test_what_is_wanted_of_an_answer_is_the_same_the_second_time() -> None:
    asked = meter()
    for _ in range(2):
        assert asked.wanted("api.openai.com", "/v1/chat/completions", "POST") is not None
        assert asked.wanted("api.openai.com", "/v1/chat/completions?key=sk-1", "POST") is not None
        assert asked.wanted("api.openai.com", "/v1/models", "GET") is None
        assert asked.wanted("nobody.example", "", "GET") is None


def test_no_query_is_remembered() -> None:
    asked = meter()
    for number in range(100):
        asked.wanted("api.openai.com", f"/v1/chat/completions?key=sk-{number}", "POST")
        asked.wanted("api.openai.com", f"/v1/chat/completions#{number}", "POST")
    assert not asked._known


def test_what_is_remembered_is_bounded() -> None:
    asked = meter()
    for number in range(3000):
        asked.wanted("api.openai.com", f"/v1/{number}", "POST")
        asked.wanted("api.openai.com", f"/v1/{number}" + "x" * 1000, "POST")
        assert len(asked._known) <= 1024
    assert all(len(path) < 1000 for _, path, _ in asked._known)
    assert asked._known, "the latest are"
