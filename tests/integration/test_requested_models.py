"""Answers that name no model are priced by the one that the request asks for, unless that is turned off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import recost
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.usage.request_fields import REQUEST_FIELDS, request_fields
from tests.scripts import windows
from tests.unnamed import Unnamed, unnamed_server

RULES = [
    *[
        recost.ProviderDef("127.0.0.1", "cohere", path, "cohere", usage="cohere", genai_provider="cohere")
        for path in ("/v2", "/v1/chat")
    ],
    recost.ProviderDef("127.0.0.1", "openai", "/v1", "openai", usage="openai", genai_provider="openai"),
]

PRICED = {
    "command-r7b-12-2024": ("/v2/chat", Decimal("0.0001125")),  # 1000 x $0.0375 and 500 x $0.15 per million
    "command-r-plus-08-2024": ("/v1/chat", Decimal("0.0075")),  # 1000 x $2.50 and 500 x $10
    "embed-v4.0": ("/v2/embed", Decimal("0.00012")),  # 1000 x $0.12
    "gpt-4o-transcribe": ("/v1/audio/transcriptions", Decimal("0.0011")),  # 100 of audio x $6, 50 x $10
    "whisper-1": ("/v1/audio/translations", Decimal("0.006")),  # a minute
    "gpt-image-1": ("/v1/images/generations", Decimal("0.04025")),  # 50 x $5 and 1000 x $40
    "gpt-4o": ("/v1/responses/compact", Decimal("0.0075")),  # 1000 x $2.50 and 500 x $10
}


@pytest.fixture
def unnamed() -> Iterator[Unnamed]:
    with unnamed_server() as server:
        yield server


@pytest.fixture
def _prices() -> None:
    pytest.importorskip("genai_prices")


def ask(server: Unnamed, path: str, **body: Any) -> httpx.Response:
    return httpx.post(server.url + path, json={"input": "x" * 100, **body}, verify=False, trust_env=False)


@pytest.mark.usefixtures("_prices")
@pytest.mark.parametrize("model", PRICED)
def test_the_model_that_is_asked_for_prices_the_call(model: str, unnamed: Unnamed, tmp_path: Path) -> None:
    path, usd = PRICED[model]
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES) as handle:
        cost = recost.cost_for(ask(unnamed, path, model=model))
        assert cost is not None
        assert (cost.usd, cost.source, cost.model) == (usd, "computed", model)
        assert cost.usage is not None
        assert cost.usage.model is None, "the response names none"
        assert handle.flush_blocking(10)
    (metric,) = [metric for window in windows(tmp_path) for metric in window["metrics"]]
    assert [each["model"] for each in metric["models"]] == [model]
    assert metric["unpricedCount"] == 0


@pytest.mark.usefixtures("_prices")
@pytest.mark.parametrize("model", PRICED)
def test_without_read_requests_nothing_is_read(model: str, unnamed: Unnamed, tmp_path: Path) -> None:
    path, _ = PRICED[model]
    options: dict[str, Any] = {"capture_usage": True, "custom_providers": RULES, "read_requests": False}
    with recost.init(local_dir=tmp_path, **options):
        cost = recost.cost_for(ask(unnamed, path, model=model))
    assert cost is not None
    assert (cost.usd, cost.source, cost.model) == (None, "unknown", None)


def test_the_option_is_read_from_the_environment(
    unnamed: Unnamed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOST_READ_REQUESTS", "off")
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES):
        cost = recost.cost_for(ask(unnamed, "/v2/chat", model="command-a"))
    assert cost is not None
    assert cost.model is None


@pytest.mark.usefixtures("_prices")
@pytest.mark.parametrize(
    "model",
    [None, "", 3, ["gpt-4o"], {"gpt-4o": 1}, "a model of words", "gpt-4o\n", "x" * 500, "no-such-model"],
)
def test_what_is_no_model_prices_nothing(model: Any, unnamed: Unnamed, tmp_path: Path) -> None:
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES):
        cost = recost.cost_for(ask(unnamed, "/v1/responses/compact", model=model))
    assert cost is not None
    assert cost.usd is None


@pytest.mark.usefixtures("_prices")
@pytest.mark.parametrize("tier", ["flex", "default", "auto", "odd one"])
def test_the_tier_that_is_asked_for_counts_where_the_answer_has_none(
    tier: str, unnamed: Unnamed, tmp_path: Path
) -> None:
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES):
        given = {"model": "o4-mini" if tier == "flex" else "gpt-4o", "service_tier": tier}
        cost = recost.cost_for(ask(unnamed, "/v1/responses/compact", **given))
    assert cost is not None
    assert cost.usage is not None
    assert cost.usage.tier == (tier if tier in {"flex", "default"} else None)


@pytest.mark.usefixtures("_prices")
def test_openai_s_sdk_is_priced_by_the_form_that_it_sends(unnamed: Unnamed, tmp_path: Path) -> None:
    openai: Any = pytest.importorskip("openai")
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES):
        client = openai.OpenAI(api_key="sk-1", base_url=f"{unnamed.url}/v1", max_retries=0)
        with recost.track() as spend:
            client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.wav", b"\0" * 9000))
            client.images.generate(model="gpt-image-1", prompt="a cat")
            client.responses.compact(model="gpt-4o", input="x" * 100_000)
        client.close()
    assert spend.cost == Decimal("0.0011") + Decimal("0.04025") + Decimal("0.0075")
    assert set(spend.by_model) == {"gpt-4o-transcribe", "gpt-image-1", "gpt-4o"}
    assert spend.unpriced == 0


def test_only_metered_rules_ask() -> None:
    shapes = {rule.usage for rule in BUILTIN_PROVIDERS} | {
        case.usage for rule in BUILTIN_PROVIDERS for case in rule.prices
    }
    assert set(REQUEST_FIELDS) <= shapes
    assert request_fields("cohere", "/v2/chat") == ("model",)
    assert request_fields("openai", "/v1/responses/compact/") == ("model", "service_tier")
    assert request_fields("openai", "/v1/chat/completions") == (), "the response names it"
    assert request_fields("anthropic", "/v1/messages") == ()
    assert {name for asks in REQUEST_FIELDS.values() for _, names in asks for name in names} == {
        "model",
        "n",
        "quality",
        "service_tier",
        "size",
    }


def test_a_recorded_request_is_what_was_sent(unnamed: Unnamed, tmp_path: Path) -> None:
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=RULES):
        ask(unnamed, "/v2/chat", model="command-a", stream=False)
    assert json.loads(unnamed.log[0]) == {"input": "x" * 100, "model": "command-a", "stream": False}
