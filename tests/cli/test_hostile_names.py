"""Every command on files whose names are hostile: each output shows them, and none does anything."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost._text import csv_cell, printable
from recost.analytics import engine
from recost.analytics.export import inert
from recost.cli import COMMANDS, main
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests.hostile_names import HOSTILE, TAG, hostile_windows, is_inert
from tests.scripts import environment

pytest.importorskip("duckdb")

ALERTS = """
[[notify]]
name = "nowhere"
type = "webhook"
url = "http://127.0.0.1:9/"
[[alert]]
on = "unpriced"
by = "model"
to = ["nowhere"]
[[alert]]
on = "budget"
limit_usd = 0.001
by = "provider"
to = ["nowhere"]
"""
OWNED = Path("/tmp/recost-owned")  # what the hostile SQL would write
SHOWN: dict[str, list[list[str]]] = {
    "anomalies": [["--min-usd", "0"], ["--json"]],
    "budgets": [[], ["--json"], [HOSTILE["escape sequence"]]],
    "check": [[], ["--config", HOSTILE["escape sequence"]]],  # what alerts send is in tests/alerts
    "collector": [["keys", "list"], ["keys", "revoke", HOSTILE["escape sequence"]]],
    "completion": [],
    "dashboard": [],  # as JSON, below
    "demo": [],
    "digest": [[], ["--every", "week"]],
    "docs": [[], [HOSTILE["SQL"]]],
    "doctor": [[]],
    "export": [["--format", "csv"], ["--format", "jsonl"], ["-v"]],
    "forecast": [["--by", "model"], ["--by", f"tag:{TAG}", "--json"]],
    "gate": [
        ["--max-usd", "1"],
        ["--max-usd", "1", "--provider", HOSTILE["SQL"]],
    ],
    "keys": [[], ["label", HOSTILE["escape sequence"]]],  # with a key in test_keys
    "ledger": [["status"], ["pull", HOSTILE["escape sequence"]]],
    "mcp": [],  # what its tools return is in test_mcp
    "notify": [["test", HOSTILE["escape sequence"]]],
    "prices": [
        [],
        ["--provider", HOSTILE["escape sequence"]],
        ["check", f"https://x.example/{HOSTILE['escape sequence']}"],
    ],
    "prune": [["--older-than", "2020-01-01"]],
    "reconcile": [
        ["--by", "key", "--provider", HOSTILE["SQL"]],
        *(
            ["--by", by, *kind]
            for by in ("model", "key,day")
            for kind in ([], ["--json"], ["--csv"], ["--markdown"])
        ),
    ],
    "report": [
        [*by, *kind]
        for by in (
            ["--by", "provider,endpoint"], ["--by", "model"], ["--by", f"tag:{TAG}"],
            ["--by", "environment,project"], ["--by", "method,route"], ["--provider", HOSTILE["SQL"]],
        )
        for kind in ([], ["--json"], ["--csv"], ["--markdown"])
    ],
    "run": [["--", HOSTILE["escape sequence"]]],
    "schema": [],
    "tail": [],  # they follow, below
    "top": [],
    "watch": [],  # as `check`
    "waste": [[], ["--json"]],
}  # fmt: skip
"""The options with which each command shows data; a new command is to be named here."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A telemetry folder with hostile lines and hostile names of files."""
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    lines = b"".join(hostile_windows())
    (tmp_path / "shop.jsonl").write_bytes(lines)
    for name in HOSTILE.values():
        file = name.replace("/", "-").replace("\0", "")[:100]
        (tmp_path / f"{file}.jsonl").write_bytes(lines.splitlines()[0] + b"\ntorn \x1b[31m\n")
    entry = {"per": "total", "period": "", "spent_usd": "1"}
    kept = {"format": "recost budgets 1", "budgets": dict.fromkeys(HOSTILE.values(), entry)}
    (tmp_path / "shop.budgets.json").write_text(json.dumps(kept))
    OWNED.unlink(missing_ok=True)
    shown = [name[:300] for name in HOSTILE.values()]
    bills = [Row("billed", model=name, key_name=name, amount=Decimal(1), currency="USD") for name in shown]
    bills += [replace(row, currency=row.model) for row in bills]
    now = datetime.now(timezone.utc)
    LedgerFile(tmp_path, "openai", "default").add(LedgerDay(now.date(), tuple(bills)), final=True, now=now)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recost.toml").write_text(ALERTS)
    return tmp_path


