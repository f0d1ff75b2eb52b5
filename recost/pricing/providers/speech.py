"""Speech, and models that are billed by the time they run.

The prices of ElevenLabs, Deepgram and Replicate depend on the plan, the model or the machine. A custom rule
can give them: ``usd_per_unit={"characters": …}`` or ``{"seconds": …}``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.sources import PricePage, free

__all__ = ["RULES"]

_ASSEMBLYAI: Final = PricePage("https://www.assemblyai.com/pricing", "2026-11-21")

RULES: Final = (
    ProviderDef(
        "api.elevenlabs.io", "elevenlabs", "/v1/text-to-speech", "text_to_speech", usage="elevenlabs"
    ),
    ProviderDef("api.elevenlabs.io", "elevenlabs"),
    ProviderDef("api.deepgram.com", "deepgram", "/v1/listen", "audio_transcription", usage="deepgram"),
    ProviderDef("api.deepgram.com", "deepgram", "/v1/speak", "text_to_speech", usage="deepgram"),
    ProviderDef("api.deepgram.com", "deepgram"),
    ProviderDef(
        "api.assemblyai.com",
        "assemblyai",
        "/v2/transcript",
        "audio_transcription",
        prices=(
            # The poll that finds the transcript completed is billed. Earlier polls state no duration.
            PriceCase(
                path="/v2/transcript/*",
                method="GET",
                usage="assemblyai",
                usd_per_unit={"seconds": Decimal("0.15") / 3600},
                price_source=f"{_ASSEMBLYAI.url} (Universal-2, $0.15 an hour; other models up to $0.21)",
                price_date=_ASSEMBLYAI.day,
            ),
            free(_ASSEMBLYAI, method=""),
        ),
    ),
    ProviderDef("api.assemblyai.com", "assemblyai"),
    ProviderDef("api.replicate.com", "replicate", "/v1/predictions", "predictions", usage="replicate"),
    ProviderDef("api.replicate.com", "replicate"),
)
