"""``recost anomalies`` as cron uses it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost import wire
from recost.cli import main
from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary
from tests.analytics.histories import hours_of
from tests.scripts import environment

pytest.importorskip("duckdb")
NOW = datetime(2026, 11, 21, 14, 30, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("recost.cli.anomalies.right_now", lambda: NOW)
    return tmp_path


def line(at: datetime, usd: float, provider: str = "openai") -> bytes:
    start, cents = at.timestamp() * 1000, usd * 100
    model = ModelEntry("gpt-4o", 2, cents, 0, 5, 6)
    tags = TagEntry((("tenant", "acme"),), 2, 0, cents, 0)
    entry = MetricEntry(
        provider, "chat", "POST", 2, 0, 5.0, 5.0, 5.0, 1, 2, cents,
        models=(model,), tags=(tags,), unpriced_count=0,
    )  # fmt: skip
    return (
        wire.encode_window(WindowSummary("", "test", "python", "0.2.0", start, start + 30_000, (entry,)))
        + b"\n"
    )


def history(
    days: int, provider: str = "openai", peaks: tuple[datetime, ...] = (), now: datetime = NOW
) -> bytes:
    """Return two windows for each hour of the days before, up to now."""
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    costs = hours_of("week", days + 1, random.Random(1))
    lines = []
    for index, cost in enumerate(costs):
        for minute in (5, 40):
            at = first + timedelta(hours=index, minutes=minute)
            peak = 40 if at.replace(minute=0) in peaks else 0
            if at < now:
                lines.append(line(at, cost / 2 + peak, provider))
    return b"".join(lines)


PEAK = NOW.replace(hour=10, minute=0)


def test_nothing_then_a_peak(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "shop.jsonl"
    file.write_bytes(history(30))
    assert main(["anomalies"]) == 0
    assert "nothing unusual in 2 of 2 groups" in capsys.readouterr().out
    file.write_bytes(history(30, peaks=(PEAK,)))
    assert main(["anomalies"]) == 1
    out = capsys.readouterr().out
    rows = [row for row in out.splitlines() if row.startswith("11-21 10:00 to 11:00")]
    assert [row.split()[4:6] for row in rows] == [["provider", "openai"], ["model", "gpt-4o"]]
    assert max(map(len, out.splitlines())) <= 80
    assert main(["anomalies", "--min-usd", "1000"]) == 0
    assert main(["anomalies", "--since", "2h"]) == 0, "it was before"
    assert main(["anomalies", "--since", "3d", "--until", "2026-11-21"]) == 0
    assert main(["anomalies", "--since", "3d", "--until", "2026-11-21T11:00"]) == 1


def test_the_json_is_exact(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = history(30, peaks=(PEAK,)) + b"torn\n"
    (folder / "shop.jsonl").write_bytes(data)
    assert main(["anomalies", "--json", "--by", "provider,tag:tenant"]) == 1
    found: Any = json.loads(capsys.readouterr().out, parse_float=Decimal)
    cents = [
        json.loads(text, parse_float=Decimal)["metrics"][0]["estimatedCostCents"]
        for text in data.splitlines()
        if b'"2026-11-21T10:' in text.split(b"windowEnd")[0]
    ]
    assert len(cents) == 2
    assert [(each["by"], each["name"], each["actual_usd"]) for each in found["anomalies"]] == [
        ("provider", "openai", sum(cents) / 100), ("tag:tenant", "acme", sum(cents) / 100)
    ]  # fmt: skip
    assert found["anomalies"][0]["start"] == "2026-11-21T10:00:00+00:00"
    assert found["anomalies"][0]["deviations"] > 5
    assert found["anomalies"][0]["usual_usd"] < 20
    assert found["not_read"] == 1
    assert [each["days"] for each in found["compared"]] == [29, 29]


def test_too_little_data_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.jsonl").write_bytes(history(30) + history(5, "mistral", (PEAK,)))
    assert main(["anomalies", "--by", "provider"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "nothing unusual in 1 of 2 groups" in out
    assert "fewer than 14 whole days" in out
    assert "provider mistral (4 days, $" in out


def test_another_zone_has_other_hours(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.jsonl").write_bytes(history(30, peaks=(PEAK,)))
    assert main(["anomalies", "--by", "provider", "--tz", "+05:30", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["anomalies"][0]["start"] == "2026-11-21T15:00:00+05:30"


def test_the_process_exits_with_the_code(folder: Path) -> None:
    now = datetime.now(timezone.utc)
    peak = (now - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    (folder / "quiet.jsonl").write_bytes(history(30, now=now))
    (folder / "loud.jsonl").write_bytes(history(30, peaks=(peak,), now=now))
    for name, code in (("quiet", 0), ("loud", 1), ("none", 2)):
        command = [sys.executable, "-m", "recost", "anomalies", str(folder / f"{name}.jsonl")]
        done = subprocess.run(
            command,
            env=environment(RECOST_LOCAL_DIR=str(folder)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "hour"], "invalid --by 'hour': expected one of provider"),
        (["--by", ","], "invalid --by: expected at least one name"),
        (["--by", "provider,tag:"], "invalid dimension 'tag:'"),
        (["--min-usd", "x"], "invalid amount 'x'"),
        (["--deviations", "0"], "invalid number '0': expected 1 to 1000"),
        (["--deviations", "nan"], "invalid number 'nan'"),
        (["--since", "60d"], "at most 31 days"),
        (["--since", "2027-01-01"], "invalid --since: expected a time before now"),
        (["--since", "x"], "invalid time 'x'"),
        (["/nowhere.jsonl"], "no such file"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["anomalies", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("command", ["anomalies", "forecast", "report"])
def test_a_tag_that_was_never_recorded(
    command: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "forecast":
        pytest.importorskip("statsmodels")
    (folder / "shop.jsonl").write_bytes(history(3))
    assert main([command, "--by", "tag:tennant"]) == 2
    assert "--by 'tag:tennant' matches nothing that was recorded; recorded tags are: tenant" in (
        capsys.readouterr().err
    )