def test_each_command_is_named() -> None:
    assert SHOWN.keys() == COMMANDS.keys()


@pytest.mark.parametrize(
    ("command", "options"), [(command, options) for command, all_of in SHOWN.items() for options in all_of]
)
def test_what_a_command_prints_is_inert(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], command: str, options: list[str]
) -> None:
    assert main([command, *options]) in {0, 1, 2, 127}
    for output in capfdbinary.readouterr():
        shown = output.decode()
        assert is_inert(shown), [line for line in shown.splitlines() if not is_inert(line)][:3]
    assert not OWNED.exists()


def test_json_is_json_and_keeps_the_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--json", "--by", "model", str(folder / "shop.jsonl")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {group["model"] for group in report["groups"]} - {None} == set(HOSTILE.values())


@pytest.mark.parametrize("arguments", [["report", "--csv", "--by", "model"], ["export"]])
def test_csv_has_each_name_once(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], arguments: list[str]
) -> None:
    assert main([*arguments, str(folder / "shop.jsonl")]) == 0
    rows = list(csv.DictReader(io.StringIO(capfdbinary.readouterr().out.decode(), newline="")))
    name = "model" if arguments[0] == "report" else "endpoint"
    assert sorted(row[name] for row in rows if row[name]) == sorted(map(csv_cell, HOSTILE.values()))


def test_lines_of_json_have_the_names_as_they_can_be_shown(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["export", "--format", "jsonl", str(folder / "shop.jsonl")]) == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert sorted(row["endpoint"] for row in rows) == sorted(map(printable, HOSTILE.values()))


def test_sql_replaces_what_python_replaces() -> None:
    """Each character, but for those that Python does not know yet: DuckDB's tables may be newer."""
    connection = engine.connect(None)
    characters = [
        chr(point) for point in range(1, 0x110000) if unicodedata.category(chr(point)) not in {"Cs", "Cn"}
    ]
    connection.execute("CREATE TABLE names AS SELECT unnest(?) AS name", [characters])
    shown = connection.execute(f"SELECT name, {inert('name', 'jsonl')} FROM names").fetchall()
    assert {name for name, clean in shown if clean != printable(name)} == set()


def test_parquet_takes_any_name_of_a_column(folder: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out.parquet"
    assert main(["report", "--by", f"tag:{TAG}", "--parquet", str(out), str(folder / "shop.jsonl")]) == 0
    table: dict[str, list[Any]] = parquet.read_table(out).to_pydict()
    assert set(table[f"tag:{TAG}"]) - {None} == set(HOSTILE.values())
    assert not OWNED.exists()


def test_markdown_has_a_row_for_each_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from markdown_it import MarkdownIt

    for arguments in (
        ["report", "--markdown", "--limit", "100", "--by", "model"],
        ["gate", "--max-usd", "1"],
    ):
        assert main([*arguments, str(folder / "shop.jsonl")]) == 0
        page = MarkdownIt("commonmark").enable("table").render(capsys.readouterr().out)
        assert "<img" not in page
        assert "<a " not in page
        assert page.count("<h3>") == (arguments[0] == "gate")
        # The heading, the names, the total; of the gate 20 names, and the others. All calls have a model.
        assert page.count("<tr>") == (len(HOSTILE) + 2 if arguments[0] == "report" else 20 + 3)


@pytest.mark.parametrize(
    "command", [["tail", "-n", "100"], ["tail", "--metrics", "-n", "100"], ["top", "--over", "2h"]]
)
def test_what_follows_in_a_terminal_is_inert(folder: Path, command: list[str]) -> None:
    """On a terminal, the only escape sequences are those of recost and rich themselves."""
    leader, follower = pty.openpty()
    program = subprocess.Popen(
        [sys.executable, "-m", "recost", *command],
        env=environment(RECOST_LOCAL_DIR=str(folder), TERM="xterm", COLUMNS="200", LINES="60"),
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = b""
    try:
        while seen.count(b"\n") < 30:
            seen += os.read(leader, 65536)
    finally:
        program.terminate()
        with suppress(OSError):  # it may be waiting for its output to be read
            while os.read(leader, 65536):
                pass
        program.wait(20)
        os.close(leader)
    for evil in (b"\x1b]0;", b"\x07", b"\x1b[2Jred", "\x9b".encode(), "\u202e".encode(), b"\x08"):
        assert evil not in seen
