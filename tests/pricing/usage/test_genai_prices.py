"""The counts equal those that genai-prices reads from the same responses."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from tests.pricing.usage.responses import SAMPLES, Sample

FLAVOURS: dict[str, tuple[str, tuple[str, ...]]] = {
    "openai": ("openai", ("chat", "responses", "embeddings", "images")),
    "azure": ("azure", ("chat", "responses", "embeddings", "anthropic")),
    "anthropic": ("anthropic", ("default",)),
    "gemini": ("google", ("default", "chat")),
    "vertex": ("google", ("default", "anthropic")),
    "bedrock": ("aws", ("default", "anthropic")),
    "cohere": ("cohere", ("default", "embeddings")),
    "groq": ("groq", ("default",)),
    "mistral": ("mistral", ("default", "ocr")),
    "deepseek": ("deepseek", ("chat",)),
    "xai": ("x-ai", ("chat", "responses")),
    "openrouter": ("openrouter", ("chat", "default")),
    "perplexity": ("perplexity", ("default", "responses")),
    "cerebras": ("cerebras", ("chat",)),
    "fireworks": ("fireworks", ("chat",)),
    "moonshot": ("moonshotai", ("chat",)),
    "zai": ("zai", ("chat",)),
}
NAMES = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "input_image_tokens": "input_image_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
}
DIFFER = {
    "anthropic: message after a compaction, which is not in the totals": "it leaves the compaction out",
    "anthropic: message with advice": "it leaves the advice out",
    "anthropic: message with advice of two": "it leaves the advice out",
    "anthropic: message with advice twice": "it leaves the advice out",
    "anthropic: message with advice from the cache": "it leaves the advice out",
    "mistral: conversation with a search": "it leaves the connectors' tokens out",
    "mistral: conversation with connectors that are not named": "it leaves the connectors' tokens out",
    "gemini: chat as OpenAI's, thoughts in the total": "it leaves the thoughts out",
    "gemini: chat as OpenAI's, many thoughts": "it leaves the thoughts out",
    "bedrock: converse whose input has the cached tokens": "it adds them again",
    "xai: chat, reasoning among the completion's tokens": "it adds them again",
    "moonshot: chat": "it looks for cached tokens elsewhere",
    "deepseek: chat of the reasoner, hits at the top only": "it looks for cached tokens elsewhere",
    "mistral: chat with cached tokens": "it looks for cached tokens elsewhere",
    "bedrock: invoke Nova": "it looks for cached tokens elsewhere",
    "gemini: embedding of an image": "it leaves the image out",
    "bedrock: chat": "it has no such interface there",
    "openai: response with an image of gpt-image-2": "it leaves the image out",
    "openai: response with an image without details": "it leaves the image out",
    "openai: response with an image that was edited": "it leaves the image out",
    "openai: response with two images by their size": "it leaves the images out",
    "openai: transcription with tokens": "it looks for audio elsewhere",
    "perplexity: chat with citations, without a cost": "it adds the citations, which research alone bills",
    "xai: chat about an image": "it leaves the image's tokens out",
    **{
        f"{provider}: run{more}": "it looks for cached tokens elsewhere"
        for provider in ("openai", "azure")
        for more in ("", " that is incomplete", " that may have searched files")
    },
}


def plain(sample: Sample) -> bool:
    try:
        return sample.shape in FLAVOURS and sample.usage is not None and bool(json.loads(sample.body))
    except ValueError:
        return False


@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if plain(sample)], ids=lambda sample: sample.name
)
def test_counts(sample: Sample) -> None:
    genai: Any = pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    assert sample.usage is not None
    document = json.loads(sample.body)
    provider, flavours = FLAVOURS[sample.shape]
    units = sample.usage.units
    ours = {name: units[unit] for unit, name in NAMES.items() if unit in units}
    theirs = []
    for flavour in flavours:
        with suppress(ValueError, LookupError):
            found = genai.extract_usage(document, provider_id=provider, api_flavor=flavour).usage
            theirs.append({name: getattr(found, name, None) or 0 for name in ours})
    if not theirs:
        pytest.skip("genai-prices does not read such responses")
    assert (ours in theirs) == (sample.name not in DIFFER), theirs
