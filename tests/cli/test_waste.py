"""``recost waste`` as a user sees it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost.cli import main

pytest.importorskip("duckdb")


def window(*metrics: dict[str, Any]) -> bytes:
    frame = {
        "protocolVersion": "1.1", "environment": "test", "sdkLanguage": "python", "sdkVersion": "0.2.0",
        "windowStart": "2026-03-27T12:00:00.000Z", "windowEnd": "2026-03-27T12:00:30.000Z",
        "metrics": metrics,
    }  # fmt: skip
    return json.dumps(frame).encode() + b"\n"


def row(endpoint: str, calls: int, errors: int, cents: float, **more: Any) -> dict[str, Any]:
    return {
        "provider": "openai", "endpoint": endpoint, "method": "POST", "requestCount": calls,
        "errorCount": errors, "totalLatencyMs": 1, "p50LatencyMs": 1, "p95LatencyMs": 1,
        "totalRequestBytes": 1000 * calls, "totalResponseBytes": 1, "estimatedCostCents": cents, **more,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The telemetry folder."""
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "shop.jsonl").write_bytes(
        window(
            row("chat", 10, 0, 60, attempts=14),
            row("batch", 20, 20, 10, attempts=60),
            row("list", 70, 0, 30),
            row("odd", 5, 0, 0, unpricedCount=5),
        )
        + b"torn\n"
    )
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["waste", *arguments]) == code
    output = capsys.readouterr()
    return output.err if code else output.out


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys)
    assert out.splitlines()[:10] == [
        "what                      found of all probable cost share upper bound",
        "----------------------------------------------------------------------",
        "attempts beyond the first    44  59.5%         $0.24 23.8%       $0.70",
        "errors                       20  19.0%         $0.10 10.0%       $0.10",
        "  billed, at least           20  19.0%         $0.10 10.0%       $0.10",
        "attempts in error storms     60                $0.10 10.0%       $0.10",
        "repeated calls               70  66.7%       unknown             $0.30",
        "calls without a price         5   4.8%       unknown",
        "----------------------------------------------------------------------",
        "all calls                   105                                  $1.00",
    ]
    words = " ".join(out.split())
    assert "75 calls without a count of attempts" in words
    assert "Whether the status was 429 is not recorded" in words
    assert "Whether calls were identical is not recorded" in words
    assert "5 calls (4.8%) without a known price, not included in the cost" in words
    assert "03-27 12:00:00 openai batch 20 20 60" in words
    assert "openai list 70 1 70 1.0 kB $0.3000 30.0%" in words
    assert "1 line could not be read (-v lists them)" in words


def test_it_fits_80_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    endpoint = "/v1/" + "x" * 200
    more = {"attempts": 987_654_321, "unpricedCount": 12_345_678}
    (folder / "big.jsonl").write_bytes(window(row(endpoint, 123_456_789, 23_456_789, 12345678901.5, **more)))
    out = shown(capsys)
    assert max(map(len, out.splitlines())) <= 80, out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(shown(capsys, "--json", "--repeated", "10"), parse_float=Decimal)
    assert found["repeated_from"] == 10
    assert found["total"]["repeated"] == 100
    assert found["total"]["cost_usd"] == 1
    assert [each["endpoint"] for each in found["endpoints"]] == ["batch", "chat", "list", "odd"]
    assert found["storms"][0]["attempts"] == 60
    assert found["bad_lines"] == 1


def test_nothing_in_the_period(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "--since", "2026-04-01")
    nothing, notes = out.split("\n\n")
    assert nothing == "no calls in this period with these filters"
    assert notes.startswith("skipped    1 line could not be read")


def test_nothing_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "fine.jsonl").write_bytes(window(row("good", 4, 0, 50, attempts=4)))
    out = shown(capsys, "--project", "fine")
    nothing, notes = out.split("\n\n")
    assert nothing == "nothing found in 4 calls, with a cost of $0.5000"
    assert "rows " not in notes


def test_filters(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown(capsys, "--json", "--provider", "open*"))["total"]["calls"] > 0
    assert "matches nothing that was recorded" in shown(capsys, "--provider", "stripe", code=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--repeated", "1"], "expected a whole number of at least 2"),
        (["--since", "x"], "invalid time 'x'"),
        (["/no"], "no such"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert words in shown(capsys, *arguments, code=2)
