"""The one word for a cost that is unknown, in the output of each command."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from recost import MetricEntry, WindowSummary, wire
from recost.cli import main

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A telemetry folder with calls without a price, now and on the days before."""
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "130")
    now = datetime.now(timezone.utc)
    (tmp_path / "shop.jsonl").write_bytes(b"".join(line(now - timedelta(days=back)) for back in range(20)))
    return tmp_path


def line(at: datetime) -> bytes:
    """Return a window with failed and repeated calls, all without a known price."""
    start = at.timestamp() * 1000 - 31_000
    metric = MetricEntry(
        "acme", "things", "GET", 60, 30, 9.0, 5.0, 5.0, 9, 9, 0.0, unpriced_count=60, attempts=90
    )
    window = WindowSummary("", "test", "python", "0", start, start + 30_000, (metric,))
    return wire.encode_window(window) + b"\n"


@pytest.mark.parametrize(
    "command",
    [
        ["report"],
        ["report", "--markdown"],
        ["report", "--compare", "--since", "3d"],
        ["waste"],
        ["gate", "--max-usd", "5"],
        ["top", "--once"],
        ["forecast"],
    ],
    ids=" ".join,
)
def test_an_unknown_cost_is_never_an_amount(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if command[0] == "forecast":
        pytest.importorskip("statsmodels")
    assert main([*command]) == 0
    out = capsys.readouterr().out
    assert "unknown" in out
    assert "not known" not in out.replace("billed them is not known", "").replace("billed is not known", "")
    amounts = [each for each in out.splitlines() if "$" in each and "calls end between" not in each]
    assert [each for each in amounts if "budget of $5.00" not in each and "count as $0" not in each] == []


def test_json_keeps_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]
    assert (total["cost_usd"], total["unpriced"]) == (0, 1200)
