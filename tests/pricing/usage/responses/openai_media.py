"""Responses of OpenAI's embeddings, images and audio."""

from __future__ import annotations

from decimal import Decimal

from tests.pricing.usage.responses.build import SSE, TEXT, sample, sse, used

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
    sample(
        "openai: embeddings",
        "/v1/embeddings",
        {
            "object": "list",
            "data": [{"object": "embedding", "embedding": [0.0023064255, -0.009327292], "index": 0}],
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        },
        used("text-embedding-3-small", input_tokens=8),
    ),
    sample(
        "openai: image with tokens",
        IMAGES,
        {"created": 1713833628, "data": [{"b64_json": "aGk="}], "usage": _IMAGE_USAGE},
        used(input_tokens=50, input_image_tokens=40, output_tokens=50, output_image_tokens=50),
    ),
    sample(
        "openai: image with details of the output",
        "/v1/images/edits",
        {
            "created": 1713833628,
            "background": "transparent",
            "data": [{"b64_json": "aGk="}],
            "usage": {**_IMAGE_USAGE, "output_tokens_details": {"image_tokens": 45, "text_tokens": 5}},
        },
        used(input_tokens=50, input_image_tokens=40, output_tokens=50, output_image_tokens=45),
    ),
    sample(
        "openai: images without tokens",
        IMAGES,
        {"created": 1589478378, "data": [{"url": "https://a.example/1"}, {"url": "https://a.example/2"}]},
        used(images=2),
    ),
    sample(
        "openai: image stream",
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
    sample(
        "openai: transcription with tokens",
        SPEECH,
        {"text": TEXT, "usage": {**_AUDIO, "output_tokens": 45, "total_tokens": 59}},
        used(input_tokens=14, input_audio_tokens=10, output_tokens=45),
    ),
    sample(
        "openai: transcription with seconds",
        SPEECH,
        {"text": TEXT, "usage": {"type": "duration", "seconds": 9}},
        used(seconds=9),
    ),
    sample(
        "openai: transcription, verbose",
        SPEECH,
        {"task": "transcribe", "language": "english", "duration": 8.5, "text": TEXT, "segments": []},
        used(seconds=Decimal("8.5")),
    ),
    sample(
        "openai: transcription stream",
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
    sample(
        "openai: speech stream",
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
