"""The README's quick start, word for word, with an SDK besides, and what each tool says of it afterwards."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Optional

import pytest

from recost import wire
from recost._text import cells
from recost.analytics.report import EXACT_COSTS
from recost.cli import main
from recost.cli._shared.footnotes import FLAT
from recost.events import MetricEntry, WindowSummary
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests.integration.named_hosts import Answer, Asked, named_hosts, trust
from tests.scripts import ROOT, environment, run_script, windows
from tests.test_pages import BLOCKS, PRELUDE, README

pytest.importorskip("duckdb")
pytest.importorskip("starlette")
from starlette.datastructures import QueryParams

from recost.cli._shared.arguments import right_now
from recost.cli.dashboard.application import look_of
from recost.cli.dashboard.desk import Desk
from recost.cli.dashboard.view import view_of

HOSTS = ["api.github.com", "api.openai.com", "shop.example.com"]
EXAMPLE = next(block.code for block in BLOCKS if (block.page, block.kind) == ("README.md", "python"))
EXACT, PLAIN = "recost.init(capture_usage=True)", "recost.init()"
BESIDES = """
import openai

client = openai.OpenAI(api_key="sk-of-a-test")
for _ in range(3):
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "good day"}])
httpx.get("https://shop.example.com/orders")
"""
"""Three calls that cost something, and one of which no rule knows a price."""
REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
}
CALLS = 5
FLAT_COST = "$0.0600"
EXACT_COST = "$0.0225"


def answer(asked: Asked) -> Answer:
    number = len(asked.body)
    return Answer(json.dumps({**REPLY, "id": f"chatcmpl-{number}-{asked.repeats}"}).encode())


def recorded(folder: Path, start: str) -> Path:
    """Run the example with a line to start recost, and the SDK; return the telemetry folder."""
    assert EXAMPLE.count(EXACT) == 1
    with named_hosts(HOSTS, answer, folder) as (server, bundle):
        prelude = PRELUDE.format(hosts=HOSTS, port=server.port, folder=str(ROOT))
        env = environment(HOME=str(folder), **trust(bundle))
        done = run_script(prelude + EXAMPLE.replace(EXACT, start) + BESIDES, env=env, timeout_s=300)
        assert done.returncode == 0, done.stderr
        assert len(server.log) == CALLS
    telemetry = folder / ".recost" / "local-telemetry"
    assert sum(each["requestCount"] for window in windows(telemetry) for each in window["metrics"]) == CALLS
    return telemetry


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init()` has recorded."""
    return recorded(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's own line has recorded."""
    return recorded(tmp_path_factory.mktemp("exact"), EXACT)


class Tools:
    """The tools on a folder, on a terminal of 80 columns."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        self.summary = tmp_path / "summary.md"
        self._environ = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("TZ", "UTC")

    def on(self, folder: Path) -> Tools:
        self._folder = folder
        self._environ.setenv("RECOST_LOCAL_DIR", str(folder))
        return self

    def says(self, *arguments: object, code: int = 0) -> str:
        """Return what a command prints, without its line breaks where it is for people."""
        assert main(list(map(str, arguments))) == code
        printed = self._capsys.readouterr()
        return printed.err if code == 2 else printed.out

    def people(self) -> dict[str, str]:
        """Return what each tool that prints tells people; gate's Markdown is in a file, too."""
        found = {
            "report": self.says("report"),
            "gate": self.says("gate", "--max-usd", 5, "--summary", self.summary),
            "waste": self.says("waste"),
            "top": self.says("top", "--once", "--over", "1d"),
        }
        for name in ("report", "waste", "top"):
            assert max(map(cells, found[name].splitlines())) <= 80, name
        assert self.summary.read_text("utf-8") == found["gate"]
        found["markdown"] = self.says("report", "--markdown")
        return {name: " ".join(text.split()) for name, text in found.items()}

    def programs(self) -> tuple[dict[str, Any], dict[str, str], dict[str, Any]]:
        """Return the report as JSON and CSV (its totals), and waste as JSON."""
        report = json.loads(self.says("report", "--json"))
        (row,) = csv.DictReader(io.StringIO(self.says("report", "--by", "environment", "--csv")))
        return report, row, json.loads(self.says("waste", "--json"))

    def dashboard(self) -> dict[str, Any]:
        """Return the dashboard's data."""
        with Desk((), self._folder, keep=False) as desk:
            now = right_now()
            return desk.ask(lambda found: view_of(found, look_of(QueryParams(""), "UTC"), now))


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Tools:
    return Tools(monkeypatch, capsys, tmp_path)


def counted(count: int) -> dict[str, str]:
    """Return how each tool says that so many calls have no price."""
    share = f"{count * 100 / CALLS:.1f}%"
    text = f"{count:,} call{'s' * (count > 1)} ({share}) without a known price, not included in the cost"
    bold = f"**{text}.**"
    return {"report": text, "gate": bold, "waste": text, "top": text, "markdown": bold}


def test_the_first_example_of_the_readme() -> None:
    quick = README[README.index("## From install to report") :]
    before, _, after = quick.partition(EXAMPLE)
    assert 'pip install "recost[prices,cli]" httpx' in before
    assert EXACT in EXAMPLE
    assert "Plain `recost.init()` reads no responses" in after.partition("\n## ")[0]


def test_plain_init_says_that_its_costs_are_flat_estimates(plain: Path, tools: Tools) -> None:
    tools.on(plain)
    said = tools.people()
    for name, text in said.items():
        assert FLAT in text, name
        assert FLAT_COST in text, name
        assert counted(1)[name] in text, name
    assert f"Cost: {FLAT_COST} estimated ({FLAT})." in said["gate"]
    report, row, waste = tools.programs()
    assert report["notes"] == [f"{FLAT_COST} are {FLAT}"]
    assert {report["total"]["flat_usd"], waste["total"]["flat_usd"], float(row["flat_usd"])} == {0.06}
    assert (report["total"]["unpriced"], row["unpriced"], waste["total"]["unpriced"]) == (1, "1", 1)
    view = tools.dashboard()
    assert view["flat"] == f"{FLAT_COST} are {FLAT}"
    assert view["total"]["unpriced"] == 1


def test_reconcile_says_that_what_was_recorded_is_flat_estimates(
    plain: Path, tools: Tools, tmp_path: Path
) -> None:
    folder = tmp_path / "both"
    shutil.copytree(plain, folder)
    now = datetime.now(timezone.utc)
    row = Row("billed", model="gpt-4o", amount=Decimal(EXACT_COST[1:]), currency="USD")
    for day in {now.date(), (now - timedelta(hours=1)).date()}:  # midnight may have passed since
        LedgerFile(folder, "openai", "default").add(LedgerDay(day, (row,)), final=True, now=now)
    said = " ".join(tools.on(folder).says("reconcile").split())
    assert f"{FLAT_COST} are {FLAT}" in said
    assert json.loads(tools.says("reconcile", "--json"))["flat_usd"] == 0.06


def test_a_digest_says_that_costs_are_flat_estimates(tmp_path: Path, tools: Tools) -> None:
    yesterday = time.time() * 1000 - 86_400_000
    for number, attempts in enumerate((None, 7)):
        (tmp_path / f"{number}.jsonl").write_bytes(
            window(7, 25, end=yesterday, cost_source={"estimated": 25.0}, unpriced_count=0, attempts=attempts)
        )
    said = " ".join(tools.on(tmp_path).says("digest", "--tz", "UTC").split())
    assert f"flat estimates $0.2500: {EXACT_COSTS}" in said


def test_metered_costs_are_exact_and_nobody_says_otherwise(exact: Path, tools: Tools) -> None:
    tools.on(exact)
    priced = find_spec("genai_prices") is not None
    unpriced = 1 if priced else 4
    for name, text in tools.people().items():
        assert "flat" not in text, name
        assert (EXACT_COST in text) == priced, name
        assert counted(unpriced)[name] in text, name
    report, row, waste = tools.programs()
    assert report["notes"] == []
    assert {report["total"]["flat_usd"], waste["total"]["flat_usd"], float(row["flat_usd"])} == {0}
    assert report["total"]["computed_usd"] == (0.0225 if priced else 0)
    view = tools.dashboard()
    assert (view["flat"], view["total"]["unpriced"]) == (None, unpriced)


def test_unpriced_calls_fail_a_gate_that_minds_them(plain: Path, tools: Tools) -> None:
    tools.on(plain)
    assert "1 call (20.0%) without a known price" in tools.says("gate", "--fail-on-unpriced", code=1)
    assert "each call has a price" in tools.says("gate", "--fail-on-unpriced", "--provider", "openai")


def window(calls: int, cents: float, *, end: Optional[float] = None, **more: Any) -> bytes:
    """Return a window that ended this minute, or at a time in milliseconds."""
    end = time.time() * 1000 if end is None else end
    entry = MetricEntry("openai", "chat", "POST", calls, 0, 5.0, 5.0, 9.0, 1, 2, cents, **more)
    summary = WindowSummary("", "test", "python", "0.2.0", end - 30_000, end, (entry,))
    return wire.encode_window(summary) + b"\n"


def test_files_of_protocol_1_0_are_read_by_each(tmp_path: Path, tools: Tools) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "shop.jsonl").write_bytes(window(7, 25))
    assert windows(folder)[0]["protocolVersion"] == "1.0"
    tools.on(folder)
    for name, text in tools.people().items():
        assert "$0.2500" in text, name
        assert "flat" not in text, name
        assert "without a known price" not in text, name
    assert "$0.2500 source unknown" in tools.says("report")
    report, row, waste = tools.programs()
    assert (report["total"]["calls"], row["calls"], waste["total"]["calls"]) == (7, "7", 7)
    assert tools.dashboard()["total"]["cost_usd"]["text"] == "$0.2500"
    told = tools.says("gate", "--fail-on-unpriced", code=2)
    assert "7 calls in windows of protocol 1.0" in told


