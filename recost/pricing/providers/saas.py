"""Other services: maps, translation, chat, files of releases."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import PricePage, per_thousand

__all__ = ["RULES"]

_MAPBOX: Final = PricePage("https://www.mapbox.com/pricing (after 100,000 a month)", "2026-11-21")
_DEEPL_FREE: Final = PricePage(
    "https://support.deepl.com/hc/en-us/articles/360021200939-DeepL-API-plans (API Free)", "2026-11-21"
)
_SLACK: Final = PricePage("https://docs.slack.dev/apis/web-api/ (part of every plan)", "2026-11-21")
_GITHUB: Final = PricePage("https://docs.github.com/en/rest", "2026-11-21")

RULES: Final = (
    *(
        ProviderDef(
            "api.mapbox.com",
            "mapbox",
            path,
            category,
            usd_per_call=per_thousand(price),
            free_units={"calls": Decimal(100_000)},
            price_source=_MAPBOX.url,
            price_date=_MAPBOX.day,
        )
        for path, category, price in (
            ("/geocoding", "geocoding", "0.75"),
            ("/search/geocode", "geocoding", "0.75"),
            ("/directions", "directions", "2"),
        )
    ),
    ProviderDef("api.mapbox.com", "mapbox"),
    ProviderDef("api.deepl.com", "deepl", "/v2/translate", "translate", usage="deepl"),
    ProviderDef("api.deepl.com", "deepl"),
    ProviderDef(
        "api-free.deepl.com",
        "deepl",
        usd_per_call=Decimal(0),
        price_source=_DEEPL_FREE.url,
        price_date=_DEEPL_FREE.day,
    ),
    *(
        ProviderDef(
            host,
            "slack",
            usd_per_call=Decimal(0),
            price_source=_SLACK.url,
            price_date=_SLACK.day,
        )
        for host in ("slack.com", "hooks.slack.com")
    ),
    ProviderDef(
        "uploads.github.com",  # files of releases
        "github",
        usd_per_call=Decimal(0),
        price_source=_GITHUB.url,
        price_date=_GITHUB.day,
    ),
)
