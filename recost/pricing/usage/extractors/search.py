"""Searches and scrapes: Exa, Tavily, Firecrawl, Serper."""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.fields import UNKNOWN, add_part, child, count, dollars, receipt
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"costDollars"|"usage"|"credits(?:Used)?"')


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the cost or the credits that the response states."""
    if response.shape == "exa":
        return _read_exa(response)
    if response.shape == "serper":
        return _read_serper(response)
    document = response.last
    if response.shape == "tavily":
        found = count(child(document, "usage").get("credits"))
    else:
        found = count(document.get("creditsUsed"))
        if found is None:
            return _read_pages(response)
    crawl = receipt(response.path) if response.shape == "firecrawl" else ()
    return None if found is None else response.usage({"credits": found}, receipts=crawl)


def _read_exa(response: DecodedResponse) -> Optional[Usage]:
    """Return the cost: https://docs.exa.ai/reference/search, ``costDollars``."""
    cost = None
    for document in response.documents:
        found = dollars(child(document, "costDollars").get("total"))
        cost = cost if found is None else found
    return response.usage({}, reported_usd=cost, receipts=receipt(response.last.get("researchId")))


def _read_serper(response: DecodedResponse) -> Optional[Usage]:
    """Return the credits. The response to a batch of queries is a list that states those of each."""
    units: dict[str, Number] = {}
    for document in response.documents:
        add_part(units, "credits", count(document.get("credits")))
    return response.usage(units, final=response.ended and not (response.streamed and response.gap))


def _read_pages(response: DecodedResponse) -> Optional[Usage]:
    """Return the credits of the pages in the ``data`` of Firecrawl's scrape."""
    pages = response.last.get("data", response.last.get(UNKNOWN))
    units: dict[str, Number] = {}
    for page in pages if isinstance(pages, list) else [pages]:
        add_part(units, "credits", count(child(page, "metadata").get("creditsUsed")))
    whole = not response.gap or not isinstance(pages, list)
    return response.usage(units, final=response.ended and whole)
