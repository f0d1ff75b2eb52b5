"""``recost report`` and ``recost export``, as a user sees them."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from recost._text import cells
from recost.cli import main
from recost.events import MetricEntry, WindowSummary
from recost.wire import encode_window
from tests.analytics.corpora import Plain, corpora, few
from tests.analytics.test_store import line
from tests.scripts import environment, run_script

pytest.importorskip("duckdb")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The telemetry folder, with three windows."""
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path / "telemetry"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLUMNS", raising=False)
    place = tmp_path / "telemetry"
    place.mkdir()
    (place / "shop.jsonl").write_bytes(line(1, 10) + line(2, 20) + line(2000, 5))
    return place


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    output = capsys.readouterr()
    return output.err if code else output.out


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "report")
    assert out.splitlines()[:5] == [
        "provider calls errors    cost  share  p95",
        "-----------------------------------------",
        "openai      35      0 $0.0075 100.0% 5 ms",
        "-----------------------------------------",
        "total       35      0 $0.0075 100.0% 5 ms",
    ]
    assert "cost       $0.0075 source unknown" in out


def test_what_is_left_by_a_breakdown_has_a_row_only_where_calls_are_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tag = b'"tags":[{"tags":{"tenant":"acme"},"requestCount":10,"errorCount":0,"estimatedCostCents":0.25}]'
    tagged = line(1, 10).replace(b'"estimatedCostCents":0.25', b'"estimatedCostCents":0.25,' + tag)
    assert tag in tagged
    (folder / "shop.jsonl").write_bytes(tagged)
    out = shown(capsys, "report", "--by", "tag:tenant")
    assert [row.split()[0] for row in out.splitlines()[:5] if row[0] != "-"] == ["tenant", "acme", "total"]
    (folder / "shop.jsonl").write_bytes(tagged.replace(tag, tag.replace(b":10", b":9")))
    assert "(no tenant)" in shown(capsys, "report", "--by", "tag:tenant")


