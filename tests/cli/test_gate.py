"""``recost gate`` as a build uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from recost import wire
from recost.cli import main
from recost.events import MetricEntry, TagEntry, WindowSummary
from tests.analytics.test_store import line
from tests.scripts import environment

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The telemetry folder, with two windows of a quarter of a cent each."""
    place = tmp_path / "telemetry"
    place.mkdir()
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(place))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (place / "shop.jsonl").write_bytes(line(1, 10) + line(2000, 20))
    return place


def gate(*arguments: object) -> int:
    return main(["gate", *map(str, arguments)])


def test_the_budget(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--max-usd", "0.005") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:8] == [
        "### API cost: $0.0050, within the limits",
        "",
        "- ok: $0.0050 is within the budget of $0.0050",
        "",
        "| provider | model | calls | unpriced | cost |",
        "| --- | --- | ---: | ---: | ---: |",
        "| openai | (no model) | 30 | 0 | $0.0050 |",
        "| **total** |  | 30 | 0 | $0.0050 |",
    ]
    assert gate("--max-usd", "$0.004999") == 1
    assert "**FAILED**: $0.0050 is over the budget" in capsys.readouterr().out


def test_only_what_was_asked_for_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--max-usd", "0.0025", "--since", "2026-03-28") == 0
    assert "within" in capsys.readouterr().out
    assert gate("--max-usd", 1, "--provider", "stripe") == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == (
        "",
        "recost: --provider 'stripe' matches nothing that was recorded; recorded providers are: openai\n",
    )
    assert gate("--max-usd", 1, "--provider", "openai", "--since", "2026-04-01") == 2
    told = capsys.readouterr().err
    assert told == "recost: gate: no call was recorded in this period with these filters\n"


