"""Responses of Cohere and Ollama, each from its provider's reference."""

from __future__ import annotations

from tests.pricing.usage.responses.build import NDJSON, SSE, TEXT, chat, ndjson, sample, sse, used

_BILLED = {
    "billed_units": {"input_tokens": 5, "output_tokens": 418},
    "tokens": {"input_tokens": 71, "output_tokens": 418},
}
_STREAM_END = {"type": "message-end", "id": "1", "delta": {"finish_reason": "COMPLETE", "usage": _BILLED}}

COHERE = [
    sample(
        "cohere: chat",
        "/v2/chat",
        {
            "id": "1",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": TEXT}]},
            "usage": {**_BILLED, "cached_tokens": 64},
        },
        used(input_tokens=5, output_tokens=418),
    ),
    sample(
        "cohere: stream",
        "/v2/chat",
        sse(
            {"id": "1", "type": "message-start", "delta": {"message": {"role": "assistant"}}},
            {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": TEXT}}}},
            _STREAM_END,
            named=True,
        ),
        used(input_tokens=5, output_tokens=418),
        SSE,
    ),
    sample(
        "cohere: stream of version 1",
        "/v1/chat",
        ndjson(
            {"is_finished": False, "event_type": "stream-start", "generation_id": "1"},
            {"is_finished": False, "event_type": "text-generation", "text": TEXT},
            {
                "is_finished": True,
                "event_type": "stream-end",
                "finish_reason": "COMPLETE",
                "response": {
                    "text": TEXT,
                    "meta": {
                        "api_version": {"version": "1"},
                        "billed_units": {"input_tokens": 9.0, "output_tokens": 4.0},
                    },
                },
            },
        ),
        used(input_tokens=9, output_tokens=4),
        "application/stream+json",
    ),
    sample(
        "cohere: embeddings",
        "/v2/embed",
        {
            "id": "1",
            "embeddings": {"float": [[0.016, -0.009]]},
            "texts": ["hello"],
            "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 2}},
            "response_type": "embeddings_by_type",
        },
        used(input_tokens=2),
    ),
    sample(
        "cohere: embeddings of an image",
        "/v2/embed",
        {
            "id": "1",
            "embeddings": {"float": [[0.016]]},
            "images": [{"width": 400, "height": 400}],
            "meta": {"api_version": {"version": "2"}, "billed_units": {"images": 1, "image_tokens": 570}},
        },
        used(images=1, input_image_tokens=570),
    ),
    sample(
        "cohere: rerank",
        "/v2/rerank",
        {
            "results": [{"index": 3, "relevance_score": 0.999071}],
            "id": "1",
            "meta": {
                "api_version": {"version": "2", "is_experimental": False},
                "billed_units": {"search_units": 1},
            },
        },
        used(searches=1),
    ),
    sample(
        "cohere: rerank, a decimal number",
        "/v2/rerank",
        {"id": "1", "results": [], "meta": {"billed_units": {"search_units": 3.0}}},
        used(searches=3),
    ),
    sample(
        "cohere: classification",
        "/v1/classify",
        {
            "id": "1",
            "classifications": [{"prediction": "spam"}],
            "meta": {"billed_units": {"classifications": 2}},
        },
        used(classifications=2),
    ),
    sample(
        "cohere: chat as OpenAI's",
        "/compatibility/v1/chat/completions",
        chat("command-a-03-2025", {"prompt_tokens": 6, "completion_tokens": 2, "total_tokens": 8}),
        used("command-a-03-2025", input_tokens=6, output_tokens=2),
    ),
    sample(
        "cohere: list of models",
        "/v1/models",
        {"models": [{"name": "command-a-03-2025", "context_length": 288000}]},
        None,
    ),
]

_DONE = {
    "model": "llama3.2",
    "created_at": "2023-08-04T19:22:45.499127Z",
    "done": True,
    "done_reason": "stop",
    "total_duration": 4883583458,
    "load_duration": 1334875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342546000,
    "eval_count": 282,
    "eval_duration": 4535599000,
}
_GOING = {
    "model": "llama3.2",
    "created_at": "2023-08-04T08:52:19.385406455-07:00",
    "message": {"role": "assistant", "content": TEXT},
    "done": False,
}

OLLAMA = [
    sample(
        "ollama: chat",
        "/api/chat",
        {**_DONE, "message": {"role": "assistant", "content": TEXT}},
        used("llama3.2", input_tokens=26, output_tokens=282),
    ),
    sample(
        "ollama: generation",
        "/api/generate",
        {**_DONE, "response": TEXT, "context": [1, 2, 3]},
        used("llama3.2", input_tokens=26, output_tokens=282),
    ),
    sample(
        "ollama: stream",
        "/api/chat",
        ndjson(_GOING, _GOING, {**_DONE, "message": {"role": "assistant", "content": ""}}),
        used("llama3.2", input_tokens=26, output_tokens=282),
        NDJSON,
    ),
    sample(
        "ollama: stream whose prompt was in the cache",
        "/api/chat",
        ndjson(_GOING, {k: v for k, v in _DONE.items() if k != "prompt_eval_count"}),
        used("llama3.2", output_tokens=282),
        NDJSON,
    ),
    sample(
        "ollama: embeddings",
        "/api/embed",
        {
            "model": "all-minilm",
            "embeddings": [[0.010071029, -0.0017594862]],
            "total_duration": 14143917,
            "load_duration": 1019500,
            "prompt_eval_count": 8,
        },
        used("all-minilm", input_tokens=8),
    ),
    sample(
        "ollama: chat as OpenAI's",
        "/v1/chat/completions",
        chat("llama3.2", {"prompt_tokens": 26, "completion_tokens": 9, "total_tokens": 35}),
        used("llama3.2", input_tokens=26, output_tokens=9),
    ),
]

SAMPLES = [*COHERE, *OLLAMA]
