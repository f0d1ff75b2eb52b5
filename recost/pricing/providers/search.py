"""Search and scraping for applications and agents.

Firecrawl and SerpApi are paid by plan, so a custom rule must give their prices.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import PricePage, free, per_thousand

__all__ = ["RULES"]

_ALGOLIA: Final = PricePage("https://www.algolia.com/pricing", "2026-11-21")
_SERPER: Final = PricePage(
    "https://serper.dev, as https://github.com/api-evangelist/serper has transcribed it on 2026-08-13"
    " (the smallest top-up; the largest is 0.30 a thousand)",
    "2026-11-21",
)
_TAVILY: Final = PricePage("https://docs.tavily.com/documentation/api-credits", "2026-11-29")

RULES: Final = (
    *(
        ProviderDef(
            "api.tavily.com",
            "tavily",
            path,
            category,
            usage="tavily",
            usd_per_unit={"credits": Decimal("0.008")},
            # The response states the credits if the request asks for them. A search costs at least one.
            minimum_usd=Decimal("0.008") if path == "/search" else None,
            price_source=f"{_TAVILY.url} (pay as you go)",
            price_date=_TAVILY.day,
            prices=(free(_TAVILY),),
        )
        for path, category in (("/search", "search"), ("/extract", "extract"), (None, None))
    ),
    ProviderDef("api.firecrawl.dev", "firecrawl", usage="firecrawl"),
    ProviderDef("serpapi.com", "serpapi", "/search", "search"),
    ProviderDef(
        "google.serper.dev",
        "serper",
        usage="serper",
        usd_per_unit={"credits": per_thousand("1")},
        # The response states the credits. A query costs at least one.
        minimum_usd=per_thousand("1"),
        price_source=_SERPER.url,
        price_date=_SERPER.day,
    ),
    *(
        ProviderDef(
            host,
            "algolia",
            "/1/indexes",
            prices=(
                PriceCase(
                    path="/1/indexes/*/query",
                    usd_per_call=per_thousand("0.50"),
                    free_units={"calls": Decimal(10_000)},
                    price_source=f"{_ALGOLIA.url} (Grow, after 10,000 a month)",
                    price_date=_ALGOLIA.day,
                ),
            ),
        )
        for host in ("*.algolia.net", "*.algolianet.com")
    ),
)