@pytest.mark.parametrize(
    ("more", "flat"),
    [
        ({"cost_source": {"estimated": 20.0, "computed": 5.0}}, "$0.2000"),
        ({"cost_source": {"estimated": 25.0}, "unpriced_count": 2}, "$0.2500"),
        ({"cost_source": {"estimated": 25.0}, "attempts": 7}, None),
        ({"cost_source": {"estimated": 0.0, "computed": 25.0}, "unpriced_count": 0}, None),
        ({"cost_source": {"computed": 25.0}}, None),
    ],
    ids=["beside computed", "all", "metered", "none", "computed"],
)
def test_only_what_is_a_flat_estimate_is_called_one(
    more: dict[str, Any], flat: Optional[str], tmp_path: Path, tools: Tools
) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "shop.jsonl").write_bytes(window(7, 25.0, **more))
    tools.on(folder)
    for name, text in tools.people().items():
        assert (FLAT in text) == (flat is not None), name
        assert flat is None or flat in text, name
    report, _, waste = tools.programs()
    assert tools.dashboard()["flat"] == (None if flat is None else f"{flat} are {FLAT}")
    assert report["notes"] == ([] if flat is None else [f"{flat} are {FLAT}"])
    assert report["total"]["flat_usd"] == waste["total"]["flat_usd"] == float((flat or "$0")[1:])
