"""Hacker News."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "hacker-news.firebaseio.com",
        "hackernews",
        "/v0/topstories",
        "topstories",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "hacker-news.firebaseio.com",
        "hackernews",
        "/v0/item",
        "item",
        cost_per_request_cents=0.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("hacker-news.firebaseio.com", "hackernews"),
)