def test_by_two_within_80_columns_and_wider(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = line(3, 123_456_789).replace(b'"chat"', b'"/v1/' + b"x" * 200 + b'/{id}"')
    long = long.replace(
        b'"estimatedCostCents":0.25', b'"estimatedCostCents":123456789.01,"unpricedCount":98765432'
    )
    counts = b'"requestCount":1,"errorCount":0,"estimatedCostCents":1,"unpricedCount":0'
    tags = b'"tags":[{"tags":{"tenant":"acme"},' + counts + b"}]"
    long = long.replace(b'"unpricedCount":98765432', b'"unpricedCount":98765432,' + tags)
    (folder / "big.jsonl").write_bytes(long + b"torn\n")
    for by in ("endpoint,project", "day,endpoint", "endpoint", "model,hour", "tag:tenant,route"):
        out = shown(capsys, "report", "--by", by, "--since", "2026-03-01", "--compare")
        assert max(map(len, out.splitlines())) <= 80, out
    assert "$1,234,568" in out
    assert "98,765,432 calls (80.0%) without a known price" in " ".join(out.split())
    assert "1 line could not be read (-v lists them)" in " ".join(out.split())
    monkeypatch.setenv("COLUMNS", "200")
    out = shown(capsys, "report", "--by", "endpoint,project")
    assert "received" in out.splitlines()[0]
    assert out.splitlines()[0].endswith("trend")
    assert "█" in out


def test_since_until_and_the_period_before(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(
        capsys, "report", "--since", "2026-03-28", "--until", "2026-03-29", "--compare", "--by", "day"
    )
    assert out.splitlines()[0] == (
        "2026-03-28 00:00 to 2026-03-29 00:00, against 2026-03-27 00:00 to 2026-03-28 00:00 (UTC)"
    )
    assert re.search(r"2026-03-28 +5 +0 +\$0\.0025 +100.0% +-50%", out)


def test_json_has_all_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(shown(capsys, "report", "--json", "--by", "hour"), parse_float=Decimal)
    assert report["total"]["cost_usd"] == Decimal("0.0075")
    assert [(group["hour"], group["calls"]) for group in report["groups"]] == [
        ("2026-03-27 00:00", 30),
        ("2026-03-28 09:00", 5),
    ]


@settings(few, max_examples=12)
@given(corpora)
def test_each_output_adds_up_to_a_plain_sum(capsys: pytest.CaptureFixture[str], lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "shop.jsonl"
        file.write_bytes(b"".join(each + b"\n" for each in lines))
        plain = Plain.of(file.read_bytes())
        total = plain.total()
        if plain.bad and not plain.entries:
            assert "nothing could be read" in shown(capsys, "report", str(file), code=2)
            return
        for arguments in (["--by", "provider"], ["--by", "route", "--limit", "1"]):
            text = shown(capsys, "report", "--csv", *arguments, str(file))
            rows = list(csv.DictReader(io.StringIO(text)))
            assert sum(int(row["calls"]) for row in rows) == total.calls
            assert sum((Decimal(row["cost_usd"]) for row in rows), Decimal(0)) == pytest.approx(
                total.cost_usd
            )
        report = json.loads(shown(capsys, "report", "--json", str(file)), parse_float=Decimal)
        assert Decimal(report["total"]["cost_usd"]) == total.cost_usd
        shown(capsys, "report", "--by", "endpoint", "--parquet", f"{name}/r.parquet", str(file))
        parts = in_parquet(Path(name, "r.parquet"))
        assert sum(part["calls"] for part in parts) == total.calls
        assert sum((part["cost_usd"] for part in parts), Decimal(0)) == pytest.approx(total.cost_usd)
        shown(capsys, "export", "--output", f"{name}/e.parquet", str(file))
        exports = {kind: shown(capsys, "export", "--format", kind, str(file)) for kind in ("csv", "jsonl")}
        for found in (
            in_parquet(Path(name, "e.parquet")),
            list(csv.DictReader(io.StringIO(exports["csv"]))),
            [json.loads(row) for row in exports["jsonl"].splitlines()],
        ):
            assert len(found) == len(plain.entries)
            amounts = [Decimal(row["cost_usd"]) for row in found]
            assert sorted(amounts) == sorted(Plain([each]).total().cost_usd for each in plain.entries)
            assert sum(int(row["bytes_up"]) for row in found) == total.bytes_up


def in_parquet(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file, as a program that didn't write it reads them."""
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(file).to_pylist()
    return rows


def test_parquet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "report", "--parquet", str(tmp_path / "r.parquet")).startswith("1 row written")
    (row,) = in_parquet(tmp_path / "r.parquet")
    assert (row["provider"], row["calls"], row["cost_usd"]) == ("openai", 35, Decimal("0.0075"))
    shown(capsys, "export", "--output", str(tmp_path / "e.parquet"))
    rows = in_parquet(tmp_path / "e.parquet")
    assert sum(row["cost_usd"] for row in rows) == Decimal("0.0075")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.parquet", "r.parquet", "telemetry"]
    assert "missing --output FILE, which --format parquet requires" in shown(
        capsys, "export", "--format", "parquet", code=2
    )


def test_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "report", "--markdown").splitlines()[:4] == [
        "| provider | calls | errors | cost | unpriced |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| openai | 35 | 0 | $0.0075 | 0 |",
        "| **total** | 35 | 0 | $0.0075 | 0 |",
    ]


def test_bad_lines_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "shop.jsonl"
    file.write_bytes(
        line(1) + b"\n{}\n" + line(1)[:40] + b"\n" + line(1).replace(b'"provider"', b'"x"') + line(1)[:9]
    )
    assert main(["report", "-v"]) == 0
    output = capsys.readouterr()
    assert [row.split(":")[1] for row in output.err.splitlines()] == ["3", "4", "5", "6"]
    assert "3 lines and 1 metric could not be read" in output.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "colours"], "invalid --by 'colours': expected one of provider"),
        (["--by", "Provdier"], "did you mean 'provider'?"),
        (["--sort", "csot"], "invalid value 'csot': did you mean 'cost'?"),
        (["--modle=x"], "unknown option '--modle': did you mean '--model'?"),
        (["--wholly"], "unknown option '--wholly': expected one of --help"),
        (["--sort", "x"], "invalid value 'x': expected one of cost, calls"),
        (["--by", "model,tag:x"], "cannot be combined"),
        (["--since", "whenever"], "--since: invalid time 'whenever'"),
        (["--until", "yesteday"], "--until: invalid time 'yesteday': did you mean 'yesterday'?"),
        (["--since", "1d", "--until", "2d"], "--until: the period ends"),
        (["--tz", "Mars/Base"], "--tz: invalid time zone 'Mars/Base'"),
        (["--compare"], "missing --since, which --compare requires"),
        (["--sort", "change", "--since", "7d"], "missing --compare, which --sort change requires"),
        (["--sort", "p95", "--by", "model"], "invalid order 'p95': it is not recorded by model"),
        (["--limit", "0"], "at least 1"),
        (["nothing.jsonl"], "no such file or folder: nothing.jsonl"),
        (["--tag", "tenant"], "invalid tag 'tenant': expected NAME=VALUE"),
        (["--parquet", "/nowhere/at/all.parquet"], "recost: "),
    ],
)
def test_mistakes_are_named(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    err = shown(capsys, "report", *arguments, code=2)
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("packed", [False, True])
def test_stdin(folder: Path, packed: bool) -> None:
    data = line(1, 7) + line(2, 8)
    done = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json", "-"],
        input=gzip.compress(data) if packed else data,
        env=environment(RECOST_LOCAL_DIR=str(folder)),
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["total"]["calls"] == 15
    assert not list(folder.glob(".*"))


def test_colour_on_a_terminal_only(folder: Path) -> None:
    def printed(**extra: str) -> bytes:
        ours, theirs = pty.openpty()
        subprocess.run(
            [sys.executable, "-m", "recost", "report"],
            env={**environment(RECOST_LOCAL_DIR=str(folder), **{"TERM": "xterm", **extra})},
            stdout=theirs, stderr=subprocess.PIPE, check=True,
        )  # fmt: skip
        os.close(theirs)
        found = os.read(ours, 10_000)
        os.close(ours)
        return found

    assert b"\x1b[1mprovider" in printed()
    assert b"\x1b" not in printed(NO_COLOR="1")
    assert b"\x1b" not in printed(TERM="dumb")


def test_without_the_extra_it_says_how_to_get_it(folder: Path) -> None:
    done = run_script(
        """
        import importlib.util, sys
        found = importlib.util.find_spec
        gone = {"duckdb", "_duckdb", "rich", "argcomplete"}
        importlib.util.find_spec = lambda name, *more: None if name in gone else found(name, *more)
        from recost.cli import main
        commands = (["report"], ["export"], ["completion", "bash"], ["prune", "--older-than", "1d"])
        print([main(command) for command in commands])
        """,
        env=environment(RECOST_LOCAL_DIR=str(folder)),
    )
    assert done.stdout.splitlines()[-1] == "[2, 2, 2, 0]"
    assert done.stderr.splitlines() == [
        f"recost {name} needs {package}: pip install 'recost[cli]'"
        for name, package in (("report", "duckdb"), ("export", "duckdb"), ("completion", "argcomplete"))
    ]


def test_importing_recost_imports_none_of_it() -> None:
    done = run_script(
        """
        import sys
        import recost, recost.cli
        heavy = {"duckdb", "_duckdb", "rich", "argcomplete"}
        print(sorted((heavy | {"recost.analytics", "recost.schema"}) & set(sys.modules)))
        import recost.cli.report
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert done.stdout.splitlines() == ["[]", "[]"], done.stderr


def test_a_shell_completes(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete")

    def completed(text: str) -> set[str]:
        out = tmp_path / "completions"
        env = environment(
            COMP_LINE=text, COMP_POINT=str(len(text)), _ARGCOMPLETE="1", _ARGCOMPLETE_IFS="\n",
            _ARGCOMPLETE_STDOUT_FILENAME=str(out),
        )  # fmt: skip
        subprocess.run([sys.executable, "-m", "recost"], env=env, check=True)
        return {word.strip() for word in out.read_text().split("\n")}

    assert completed("recost re") == {"reconcile", "report"}
    assert completed("recost report --si") == {"--since"}
    assert completed("recost report --sort c") == {"cost", "calls", "change"}


def many_metrics(windows: int) -> bytes:
    """Return so many lines of 2,001 metrics."""
    one = line(1)
    metric = one[one.index(b"[{") + 1 : -3]
    return one.replace(b'"metrics":[', b'"metrics":[' + b",".join([metric] * 2000) + b",") * windows


def on_a_terminal(folder: Path, *, interrupt: bool) -> tuple[int, bytes, bytes]:
    """Run a report whose stderr is a terminal; return its exit code, stdout and stderr."""
    ours, theirs = pty.openpty()
    shown = bytearray()

    def collect() -> None:
        with suppress(OSError):  # how Linux says that the other end is closed
            while data := os.read(ours, 10_000):
                shown.extend(data)

    with subprocess.Popen(
        [sys.executable, "-m", "recost", "report"],
        env=environment(RECOST_LOCAL_DIR=str(folder), TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        collector = threading.Thread(target=collect)
        collector.start()
        if interrupt:
            while not (folder / ".cache" / "reports.duckdb").exists():
                time.sleep(0.01)
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    collector.join()
    os.close(ours)
    return process.returncode, out, bytes(shown)


def test_the_bar_comes_and_goes(folder: Path) -> None:
    (folder / "shop.jsonl").write_bytes(many_metrics(150))
    code, out, errors = on_a_terminal(folder, interrupt=False)
    assert code == 0, errors
    assert b"300,150" in out
    assert b"Traceback" not in errors
    assert errors.count(b"\x1b[?25l") == errors.count(b"\x1b[?25h")
    assert not errors or b"reading shop.jsonl" in errors  # nothing where all was done within a moment


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is another thing there")
def test_ctrl_c_while_it_reads(folder: Path) -> None:
    (folder / "shop.jsonl").write_bytes(many_metrics(60))
    code, out, errors = on_a_terminal(folder, interrupt=True)
    assert code in {130, 0}, errors  # 0: it was quicker
    assert b"Traceback" not in errors
    assert (b"total" in out) == (code == 0)
    again = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json"],
        env=environment(RECOST_LOCAL_DIR=str(folder)), capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(again.stdout)["total"]["calls"] == 60 * 2001


def days_of(folder: Path, first: int, last: int) -> None:
    """Write $10 an hour from 8 to 18, $1 an hour otherwise, from one day of November to another."""
    lines = []
    for day in range(first, last):
        for hour in range(24):
            cents = 1000.0 if 8 <= hour < 18 else 100.0
            began = datetime(2026, 11, day, hour, tzinfo=timezone.utc).timestamp() * 1000
            metric = MetricEntry("openai", "chat", "POST", 10, 0, 9.0, 3.0, 3.0, 9, 9, cents)
            lines.append(
                encode_window(WindowSummary("", "p", "python", "0", began, began + 30_000, (metric,)))
            )
    (folder / "shop.jsonl").write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize("until", ["09:00", "12:00", "17:30"])
def test_days_that_are_alike_show_no_change(
    folder: Path, capsys: pytest.CaptureFixture[str], until: str
) -> None:
    days_of(folder, 1, 25)
    period = ("--since", "2026-11-24", "--until", f"2026-11-24 {until}", "--tz", "UTC", "--compare")
    for by in ("provider", "hour", "endpoint", "model"):
        found = json.loads(shown(capsys, "report", "--json", "--by", by, *period))
        assert found["compared_since"] == "2026-11-23T00:00:00+00:00"
        assert found["compared_until"] == f"2026-11-23T{until}:00+00:00"
        assert found["total"]["cost_usd"] == found["total"]["before_cost_usd"] > 0
        assert all(each["cost_usd"] == each["before_cost_usd"] for each in found["groups"])
    assert f"against 2026-11-23 00:00 to 2026-11-23 {until}" in shown(capsys, "report", *period)


@pytest.mark.parametrize("first", [23, 10, 2])
def test_no_change_is_shown_against_time_before_the_first_window(
    folder: Path, capsys: pytest.CaptureFixture[str], first: int
) -> None:
    days_of(folder, first, 25)
    since = first + 1 if first == 23 else first
    period = ("--since", f"2026-11-{since:02}", "--until", "2026-11-25", "--tz", "UTC", "--compare")
    expected = first == 23  # the day before is all there
    found = json.loads(shown(capsys, "report", "--json", *period, "--sort", "change"))
    assert ("before_cost_usd" in found["total"]) == expected
    assert (found["recorded_since"] is None) == expected
    for how in ((), ("--markdown",)):
        out = shown(capsys, "report", *period, *how)
        assert (f"first window is from 2026-11-{first:02} 00:00" in out) != expected
        assert ("against" in out) == (expected and not how)
    assert ("before_cost_usd" in shown(capsys, "report", "--csv", *period)) == expected


@pytest.mark.parametrize(
    ("option", "given", "told"),
    [
        ("--provider", "opena1", "recorded providers are: openai"),
        ("--endpoint", "chad", "recorded endpoints are: chat"),
        ("--model", "gpt-5", "no models are recorded"),
        ("--tag", "tenant=acme", "no tags are recorded"),
        ("--env", "prod*", "recorded environments are: test"),
        ("--project", "shopp", "recorded projects are: shop"),
    ],
)
def test_a_filter_that_matches_nothing_is_named(
    capsys: pytest.CaptureFixture[str], option: str, given: str, told: str
) -> None:
    within = option in {"--model", "--tag"}
    commands = [("report",), ("gate", "--max-usd", "1"), ("anomalies",)]
    commands += [] if within else [("export",), ("waste",)]
    for command in commands:
        err = shown(capsys, *command, option, given, code=2)
        assert err == f"recost: {option} {given!r} matches nothing that was recorded; {told}\n"


def test_filters_that_match_nothing_together_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = line(3).replace(b'"openai"', b'"stripe"').replace(b'"chat"', b'"charges"')
    tagged = line(4).replace(b'"openai"', b'"anthropic"').replace(
        b'"estimatedCostCents":0.25',
        b'"estimatedCostCents":0.25,"tags":[{"tags":{"tenant":"acme"},"requestCount":1,"errorCount":0,'
        b'"estimatedCostCents":0.25,"unpricedCount":0}]',
    )  # fmt: skip
    (folder / "other.jsonl").write_bytes(other + tagged)
    commands = [("report",), ("gate", "--max-usd", "1"), ("export",), ("waste",), ("anomalies",)]
    for command in commands:
        err = shown(capsys, *command, "--provider", "openai", "--endpoint", "charges", code=2)
        assert err == (
            "recost: --provider 'openai' --endpoint 'charges' together match nothing that was recorded, "
            "although each of them matches something\n"
        )
    for command in (commands[0], commands[1]):
        err = shown(capsys, *command, "--provider", "stripe", "--tag", "tenant=acme", code=2)
        assert "--provider 'stripe' --tag 'tenant=acme' together match nothing" in err
    err = shown(capsys, "report", *["--project", "shop"] * 300, "--endpoint", "charges", code=2)
    assert len(err) < 400
    for known in (
        ["--provider", "stripe", "--endpoint", "charges"],
        ["--provider", "*", "--tag", "tenant=*"],
    ):
        shown(capsys, "report", *known)


def test_filters_that_match_are_taken_whatever_the_period(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tagged = line(5).replace(
        b'"estimatedCostCents":0.25',
        b'"estimatedCostCents":0.25,"tags":[{"tags":{"tenant":"acme"},"requestCount":1,"errorCount":0,'
        b'"estimatedCostCents":0.25,"unpricedCount":0}]',
    )
    (folder / "tagged.jsonl").write_bytes(tagged)
    for known in (["--provider", "open*"], ["--tag", "tenant=*"], ["--project", "tagged", "--env", "test"]):
        shown(capsys, "report", *known, "--since", "2026-05-01")
    err = shown(capsys, "report", "--tag", "tenant=acne", code=2)
    assert "recorded values of tenant are: acme" in err
    err = shown(capsys, "report", "--tag", "tennant=acme", code=2)
    assert "recorded tags are: tenant" in err
    err = shown(capsys, "report", "--provider", "openai", "--provider", "x\x1b[2J" * 100, code=2)
    assert "\x1b[" not in err.replace("\\x1b[", "")
    assert len(err) < 400


def test_names_of_logrotate_are_read_and_others_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shop.jsonl").write_bytes(line(1))
    names = (
        "shop.jsonl.1",
        "shop.jsonl.12",
        "shop.jsonl-20261119",
        "shop.jsonl-2026111913",
        "shop.jsonl-20261119-1795046400",
        "other.ndjson.1",
    )
    for number, name in enumerate(names):
        (folder / name).write_bytes(line(2 + number))
    for name in ("shop.jsonl.2.gz", "shop.jsonl-20261118.gz"):
        (folder / name).write_bytes(gzip.compress(line(20)))
    unread = ("shop.jsonl.bz2", "shop.jsonl.3.zst", "shop.jsonl.bak", "shop.jsonl~")
    for name in unread:
        (folder / name).write_bytes(line(30))
    for name in ("notes.txt", ".shop.jsonl.tmp", "shop.jsonlines"):
        (folder / name).write_bytes(b"x")
    assert main(["report", "--json", "--by", "project"]) == 0
    output = capsys.readouterr()
    found = json.loads(output.out)
    assert {each["project"]: each["calls"] for each in found["groups"]} == {"shop": 8, "other": 1}
    assert found["bad_lines"] == 0
    told = ", ".join(sorted(unread))
    assert output.err == (f"recost: ignored files {told}: expected *.jsonl, *.jsonl.gz or a rotated name\n")


@pytest.mark.parametrize("width", [40, 50, 80])
def test_a_narrow_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    days_of(folder, 1, 25)
    (folder / "more.jsonl").write_bytes(line(3, 20).replace(b'"chat"', b'"\\u65e5\\u672c\\u96fb"'))
    period = ("--since", "2026-11-23", "--compare")
    for arguments in ((), ("--by", "endpoint"), ("--by", "provider,day", *period), ("--by", "day", *period)):
        out = shown(capsys, "report", *arguments)
        told = out.splitlines()[1:] if width == 80 else out.splitlines()
        assert max(map(cells, told)) <= width, out
        assert " cost" in out.partition("---")[0]
    wide = line(4, 20).replace(
        b'"openai"', '"東京都サービス 東京都のとても長い名前 東京都サービス 東京都サービス"'.encode()
    )
    (folder / "株式会社のとても長い名前の.jsonl").write_bytes(wide)
    some = ("--since", "2026-11-20", "--until", "2026-11-24")
    for command in (
        ("waste",),
        ("anomalies", *some),
        ("anomalies", "--since", "2026-03-27", "--until", "2026-03-28"),
    ):
        out = shown(capsys, *command)
        assert max(map(cells, out.splitlines())) <= width, out


@pytest.mark.parametrize("arguments", [("report", "--csv"), ("report", "--markdown"), ("export",)])
def test_control_characters_reach_neither_csv_nor_markdown(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    hostile = ("\\u001b[31m", "a\\u0000b", "c\\u0085d", "e\\u2028f", "g\\r\\nh", "i\\u009bj", "k\\u202el")
    for number, name in enumerate(hostile):
        text = line(number).replace(b'"openai"', f'"{name}"'.encode())
        (folder / f"{number}.jsonl").write_bytes(text)
    by = ("--by", "provider") if arguments[0] == "report" else ()
    out = shown(capsys, *arguments, *by)
    assert all(character.isprintable() or character == "\n" for character in out)
    assert len(out.splitlines()) == out.count("\n")
