"""``recost collector --store clickhouse://…`` as a process, with the engine of ClickHouse."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytest.importorskip("clickhouse_connect")
from recost.analytics.databases.clickhouse import connect
from recost.analytics.databases.url import DatabaseError, parse_url
from recost.analytics.query import Question
from recost.analytics.report import Report, ask
from recost.analytics.store import Readings
from recost.collector.stores.clickhouse import ClickHouseStore
from recost.collector.windows import read_window
from tests.collector.serving import collector, make_key, window
from tests.databases.clickhouse import PASSWORD, server, started
from tests.databases.stored import stored
from tests.scripts import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def total(found: Readings) -> Report:
    return ask(found, Question(by=("provider",)))


def test_rows_that_are_stored_again_count_once_before_they_are_merged() -> None:
    here = stored("clickhouse")
    client = connect(here.url, reading=False).client
    client.command("SYSTEM STOP MERGES")
    content = [json.dumps(window()).encode() for _ in range(20)]
    here.fill(shop=content)
    client.command("TRUNCATE TABLE recost_window_ids")  # as when two collectors get a window at the same time
    again = [here.store.add("shop", read_window(each)) for each in content]
    assert {each.result() for each in again} == {True}
    rows = client.query("SELECT count() FROM recost_metrics", settings={"final": 0}).result_rows
    assert rows[0][0] == 40
    assert here.ask(total).total.now.calls == 60
    client.command("SYSTEM START MERGES")
    client.command("OPTIMIZE TABLE recost_metrics FINAL")
    assert here.ask(total).total.now.calls == 60


def test_two_collectors_store_each_window_once(tmp_path: Path) -> None:
    here = stored("clickhouse")
    here.fill()
    key = make_key(tmp_path)
    windows = [window() for _ in range(30)]
    store = ("--store", here.url.text.replace("default@", f"default:{PASSWORD}@"))
    with collector(tmp_path, *store) as one, collector(tmp_path, *store) as two:
        with ThreadPoolExecutor(8) as pool:
            posts = [pool.submit(each.post, key, sent) for sent in windows for each in (one, two, one)]
            assert {post.result().status for post in posts} == {202}
        got = one.request("GET", "/projects/shop/telemetry/recent?limit=50", key).json()["data"]
        assert sorted(each["windowId"] for each in got) == sorted(each["windowId"] for each in windows)
        (day,) = one.request("GET", "/projects/shop/analytics", key).json()["data"]
        assert (day["interval"], day["requestCount"], day["estimatedCostCents"]) == ("2026-11-21", 90, 180.0)
    done = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json", "--store", here.url.text],
        env=environment(RECOST_STORE_PASSWORD=PASSWORD),
        capture_output=True, text=True, timeout=100, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["total"]["calls"] == 90


def test_a_server_that_is_away_is_503_and_a_wrong_password_is_not_shown(tmp_path: Path) -> None:
    own = started()
    key = make_key(tmp_path)
    from tests.collector.serving import Collector

    running = Collector(tmp_path, "--store", own.url)
    try:
        assert running.post(key, window()).status == 202
        own.process.kill()
        own.process.wait()
        got = running.post(key, window())
        assert (got.status, int(got.headers["retry-after"]) >= 1) == (503, True)
        assert running.request("GET", "/health").status == 503
    finally:
        _, said = running.stop()
    assert PASSWORD not in said
    with pytest.raises(DatabaseError) as refused:
        ClickHouseStore(parse_url(server().url.replace(PASSWORD, "wr0ng")))
    assert "Authentication failed" in str(refused.value)
    assert "wr0ng" not in str(refused.value)


def test_tables_that_are_newer_or_foreign_are_refused() -> None:
    url = parse_url(started().url)
    ClickHouseStore(url).close()
    client = connect(url, reading=False).client
    client.command("ALTER TABLE recost_meta MODIFY COMMENT 'recost tables, version 99'")
    with pytest.raises(DatabaseError, match="version 99, which is newer"):
        ClickHouseStore(url)
    client.command("DROP TABLE recost_meta SYNC")
    with pytest.raises(DatabaseError, match="made by another program"):
        ClickHouseStore(url)
