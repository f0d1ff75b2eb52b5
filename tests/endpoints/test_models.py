from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.endpoints.models import model_name

REAL = """
gpt-4o gpt-4o-mini-2024-07-18 o3-mini chatgpt-4o-latest gpt-4.1-nano text-embedding-3-small whisper-1 dall-e-3
ft:gpt-4o-mini-2024-07-18:acme::AbC123 ft:gpt-3.5-turbo-0125:acme:suffix:9AbCdEfG claude-sonnet-4-5-20250929
claude-3-5-sonnet-v2@20241022 gemini-2.5-pro models/gemini-2.5-flash publishers/google/models/gemini-2.5-pro
us.anthropic.claude-sonnet-4-20250514-v1:0 amazon.titan-embed-text-v2:0 meta-llama/Llama-3.1-8B-Instruct
accounts/fireworks/models/llama-v3p1-405b-instruct @cf/meta/llama-3-8b @hf/thebloke/zephyr-7b-beta-awq
Qwen/Qwen2.5-VL-72B-Instruct-AWQ deepseek-ai/DeepSeek-R1-Distill-Qwen-32B mistral-large-2411
anthropic/claude-3.7-sonnet:thinking
black-forest-labs/flux-1.1-pro eleven_multilingual_v2 nomic-embed-text-v1.5 jina-embeddings-v3 qwen3-235b-a22b
gpt-prod
"""

STRANGE = """
jane.doe@example.com cus_NffrFeUfNV2Hib 3f2504e0-4f89-41d3-9a0c-0305e82c3301 a1b2c3d4e5f6 sk-abc123 ghp_abc
user/ghp_0123456789abcdefghij 4915112345678 8f14e45fceea167a5a36dedd4bea2543 eyJhbGciOiJIUzI1NiJ9.e30.x
café gpt-4o\x00 gpt\x1b[31m \ud800 gpt-4o<script> gpt=4 01J9ZK3V5W8Q2R4T6Y8A0B2C4D xkqJzvBnmWrTplKjHgFd
"""


@pytest.mark.parametrize("name", REAL.split())
def test_names_of_models_stay(name: str) -> None:
    assert model_name(name) == name


@pytest.mark.parametrize("name", [*STRANGE.split(), "", " ", "\n", "x" * 201, "gpt-4o\n", "gpt\u202e4"])
@pytest.mark.parametrize("from_path", [True, False])
def test_what_is_no_name_of_a_model_is_left_out(name: str, from_path: bool) -> None:
    assert model_name(name, from_path=from_path) is None


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("acme/upscaler:" + "0123456789abcdef" * 4, "acme/upscaler"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-haiku-v1:0",
            "arn:aws:bedrock:us-east-1::inference-profile/us.anthropic.claude-3-haiku-v1:0",
        ),
    ],
)
def test_hashes_and_account_numbers_are_cut(name: str, wanted: str) -> None:
    assert model_name(name) == wanted
    assert model_name(wanted) == wanted


def test_a_path_names_no_person_and_after_a_failure_known_models_only() -> None:
    assert model_name("acme-prod", from_path=True) == "acme-prod"
    assert model_name("acme-prod", from_path=True, failed=True) is None
    assert model_name("acme-prod", failed=True) == "acme-prod"
    assert model_name("gpt-4o-mini", from_path=True, failed=True) == "gpt-4o-mini"
    assert model_name("jane-doe", from_path=True) is None


@given(st.text(max_size=250) | st.uuids().map(str), st.booleans(), st.booleans())
def test_any_text_is_printable_or_left_out(text: str, from_path: bool, failed: bool) -> None:
    found = model_name(text, from_path=from_path, failed=failed)
    if found is not None:
        assert found.isprintable()
        assert found.isascii()
        assert found.strip()
        assert model_name(found, from_path=from_path, failed=failed) == found


@given(st.uuids(), st.sampled_from(["", "gpt-4o:", "a/"]))
def test_no_uuid_survives(value: uuid.UUID, prefix: str) -> None:
    assert model_name(f"{prefix}{value}") is None
