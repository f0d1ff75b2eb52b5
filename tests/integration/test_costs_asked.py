"""What calls cost whose responses name no model, by the built-in rules: each amount is worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, Optional

import httpx
import pytest

import recost
from tests.unnamed import ANSWERS, Unnamed, unnamed_server

COHERE: Final = "http://api.cohere.com"
OPENAI: Final = "http://api.openai.com"
DATABRICKS: Final = "http://dbc-1.cloud.databricks.com/serving-endpoints/chat/completions"
ROUTER: Final = "http://router.huggingface.co/v1/chat/completions"
SPEECH: Final = {"file": ("speech.wav", b"\0" * 40_000, "audio/wav")}
IMAGES: Final = {"created": 1, "data": [{"url": "http://127.0.0.1/1"}, {"url": "http://127.0.0.1/2"}]}
IMAGE: Final[dict[str, Any]] = {"created": 1, "data": [{"b64_json": "A" * 300_000}]}
TEXTS: Final = ["a text of some length " * 20] * 300


class Asked(NamedTuple):
    """One call: what is asked, what is answered, and what that costs."""

    url: str
    answer: Any
    usd: Optional[str]
    body: dict[str, Any]
    model: Optional[str] = None
    source: str = "computed"


def _billed(**units: float) -> dict[str, Any]:
    return {"id": "x-1", "meta": {"api_version": {"version": "2"}, "billed_units": units}}


def _chat(model: str, usd: str, path: str = "/v2/chat") -> Asked:
    body = {"messages": [{"role": "user", "content": TEXTS}], "stream": False, "model": model}
    return Asked(COHERE + path, ANSWERS[path], usd, {"json": body}, model)


def _embed(model: str, usd: str, path: str = "/v2/embed") -> Asked:
    body = {"texts": TEXTS, "model": model, "input_type": "search_document"}  # as Cohere's SDK orders them
    return Asked(COHERE + path, _billed(input_tokens=2_000), usd, {"json": body}, model)


def _rerank(model: str, usd: str, path: str = "/v2/rerank") -> Asked:
    body = {"model": model, "query": "q", "documents": TEXTS}
    return Asked(COHERE + path, _billed(search_units=3), usd, {"json": body}, model)


def _image(model: str, usd: Optional[str], answer: Any = IMAGES, **fields: Any) -> Asked:
    body = {"prompt": "a cat", "model": model, **fields}
    source = "computed" if usd else "estimated"
    return Asked(f"{OPENAI}/v1/images/generations", answer, usd, {"json": body}, model, source)


def _heard(model: str, answer: Any, usd: str, path: str = "/v1/audio/transcriptions") -> Asked:
    form = {"data": {"model": model, "language": "en"}, "files": SPEECH}
    return Asked(OPENAI + path, answer, usd, form, model)


CALLS: Final[dict[str, Asked]] = {
    # 1000 tokens in, 500 out, at $ a million
    "command-a": _chat("command-a-03-2025", "0.0075"),  # 2.50, 10
    "command-r": _chat("command-r-08-2024", "0.00045"),  # 0.15, 0.60
    "command-r-plus": _chat("command-r-plus", "0.0075", "/v1/chat"),  # 2.50, 10
    "command-r7b": _chat("command-r7b-12-2024", "0.0001125"),  # 0.0375, 0.15
    "the first command-r": _chat("command-r-03-2024", "0.00125", "/v1/chat"),  # 0.50, 1.50
    "the first command-r-plus": _chat("command-r-plus-04-2024", "0.0105", "/v1/chat"),  # 3, 15
    "aya": _chat("c4ai-aya-expanse-32b", "0.00125"),  # 0.50, 1.50
    # 2000 tokens
    "embed-v4.0": _embed("embed-v4.0", "0.00024"),  # 0.12
    "embed-english-v3.0": _embed("embed-english-v3.0", "0.0002"),  # 0.10
    "embed-multilingual-v3.0": _embed("embed-multilingual-v3.0", "0.0002", "/v1/embed"),
    "embed-english-light-v3.0": _embed("embed-english-light-v3.0", "0.0002"),
    # 3 searches at $2 a thousand, the newest at $2.50
    "rerank-v3.5": _rerank("rerank-v3.5", "0.006"),
    "rerank-english-v3.0": _rerank("rerank-english-v3.0", "0.006", "/v1/rerank"),
    "rerank-v4.0-fast": _rerank("rerank-v4.0-fast", "0.006"),
    "rerank-v4.0-pro": _rerank("rerank-v4.0-pro", "0.0075"),
    # a minute and a half at $0.006 a minute, $0.27 an hour
    "whisper-1": _heard("whisper-1", {"text": "", "usage": {"type": "duration", "seconds": 90}}, "0.009"),
    "whisper-1, verbose": _heard("whisper-1", {"task": "transcribe", "duration": 90.0, "text": ""}, "0.009"),
    "whisper-1, English": _heard(
        "whisper-1", {"duration": 90, "text": ""}, "0.009", "/v1/audio/translations"
    ),
    "gpt-transcribe": _heard("gpt-transcribe", {"usage": {"type": "duration", "seconds": 90}}, "0.00675"),
    # 100 tokens of audio and 50 of text, at $6 and $10, $3 and $5 a million
    "gpt-4o-transcribe": _heard("gpt-4o-transcribe", ANSWERS["/v1/audio/transcriptions"], "0.0011"),
    "gpt-4o-mini-transcribe": _heard(
        "gpt-4o-mini-transcribe", ANSWERS["/v1/audio/transcriptions"], "0.00055"
    ),
    # two images, or one whose response is too long to count them in
    "dall-e-3": _image("dall-e-3", "0.08"),
    "dall-e-3, wide": _image("dall-e-3", "0.16", size="1792x1024", quality="standard"),
    "dall-e-3, hd": _image("dall-e-3", "0.16", size="1024x1024", quality="hd", n=2),
    "dall-e-3, wide and hd": _image("dall-e-3", "0.12", IMAGE, size="1024x1792", quality="hd"),
    "dall-e-2": _image("dall-e-2", "0.04", n=2),
    "dall-e-2, small": _image("dall-e-2", "0.032", size="256x256"),
    "dall-e-2, long": _image("dall-e-2", "0.09", {**IMAGE, "data": IMAGE["data"] * 5}, size="512x512", n=5),
    "dall-e-3, of an unknown size": _image("dall-e-3", None, size="2048x2048"),
    "dall-e-3, of an unknown quality": _image("dall-e-3", None, quality="best"),
    "dall-e-2, variations": Asked(
        f"{OPENAI}/v1/images/variations",
        IMAGES,
        "0.036",
        {"data": {"model": "dall-e-2", "n": "2", "size": "512x512"}, "files": {"image": SPEECH["file"]}},
        "dall-e-2",
    ),
    # 50 tokens in and 1000 out, at $5 and $40, $2 and $8 a million
    "gpt-image-1": _image("gpt-image-1", "0.04025", ANSWERS["/v1/images/generations"], size="1024x1024"),
    "gpt-image-1-mini": _image("gpt-image-1-mini", "0.0081", ANSWERS["/v1/images/generations"]),
    # 1000 tokens in and 500 out, at $2.50 and $10, $1.25 and $10 a million
    "compact": Asked(
        f"{OPENAI}/v1/responses/compact",
        ANSWERS["/v1/responses/compact"],
        "0.0075",
        {"json": {"input": TEXTS, "model": "gpt-4o"}},
        "gpt-4o",
    ),
    "compact, of gpt-5": Asked(
        f"{OPENAI}/v1/responses/compact",
        ANSWERS["/v1/responses/compact"],
        "0.00625",
        {"json": {"model": "gpt-5", "input": TEXTS}},
        "gpt-5",
    ),
    "compact, flex": Asked(  # at half of that
        f"{OPENAI}/v1/responses/compact",
        ANSWERS["/v1/responses/compact"],
        "0.003125",
        {"json": {"model": "gpt-5", "service_tier": "flex", "input": TEXTS}},
        "gpt-5",
    ),
}


OWN: Final = {"m-1.input_tokens": 1, "m-1.output_tokens": 2, "input_tokens": 5, "output_tokens": 6}


@pytest.fixture(scope="module")
def unnamed() -> Iterator[Unnamed]:
    with unnamed_server() as server:
        yield server


@pytest.fixture(scope="module")
def client(unnamed: Unnamed) -> Iterator[httpx.Client]:
    pytest.importorskip("genai_prices")
    with httpx.Client(proxy=unnamed.url, verify=False, trust_env=False) as made:
        yield made


def _cost(server: Unnamed, client: httpx.Client, asked: Asked) -> recost.Cost:
    server.answers[httpx.URL(asked.url).path] = asked.answer
    cost = recost.cost_for(client.post(asked.url, **asked.body))
    assert cost is not None
    return cost


@pytest.mark.parametrize("case", CALLS)
def test_the_cost_is_that_of_the_model_that_is_asked_for(
    case: str, unnamed: Unnamed, client: httpx.Client, tmp_path: Path
) -> None:
    errors: list[Exception] = []
    asked = CALLS[case]
    with recost.init(local_dir=tmp_path, capture_usage=True, on_error=errors.append):
        cost = _cost(unnamed, client, asked)
    assert (cost.model, cost.source) == (asked.model, asked.source)
    if asked.usd is not None:
        assert cost.usd == Decimal(asked.usd)
        assert errors == []


def test_without_read_requests_none_of_them_is_known(
    unnamed: Unnamed, client: httpx.Client, tmp_path: Path
) -> None:
    own = {"rerank-v3.5", "whisper-1", "whisper-1, verbose", "whisper-1, English"}  # the same for all models
    with recost.init(local_dir=tmp_path, capture_usage=True, read_requests=False):
        for case, asked in CALLS.items():
            cost = _cost(unnamed, client, asked)
            assert cost.model is None, case
            if (
                asked.source == "computed"
                and not {case} & own
                and "rerank" not in case
                and "gpt-t" not in case
            ):
                assert cost.source != "computed", case


@pytest.mark.parametrize(
    ("url", "model", "reported", "usd"),
    [  # 1000 tokens in, 100 out, at $0.10 and $0.10, $0.35 and $0.75, $0.50 and $1.50 a million
        (ROUTER, "meta-llama/Llama-3.1-8B-Instruct:cerebras", "cerebras-llama-8b", "0.00011"),
        (ROUTER, "openai/gpt-oss-120b", "oss-on-wafers", "0.000425"),
        (ROUTER, "made-up/model-1", "openai/gpt-oss-120b", "0.000425"),
        (
            DATABRICKS,
            "databricks-meta-llama-3-3-70b-instruct",
            "meta-llama-3.3-70b-instruct-121024",
            "0.00065",
        ),
        (DATABRICKS, "system.ai.gpt-oss-20b", "gpt-oss-20b-080525", "0.0001"),
    ],
)
def test_a_model_that_has_another_name_in_the_response(
    url: str, model: str, reported: str, usd: str, unnamed: Unnamed, client: httpx.Client, tmp_path: Path
) -> None:
    pytest.importorskip("genai_prices", minversion="0.2")  # earlier ones have fewer models
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    asked = Asked(url, {"model": reported, "usage": usage}, usd, {"json": {"model": model}})
    unnamed.headers["x-inference-provider"] = "cerebras"
    try:
        with recost.init(local_dir=tmp_path, capture_usage=True):
            cost = _cost(unnamed, client, asked)
    finally:
        unnamed.headers.clear()
    assert (cost.source, cost.usd, cost.model) == ("computed", Decimal(usd), reported)


def test_a_price_by_model_is_that_model_s_alone(
    unnamed: Unnamed, client: httpx.Client, tmp_path: Path
) -> None:
    rule = recost.ProviderDef(
        "api.cohere.com",
        "cohere",
        "/v2/chat",
        usage="cohere",
        usd_per_unit={name: Decimal(usd) for name, usd in OWN.items()},
    )
    with recost.init(local_dir=tmp_path, capture_usage=True, custom_providers=[rule]):
        costs = [_cost(unnamed, client, _chat(model, "0")) for model in ("m-1", "m-2", "m-1.input_tokens")]
    assert [cost.usd for cost in costs] == [2000, 8000, 8000]
