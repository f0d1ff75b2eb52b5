"""Answers of the kinds that others have found, with other numbers and names, and what each costs, by hand.

The prices in the comments are those of the vendors' lists, in dollars a million tokens: in, cached, out.
"""

from __future__ import annotations

from typing import Any, Optional

from tests.pricing.usage.responses.build import (
    CHAT,
    SMALL,
    SSE,
    TEXT,
    Sample,
    chat,
    chunk,
    ending,
    plain,
    sse,
    used,
)

BY_HAND: dict[str, str] = {}
"""US dollars by the name of the sample."""
ESTIMATED: list[str] = []
"""Names of those whose price leaves something out though all is counted."""
SAMPLES: list[Sample] = []

_PATHS = {
    "fireworks": "/inference/v1/chat/completions",
    "groq": "/openai/v1/chat/completions",
    "zai": "/api/paas/v4/chat/completions",
}


def _add(sample: Sample, usd: str, *, estimated: bool = False) -> None:
    SAMPLES.append(sample)
    BY_HAND[sample.name] = usd
    if estimated:
        ESTIMATED.append(sample.name)


def _cached(taken: int, cached: int, made: int) -> dict[str, Any]:
    return {
        "prompt_tokens": taken,
        "completion_tokens": made,
        "total_tokens": taken + made,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


# Sounds: without a price of their own, the model's dearest stands in.
for _model, _in, _sound, _out, _spoken, _usd, _estimated in (
    # 44 and 9 at $10, 20 at $2.50.
    ("gpt-4o-audio-preview-2024-10-01", 64, 44, 9, 0, "0.00058", True),
    # 44 at $40, 20 at $2.50, 9 at $10.
    ("gpt-4o-audio-preview-2025-06-03", 64, 44, 9, 0, "0.0019", False),
    # 100 at $10, 20 at $0.15, 10 at $0.60.
    ("gpt-4o-mini-audio-preview-2024-12-17", 120, 100, 10, 0, "0.001009", False),
    # 44 at $32, 20 at $2.50, 30 at $64, 9 at $10.
    ("gpt-audio-2025-08-28", 64, 44, 39, 30, "0.003468", False),
    # 100 at $10, 30 at $20, 10 at $2.40.
    ("gpt-audio-mini-2025-10-06", 100, 100, 40, 30, "0.001624", False),
):
    _details: dict[str, Any] = {"output_audio_tokens": _spoken} if _spoken else {}
    _add(
        Sample(
            f"openai: sounds of {_model}",
            "openai",
            CHAT,
            plain(
                chat(
                    _model,
                    {
                        "prompt_tokens": _in,
                        "completion_tokens": _out,
                        "total_tokens": _in + _out,
                        "prompt_tokens_details": {"audio_tokens": _sound, "text_tokens": _in - _sound},
                        "completion_tokens_details": {"audio_tokens": _spoken},
                    },
                )
            ),
            used(_model, input_tokens=_in, input_audio_tokens=_sound, output_tokens=_out, **_details),
        ),
        _usd,
        estimated=_estimated,
    )

# Images that xAI's models see cost what text does: 270 at $2, 2 at $10.
_add(
    Sample(
        "xai: chat about an image",
        "xai",
        CHAT,
        plain(
            chat(
                "grok-2-vision-1212",
                {
                    "prompt_tokens": 270,
                    "completion_tokens": 2,
                    "total_tokens": 272,
                    "prompt_tokens_details": {"text_tokens": 14, "image_tokens": 256, "cached_tokens": 0},
                },
            )
        ),
        used("grok-2-vision-1212", input_tokens=270, input_image_tokens=256, output_tokens=2),
    ),
    "0.00056",
)

# What is asked for first, and read when it is done: $3 and $15, as reported, and as it goes on.
LATER: list[str] = []
"""Names of those that are asked for with GET."""
_RESEARCH = chat("sonar-deep-research", {**SMALL, "cost": {"total_cost": 0.25}})
for _name, _path, _document, _usage, _usd in (
    (
        "xai: chat that was deferred",
        "/v1/chat/deferred-completion/f15c",
        chat("grok-3", SMALL),
        used("grok-3", input_tokens=20, output_tokens=30),
        "0.00051",
    ),
    (
        "perplexity: research that was asked for before",
        "/async/chat/completions/a1",
        {"id": "a1", "model": "sonar-deep-research", "status": "COMPLETED", "response": _RESEARCH},
        used("sonar-deep-research", usd="0.25", input_tokens=20, output_tokens=30),
        "0.25",
    ),
    (
        "perplexity: research that goes on",
        "/async/chat/completions/a2",
        {"id": "a2", "model": "sonar-deep-research", "status": "IN_PROGRESS", "response": None},
        None,
        "0",
    ),
):
    _read = Sample(_name, _name.partition(":")[0], _path, plain(_document), _usage)
    SAMPLES.append(_read)
    LATER.append(_name)
    if _usage is None or _usage.reported_usd is None:
        BY_HAND[_name] = _usd

# What only research of Perplexity's bills: at $3 and $15, and $6 for a thousand requests at least.
_add(
    Sample(
        "perplexity: chat with citations, without a cost",
        "perplexity",
        "/chat/completions",
        plain(chat("sonar-pro", {**SMALL, "citation_tokens": 1250, "num_search_queries": 1})),
        used(
            "sonar-pro",
            uncounted=["request_fee"],
            input_tokens=20,
            output_tokens=30,
            low_context_requests=1,
        ),
    ),
    "0.00651",
)

# Names that answers have for davinci-002 and babbage-002: 21 at $2, at $0.40.
for _model, _usd in (("davinci:2023-07-21-v2", "0.000042"), ("babbage:2023-07-20-v2", "0.0000084")):
    _add(
        Sample(
            f"openai: completion of {_model}",
            "openai",
            "/v1/completions",
            plain(
                {
                    "id": "cmpl-1",
                    "object": "text_completion",
                    "model": _model,
                    "choices": [{"text": TEXT, "index": 0, "logprobs": None, "finish_reason": "length"}],
                    "usage": {"prompt_tokens": 5, "completion_tokens": 16, "total_tokens": 21},
                }
            ),
            used(_model, input_tokens=5, output_tokens=16),
        ),
        _usd,
    )

# The list has these models, and no price of theirs.
SAMPLES.append(
    Sample(
        "cerebras: chat without a price",
        "cerebras",
        CHAT,
        plain(chat("qwen-3-coder-480b", SMALL)),
        used("qwen-3-coder-480b", input_tokens=20, output_tokens=30),
    )
)

# Groq's own tools, $0.15 and $0.60, $0.075 and $0.30, and none of them.
_RAN = {"executed_tools": [{"index": 0, "type": "browser_search", "arguments": "{}"}]}


def _groq(model: str, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi", **message}}
    return {**chat(model, SMALL), "choices": [choice]}


_GPT_OSS, _SMALLER, _LLAMA = "openai/gpt-oss-120b", "openai/gpt-oss-20b", "llama-3.3-70b-versatile"
_add(
    Sample(
        "groq: chat that searched",
        "groq",
        _PATHS["groq"],
        plain(_groq(_GPT_OSS, **_RAN)),
        used(_GPT_OSS, uncounted=["executed_tools"], input_tokens=20, output_tokens=30),
    ),
    "0.000021",
)
_add(
    Sample(
        "groq: stream that searched",
        "groq",
        _PATHS["groq"],
        sse(
            chunk(_SMALLER, ""),
            {**chunk(_SMALLER, ""), "choices": [{"index": 0, "delta": _RAN}]},
            ending(_SMALLER, None, x_groq={"id": "req_1", "usage": SMALL}),
        ),
        used(_SMALLER, uncounted=["executed_tools"], input_tokens=20, output_tokens=30),
        SSE,
    ),
    "0.0000105",
)
_add(
    Sample(
        "groq: chat with no tools run",
        "groq",
        _PATHS["groq"],
        plain(_groq(_LLAMA, executed_tools=[])),
        used(_LLAMA, input_tokens=20, output_tokens=30),
    ),
    "0.0000355",  # $0.59 and $0.79
)

# Transcripts, $0.15 an hour of the universal model.
for _name, _seconds, _more, _uncounted, _usd in (
    ("with labels", 3600, {"speaker_labels": True, "punctuate": True}, ["speaker_labels"], "0.15"),
    ("of feelings", 7200, {"sentiment_analysis": True}, ["sentiment_analysis"], "0.30"),
    ("of another model", 3600, {"speech_model": "slam-1"}, ["speech_model"], "0.15"),
    ("of version 2", 1800, {"speech_model_used": "universal-2", "speech_model": None}, [], "0.075"),
):
    _document = {"id": "t1", "status": "completed", "speech_model": "universal", "audio_duration": _seconds}
    _document = {**_document, **_more}
    _model_used: Optional[str] = _document.get("speech_model_used") or _document["speech_model"]  # type: ignore[assignment]
    _add(
        Sample(
            f"assemblyai: transcript {_name}",
            "assemblyai",
            "/v2/transcript/t1",
            plain(_document),
            used(_model_used, uncounted=_uncounted, seconds=_seconds),
        ),
        _usd,
    )
TRANSCRIPTS = tuple(sample.name for sample in SAMPLES if sample.provider == "assemblyai")

# Paths with empty segments: gpt-4o $2.50 and $10, gpt-5-mini $0.25 and $2.
_FOUR = "gpt-4o-2024-08-06"
for _name, _path, _model, _usd in (
    ("a double slash", "//openai/deployments/gpt-4o/chat/completions", _FOUR, "0.00035"),
    ("two double slashes", "/openai//deployments/gpt-4o//chat/completions", _FOUR, "0.00035"),
    ("three slashes", "///openai/v1/chat/completions", "gpt-5-mini-2025-08-07", "0.000065"),
):
    _add(
        Sample(
            f"azure: chat by {_name}",
            "azure",
            _path,
            plain(chat(_model, SMALL)),
            used(_model, input_tokens=20, output_tokens=30),
        ),
        _usd,
    )

for _provider, _model, _taken, _kept, _made, _usd in (
    ("moonshot", "kimi-k2.6", 1000, 600, 100, "0.000876"),  # $0.95, $0.16, $4
    ("moonshot", "kimi-k3", 1000, 500, 100, "0.00315"),  # $3, $0.30, $15
    ("zai", "glm-4.6", 1000, 500, 200, "0.000795"),  # $0.60, $0.11, $2.20
    ("zai", "glm-5", 1000, 400, 100, "0.001"),  # $1, $0.20, $3.20
    ("fireworks", "accounts/fireworks/models/glm-5p2", 1000, 500, 100, "0.00121"),  # $1.40, $0.14, $4.40
    ("fireworks", "accounts/fireworks/models/gpt-oss-120b", 20, 0, 30, "0.000021"),  # $0.15, $0.60
    ("together", "zai-org/GLM-5.2", 20, 0, 30, "0.00016"),  # $1.40, $4.40
    ("together", "Qwen/Qwen3.5-9B", 20, 0, 30, "0.0000109"),  # $0.17, $0.25
    ("cerebras", "qwen-3-32b", 20, 0, 30, "0.000032"),  # $0.40, $0.80
    ("xai", "grok-4.5", 20, 0, 30, "0.00022"),  # $2, $6
):
    _units: dict[str, Any] = {"cache_read_tokens": _kept} if _kept else {}
    _add(
        Sample(
            f"{_provider}: chat of {_model}",
            _provider,
            _PATHS.get(_provider, CHAT),
            plain(chat(_model, _cached(_taken, _kept, _made))),
            used(_model, input_tokens=_taken, output_tokens=_made, **_units),
        ),
        _usd,
    )

for _model, _taken, _usd in (
    ("voyage-3.5", 1000, "0.00006"),
    ("voyage-4-large", 500, "0.00006"),
    ("voyage-code-3", 50, "0.000009"),
):
    _add(
        Sample(
            f"voyage: embeddings of {_model}",
            "voyage",
            "/v1/embeddings",
            plain({"object": "list", "data": [], "model": _model, "usage": {"total_tokens": _taken}}),
            used(_model, input_tokens=_taken),
        ),
        _usd,
    )
