"""OpenAI."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Optional

from recost.pricing.model import FLAT_ESTIMATE, PriceCase, ProviderDef
from recost.pricing.sources import (
    OPENAI_FEES,
    OPENAI_FREE,
    PricePage,
    free,
    openai_polls,
    per_million,
    unknown,
)

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://developers.openai.com/api/docs/pricing", "2026-11-21")
_DALL_E_PAGES: Final = PricePage(
    "https://developers.openai.com/api/docs/models/dall-e-2 and"
    " https://developers.openai.com/api/docs/models/dall-e-3",
    "2026-11-21",
)
_WHISPER: Final = PricePage("https://developers.openai.com/api/docs/models/whisper-1", "2026-11-21")
_FREE: Final = (*OPENAI_FREE, "/moderations", "/realtime/client_secrets", "/traces/ingest")
_DALL_E: Final = {
    "dall-e-2.256x256.standard.images": "0.016",
    "dall-e-2.512x512.standard.images": "0.018",
    "dall-e-2.1024x1024.standard.images": "0.02",
    "dall-e-3.1024x1024.standard.images": "0.04",
    "dall-e-3.1024x1792.standard.images": "0.08",
    "dall-e-3.1792x1024.standard.images": "0.08",
    "dall-e-3.1024x1024.hd.images": "0.08",
    "dall-e-3.1024x1792.hd.images": "0.12",
    "dall-e-3.1792x1024.hd.images": "0.12",
}
_IMAGES: Final[dict[str, Any]] = {
    "usd_per_unit": {name: Decimal(usd) for name, usd in _DALL_E.items()},
    "price_source": _DALL_E_PAGES.url,
    "price_date": _DALL_E_PAGES.day,
}
"""GPT Image states tokens, DALL-E only images."""


def _rule(
    path: Optional[str], category: Optional[str], cents: Optional[float], *cases: PriceCase, **prices: Any
) -> ProviderDef:
    return ProviderDef(
        "api.openai.com",
        "openai",
        path,
        category,
        cost_per_request_cents=cents,
        cost_source=None if cents is None else FLAT_ESTIMATE,
        prices=(*cases, free(_SOURCE)),
        **{"usage": "openai", "genai_provider": "openai", **prices},
    )


RULES: Final = (
    _rule(
        "/v1/chat/completions",
        "chat_completions",
        2.0,
        unknown("/v1/chat/completions/**", "POST"),
        usd_per_unit=OPENAI_FEES,  # for models that search
        price_source=_SOURCE.url,
        price_date=_SOURCE.day,
    ),
    _rule("/v1/embeddings", "embeddings", 0.01),
    _rule("/v1/images/generations", "image_generation", 4.0, **_IMAGES),
    _rule(
        "/v1/audio/transcriptions",
        "audio_transcription",
        0.6,
        # Two models are billed by the second: whisper-1 at $0.006 a minute, and gpt-transcribe for less.
        usd_per_unit={"seconds": per_million("100")},
        leaves_out=("model",),
        price_source=_WHISPER.url,
        price_date=_WHISPER.day,
    ),
    _rule(
        "/v1/audio/speech",
        "text_to_speech",
        1.5,
        usd_per_unit={"characters": per_million("15")},
        leaves_out=("model",),
        price_source=f"{_SOURCE.url} (tts-1)",
        price_date=_SOURCE.day,
    ),
    _rule(
        None,
        None,
        None,
        *openai_polls(_SOURCE, "/v1"),
        unknown("/v1/batches", "POST"),  # the response does not state what the batch will cost
        *(free(_SOURCE, f"/v1{path}", "POST") for path in _FREE),
        PriceCase(
            path="/v1/responses**",
            method="POST",
            usd_per_unit=OPENAI_FEES,
            price_source=_SOURCE.url,
            price_date=_SOURCE.day,
        ),
        PriceCase(
            path="/v1/audio/translations",
            usd_per_unit={"seconds": per_million("100")},
            price_source=_WHISPER.url,
            price_date=_WHISPER.day,
        ),
        PriceCase(path="/v1/images/**", method="POST", **_IMAGES),
    ),
)
