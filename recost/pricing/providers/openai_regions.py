"""OpenAI's hosts for data that stays in a region.

Regional processing of some models costs a tenth more, which is not in these prices.
"""

from __future__ import annotations

from typing import Final

from recost.pricing.sources import openai_like, openai_polls

__all__ = ["RULES"]

_SOURCE: Final = "https://developers.openai.com/api/docs/pricing"

RULES: Final = tuple(
    rule
    for host in ("us.api.openai.com", "eu.api.openai.com")
    for rule in openai_like(host, "openai", "/v1", _SOURCE, cases=openai_polls(_SOURCE, "/v1"))
)
