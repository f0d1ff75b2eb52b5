"""Windows as a program has recorded them, written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

__all__ = ["record"]

_ZERO = (
    "errorCount", "totalLatencyMs", "p50LatencyMs", "p95LatencyMs", "totalRequestBytes", "totalResponseBytes",
)  # fmt: skip


def record(
    folder: Path,
    when: str,
    usd: float,
    *,
    provider: str = "openai",
    model: Optional[str] = None,
    key: Optional[str] = None,
    calls: int = 10,
    unpriced: Optional[int] = None,
) -> None:
    """Append a window with one metric to the file of a project."""
    sums = {"requestCount": calls, "estimatedCostCents": usd * 100}
    metric: dict[str, Any] = {
        "provider": provider, "endpoint": "chat_completions", "method": "POST",
        **dict.fromkeys(_ZERO, 0), **sums,
    }  # fmt: skip
    if unpriced is not None:
        metric["unpricedCount"] = unpriced
    if model is not None:
        metric["models"] = [{"model": model, **sums}]
    if key is not None:
        metric["tags"] = [{"tags": {"key": key}, "errorCount": 0, **sums}]
    window = {
        "projectId": "shop", "protocolVersion": "1.1", "environment": "e", "sdkLanguage": "python",
        "sdkVersion": "0.2.0", "windowStart": when, "windowEnd": when, "metrics": [metric],
    }  # fmt: skip
    with (folder / "shop.jsonl").open("a") as file:
        file.write(json.dumps(window) + "\n")
