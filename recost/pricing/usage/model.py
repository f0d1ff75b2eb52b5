"""What a response reports of its own consumption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Optional, Union

__all__ = ["Number", "Usage"]

Number = Union[int, Decimal]


@dataclass(frozen=True)
class Usage:
    """What a response reports of its own consumption: numbers and names, no text."""

    model: Optional[str] = None
    """The model that the provider says it used (resolved), at most 200 characters; None: it names none."""
    units: Mapping[str, Number] = field(default_factory=dict, hash=False)
    """How much of what, by unit; a unit that is not there is not known, or was not used.

    ``input_tokens`` has all that went in, cached tokens included, and ``output_tokens`` all that came out,
    reasoning included, whatever the provider's own convention is. Other units of tokens are parts of these:
    ``cache_read_tokens``, ``cache_write_tokens`` (kept for five minutes, or as long as the provider does by
    default), ``cache_write_1h_tokens`` (kept for an hour; not in ``cache_write_tokens``),
    ``input_audio_tokens``, ``input_image_tokens``, ``input_video_tokens``, ``cache_audio_read_tokens`` (and
    image, video), ``input_tool_tokens``, ``reasoning_tokens``, ``output_citation_tokens``,
    ``output_audio_tokens`` (and image, video).

    Others: ``seconds``, ``channels``, ``characters``, ``pages``, ``annotated_pages``, ``images``,
    ``input_pixels``, ``web_searches``, ``preview_web_searches`` (those of a tool that is billed otherwise),
    ``file_searches``, ``searches`` (reranked ones), ``classifications``, ``credits``,
    ``low_context_requests`` (and medium, high), ``segments``, ``read_units``, ``write_units``,
    ``rerank_units``, ``records``, and ``amount_usd`` (any currency): an amount of money that was moved, in
    the currency's minor unit.
    """
    reported_usd: Optional[Decimal] = None
    """The cost that the response itself states, in US dollars, exact."""
    tier: Optional[str] = None
    """Service tier, speed or batch as reported: ``"flex"``, ``"priority"``, ``"batch"``, ``"fast"`` …"""
    partial: bool = False
    """True: the response was cut before its final usage, or a part of it that counts is missing."""
    parts: tuple[Usage, ...] = ()
    """The usage of each model, where several answered: together they are ``units``."""
    token_factor: Optional[Decimal] = None
    """What the prices of tokens are multiplied by, because of where the model ran; None: 1."""
    served_by: Optional[str] = None
    """The provider behind a router, as the response names it."""
    uncounted: tuple[str, ...] = ()
    """What was billed as well, and the response has no count of."""
    receipts: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """Numbers made of the ids of what was billed: what is read again under one is not billed again."""
    requests: int = 1
    """How many requests these are the sums of."""
