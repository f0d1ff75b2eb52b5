"""Pinecone: every index has a host of its own."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "*.pinecone.io",
        "pinecone",
        "/vectors/upsert",
        "vector_upsert",
        cost_per_request_cents=0.08,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "*.pinecone.io",
        "pinecone",
        "/query",
        "vector_query",
        cost_per_request_cents=0.08,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("*.pinecone.io", "pinecone", cost_per_request_cents=0.04, cost_source=FLAT_ESTIMATE),
)
