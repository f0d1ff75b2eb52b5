"""``recost dashboard`` and ``recost top`` over a database."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")
pytest.importorskip("starlette")
from recost.analytics.databases.url import DatabaseError, parse_url
from recost.analytics.databases.windows import ArrivalFollower
from recost.analytics.query import Question
from recost.cli.dashboard.desk import DatabaseDesk, Desk, StoppedError
from recost.cli.dashboard.view import ViewState, view_of
from recost.wire import format_timestamp
from tests.collector.serving import window
from tests.databases.postgresql import new_database
from tests.databases.stored import stored
from tests.scripts import environment

ENGINES = ["postgresql", pytest.param("clickhouse", marks=pytest.mark.slow)]


def lines(count: int) -> list[bytes]:
    """Return windows of the last minutes."""
    now = datetime.now(timezone.utc)

    def one(number: int) -> dict[str, Any]:
        ended = now.timestamp() * 1000 - number * 1000
        start, end = format_timestamp(ended - 30_000), format_timestamp(ended)
        metric = {**window()["metrics"][0], "provider": f"p{number % 3}", "costSource": {"computed": 1.5}}
        metric.update(
            totalLatencyMs=2400.0, p50LatencyMs=800.0, p95LatencyMs=900.0
        )  # sums of which are exact
        parts = {"requestCount": 1, "errorCount": 0, "estimatedCostCents": 0.1, "unpricedCount": 0}
        metric.update(models=[{"model": "m", **parts}], tags=[{"tags": {"tenant": f"t{number}"}, **parts}])
        return window(windowStart=start, windowEnd=end, metrics=[metric])

    return [json.dumps(one(number)).encode() for number in range(count)]


@pytest.mark.parametrize("kind", ENGINES)
def test_the_page_is_that_of_files(kind: str, tmp_path: Path) -> None:
    here, content = stored(kind), lines(12)
    here.fill(shop=content)
    (tmp_path / "shop.jsonl").write_bytes(b"".join(line + b"\n" for line in content))
    look, now = ViewState(Question(by=()), "model", None, ("provider",)), datetime.now(timezone.utc)
    with Desk([str(tmp_path)], tmp_path, keep=False) as files, DatabaseDesk(here.url, tmp_path) as desk:
        ours, theirs = (each.ask(lambda found: view_of(found, look, now)) for each in (desk, files))
        assert ours == theirs
        assert not desk.is_empty()
        before = desk.state()
        assert before == desk.state()
    here.fill(shop=content[:5])
    with DatabaseDesk(here.url, tmp_path) as again:
        assert again.state() != before
        again.stop()
        with pytest.raises(StoppedError):
            again.ask(lambda _: None)


@pytest.mark.parametrize("kind", ENGINES)
def test_top_follows_the_database(kind: str) -> None:
    here, content = stored(kind), lines(8)
    here.fill(shop=content[:5])
    clock = [0.0]
    follower = ArrivalFollower(here.url, timedelta(minutes=5), lambda: clock[0])
    assert sorted(follower.start_after(lambda _: False)) == sorted(("shop", line) for line in content[:5])
    from recost.collector.windows import read_window

    here.store.add("other", read_window(content[5])).result()
    assert list(follower.news()) == []  # at most once a second
    clock[0] += 1
    assert list(follower.news()) == [("other", content[5])]
    clock[0] += 1
    assert list(follower.news()) == []


def test_the_command_prints_rates(tmp_path: Path) -> None:
    here = stored("postgresql")
    here.fill(shop=lines(4))

    def top(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "recost", "top", "--once", *arguments],
            env=environment(RECOST_STORE_PASSWORD=here.url.password or ""),
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    done = top("--store", here.url.text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "chat_completions" in done.stdout
    assert top("--store", here.url.text, str(tmp_path)).returncode == 2
    assert top("--store", "postgresql://nobody@127.0.0.1:9/x").returncode == 2


def test_a_database_without_tables_has_no_page(tmp_path: Path) -> None:
    with DatabaseDesk(parse_url(new_database()), tmp_path) as desk, pytest.raises(DatabaseError):
        desk.ask(lambda _: None)
