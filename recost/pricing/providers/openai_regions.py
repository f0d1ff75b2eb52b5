"""OpenAI's hosts for data that stays in a region.

Models released since 2026-03-05 cost a tenth more there, which the shape of the responses takes into account.
"""

from __future__ import annotations

from typing import Final

from recost.pricing.sources import PricePage, openai_like, openai_polls

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://developers.openai.com/api/docs/pricing", "2026-11-21")
_SHAPE: Final = "openai_regional"
_REGIONS: Final = ("us", "eu", "au", "in", "jp")
"""https://developers.openai.com/api/docs/guides/data-residency"""

RULES: Final = tuple(
    rule
    for region in _REGIONS
    for rule in openai_like(
        f"{region}.api.openai.com",
        "openai",
        "/v1",
        _SOURCE,
        usage=_SHAPE,
        cases=openai_polls(_SOURCE, "/v1"),
    )
)
