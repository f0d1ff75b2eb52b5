"""Pinecone: every index has a host of its own."""

from __future__ import annotations

from typing import Final, Optional

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef
from recost.pricing.sources import PricePage, per_million

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://www.pinecone.io/pricing/ (serverless, Standard, us-east-1)", "2026-11-29")


def _rule(path: Optional[str], category: Optional[str], cents: Optional[float]) -> ProviderDef:
    return ProviderDef(
        "*.pinecone.io",
        "pinecone",
        path,
        category,
        cost_per_request_cents=cents,
        cost_source=None if cents is None else FLAT_ESTIMATE,
        usage="pinecone",
        usd_per_unit={"read_units": per_million("16"), "write_units": per_million("4")},
        price_source=_SOURCE.url,
        price_date=_SOURCE.day,
    )


RULES: Final = (
    _rule("/vectors/upsert", "vector_upsert", 0.08),
    _rule("/query", "vector_query", 0.08),
    _rule(None, None, None),
)
