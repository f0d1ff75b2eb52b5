"""A provider that meters its own traffic, a real client under recost, and calls that recost does not see."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("openai")

from tests.ledger.bills import epoch
from tests.ledger.fakes import Asked, serving
from tests.scripts import environment

PRICE = Decimal("0.0000025") * 1000 + Decimal("0.00001") * 100
"""US dollars of a call of gpt-4o with 1,000 and 100 tokens (https://openai.com/api/pricing, 2026-11-29)."""
KEYS = {"sk-alice": "alice", "sk-bob": "bob"}
PROGRAM = """
import sys, openai, recost
from recost import ProviderDef
url, recorded = sys.argv[1], int(sys.argv[2])
if recorded:
    rule = ProviderDef("127.0.0.1", "openai", "/v1", "chat", usage="openai", genai_provider="openai")
    handle = recost.init(capture_usage=True, custom_providers=[rule])  # key_labels: from the environment
clients = {key: openai.OpenAI(api_key=key, base_url=url) for key in ("sk-alice", "sk-bob")}
for number in range(int(sys.argv[3])):
    key = "sk-alice" if number % 3 else "sk-bob"
    messages = [{"role": "user", "content": "hello"}]
    clients[key].chat.completions.create(model="gpt-4o", messages=messages)
for client in clients.values():
    client.close()
if recorded:
    handle.dispose()
"""


class Metering:
    """api.openai.com: it answers calls, counts them by key, and bills what it has counted."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Any:
        if asked.path.endswith("/chat/completions"):
            with self._lock:
                self.calls[asked.headers["authorization"].removeprefix("Bearer ")] += 1
            usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
            message = {"role": "assistant", "content": "hello"}
            return {
                "id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06",
                "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }  # fmt: skip
        if asked.path.endswith("/api_keys"):
            keys = [{"id": f"id-{key}", "name": name} for key, name in KEYS.items()]
            return {"data": keys, "has_more": False, "last_id": "x"}
        kind = asked.path.rpartition("/")[2]
        start = epoch(datetime.now(timezone.utc).date())
        results = [self._result(kind, key, count) for key, count in self.calls.items()]
        wanted = results if kind in {"costs", "completions"} else []
        return {
            "data": [{"start_time": start, "end_time": start + 86_400, "results": wanted}],
            "has_more": False,
        }

    @staticmethod
    def _result(kind: str, key: str, count: int) -> dict[str, Any]:
        named = {"project_id": "p", "api_key_id": f"id-{key}"}
        if kind == "costs":
            amount = {"value": float(PRICE * count), "currency": "usd"}
            return {**named, "line_item": "gpt-4o-2024-08-06, tokens", "amount": amount}
        counts = {"input_tokens": 1000 * count, "output_tokens": 100 * count, "num_model_requests": count}
        return {**named, "model": "gpt-4o-2024-08-06", **counts}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("calls", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_calls_that_recost_does_not_see_are_missing_by_key(tmp_path: Path, calls: int) -> None:
    metering = Metering()
    with serving(metering) as api:
        env = environment(RECOST_LOCAL_DIR=str(tmp_path), RECOST_LEDGER_OPENAI_KEY="sk-admin",
                          RECOST_LEDGER_OPENAI_URL=f"{api.url}/v1")  # fmt: skip
        entries = [
            subprocess.run(
                [sys.executable, "-m", "recost", "keys", "label", name],
                input=key, text=True, env=env, check=True, capture_output=True, timeout=60,
            ).stdout
            for key, name in KEYS.items()
        ]  # fmt: skip
        env["RECOST_KEY_LABELS"] = f"{{{','.join(entries)}}}"
        for recorded, count in ((1, calls * 9 // 10), (0, calls // 10)):
            command = [sys.executable, "-c", PROGRAM, f"{api.url}/v1", str(recorded), str(count)]
            subprocess.run(command, env=env, check=True, timeout=300)
        recost = [sys.executable, "-m", "recost"]
        subprocess.run([*recost, "ledger", "pull", "--since", "1d"], env=env, check=True, timeout=120)
        found = {}
        for by in ("provider", "key"):
            done = subprocess.run(
                [*recost, "reconcile", "--by", by, "--json"],
                env=env,
                check=True,
                capture_output=True,
                timeout=120,
            )
            found[by] = json.loads(done.stdout, parse_float=Decimal)["groups"]
    assert sum(metering.calls.values()) == calls
    (total,) = found["provider"]
    assert (total["billed_requests"], total["seen_requests"]) == (calls, calls * 9 // 10)
    assert total["requests_coverage"] == Decimal("0.9")
    assert round(total["coverage"], 6) == Decimal("0.9")
    keys = {group["key"]: (group["billed_requests"], group["seen_requests"]) for group in found["key"]}
    for key, name in KEYS.items():
        seen = len([number for number in range(calls * 9 // 10) if bool(number % 3) == (key == "sk-alice")])
        assert keys[name] == (metering.calls[key], seen)
