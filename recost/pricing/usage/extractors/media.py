"""Audio and predictions: AssemblyAI, Deepgram, ElevenLabs, Replicate."""

from __future__ import annotations

import re
from typing import Callable, Final, Optional

from recost.pricing.usage.fields import add_part, child, count, counts, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"duration"|"metrics"')

_ASSEMBLYAI_UNIVERSAL: Final = frozenset({"", "best", "universal", "universal-2"})
"""Names of the model that the rule has a price for."""
_ASSEMBLYAI_EXTRAS: Final = (
    "auto_chapters",
    "auto_highlights",
    "content_safety",
    "entity_detection",
    "iab_categories",
    "redact_pii",
    "sentiment_analysis",
    "speaker_labels",
    "summarization",
)
"""Features that are also billed by the hour: https://www.assemblyai.com/pricing, as of 2026-11."""


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return seconds or characters."""
    return _READERS[response.shape](response)


def _read_assemblyai(response: DecodedResponse) -> Optional[Usage]:
    """Return the length of a finished transcript."""
    document = response.last
    units: dict[str, Number] = {}
    add_part(units, "seconds", count(document.get("audio_duration")))
    model = document.get("speech_model_used") or document.get("speech_model")
    more = [name for name in _ASSEMBLYAI_EXTRAS if document.get(name) is True]
    if word(model) not in _ASSEMBLYAI_UNIVERSAL:
        more.append("speech_model")
    return response.usage(units, model, receipts=receipt(document.get("id")), uncounted=tuple(more))


def _read_deepgram(response: DecodedResponse) -> Optional[Usage]:
    """Return the length of transcribed audio or, from headers, the number of spoken characters."""
    spoken = count(response.headers.get("dg-char-count"))
    if spoken is not None:
        return response.usage({"characters": spoken}, response.headers.get("dg-model-name"), final=True)
    metadata = child(response.last, "metadata")
    units: dict[str, Number] = {}
    add_part(units, "seconds", count(metadata.get("duration")))
    channels = count(metadata.get("channels"))
    if channels is not None and channels > 1:
        units["channels"] = channels
    models = [child(model).get("arch") for model in child(metadata, "model_info").values()]
    return response.usage(units, models[0] if len(models) == 1 else None)


def _read_elevenlabs(response: DecodedResponse) -> Optional[Usage]:
    """Return the charged characters, stated by a header."""
    charged = count(response.headers.get("character-cost", response.headers.get("x-character-count")))
    return None if charged is None else response.usage({"characters": charged}, final=True)


def _read_replicate(response: DecodedResponse) -> Optional[Usage]:
    """Return the duration and other counts of a finished prediction."""
    document = response.last
    metrics = child(document, "metrics")
    units = counts(metrics, {"input_token_count": "input_tokens", "output_token_count": "output_tokens"})
    add_part(units, "seconds", count(metrics.get("predict_time")))
    add_part(units, "images", count(metrics.get("image_count", metrics.get("image_output_count"))))
    done = word(document.get("status")) in {"succeeded", "failed", "canceled"}
    return response.usage(
        units, document.get("model"), final=response.ended and done, receipts=receipt(document.get("id"))
    )


_READERS: Final[dict[str, Callable[[DecodedResponse], Optional[Usage]]]] = {
    "assemblyai": _read_assemblyai,
    "deepgram": _read_deepgram,
    "elevenlabs": _read_elevenlabs,
    "replicate": _read_replicate,
}
