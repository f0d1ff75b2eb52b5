from __future__ import annotations

from typing import Optional

import pytest

from recost.delivery.transports.otlp.conventions import Conventions
from recost.pricing.providers import BUILTIN_PROVIDERS


@pytest.mark.parametrize(
    ("provider", "endpoint", "host", "expected"),
    [
        ("openai", "chat_completions", "", ("openai", "chat")),
        ("openai", "/v1/responses", "", ("openai", "chat")),
        ("openai", "/v1/completions", "", ("openai", "text_completion")),
        ("openai", "embeddings", "", ("openai", "embeddings")),
        ("openai", "/v1/models", "", None),
        ("anthropic", "messages", "", ("anthropic", "chat")),
        ("twilio", "messages", "", None),
        ("mistral", "chat_completions", "", ("mistral_ai", "chat")),
        ("moonshot", "chat_completions", "", ("moonshot_ai", "chat")),
        ("cohere", "chat", "", ("cohere", "chat")),
        ("together", "chat_completions", "", ("together", "chat")),
        ("aws", "/model/amazon.nova-lite-v1:0/converse", "", ("aws.bedrock", "chat")),
        ("azure", "/openai/deployments/{id}/chat/completions", "", ("azure.ai.openai", "chat")),
        ("azure", "/models/chat/completions", "x.services.ai.azure.com", ("azure.ai.inference", "chat")),
        ("gcp", "/v1beta/models/gemini-2.0-flash:generateContent", "", ("gcp.gemini", "generate_content")),
        (
            "gcp",
            "/v1/projects/{id}/locations/us/publishers/google/models/gemini-2.0-flash:streamGenerateContent",
            "us-aiplatform.googleapis.com",
            ("gcp.vertex_ai", "generate_content"),
        ),
        ("stripe", "charges", "", None),
        ("unknown", "/v1/chat/completions", "", ("unknown", "chat")),
    ],
)
def test_the_names_of_calls_to_models(
    provider: str, endpoint: str, host: str, expected: Optional[tuple[str, str]]
) -> None:
    assert Conventions("inference").genai(provider, endpoint, host=host) == expected


def test_the_well_known_values_of_each_edition() -> None:
    found = {name: Conventions(name).genai("xai", "chat_completions") for name in ("classic", "inference")}
    assert {name: genai and genai.provider for name, genai in found.items()} == {
        "classic": "xai",
        "inference": "x_ai",
    }
    named = Conventions("classic").genai("openai", "chat")
    assert named is not None
    assert Conventions("classic").of_genai(named, None).keys() == {"gen_ai.system", "gen_ai.operation.name"}
    assert "gen_ai.provider.name" in Conventions("inference").of_genai(named, None)


def test_every_builtin_chat_endpoint_is_a_call_to_a_model() -> None:
    conventions = Conventions("inference")
    chats = {
        (rule.provider, rule.endpoint_category)
        for rule in BUILTIN_PROVIDERS
        if rule.endpoint_category in {"chat_completions", "chat", "embeddings"}
    }
    assert len(chats) > 30
    assert all(conventions.genai(provider, endpoint or "") for provider, endpoint in chats)


def test_other_operations_are_named_after_their_endpoint() -> None:
    genai = Conventions("classic").genai("openai", "image_generation", model="gpt-image-1")
    assert genai == ("openai", "image_generation")
    unknown = Conventions("classic").genai("openai", "/v1/new/{id}", used=True)
    assert unknown == ("openai", "_OTHER")


def test_the_known_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [Conventions("classic").method(name) for name in ("GET", "PURGE")] == ["GET", "_OTHER"]
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", "PURGE, GET")
    assert [Conventions("classic").method(name) for name in ("PURGE", "POST")] == ["PURGE", "_OTHER"]
