"""Searches and scrapes: Exa, Tavily, Firecrawl, Serper."""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import UNKNOWN, add_part, child, count, dollars, receipt
from recost.pricing.usage.model import Number, Usage

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"costDollars"|"usage"|"credits(?:Used)?"')


def read(answer: Answer) -> Optional[Usage]:
    """Return the cost or the credits that the answer names."""
    if answer.shape == "exa":
        return _read_exa(answer)
    if answer.shape == "serper":
        return _read_serper(answer)
    document = answer.last
    if answer.shape == "tavily":
        found = count(child(document, "usage").get("credits"))
    else:
        found = count(document.get("creditsUsed"))
        if found is None:
            return _read_pages(answer)
    crawl = receipt(answer.path) if answer.shape == "firecrawl" else ()
    return None if found is None else answer.usage({"credits": found}, receipts=crawl)


def _read_exa(answer: Answer) -> Optional[Usage]:
    """Return the cost: https://docs.exa.ai/reference/search, ``costDollars``."""
    cost = None
    for document in answer.documents:
        found = dollars(child(document, "costDollars").get("total"))
        cost = cost if found is None else found
    return answer.usage({}, reported_usd=cost, receipts=receipt(answer.last.get("researchId")))


def _read_serper(answer: Answer) -> Optional[Usage]:
    """Return the credits; a batch of queries is answered with a list that names them for each."""
    units: dict[str, Number] = {}
    for document in answer.documents:
        add_part(units, "credits", count(document.get("credits")))
    return answer.usage(units, final=answer.ended and not (answer.streamed and answer.gap))


def _read_pages(answer: Answer) -> Optional[Usage]:
    """Return the credits that the pages of Firecrawl's scrape name, in its ``data``."""
    pages = answer.last.get("data", answer.last.get(UNKNOWN))
    units: dict[str, Number] = {}
    for page in pages if isinstance(pages, list) else [pages]:
        add_part(units, "credits", count(child(page, "metadata").get("creditsUsed")))
    whole = not answer.gap or not isinstance(pages, list)
    return answer.usage(units, final=answer.ended and whole)
