"""Helpers of the built-in rules: pages of prices, and prices that several rules share."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final, Optional

from recost.pricing.model import ProviderDef
from recost.pricing.prices import NO_USAGE, PriceCase

__all__ = [
    "OPENAI_FEES",
    "OPENAI_FREE",
    "PricePage",
    "free",
    "openai_like",
    "openai_polls",
    "per_million",
    "per_thousand",
    "unknown",
]


class PricePage:
    """A public page that states prices, with the day on which it was last checked.

    Not a named tuple: its class is compiled from text, which an import at the process's end must not do.

    Args:
        url: The address, followed by the part of the page that applies.
        day: ``"2026-11-29"``, as a literal beside the address: pages are checked one by one.
    """

    __slots__ = ("day", "url")

    def __init__(self, url: str, day: str) -> None:
        self.url = url
        self.day = day


_READ: Final = "GET|HEAD"


def per_thousand(usd: str) -> Decimal:
    """Return the price of one unit, given that of a thousand."""
    return Decimal(usd) / 1000


def per_million(usd: str) -> Decimal:
    """Return the price of one unit, given that of a million."""
    return Decimal(usd) / 1_000_000


@cache  # the hosts of a provider have the same
def free(source: PricePage, path: str = "", method: str = "GET|HEAD|DELETE|OPTIONS") -> PriceCase:
    """Return the case of calls that cost nothing, such as calls that only read."""
    return PriceCase(
        path=path or None,
        method=method or None,
        usage=NO_USAGE,
        usd_per_call=Decimal(0),
        price_source=source.url,
        price_date=source.day,
    )


@cache
def unknown(path: str, method: str = "") -> PriceCase:
    """Return the case of calls whose cost is unknown, under a path that has an estimate."""
    return PriceCase(path=path, method=method or None, usage=NO_USAGE)


OPENAI_FEES: Final = {
    "web_searches": per_thousand("10"),
    "preview_web_searches": per_thousand("25"),
    "file_searches": per_thousand("2.50"),
}
"""One call of a built-in tool, where the list has no price of it for the model. Searches of the preview tool
are those of models that don't reason: https://developers.openai.com/api/docs/pricing."""


OPENAI_FREE: Final = (
    "/responses/input_tokens",
    "/batches/*/cancel",
    "/files**",
    "/uploads**",
    "/vector_stores",
    "/vector_stores/vs_*",
    "/vector_stores/*/files**",
    "/vector_stores/*/file_batches**",
    "/conversations**",
    "/threads",
    "/threads/thread_*",
    "/threads/*/messages**",
    "/assistants**",
)
"""Paths of POST requests that OpenAI and Azure do not bill. They bill tokens, calls of tools and storage."""


@cache
def openai_polls(source: PricePage, base: str, **more: str) -> tuple[PriceCase, ...]:
    """Return the cases of polls that may find billed work completed: OpenAI's responses, batches and runs.

    Args:
        source: Page that lists what is billed, which leaves reading free.
        base: What the paths begin with: ``/v1``.
        more: Other fields of `PriceCase`.
    """
    paths = (
        ("responses/*", _READ),
        ("responses/*/cancel", "POST"),
        ("batches/*", _READ),
        ("threads/*/runs/*", _READ),
        ("threads/*/runs/*/cancel", "POST"),
    )
    return tuple(
        PriceCase(
            path=f"{base}/{path}",
            method=method,
            usd_per_call=Decimal(0),
            usd_per_unit=OPENAI_FEES,
            price_source=source.url,
            price_date=source.day,
            **more,  # type: ignore[arg-type]
        )
        for path, method in (*paths, ("files/*/content", _READ))
    )


def openai_like(
    host: str,
    provider: str,
    base: str,
    source: Optional[PricePage] = None,
    *,
    genai_provider: Optional[str] = "",
    usage: str = "openai",
    genai_factor: Decimal = Decimal(1),
    cases: tuple[PriceCase, ...] = (),
) -> tuple[ProviderDef, ...]:
    """Return the rules of a host whose API is OpenAI's: chat, embeddings, and all other paths.

    Args:
        host: An exact host or ``*.suffix``.
        provider: Name of the provider.
        base: What the paths begin with: ``/v1``.
        source: Page that lists what is billed, which leaves reading free. None: unknown.
        genai_provider: Id in genai-prices. Empty: the provider's name. None: no prices are known.
        usage: Shape of the responses.
        genai_factor: Factor of the prices of genai-prices.
        cases: Other cases, which come before the case of reading.
    """
    endpoints = ((f"{base}/chat/completions", "chat_completions"), (f"{base}/embeddings", "embeddings"))
    return tuple(
        ProviderDef(
            host,
            provider,
            path,
            category,
            usage=usage,
            genai_provider=provider if genai_provider == "" else genai_provider,
            genai_factor=None if genai_factor == 1 else genai_factor,
            prices=cases if source is None else (*cases, free(source)),
        )
        for path, category in (*endpoints, (None, None))
    )
