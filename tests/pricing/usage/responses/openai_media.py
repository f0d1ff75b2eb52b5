"""Answers of OpenAI's embeddings, images and audio."""

from __future__ import annotations

from decimal import Decimal

from tests.pricing.usage.responses.build import (
    SSE,
    TEXT,
    Sample,
    plain,
    sse,
    used,
)

IMAGES = "/v1/images/generations"
SPEECH = "/v1/audio/transcriptions"

_IMAGE_USAGE = {
    "total_tokens": 100,
    "input_tokens": 50,
    "output_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
}
_AUDIO = {"type": "tokens", "input_tokens": 14, "input_token_details": {"text_tokens": 4, "audio_tokens": 10}}

SAMPLES = [
    Sample(
        "openai: embeddings",
        "openai",
        "/v1/embeddings",
        plain(
            {
                "object": "list",
                "data": [{"object": "embedding", "embedding": [0.0023064255, -0.009327292], "index": 0}],
                "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            }
        ),
        used("text-embedding-3-small", input_tokens=8),
    ),
    Sample(
        "openai: image with tokens",
        "openai",
        IMAGES,
        plain({"created": 1713833628, "data": [{"b64_json": "aGk="}], "usage": _IMAGE_USAGE}),
        used(input_tokens=50, input_image_tokens=40, output_tokens=50, output_image_tokens=50),
    ),
    Sample(
        "openai: image with details of the output",
        "openai",
        "/v1/images/edits",
        plain(
            {
                "created": 1713833628,
                "background": "transparent",
                "data": [{"b64_json": "aGk="}],
                "usage": {**_IMAGE_USAGE, "output_tokens_details": {"image_tokens": 45, "text_tokens": 5}},
            }
        ),
        used(input_tokens=50, input_image_tokens=40, output_tokens=50, output_image_tokens=45),
    ),
    Sample(
        "openai: images without tokens",
        "openai",
        IMAGES,
        plain(
            {"created": 1589478378, "data": [{"url": "https://a.example/1"}, {"url": "https://a.example/2"}]}
        ),
        used(images=2),
    ),
    Sample(
        "openai: image stream",
        "openai",
        IMAGES,
        sse(
            {"type": "image_generation.partial_image", "b64_json": "aGk=", "partial_image_index": 0},
            {
                "type": "image_generation.completed",
                "b64_json": "aGk=",
                "quality": "high",
                "usage": _IMAGE_USAGE,
            },
            done=False,
            named=True,
        ),
        used(input_tokens=50, input_image_tokens=40, output_tokens=50, output_image_tokens=50),
        SSE,
    ),
    Sample(
        "openai: transcription with tokens",
        "openai",
        SPEECH,
        plain({"text": TEXT, "usage": {**_AUDIO, "output_tokens": 45, "total_tokens": 59}}),
        used(input_tokens=14, input_audio_tokens=10, output_tokens=45),
    ),
    Sample(
        "openai: transcription with seconds",
        "openai",
        SPEECH,
        plain({"text": TEXT, "usage": {"type": "duration", "seconds": 9}}),
        used(seconds=9),
    ),
    Sample(
        "openai: transcription, verbose",
        "openai",
        SPEECH,
        plain({"task": "transcribe", "language": "english", "duration": 8.5, "text": TEXT, "segments": []}),
        used(seconds=Decimal("8.5")),
    ),
    Sample(
        "openai: transcription stream",
        "openai",
        SPEECH,
        sse(
            {"type": "transcript.text.delta", "delta": "The"},
            {
                "type": "transcript.text.done",
                "text": TEXT,
                "usage": {**_AUDIO, "output_tokens": 31, "total_tokens": 45},
            },
            done=False,
        ),
        used(input_tokens=14, input_audio_tokens=10, output_tokens=31),
        SSE,
    ),
    Sample(
        "openai: speech stream",
        "openai",
        "/v1/audio/speech",
        sse(
            {"type": "speech.audio.delta", "audio": "aGk="},
            {
                "type": "speech.audio.done",
                "usage": {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115},
            },
            done=False,
        ),
        used(input_tokens=14, output_tokens=101),
        SSE,
    ),
]
