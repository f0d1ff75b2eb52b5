"""A used-up budget with a model refuses by what the request asks for, before it is sent."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable

import pytest

import recost
from recost import Budget, RecostBudgetExceededError
from tests.unnamed import Unnamed, unnamed_server

RULE = recost.ProviderDef(
    "127.0.0.1", "cohere", "/v2", "chat", usage="cohere", usd_per_unit={"input_tokens": Decimal("0.001")}
)
BUDGET = Budget(1, model="command-a", on_exceed="raise")


def _httpx(url: str, body: dict[str, Any]) -> None:
    import httpx

    httpx.post(url, json=body, verify=False, trust_env=False)


def _requests(url: str, body: dict[str, Any]) -> None:
    import requests

    requests.post(url, json=body, timeout=10)


def _aiohttp(url: str, body: dict[str, Any]) -> None:
    import aiohttp

    async def post() -> None:
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            await response.read()

    asyncio.run(post())


def _urllib_request(url: str, body: dict[str, Any]) -> None:
    with urllib.request.urlopen(url, json.dumps(body).encode()) as response:
        response.read()


Ask = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def unnamed() -> Iterator[Unnamed]:
    with unnamed_server() as server:
        yield server


def running(folder: Path, **options: Any) -> Any:
    given = {"capture_usage": True, "custom_providers": [RULE], "budgets": [BUDGET], **options}
    return recost.init(local_dir=folder, **given)


def body(model: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": 'what is "model"?'}], "model": model}


@pytest.mark.parametrize("ask", [_httpx, _requests, _aiohttp])
def test_the_model_is_refused_and_others_are_not(ask: Ask, unnamed: Unnamed, tmp_path: Path) -> None:
    url = f"{unnamed.url}/v2/chat"
    with running(tmp_path):
        ask(url, body("command-r"))
        ask(url, body("command-a-03-2025"))  # has cost $1
        for model in ("command-a", "command-a-03-2025"):
            with pytest.raises(RecostBudgetExceededError):
                ask(url, body(model))
        ask(url, body("command-r"))
    assert len(unnamed.log) == 3


def test_where_the_body_is_not_at_hand_the_endpoint_decides(unnamed: Unnamed, tmp_path: Path) -> None:
    # http.client is given the body after the call has begun.
    url = f"{unnamed.url}/v2/chat"
    with running(tmp_path):
        _urllib_request(url, body("command-a"))
        with pytest.raises(RecostBudgetExceededError):
            _urllib_request(url, body("command-a"))
        with pytest.raises(RecostBudgetExceededError):
            _urllib_request(url, body("command-r"))
        _httpx(url, body("command-r"))
    assert len(unnamed.log) == 2


def test_without_read_requests_no_request_tells(unnamed: Unnamed, tmp_path: Path) -> None:
    with running(tmp_path, read_requests=False):
        for _ in range(2):
            _httpx(f"{unnamed.url}/v2/chat", body("command-a"))
    assert len(unnamed.log) == 2, "nothing names the model, so nothing counts"
