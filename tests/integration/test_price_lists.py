"""A running process takes a newer list of prices by itself; without genai-prices it says so."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import recost
from recost._documents import read_document
from recost.pricing import price_list
from recost.pricing.route import Routes
from tests.loopback import wait_until
from tests.price_lists import MODEL, small_list
from tests.scripts import environment, run_script, windows
from tests.serving import serving

RULE = recost.ProviderDef("127.0.0.1", "openai", "/v1", "openai", usage="openai", genai_provider="openai")


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        usage = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
        body = json.dumps({"model": MODEL, "object": "chat.completion", "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"


def ask(url: str) -> recost.Cost:
    cost = recost.cost_for(httpx.post(url, json={}, trust_env=False))
    assert cost is not None
    return cost


def test_a_running_process_takes_a_newer_list(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    reading: list[int] = []

    def noted(path: Path, most_bytes: int) -> str:
        reading.append(threading.get_ident())
        return read_document(path, most_bytes)

    monkeypatch.setattr(price_list, "read_document", noted)
    file, errors = tmp_path / "prices.json", list[Exception]()
    file.write_text(small_list("another"))
    options: Any = {"prices_file": file, "capture_usage": True, "custom_providers": [RULE]}
    with recost.init(
        local_dir=tmp_path / "telemetry", flush_interval_ms=20, on_error=errors.append, **options
    ):
        assert (ask(url).source, ask(url).missing) == ("unknown", (MODEL,))
        seen = len(reading)
        file.write_text(small_list())
        assert wait_until(lambda: ask(url).usd == 3, 30)
        assert threading.get_ident() not in reading[seen:], "it is read on recost's own thread"
        file.write_text("[")
        assert wait_until(lambda: any("it is not used" in str(error) for error in errors), 30)
        assert ask(url).usd == 3, "what was in use stays"
    metrics = [metric for window in windows(tmp_path / "telemetry") for metric in window["metrics"]]
    assert sum(metric["unpricedCount"] for metric in metrics) >= 2, "what had no price is counted"
    assert any(MODEL in json.dumps(metric.get("models")) for metric in metrics), "and named"
    named = [str(error) for error in errors if "no price for model" in str(error)]
    assert len(named) == 1
    assert MODEL in named[0]


def test_nothing_is_read_where_no_tokens_are_priced(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(price_list, "read_list", lambda path, _: looked.append(path))
    missing = tmp_path / "missing.json"
    with recost.init(local_dir=tmp_path, prices_file=missing, custom_providers=[RULE]) as handle:
        httpx.post(url, json={}, trust_env=False)
        assert handle.flush_blocking(30)
    assert looked == []


PROGRAM = """
import sys, warnings
sys.modules["genai_prices"] = None
import httpx, recost
url, folder, how = sys.argv[1:]
told = []
more = {"on_error": lambda error: told.append(str(error))} if how == "on_error" else {}
rule = recost.ProviderDef("127.0.0.1", "openai", "/v1", "openai", usage="openai", genai_provider="openai")
flat = recost.ProviderDef(
    "localhost", "openai", "/v1", "openai", usage="openai", genai_provider="openai", cost_per_request_cents=5
)
with recost.init(capture_usage=how != "plain", local_dir=folder, custom_providers=[rule], **more) as handle:
    cost = recost.cost_for(httpx.post(url, json={}, trust_env=False))
    handle.flush_blocking(20)
print(cost.usd, cost.source, *cost.missing, sep="|")
print(*told, sep="\\n")
"""
REASON = "genai-prices is not installed: "


def test_without_genai_prices_it_is_said_at_the_start_and_of_each_call(url: str, tmp_path: Path) -> None:
    done = run_script(PROGRAM, url, tmp_path, "log", env=environment())
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"None|unknown|{REASON}")
    told = [line for line in done.stderr.splitlines() if REASON in line]
    assert len(told) == 1, done.stderr
    assert told[0].endswith("; without it, tokens have no price")
    (window,) = windows(tmp_path)
    assert [metric["unpricedCount"] for metric in window["metrics"]] == [1]

    done = run_script(PROGRAM, url, tmp_path, "on_error", env=environment())
    assert done.stderr.count(REASON) == 1
    (only,) = done.stdout.splitlines()[1:]
    assert REASON in only


def test_without_capture_usage_genai_prices_is_not_missed(url: str, tmp_path: Path) -> None:
    done = run_script(PROGRAM, url, tmp_path, "plain", env=environment())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_price_per_call_is_not_taken_for_what_tokens_cost() -> None:
    """Without genai-prices, too: what was used is known, so a flat figure says less than that."""
    from recost.pricing.pricer import PricedCall, Pricer
    from recost.pricing.registry import ProviderRegistry
    from recost.pricing.usage.model import Usage

    registry = ProviderRegistry()
    route = Routes(registry).find(("api.openai.com", "/v1/chat/completions", "POST"))
    assert route.flat_cents
    call = PricedCall(route, status=200, request_bytes=1, response_bytes=1)
    cost = Pricer().price(call._replace(usage=Usage("no-such-model", {"input_tokens": 5})))
    assert (cost.usd, cost.source) == (None, "unknown")
    unread = Pricer().price(call)
    assert (unread.usd, unread.source) == (Decimal(str(route.flat_cents)) / 100, "estimated")
