"""Other services: maps, translation, chat, files of releases."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import ProviderDef
from recost.pricing.sources import LOOKED_UP, per_thousand

__all__ = ["RULES"]

_MAPBOX: Final = "https://www.mapbox.com/pricing (after 100,000 a month)"

RULES: Final = (
    *(
        ProviderDef(
            "api.mapbox.com",
            "mapbox",
            path,
            category,
            usd_per_call=per_thousand(price),
            free_units={"calls": Decimal(100_000)},
            price_source=_MAPBOX,
            price_date=LOOKED_UP,
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
        price_source="https://support.deepl.com/hc/en-us/articles/360021200939-DeepL-API-plans (API Free)",
        price_date=LOOKED_UP,
    ),
    *(
        ProviderDef(
            host,
            "slack",
            usd_per_call=Decimal(0),
            price_source="https://docs.slack.dev/apis/web-api/ (part of every plan)",
            price_date=LOOKED_UP,
        )
        for host in ("slack.com", "hooks.slack.com")
    ),
    ProviderDef(
        "uploads.github.com",  # files of releases
        "github",
        usd_per_call=Decimal(0),
        price_source="https://docs.github.com/en/rest",
        price_date=LOOKED_UP,
    ),
)
