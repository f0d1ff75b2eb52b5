"""Usage that a response reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Optional, Union

__all__ = ["Number", "Usage"]

Number = Union[int, Decimal]


@dataclass(frozen=True)
class Usage:
    """Usage that a response reports: numbers and names, no text."""

    model: Optional[str] = None
    """Model that the provider used (resolved), at most 200 characters, or None if it names no model."""
    units: Mapping[str, Number] = field(default_factory=dict, hash=False)
    """Quantities by unit. A missing unit is unknown, or was not used.

    ``input_tokens`` includes cached tokens, and ``output_tokens`` includes reasoning, whatever the provider's
    own convention is. Other units of tokens are parts of these:

    - ``cache_read_tokens``, ``cache_write_tokens`` (kept for five minutes, or the provider's default),
      ``cache_write_1h_tokens`` (kept for an hour, and not in ``cache_write_tokens``)
    - ``input_audio_tokens``, ``cache_audio_read_tokens``, ``output_audio_tokens`` (also image, video)
    - ``input_tool_tokens``, ``reasoning_tokens``, ``output_citation_tokens``

    Other units:

    - ``seconds``, ``channels``, ``characters``, ``pages``, ``annotated_pages``, ``images``, ``input_pixels``
    - ``web_searches``, ``preview_web_searches`` (of a tool with a price of its own), ``file_searches``,
      ``searches`` (reranked)
    - ``classifications``, ``credits``, ``segments``, ``records``, ``read_units``, ``write_units``,
      ``rerank_units``, ``low_context_requests`` (also medium, high)
    - ``amount_usd`` (or another currency): money that was moved, in the currency's minor unit
    """
    reported_usd: Optional[Decimal] = None
    """Cost that the response states, in exact US dollars."""
    tier: Optional[str] = None
    """Service tier, speed or batch, as reported: ``"flex"``, ``"priority"``, ``"batch"``, ``"fast"`` …"""
    partial: bool = False
    """True if the response was cut off before its final usage, or a part that counts is missing."""
    parts: tuple[Usage, ...] = ()
    """Usage of each model, if there are several. Their sum is ``units``."""
    token_factor: Optional[Decimal] = None
    """Factor of the token prices, because of where the model ran. None means 1."""
    served_by: Optional[str] = None
    """Provider behind a router, as the response names it."""
    uncounted: tuple[str, ...] = ()
    """Names of what was also billed and is not counted in the response."""
    receipts: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Hashed ids of what was billed. A usage with an id that was seen before is not billed again."""
    requests: int = 1
    """Number of requests that the quantities are the sum of."""
