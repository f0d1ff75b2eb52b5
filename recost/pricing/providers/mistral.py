"""Mistral. Its regional hosts cost a tenth more than the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import PricePage, free, openai_like, per_thousand

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://mistral.ai/pricing/api", "2026-11-21")
_REGIONAL: Final = PricePage("https://docs.mistral.ai/inference/regional-inference", "2026-11-21")


def _rules(host: str, factor: Decimal) -> tuple[ProviderDef, ...]:
    source = _SOURCE if factor == 1 else _REGIONAL
    ocr = ProviderDef(
        host,
        "mistral",
        "/v1/ocr",
        "ocr",
        usage="mistral",
        genai_provider="mistral",
        genai_factor=None if factor == 1 else factor,
        usd_per_unit={"pages": per_thousand("4") * factor},
        prices=(free(_SOURCE),),
        price_source=source.url,
        price_date=source.day,
    )
    return (
        ocr,
        *openai_like(host, "mistral", "/v1", _SOURCE, usage="mistral", genai_factor=factor),
    )


RULES: Final = (
    *_rules("api.mistral.ai", Decimal(1)),
    *_rules("api.eu.mistral.ai", Decimal("1.1")),
    *_rules("api.us.mistral.ai", Decimal("1.1")),
)
