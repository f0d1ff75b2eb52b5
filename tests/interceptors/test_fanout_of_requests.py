"""Requests read by several listeners: each sees only what it wants."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

import recost
from recost import Budget, ProviderDef, RecostBudgetExceededError
from recost.interceptors import interception
from recost.interceptors.exchange import Wanted
from recost.testing import capture_calls, capture_windows
from tests.scripts import windows as windows_in
from tests.unnamed import Unnamed, unnamed_server

Options = dict[str, Any]


def _rules(shape: str) -> list[ProviderDef]:
    prices = {
        f"m-{n}.{unit}": Decimal(n) / 1000 for n in (1, 2) for unit in ("input_tokens", "output_tokens")
    }
    more: Options = {"usd_per_unit": prices, "price_source": "this test", "price_date": "2026-11-21"}
    return [ProviderDef("127.0.0.1", "house", endpoint_category="chat", usage=shape, **more)]


READING: Final[Options] = {"capture_usage": True, "custom_providers": _rules("cohere")}
SETTINGS: Final[dict[str, Options]] = {
    "reading": READING,
    "reading no requests": {**READING, "read_requests": False},
    "capturing nothing": {**READING, "capture_usage": False},
    "of another shape": {**READING, "custom_providers": _rules("openai")},
    "a budget of a model": {
        **READING,
        "custom_providers": _rules("openai"),
        "budgets": [Budget(100, provider="house", model="m-1", on_exceed="raise")],
    },
    "a budget that is used up": {
        **READING,
        "budgets": [Budget("0.5", provider="house", model="m-2", on_exceed="raise", name="small")],
    },
}


@pytest.fixture
def unnamed() -> Iterator[Unnamed]:
    with unnamed_server() as server:
        yield server


def _call(server: Unnamed) -> list[Any]:
    said: list[Any] = []
    with httpx.Client(trust_env=False, verify=False) as client:
        for path, model in itertools.product(("/v2/chat", "/v1/responses/compact"), ("m-1", "m-2", "m-2")):
            body = {"model": model, "service_tier": "flex", "n": 1}
            try:
                cost = recost.cost_for(client.post(server.url + path, json=body))
            except RecostBudgetExceededError as error:
                said.append(str(error).partition(":")[0])
            else:
                assert cost is not None
                tier = None if cost.usage is None else cost.usage.tier
                said.append((cost.usd, cost.source, cost.model, tier))
    return said


@pytest.mark.parametrize("name", SETTINGS)
def test_each_sees_of_requests_what_it_sees_alone(name: str, unnamed: Unnamed, tmp_path: Path) -> None:
    folders = itertools.count()

    def seen(before: Sequence[Options], after: Sequence[Options]) -> Any:
        folder = tmp_path / str(next(folders))
        with ExitStack() as stack:
            for options in before:
                stack.enter_context(capture_windows(**options))
            handle = stack.enter_context(recost.init(local_dir=folder, **SETTINGS[name]))
            for options in after:
                stack.enter_context(capture_windows(**options))
            said = _call(unnamed)
            assert handle.flush_blocking()
        metrics = [metric for window in windows_in(folder) for metric in window["metrics"]]
        return said, [
            (each.get("models"), each["requestCount"], each.get("unpricedCount")) for each in metrics
        ]

    alone = seen([], [])
    others = [each for each in SETTINGS.values() if "budgets" not in each]  # what those refuse is not made
    assert seen(others, []) == alone
    assert seen([], others) == alone
    assert interception.metered is None


def test_what_is_read_is_what_each_of_them_reads(unnamed: Unnamed) -> None:
    costs = {"reading": "m-1", "of another shape": None, "reading no requests": None}
    with ExitStack() as stack:
        seen = {name: stack.enter_context(capture_windows(**SETTINGS[name])) for name in costs}
        assert interception.metered is not None
        wanted = interception.metered(("127.0.0.1", "/v1/responses/compact", "POST")).wanted
        httpx.post(f"{unnamed.url}/v2/chat", json={"model": "m-1"}, verify=False, trust_env=False)
    assert wanted is not None
    assert wanted.fields == ("model", "service_tier")
    for name, model in costs.items():
        models = [
            each.model for window in seen[name] for metric in window.metrics for each in metric.models or ()
        ]
        assert models == ([] if model is None else [model]), name


def test_a_listener_that_reads_none_leaves_requests_alone(unnamed: Unnamed) -> None:
    for options in (SETTINGS["reading no requests"], SETTINGS["capturing nothing"]):
        with capture_windows(**options), capture_calls():
            metered = interception.metered
            wanted = None if metered is None else metered(("127.0.0.1", "/v2/chat", "POST")).wanted
            assert (wanted or Wanted()).fields == ()
            httpx.post(f"{unnamed.url}/v2/chat", json={"model": "m-1"}, verify=False, trust_env=False)
