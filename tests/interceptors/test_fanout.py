"""One listener never changes what another sees: each pair, in both orders, with settings that differ."""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable, Final

import httpx
import pytest

import recost
from recost import Budget, ProviderDef, RecostBudgetExceededError
from recost.interceptors import install, interception, uninstall
from recost.interceptors.responses import exchange_of
from recost.testing import capture_calls, capture_windows
from tests.metered import Metered, metered_server
from tests.scripts import windows as windows_in

Options = dict[str, Any]
Listener = Callable[[Path], AbstractContextManager[Any]]

PRICED: Final[Options] = {
    "price_source": "this test",
    "price_date": "2026-11-21",
    "host_pattern": "127.0.0.1",
    "path_prefix": "/v1",
}


def _rule(provider: str, **more: Any) -> list[ProviderDef]:
    return [ProviderDef(provider=provider, endpoint_category="chat", **PRICED, **more)]


def _tokens(provider: str, usd: str, shape: str = "openai") -> Options:
    prices = {"input_tokens": Decimal(usd), "output_tokens": Decimal(usd) * 2}
    return {"capture_usage": True, "custom_providers": _rule(provider, usage=shape, usd_per_unit=prices)}


SETTINGS: Final[dict[str, Options]] = {
    "flat": {"custom_providers": _rule("flat", usd_per_call=Decimal("0.5"))},
    "no rule": {},
    "no rule, reading": {"capture_usage": True},
    "tokens": _tokens("house", "0.001"),
    "tokens, not reading": {**_tokens("house", "0.003"), "capture_usage": False},
    "tokens of another price": _tokens("dear", "0.07"),
    "another shape": _tokens("strange", "0.002", "anthropic"),
    "excluded": {**_tokens("house", "0.001"), "exclude_hosts": ["127.0.0.1"]},
    "paths as they are": {"template_paths": False},
    "a budget": {
        **_tokens("house", "0.001"),
        "budgets": [Budget("0.02", provider="house", on_exceed="raise", unpriced="refuse")],
    },
}


@contextmanager
def _callback() -> Iterator[None]:
    install(lambda event: None)
    try:
        yield
    finally:
        uninstall()


def _init(options: Options) -> Listener:
    return lambda folder: recost.init(local_dir=folder, **options)


def _windows(options: Options) -> Listener:
    return lambda folder: capture_windows(**options)


LISTENERS: Final[dict[str, Listener]] = {
    "capture_calls": lambda folder: capture_calls(),
    "capture_calls, excluded": lambda folder: capture_calls(exclude_hosts=["127.0.0.1"]),
    "install": lambda folder: _callback(),
    **{f"windows: {name}": _windows(SETTINGS[name]) for name in SETTINGS if name != "a budget"},
}


@pytest.fixture
def upstream() -> Iterator[Metered]:
    with metered_server() as server:
        yield server


def _call(server: Metered) -> list[Any]:
    """Make one call of each kind, and return its cost or refusal."""
    said: list[Any] = []
    server.tokens = iter(range(2, 100, 2))  # type: ignore[assignment]
    url = f"{server.url}/v1/chat/7d3f2f44-5b0e-4a53-9c5e-1c5a4dd1f6f5"
    with httpx.Client(trust_env=False, verify=False) as client:
        for how in ("", "?as=sse", "?as=gzip", ""):
            try:
                with recost.track() as spend:
                    response = client.post(url + how, json={})
                    cost = recost.cost_for(response)
                said.append((cost and (cost.usd, cost.source, cost.provider, cost.model), spend.cost))
                said.append((spend.unpriced, spend.by_provider, spend.by_model))
            except RecostBudgetExceededError as error:  # noqa: PERF203
                said.append(str(error))
    try:
        with recost.track() as spend, urllib.request.urlopen(url, b"{}") as opened:
            opened.read()
        said.append((spend.cost, spend.calls))
    except RecostBudgetExceededError as error:
        said.append(str(error))
    return said


def _of(windows: Any) -> list[Any]:
    found = []
    for window in windows:
        for metric in window.metrics:
            values = metric.to_dict()
            varying = ("totalLatencyMs", "p50LatencyMs", "p95LatencyMs", "timeToHeadersMs")
            found.append({name: value for name, value in values.items() if name not in varying})
    return found


def _seen_by_init(
    server: Metered, folder: Path, options: Options, before: Listener, after: Listener
) -> tuple[Any, ...]:
    """Return what an `init` sees with listeners that begin before it, and after it."""
    errors: list[Exception] = []
    with ExitStack() as stack:
        stack.enter_context(before(folder / "before"))
        handle = recost.init(local_dir=folder, on_error=errors.append, **options)
        stack.enter_context(after(folder / "after"))
        said = _call(server)
        assert handle.flush_blocking()
        handle.dispose()
    lines = [metric for window in windows_in(folder) for metric in window["metrics"]]
    varying = ("totalLatencyMs", "p50LatencyMs", "p95LatencyMs", "latency", "timeToHeadersMs")
    kept = [{name: value for name, value in line.items() if name not in varying} for line in lines]
    return said, kept, [str(error) for error in errors]


def _together(listeners: Iterable[Listener]) -> Listener:
    @contextmanager
    def all_of_them(folder: Path) -> Iterator[None]:
        with ExitStack() as stack:
            for listener in listeners:
                stack.enter_context(listener(folder))
            yield

    return all_of_them


NOBODY: Final = _together(())