def test_a_baseline_and_what_came_since(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "baseline.json"
    assert gate("--write-baseline", file) == 0
    kept = json.loads(file.read_text())
    assert kept["total"] == {"calls": 30, "unpriced": 0, "cost_usd": 0.005}
    assert kept["version"]
    assert kept["since"] is None
    assert datetime.fromisoformat(kept["until"]) <= datetime.now(timezone.utc)
    assert gate("--baseline", file) == 0

    with (folder / "shop.jsonl").open("ab") as out:
        out.write(line(3).replace(b"openai", b"stripe"))
    capsys.readouterr()
    assert gate("--baseline", file, "--share", "49.9%", "--write-baseline", file) == 1
    out_text = capsys.readouterr().out
    assert "over $0.007495, the baseline of $0.0050 and 49.9% (change: +50%)" in out_text
    assert "| stripe | (no model) | 1 | 0 | $0.0025 | $0.0000 | new |" in out_text
    assert json.loads(file.read_text()) == kept, "a failed gate leaves the baseline as it is"
    assert gate("--baseline", file, "--share", "50%", "--write-baseline", file) == 0
    assert json.loads(file.read_text())["total"]["calls"] == 31


def test_what_only_the_baseline_has(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.json"
    assert gate("--write-baseline", file) == 0
    (folder / "shop.jsonl").write_bytes(line(3).replace(b"openai", b"stripe"))
    assert gate("--baseline", file) == 0
    assert "| 1 in the baseline only |  | 0 | 0 | $0.0000 | $0.0050 | -100% |" in capsys.readouterr().out


def test_unpriced_calls_are_shown_and_can_fail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unpriced = line(3, 7).replace(b'"estimatedCostCents":0.25', b'"estimatedCostCents":0,"unpricedCount":7')
    (folder / "shop.jsonl").write_bytes(unpriced + b"torn\n")
    assert gate("--max-usd", 1) == 0
    out = capsys.readouterr().out
    assert "**7 calls (100.0%) without a known price, not included in the cost.**" in out
    assert "**1 line could not be read.**" in out
    assert gate("--max-usd", 1, "--fail-on-unpriced") == 1
    assert "- **FAILED**: 7 calls without a known price" in capsys.readouterr().out


def test_windows_that_do_not_tell_whether_calls_have_a_price(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shop.jsonl").write_bytes(line(3, 7))
    assert b"unpricedCount" not in line(3, 7)
    assert gate("--max-usd", 1, "--fail-on-unpriced") == 2
    assert "7 calls in windows of protocol 1.0" in capsys.readouterr().err
    assert gate("--max-usd", 1) == 0, "they are read all the same"


def test_a_baseline_of_other_calls_or_of_another_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "baseline.json"
    assert gate("--write-baseline", file, "--since", "2026-03-27", "--until", "2026-03-28") == 0
    capsys.readouterr()
    for period in (["--since", "2026-03-26"], ["--since", "2026-03-27", "--until", "2026-03-27T20:00"], []):
        assert gate("--baseline", file, "--share", "100%", *period) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert " covers 1 day, but this period is " in shown.err
    assert gate("--baseline", file, "--provider", "openai") == 2
    assert "was written with other filters: no filters" in capsys.readouterr().err


@pytest.mark.parametrize(
    "filters", [("--provider", "openai"), ("--endpoint", "chat"), ("--env", "test"), ("--project", "shop")]
)
def test_a_baseline_of_other_filters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], filters: tuple[str, str]
) -> None:
    file = tmp_path / "baseline.json"
    assert gate("--write-baseline", file, *filters) == 0
    assert gate("--baseline", file, *filters) == 0
    capsys.readouterr()
    for others in ((), (filters[0], "*")):
        assert gate("--baseline", file, *others) == 2
        shown = capsys.readouterr()
        assert (shown.out, shown.err) == (
            "",
            f"recost: {file} was written with other filters: {' '.join(filters)}\n",
        )


def test_a_baseline_that_keeps_no_endpoints(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    assert gate("--write-baseline", file) == 0
    content = json.loads(file.read_text())
    del content["filters"]["endpoint"]
    file.write_text(json.dumps(content))
    assert gate("--baseline", file) == 0
    assert gate("--baseline", file, "--endpoint", "chat") == 2


def test_a_baseline_of_a_period_that_goes_on_is_as_long_as_it_has_come(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "baseline.json"
    (folder / "more.jsonl").write_bytes(b"".join(line(number * 720 - 60_000) for number in range(120)))
    at = datetime(2026, 3, 29, 12, tzinfo=timezone.utc)
    monkeypatch.setattr("recost.cli.gate.right_now", lambda: at)
    assert gate("--write-baseline", file, "--since", "2026-03-01", "--until", "2026-04-01") == 0
    assert datetime.fromisoformat(json.loads(file.read_text())["until"]) == at
    assert "From 2026-03-01 00:00 +0000 to 2026-03-29 12:00 +0000." in capsys.readouterr().out
    for until, code in (("2026-04-01", 0), ("2026-03-29 12:00", 0), ("2026-03-02", 2)):
        assert gate("--baseline", file, "--since", "2026-03-01", "--until", until) == code
    monkeypatch.setattr("recost.cli.gate.right_now", lambda: at.replace(day=2))
    assert gate("--baseline", file, "--since", "2026-03-01", "--until", "2026-04-01") == 2
    assert "covers 28 days, 12:00:00, but this period is 1 day, 12:00:00" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "here"),
    [
        (("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-04-01")),
        (("2026-03-28", "2026-03-29"), ("2026-03-29", "2026-03-30")),
        (("2026-03-27 00:00", "2026-03-27 12:00"), ("2026-03-28 00:00", "2026-03-28 12:05")),
    ],
)
def test_a_baseline_of_as_long_a_month_day_or_run(
    folder: Path, tmp_path: Path, then: tuple[str, str], here: tuple[str, str]
) -> None:
    (folder / "more.jsonl").write_bytes(b"".join(line(number * 720 - 60_000) for number in range(120)))
    file = tmp_path / "baseline.json"
    zone = ("--tz", "Europe/Berlin")
    assert gate("--write-baseline", file, "--since", then[0], "--until", then[1], *zone) == 0
    assert gate("--baseline", file, "--share", "900%", "--since", here[0], "--until", here[1], *zone) == 0


def test_by_tag(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tags = (TagEntry((("tenant", "acme"),), 2, 0, 0.25, 0),)
    entry = MetricEntry("openai", "chat", "POST", 5, 0, 5.0, 5.0, 5.0, 1, 2, 1.0, tags=tags)
    start = datetime.now(timezone.utc).timestamp() * 1000
    window = WindowSummary("", "test", "python", "0.2.0", start, start + 30_000, (entry,))
    with (folder / "shop.jsonl").open("ab") as file:
        file.write(wire.encode_window(window) + b"\n")
    assert gate("--max-usd", "0.0025", "--tag", "tenant=acme") == 0
    out = capsys.readouterr().out
    assert "| provider | calls |" in out
    assert "| openai | 2 |" in out
    assert gate("--max-usd", "0.0025", "--tag", "tenant=other") == 2


def test_the_summary_in_a_file_and_for_github(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate("--max-usd", 1, "--summary", tmp_path / "cost.md") == 0
    assert (tmp_path / "cost.md").read_text() == capsys.readouterr().out
    steps = tmp_path / "steps.md"
    steps.write_text("# before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(steps))
    assert gate("--max-usd", 0, "--summary", "github") == 1
    assert steps.read_text() == f"# before\n{capsys.readouterr().out}\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "missing limit: expected --max-usd"),
        (["--max-usd", "1", "--share", "5%"], "missing --baseline, which --share requires"),
        (["--max-usd", "x"], "invalid amount 'x': expected US dollars"),
        (["--max-usd", "-1"], "amount"),
        (["--max-usd", "NaN"], "invalid amount 'NaN'"),
        (["--baseline", "x", "--share", "20"], "invalid share '20': expected a percentage"),
        (["--baseline", "/nowhere"], "cannot read /nowhere: No such file"),
        (
            ["--max-usd", "1", "--summary", "github"],
            "missing $GITHUB_STEP_SUMMARY, which --summary github requires",
        ),
        (["--max-usd", "1", "--summary", "/nowhere/x.md"], "No such file"),
        (["--max-usd", "1", "--since", "x"], "invalid time 'x'"),
        (["--max-usd", "1", "/nowhere.jsonl"], "no such file"),
    ],
)
def test_wrong_usage(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(*arguments) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recost_baseline": 1}', "\0", "[" * 100_000])
def test_a_damaged_baseline(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(text)
    assert gate("--baseline", file) == 2
    assert capsys.readouterr().err.startswith("recost: ")


def test_nothing_recorded_is_no_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.jsonl").unlink()
    assert gate("--max-usd", 1) == 2
    assert "nothing recorded" in capsys.readouterr().err


def test_nothing_that_can_be_read_is_no_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.jsonl").write_bytes(b"{torn\n")
    assert gate("--max-usd", 1) == 2
    message = "recost: nothing could be read: 1 line is malformed (-v lists them)\n"
    assert capsys.readouterr().err == message


def test_the_process_exits_with_the_code(folder: Path) -> None:
    for budget, code in (("1", 0), ("0", 1), ("x", 2)):
        command = [sys.executable, "-m", "recost", "gate", "--max-usd", budget]
        done = subprocess.run(
            command, env=environment(RECOST_LOCAL_DIR=str(folder)), capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
