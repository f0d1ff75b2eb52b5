"""Responses of DeepSeek, Groq and Mistral, each from its provider's reference."""

from __future__ import annotations

from decimal import Decimal

from tests.pricing.usage.responses.anthropic import message
from tests.pricing.usage.responses.build import CHAT, SMALL, SSE, TEXT, chat, chunk, ending, sample, sse, used

_GROQ = {
    "queue_time": 0.037493756,
    "prompt_tokens": 18,
    "prompt_time": 0.000680594,
    "completion_tokens": 556,
    "completion_time": 0.463333333,
    "total_tokens": 574,
    "total_time": 0.464013927,
}
_DEEPSEEK = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 960},
    "completion_tokens_details": {"reasoning_tokens": 32},
    "prompt_cache_hit_tokens": 960,
    "prompt_cache_miss_tokens": 40,
}

DEEPSEEK = [
    sample(
        "deepseek: chat",
        "/chat/completions",
        chat("deepseek-chat", {**_DEEPSEEK, "completion_tokens_details": None}),
        used("deepseek-chat", input_tokens=1000, cache_read_tokens=960, output_tokens=50),
    ),
    sample(
        "deepseek: chat of the reasoner, hits at the top only",
        "/chat/completions",
        chat("deepseek-reasoner", {k: v for k, v in _DEEPSEEK.items() if k != "prompt_tokens_details"}),
        used(
            "deepseek-reasoner",
            input_tokens=1000,
            cache_read_tokens=960,
            output_tokens=50,
            reasoning_tokens=32,
        ),
    ),
    sample(
        "deepseek: stream",
        "/chat/completions",
        sse(": keep-alive", chunk("deepseek-chat", "Hi", usage=None), ending("deepseek-chat", _DEEPSEEK)),
        used(
            "deepseek-chat", input_tokens=1000, cache_read_tokens=960, output_tokens=50, reasoning_tokens=32
        ),
        SSE,
    ),
    sample(
        "deepseek: message",
        "/anthropic/v1/messages",
        message(
            {"input_tokens": 40, "cache_read_input_tokens": 960, "output_tokens": 5},
            model="deepseek-chat",
        ),
        used("deepseek-chat", input_tokens=1000, cache_read_tokens=960, output_tokens=5),
    ),
]

GROQ = [
    sample(
        "groq: chat",
        "/openai/v1/chat/completions",
        chat("llama-3.3-70b-versatile", _GROQ, x_groq={"id": "req_1"}, service_tier="on_demand"),
        used("llama-3.3-70b-versatile", tier="on_demand", input_tokens=18, output_tokens=556),
    ),
    sample(
        "groq: chat, cached and reasoned",
        "/openai/v1/chat/completions",
        chat(
            "openai/gpt-oss-120b",
            {
                **_GROQ,
                "prompt_tokens": 4641,
                "total_tokens": 5197,
                "prompt_tokens_details": {"cached_tokens": 4608},
                "completion_tokens_details": {"reasoning_tokens": 100},
            },
            service_tier="flex",
        ),
        used(
            "openai/gpt-oss-120b",
            tier="flex",
            input_tokens=4641,
            cache_read_tokens=4608,
            output_tokens=556,
            reasoning_tokens=100,
        ),
    ),
    sample(
        "groq: stream, usage in x_groq",
        "/openai/v1/chat/completions",
        sse(
            chunk("llama-3.1-8b-instant", "Hi", x_groq={"id": "req_1"}),
            {**ending("llama-3.1-8b-instant", None), "x_groq": {"id": "req_1", "usage": _GROQ}},
        ),
        used("llama-3.1-8b-instant", input_tokens=18, output_tokens=556),
        SSE,
    ),
    sample(
        "groq: stream, usage in both",
        "/openai/v1/chat/completions",
        sse(
            chunk("llama-3.1-8b-instant", "Hi", x_groq={"id": "req_1"}),
            {**chunk("llama-3.1-8b-instant"), "usage": _GROQ, "x_groq": {"id": "req_1", "usage": _GROQ}},
        ),
        used("llama-3.1-8b-instant", input_tokens=18, output_tokens=556),
        SSE,
    ),
    sample(
        "groq: transcription, verbose",
        "/openai/v1/audio/transcriptions",
        {
            "task": "transcribe",
            "language": "English",
            "duration": 10.25,
            "text": TEXT,
            "x_groq": {"id": "1"},
        },
        used(seconds=Decimal("10.25")),
    ),
    sample(
        "groq: transcription",
        "/openai/v1/audio/transcriptions",
        {"text": TEXT, "x_groq": {"id": "req_1"}},
        None,
    ),
]

MISTRAL = [
    sample(
        "mistral: chat",
        CHAT,
        chat("mistral-small-latest", {"prompt_tokens": 16, "completion_tokens": 34, "total_tokens": 50}),
        used("mistral-small-latest", input_tokens=16, output_tokens=34),
    ),
    sample(
        "mistral: chat with cached tokens",
        CHAT,
        chat("mistral-large-2512", {**SMALL, "num_cached_tokens": 16, "prompt_audio_seconds": None}),
        used("mistral-large-2512", input_tokens=20, cache_read_tokens=16, output_tokens=30),
    ),
    sample(
        "mistral: chat about audio",
        CHAT,
        chat("voxtral-small-2507", {**SMALL, "prompt_audio_seconds": 12}),
        used("voxtral-small-2507", input_tokens=20, output_tokens=30, seconds=12),
    ),
    sample(
        "mistral: stream",
        CHAT,
        sse(chunk("mistral-small-latest", "Hi"), ending("mistral-small-latest", SMALL)),
        used("mistral-small-latest", input_tokens=20, output_tokens=30),
        SSE,
    ),
    sample(
        "mistral: embeddings",
        "/v1/embeddings",
        {
            "id": "1",
            "object": "list",
            "data": [{"object": "embedding", "embedding": [0.1], "index": 0}],
            "model": "mistral-embed",
            "usage": {"prompt_tokens": 15, "total_tokens": 15, "completion_tokens": 0},
        },
        used("mistral-embed", input_tokens=15, output_tokens=0),
    ),
    sample(
        "mistral: OCR",
        "/v1/ocr",
        {
            "pages": [{"index": 0, "markdown": TEXT, "images": [], "dimensions": {"dpi": 200}}],
            "model": "mistral-ocr-2512",
            "document_annotation": None,
            "usage_info": {"pages_processed": 29, "doc_size_bytes": 3002783},
        },
        used("mistral-ocr-2512", pages=29),
    ),
    sample(
        "mistral: OCR with annotations",
        "/v1/ocr",
        {
            "pages": [],
            "model": "mistral-ocr-2512",
            "document_annotation": '{"language": "en"}',
            "usage_info": {"pages_processed": 8, "doc_size_bytes": None},
        },
        used("mistral-ocr-2512", pages=8, annotated_pages=8),
    ),
    sample(
        "mistral: transcription",
        "/v1/audio/transcriptions",
        {
            "model": "voxtral-mini-2507",
            "text": TEXT,
            "language": None,
            "segments": [],
            "usage": {
                "prompt_audio_seconds": 203,
                "prompt_tokens": 4,
                "total_tokens": 3264,
                "completion_tokens": 635,
            },
        },
        used("voxtral-mini-2507", input_tokens=4, output_tokens=635, seconds=203),
    ),
]

SAMPLES = [*DEEPSEEK, *GROQ, *MISTRAL]
