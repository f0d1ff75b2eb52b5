"""Everything that reads files which others wrote. A new reader is one entry here."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final, NamedTuple, Optional

from recost._documents import parse_json, read_document
from recost.alerts.config import ConfigError, load_config
from recost.alerts.state import StateError, read_state
from recost.analytics.follow import Follower
from recost.analytics.gate import BaselineError, parse_baseline
from recost.analytics.ingest.sources import find_sources
from recost.analytics.periods import Period
from recost.analytics.query import Question
from recost.analytics.store import consult
from recost.budgets.store import StateFile
from recost.cli import main
from recost.cli.dashboard.view import ViewState, view_of
from recost.cli.prune import _prune
from recost.cli.top.feed import Feed
from recost.errors import RecostError
from recost.pricing.rules_file import RulesFileError, load_rules
from recost.wire.parsing import parse_window

AGES: Final = timedelta(days=200_000)


class Seen(NamedTuple):
    """What a reader made of a folder; None: it doesn't tell."""

    calls: Optional[int]
    bad_lines: Optional[int] = None
    bad_metrics: Optional[int] = None
    lines: Optional[int] = None
    """Good ones."""


class Reader(NamedTuple):
    read: Callable[[Path], Seen]
    sql: bool = False
    """It reads with DuckDB."""
    packed: bool = True
    """It reads compressed files."""


def _command(*arguments: str) -> Callable[[Path], str]:
    """Run a command on the folder; return what it prints. It must neither fail nor be refused."""

    def run(folder: Path) -> str:
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            code = main([*arguments, str(folder)])
        assert code in {0, 1}, (arguments, code, errors.getvalue())
        assert "Traceback" not in errors.getvalue()
        return output.getvalue()

    return run


def _json(total: Callable[[Any], Optional[int]], *arguments: str) -> Callable[[Path], Seen]:
    run = _command(*arguments, "--json", "--no-cache")

    def read(folder: Path) -> Seen:
        content = json.loads(run(folder))
        return Seen(total(content), content.get("bad_lines"), content.get("bad_metrics"))

    return read


def _export(folder: Path) -> Seen:
    csv.field_size_limit(1 << 30)
    output = folder.parent / f"{folder.name}.csv"
    _command("export", "--no-cache", "--output", str(output))(folder)
    with output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(line.replace("\0", "") for line in file))
    output.unlink()
    return Seen(sum(int(row["calls"]) for row in rows))


def _gate(folder: Path) -> Seen:
    _command("gate", "--max-usd", "1000000", "--no-cache")(folder)
    return Seen(None)


def _dashboard(folder: Path) -> Seen:
    look = ViewState(Question(period=Period(None, None), zone=timezone.utc))
    now = datetime(2026, 11, 21, tzinfo=timezone.utc)
    content = consult([str(folder)], folder, lambda found: view_of(found, look, now), keep=False)
    json.dumps(content, default=str)
    return Seen(content["total"]["calls"], content["bad_lines"], content["bad_metrics"])


def _tail(folder: Path) -> Seen:
    follower = Follower(lambda: find_sources([str(folder)], folder))
    lines = [*follower.start(10**9), *follower.news()]
    follower.close()
    windows = [parse_window(line, project) for project, line in lines if line.strip()]
    good = [window for window in windows if window is not None]
    calls = sum(metric.calls for window in good for metric in window.metrics)
    return Seen(calls, len(windows) - len(good), sum(window.bad_metrics for window in good), len(good))


def _top(folder: Path) -> Seen:
    follower = Follower(lambda: find_sources([str(folder)], folder))
    feed = Feed(follower, AGES)
    feed.start()
    rates = feed.recent.rates("model", datetime.now(timezone.utc))
    follower.close()
    return Seen(rates.total.calls)


def _sifted(folder: Path) -> Seen:
    counts = [
        _prune(source.path, datetime(9999, 12, 2, tzinfo=timezone.utc), really=False)
        for source in find_sources([str(folder)], folder)
    ]
    return Seen(None, sum(count.unreadable for count in counts), None, sum(count.dropped for count in counts))


READERS: Final[dict[str, Reader]] = {
    "report": Reader(_json(lambda content: content["total"]["calls"], "report"), sql=True),
    "report --by model": Reader(
        _json(lambda content: content["total"]["calls"], "report", "--by", "model"), sql=True
    ),
    "export": Reader(_export, sql=True),
    "gate": Reader(_gate, sql=True),
    "waste": Reader(_json(lambda content: content["total"]["calls"], "waste"), sql=True),
    "forecast": Reader(_json(lambda _: None, "forecast"), sql=True),
    "anomalies": Reader(_json(lambda _: None, "anomalies"), sql=True),
    "dashboard": Reader(_dashboard, sql=True),
    "tail": Reader(_tail, packed=False),
    "top": Reader(_top, packed=False),
    "prune": Reader(_sifted, packed=False),
}


def _baseline(path: Path) -> object:
    try:
        return parse_baseline(parse_json(read_document(path)), str(path))
    except (OSError, ValueError) as error:
        raise BaselineError(str(error)) from error


class Document(NamedTuple):
    name: str
    """Of the file."""
    read: Callable[[Path], object]
    refusal: type[Exception]


DOCUMENT_READERS: Final[dict[str, Document]] = {
    "baseline": Document("baseline.json", _baseline, BaselineError),
    "budgets": Document("budgets.json", lambda path: StateFile(str(path)).read(), RecostError),
    "rules.json": Document("rules.json", load_rules, RulesFileError),
    "rules.toml": Document("rules.toml", load_rules, RulesFileError),
    "recost.toml": Document("recost.toml", lambda path: load_config(path, {}, secrets=False), ConfigError),
    "alert state": Document("state.json", read_state, StateError),
}
