"""Responses of routers: OpenRouter's total, and the provider behind Hugging Face's."""

from __future__ import annotations

from tests.pricing.usage.responses.build import CHAT, SMALL, SSE, chat, chunk, ending, sample, sse, used

_OPENROUTER = "/api/v1/chat/completions"
_UPSTREAM = {"upstream_inference_cost": 0.0006}

OPENROUTER = [
    sample(
        f"openrouter: {name}",
        _OPENROUTER,
        chat("deepseek/deepseek-chat", {**SMALL, **usage}),
        used("deepseek/deepseek-chat", usd=usd, input_tokens=20, output_tokens=30),
    )
    for name, usage, usd in (
        ("cost that has the upstream's", {"cost": 0.0076, "cost_details": _UPSTREAM}, "0.0076"),
        ("cost, not said whose key", {"cost": 0.0006, "is_byok": None, "cost_details": _UPSTREAM}, "0.0006"),
        ("cost without details", {"cost": 0.002}, "0.002"),
        (
            "cost of a key of one's own",
            {"cost": 0.00003, "is_byok": True, "cost_details": _UPSTREAM},
            "0.00063",
        ),
    )
]
OPENROUTER += [
    sample(
        "openrouter: stream whose cost has the upstream's",
        _OPENROUTER,
        sse(
            chunk("openai/gpt-5", "Hi"),
            ending("openai/gpt-5", {**SMALL, "cost": 0.01, "cost_details": _UPSTREAM}),
        ),
        used("openai/gpt-5", usd="0.01", input_tokens=20, output_tokens=30),
        SSE,
    )
]

HUGGING_FACE = [
    sample(
        f"huggingface: {model} by {provider}",
        CHAT,
        chat(model, SMALL),
        used(model, served_by=provider, input_tokens=20, output_tokens=30),
        headers={"x-inference-provider": provider},
    )
    for provider, model in (
        ("cerebras", "llama3.1-8b"),
        ("cerebras", "meta-llama/Llama-3.1-8B-Instruct"),
        ("cerebras", "openai/gpt-oss-120b"),
        ("groq", "llama-3.3-70b-versatile"),
    )
]
HUGGING_FACE += [
    sample(
        f"huggingface: by {provider}, newer than the list",
        CHAT,
        chat("meta-llama/Llama-9", SMALL),
        used("meta-llama/Llama-9", served_by=provider, input_tokens=20, output_tokens=30),
        headers={"x-inference-provider": provider},
    )
    for provider in ("novita", "somebody")
]

SAMPLES = [*OPENROUTER, *HUGGING_FACE]
