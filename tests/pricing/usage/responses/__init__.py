"""Answers of real APIs, in shape, with what they say was used worked out by hand: `SAMPLES`."""

from __future__ import annotations

from tests.pricing.usage.responses import (
    anthropic,
    aws,
    azure,
    cached,
    chats,
    clouds,
    compatible,
    google,
    lists,
    models,
    multiple,
    neighbours,
    openai,
    openai_batches,
    openai_media,
    openai_tools,
    regions,
    reported,
    routed,
    search,
    units,
)
from tests.pricing.usage.responses.build import Sample

__all__ = ["SAMPLES", "Sample"]

SAMPLES: list[Sample] = [
    *openai.SAMPLES,
    *openai_media.SAMPLES,
    *openai_tools.SAMPLES,
    *openai_batches.SAMPLES,
    *azure.SAMPLES,
    *anthropic.SAMPLES,
    *google.SAMPLES,
    *aws.SAMPLES,
    *cached.SAMPLES,
    *reported.SAMPLES,
    *chats.SAMPLES,
    *models.SAMPLES,
    *search.SAMPLES,
    *units.SAMPLES,
    *multiple.SAMPLES,
    *regions.SAMPLES,
    *routed.SAMPLES,
    *lists.SAMPLES,
    *neighbours.SAMPLES,
    *clouds.SAMPLES,
    *compatible.SAMPLES,
]