def _differing(seen: Callable[[Listener, Listener], Any], listeners: Mapping[str, Listener]) -> list[str]:
    """Name the listeners that change what ``seen`` returns, beginning before or after who sees it."""
    alone, everybody = seen(NOBODY, NOBODY), _together(listeners.values())
    found = []
    if seen(everybody, NOBODY) != alone:
        found += [f"{name}, before" for name, each in listeners.items() if seen(each, NOBODY) != alone]
        found.append("all of them, before")
    if seen(NOBODY, everybody) != alone:
        found += [f"{name}, after" for name, each in listeners.items() if seen(NOBODY, each) != alone]
        found.append("all of them, after")
    return found


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_what_init_sees(options: Options, upstream: Metered, tmp_path: Path) -> None:
    runs = itertools.count()

    def seen(before: Listener, after: Listener) -> Any:
        folder = tmp_path / str(next(runs))
        folder.mkdir()
        return _seen_by_init(upstream, folder, options, before, after)

    assert _differing(seen, LISTENERS) == []
    assert interception.sink is None


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("others", ["tokens of another price", "tokens, not reading"])
def test_what_captured_windows_have(others: str, options: Options, upstream: Metered, tmp_path: Path) -> None:
    def seen(before: Listener, after: Listener) -> Any:
        with before(tmp_path), capture_windows(**options) as windows, after(tmp_path):
            _call(upstream)
        return _of(windows), [str(error) for error in windows.errors]

    assert _differing(seen, {**LISTENERS, f"init: {others}": _init(SETTINGS[others])}) == []


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_captured_windows_have_what_init_writes(options: Options, upstream: Metered, tmp_path: Path) -> None:
    said, lines, _ = _seen_by_init(upstream, tmp_path, options, NOBODY, NOBODY)
    with capture_windows(**options) as windows:
        captured = _call(upstream)
    assert captured == said
    costs = [(line["provider"], line["endpoint"], line["estimatedCostCents"]) for line in lines]
    assert [
        (each["provider"], each["endpoint"], each["estimatedCostCents"]) for each in _of(windows)
    ] == costs


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_captured_calls_cost_what_init_says(options: Options, upstream: Metered, tmp_path: Path) -> None:
    said, lines, _ = _seen_by_init(upstream, tmp_path, options, NOBODY, NOBODY)
    with capture_calls(**options) as calls:
        captured = _call(upstream)
    assert captured == said
    assert [(call.provider, call.endpoint_category) for call in calls] == [
        (line["provider"], line["endpoint"]) for line in lines for _ in range(line["requestCount"])
    ]
    assert interception.sink is None
    assert recost.lifecycle.current_cost_of() is None


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_captured_calls_change_no_price_of_captured_windows(options: Options, upstream: Metered) -> None:
    with capture_windows(**options):
        alone = _call(upstream)
    with capture_windows(**options), capture_calls():
        assert _call(upstream) == alone
    with capture_calls(), capture_windows(**options):
        assert _call(upstream) == alone


def test_the_latest_captured_calls_price(upstream: Metered) -> None:
    with capture_calls(**SETTINGS["tokens"]):
        alone = _call(upstream)
        with capture_calls(**SETTINGS["tokens of another price"]):
            other = _call(upstream)
        assert _call(upstream) == alone != other


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
def test_a_stream_goes_on_for_the_others_when_init_ends(
    options: Options, upstream: Metered, tmp_path: Path
) -> None:
    def cut_off(name: str) -> Any:
        upstream.tokens = itertools.count(2, 2)
        with recost.init(local_dir=tmp_path / name, **options), recost.track() as spend:
            response = client.send(
                client.build_request("POST", f"{upstream.url}/v1/chat?as=sse"), stream=True
            )
            body = response.iter_raw(100)
            next(body)
        said = spend.calls, spend.cost, spend.unpriced
        metrics = [metric for window in windows_in(tmp_path / name) for metric in window["metrics"]]
        rest = sum(map(len, body))
        response.close()
        assert (spend.calls, spend.cost, spend.unpriced) == said
        return said, [(each["provider"], each["estimatedCostCents"]) for each in metrics], rest + 100

    with httpx.Client(trust_env=False, verify=False) as client:
        alone = cut_off("alone")
        with capture_windows():
            assert cut_off("with captured windows") == alone
        with capture_calls() as calls:
            assert cut_off("with another") == alone
    assert [call.response_bytes for call in calls] == [alone[-1]]


def test_what_is_captured_is_let_go_of_when_every_reader_has_had_it(
    upstream: Metered, tmp_path: Path
) -> None:
    options = SETTINGS["tokens"]
    with recost.init(local_dir=tmp_path, **options) as handle, capture_windows(**options) as windows:
        with httpx.Client(trust_env=False, verify=False) as client:
            response = client.post(f"{upstream.url}/v1/chat", json={})
        exchange = exchange_of(response)
        assert exchange is not None
        assert exchange.capture.readers == 2
        assert handle.flush_blocking()
        assert exchange.capture.readers == 1
        windows.flush()
        assert exchange.capture is None


def test_each_gate_may_refuse(upstream: Metered, tmp_path: Path) -> None:
    budget = Budget("0.01", provider="house", on_exceed="raise", name="of the test")
    generous = Budget(100, provider="house", on_exceed="raise", name="of the application")
    options = _tokens("house", "0.01")
    with recost.init(local_dir=tmp_path, budgets=[generous], **options):
        with capture_windows(budgets=[budget], **options):
            said = _call(upstream)
        assert "of the test" in str(said[-1])
        assert "budget" not in str(_call(upstream)[-1])
    assert len(upstream.log) == 1 + 5
