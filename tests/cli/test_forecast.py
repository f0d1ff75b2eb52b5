"""``recost forecast``: what is spent is exact, what comes is bounded, and too little data is said."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost import wire
from recost.cli import main
from recost.events import MetricEntry, ModelEntry, WindowSummary
from tests.analytics.histories import days_of

pytest.importorskip("duckdb")
pytest.importorskip("statsmodels")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("recost.cli.forecast.right_now", lambda: NOW)
    return tmp_path


def line(at: datetime, usd: float, provider: str = "openai", **more: Any) -> bytes:
    start = at.timestamp() * 1000
    entry = MetricEntry(provider, "chat", "POST", 2, 0, 5.0, 5.0, 5.0, 1, 2, usd * 100, **more)
    summary = WindowSummary("", "test", "python", "0.2.0", start, start + 30_000, (entry,))
    return wire.encode_window(summary) + b"\n"


def history(days: int, provider: str = "openai", kind: str = "week", seed: int = 1) -> list[bytes]:
    """Return two windows for each of the days before now, at 6 and at 18 o'clock, and one of this morning."""
    costs = days_of(kind, days + 1, random.Random(seed))
    midnight = NOW.replace(hour=0)
    lines = []
    for back, cost in zip(range(days, -1, -1), costs):
        for hour in (6, 18):
            at = midnight - timedelta(days=back) + timedelta(hours=hour)
            if at < NOW:
                lines.append(line(at, cost / 2, provider))
    return lines


def forecast(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["forecast", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out, parse_float=Decimal)


def spent(lines: list[bytes], since: str = "2026-11-01") -> Decimal:
    """Add up the lines in plain Python."""
    total = Decimal(0)
    for text in lines:
        window = json.loads(text, parse_float=Decimal)
        if window["windowStart"] >= since:
            total += sum(entry["estimatedCostCents"] for entry in window["metrics"])
    return total / 100


def test_what_is_spent_is_exact_and_the_rest_is_bounded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    openai, stripe = history(60), history(60, "stripe", "flat", 2)
    (folder / "shop.jsonl").write_bytes(b"".join(openai + stripe))
    found = forecast(capsys)
    assert (found["since"], found["until"], found["level"]) == ("2026-11-01", "2026-12-01", 80)
    one, two = found["groups"]
    assert [each["spent_usd"] for each in (two, one, found["total"])] == [
        spent(openai), spent(stripe), spent(openai + stripe)
    ]  # fmt: skip
    for each in (one, two, found["total"]):
        assert each["method"] == "ETS"
        assert each["days"] == 59, "the first day may be part of one"
        assert each["spent_usd"] < each["low_usd"] < each["expected_usd"] < each["high_usd"]
    # Today from 12 o'clock on is half of a day, and nine days follow.
    assert one["expected_usd"] - one["spent_usd"] == pytest.approx(Decimal("9.5") * 20, rel=Decimal("0.1"))


def test_too_little_data(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, young, new = (
        history(60),
        history(6, "mistral", "flat", 3),
        [line(NOW - timedelta(hours=1), 7, "xai")],
    )
    (folder / "shop.jsonl").write_bytes(b"".join(old + young + new))
    groups = {each["provider"]: each for each in forecast(capsys)["groups"]}
    assert groups["openai"]["method"] == "ETS"
    assert (groups["mistral"]["method"], groups["mistral"]["days"]) == ("run rate", 5)
    assert groups["mistral"]["low_usd"] is groups["mistral"]["high_usd"] is None
    assert groups["mistral"]["expected_usd"] - groups["mistral"]["spent_usd"] == pytest.approx(
        Decimal("9.5") * 20, rel=Decimal("0.2")
    )
    assert groups["xai"]["spent_usd"] == 7
    assert groups["xai"]["expected_usd"] is groups["xai"]["method"] is None
    assert main(["forecast"]) == 0
    out = capsys.readouterr().out
    assert "too little data: fewer than 14 whole days" in " ".join(out.split())
    assert [row.split()[0] for row in out.splitlines() if " * " in f"{row} "][:1] == ["mistral"]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(("days", "method"), [(14, "run rate"), (15, "ETS")])
def test_the_least_days(days: int, method: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.jsonl").write_bytes(b"".join(history(days)))
    assert forecast(capsys)["total"]["method"] == method


def test_days_without_calls_cost_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line(NOW - timedelta(days=back), 28) for back in range(28 + 7, 7, -7)]
    (folder / "shop.jsonl").write_bytes(b"".join(lines))
    found = forecast(capsys)["total"]
    assert found["days"] == 34
    assert found["expected_usd"] - found["spent_usd"] < 60, "four a day, not 28"
    assert main(["forecast"]) == 0
    assert "since 2026-11-07 12:00: is everything recorded?" in capsys.readouterr().out


def test_the_rest_a_day_to_end_with_and_what_is_not_known(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("a", "b", "c", "d")
    lines = [each for seed, name in enumerate(names) for each in history(20, name, "flat", seed)]
    lines.append(line(NOW - timedelta(hours=2), 0, "unknown", unpriced_count=2))
    (folder / "shop.jsonl").write_bytes(b"".join(lines) + b"torn\n")
    found = forecast(capsys, "--limit", "2", "--until", "2026-11-23", "--level", "95")
    assert (found["until"], found["level"], found["not_read"]) == ("2026-11-23", 95, 1)
    assert found["rest"]["groups"] == 3
    assert (
        sum(each["spent_usd"] for each in found["groups"]) + found["rest"]["spent_usd"]
        == found["total"]["spent_usd"]
    )
    assert found["total"]["expected_usd"] - found["total"]["spent_usd"] == pytest.approx(
        Decimal(4 * 20) * Decimal("1.5"), rel=Decimal("0.2")
    )
    assert main(["forecast", "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert "2 calls without a known price" in out
    assert "1 line could not be read" in out
    assert "\n3 others " in out


def test_by_model_and_with_filters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = (ModelEntry("gpt-4o", 1, 100.0, 0, 5, 6),)
    lines = [
        line(NOW - timedelta(days=back), 3, models=models, unpriced_count=0) for back in range(20, 0, -1)
    ]
    (folder / "shop.jsonl").write_bytes(b"".join([*lines, *history(20, "stripe")]))
    found = forecast(capsys, "--by", "model", "--provider", "openai")
    assert {each["model"]: each["spent_usd"] for each in found["groups"]} == {"gpt-4o": 20, None: 40}
    assert found["total"]["expected_usd"] == pytest.approx(60 + 3 * 9 + 3, rel=Decimal("0.1"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--level", "100"], "invalid number '100': expected a whole number from 50 to 99"),
        (["--level", "x"], "invalid number 'x'"),
        (["--by", "day"], "invalid --by 'day': expected one of provider"),
        (["--by", "tag:"], "invalid dimension 'tag:'"),
        (["--until", "2026-11-21"], "expected 1 to 92 days after 2026-11-21"),
        (["--until", "2028-01-01"], "1 to 92 days"),
        (["--until", "x"], "--until: invalid time 'x'"),
        (["--limit", "0"], "invalid number '0': expected a whole number of at least 1"),
        (["--tz", "Mars"], "invalid time zone"),
        (["/nowhere.jsonl"], "no such file"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["forecast", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_the_library_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "recost.cli._shared.refusal.find_spec", lambda name: None if name == "statsmodels" else object()
    )
    assert main(["forecast"]) == 2
    expected = "recost forecast needs statsmodels: pip install 'recost[forecast]'\n"
    assert capsys.readouterr().err == expected
