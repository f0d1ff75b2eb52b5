"""Google Cloud, Gemini and Google Maps."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Optional

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.prices import NO_USAGE
from recost.pricing.sources import PricePage, per_thousand

__all__ = ["RULES"]

_GEMINI: Final = "generativelanguage.googleapis.com"
_VERTEX_HOSTS: Final = ("*aiplatform.googleapis.com", "aiplatform.*.rep.googleapis.com")
"""Hosts of the global endpoint and of regions, then hosts of the United States and Europe."""
_PLACES: Final = "places.googleapis.com"
_STORAGE: Final = "storage.googleapis.com"
_TOKENS: Final = PricePage("https://ai.google.dev/gemini-api/docs/pricing", "2026-11-21")
_FILES: Final = PricePage("https://ai.google.dev/gemini-api/docs/files", "2026-11-21")
_MAPS: Final = PricePage(
    "https://developers.google.com/maps/billing-and-pricing/pricing (first paid tier)", "2026-11-21"
)
_GCS: Final = PricePage("https://cloud.google.com/storage/pricing (Standard, single region)", "2026-11-21")
_SEARCH: Final = PricePage("https://developers.google.com/custom-search/v1/overview", "2026-11-21")
_POLLS: Final = (
    ("/*/interactions/*", "GET|HEAD"),
    ("/*/interactions/*/cancel", "POST"),
    ("/*/batches/*", "GET|HEAD"),
    ("/download/*/files/*:download", "GET|HEAD"),
)
"""Interactions in the background, batches, and the files that these are stored in."""


def _llm(host: str, path: str, usage: str) -> PriceCase:
    return PriceCase(host=host, path=path, method="POST", usage=usage, genai_provider="google")


def _poll(path: str, method: str) -> PriceCase:
    """Return the case of work that is polled, and billed once, when it is completed."""
    return PriceCase(
        host=_GEMINI,
        path=path,
        method=method,
        usage="gemini",
        genai_provider="google",
        usd_per_call=Decimal(0),
        price_source=_TOKENS.url,
        price_date=_TOKENS.day,
    )


def _per_call(
    host: str, path: Optional[str], thousand: str, source: PricePage, method: Optional[str] = None
) -> PriceCase:
    return PriceCase(
        host=host,
        path=path,
        method=method,
        usd_per_call=per_thousand(thousand),
        price_source=source.url,
        price_date=source.day,
    )


def _vertex(host: str) -> tuple[PriceCase, ...]:
    return (
        _per_call(host, "/**:countTokens", "0", _TOKENS),
        _llm(host, "/**/publishers/anthropic/**", "anthropic"),
        _llm(host, "/**/endpoints/openapi/**", "vertex"),
        _llm(host, "/**", "vertex"),
    )


RULES: Final = (
    ProviderDef(
        "*.googleapis.com",
        "gcp",
        prices=(
            _per_call(_GEMINI, "/**:countTokens", "0", _TOKENS),
            # "The Files API is available at no cost".
            _per_call(_GEMINI, "/upload/*/files**", "0", _FILES),
            _per_call(_GEMINI, "/*/files**", "0", _FILES),
            *(_poll(path, method) for path, method in _POLLS),
            _llm(_GEMINI, "/*/openai/**", "gemini"),
            _llm(_GEMINI, "/**", "gemini"),
            _per_call(_GEMINI, None, "0", _TOKENS),
            *(case for host in _VERTEX_HOSTS for case in _vertex(host)),
            _per_call("maps.googleapis.com", "/maps/api/geocode/**", "5", _MAPS),
            _per_call(_PLACES, "/v1/places:autocomplete", "2.83", _MAPS),
            PriceCase(host=_PLACES, usage=NO_USAGE),  # by the fields that the request asks for
            _per_call("www.googleapis.com", "/customsearch/v1**", "5", _SEARCH),
            _per_call(_STORAGE, "/storage/v1/b/*/o", "0.005", _GCS, "GET"),
            _per_call(_STORAGE, None, "0.005", _GCS, "PUT|POST|PATCH"),
            _per_call(_STORAGE, None, "0.0004", _GCS, "GET|HEAD"),
            _per_call(_STORAGE, None, "0", _GCS, "DELETE"),
        ),
    ),
)
