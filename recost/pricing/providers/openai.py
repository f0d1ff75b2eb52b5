"""OpenAI."""

from __future__ import annotations

from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.openai.com",
        "openai",
        "/v1/chat/completions",
        "chat_completions",
        cost_per_request_cents=2.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.openai.com",
        "openai",
        "/v1/embeddings",
        "embeddings",
        cost_per_request_cents=0.01,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.openai.com",
        "openai",
        "/v1/images/generations",
        "image_generation",
        cost_per_request_cents=4.0,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.openai.com",
        "openai",
        "/v1/audio/transcriptions",
        "audio_transcription",
        cost_per_request_cents=0.6,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef(
        "api.openai.com",
        "openai",
        "/v1/audio/speech",
        "text_to_speech",
        cost_per_request_cents=1.5,
        cost_source=FLAT_ESTIMATE,
    ),
    ProviderDef("api.openai.com", "openai", cost_per_request_cents=1.0, cost_source=FLAT_ESTIMATE),
)
