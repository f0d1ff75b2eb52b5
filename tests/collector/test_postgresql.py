"""``recost collector --store postgresql://…`` as a process, with a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psycopg")
import psycopg

from recost.analytics.databases.url import DatabaseError, parse_url
from recost.collector.stores.postgresql import PostgreSqlStore
from tests.collector.serving import Collector, collector, command, make_key, window
from tests.databases.postgresql import PASSWORD, cluster, new_database, started
from tests.loopback import wait_until
from tests.scripts import environment

_PLACES = "SELECT relname, count(*) FROM recost.metrics AS m JOIN pg_class ON m.tableoid = oid GROUP BY 1"


@pytest.fixture
def database() -> str:
    return new_database()


def rows(database: str, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(text).fetchall()


def recost(*arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recost", *map(str, arguments)],
        env=environment(**env), capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


def report(database: str, *arguments: object) -> dict[str, Any]:
    done = recost("report", "--json", "--store", database, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def counted_calls(running: Collector) -> int:
    text = running.request("GET", "/metrics").body.decode()
    return sum(map(int, re.findall(r"^recost_calls_total{.*} (\d+)$", text, re.MULTILINE)))


def test_two_collectors_store_each_window_once(tmp_path: Path, database: str) -> None:
    key = make_key(tmp_path)
    windows = [window() for _ in range(60)]
    options = ("--store", database, "--scrape-interval", 1)
    with collector(tmp_path, *options) as one, collector(tmp_path, *options) as two:
        with ThreadPoolExecutor(8) as pool:
            posts = [pool.submit(each.post, key, sent) for sent in windows for each in (one, two, one)]
            assert {post.result().status for post in posts} == {202}
        new = sum(each.metric("recost_collector_windows_accepted_total") for each in (one, two))
        assert wait_until(lambda: counted_calls(one) + counted_calls(two) == 180)
        assert one.request("GET", "/").status == 404  # the dashboard is over files
        got = one.request("GET", "/projects/shop/telemetry/recent?limit=50", key).json()["data"]
        assert len(got) == 50
        assert all(each in windows for each in got)
        (day,) = one.request("GET", "/projects/shop/analytics", key).json()["data"]
        by_window = two.request("GET", "/projects/shop/analytics?interval=window&provider=openai", key).json()
        assert one.request("GET", "/projects/shop/analytics?provider=none", key).json() == {"data": []}
    assert new == 60
    assert rows(database, "SELECT count(*), sum(calls) FROM recost.metrics") == [(60, 180)]
    assert day == {
        "interval": "2026-11-21", "requestCount": 180, "errorCount": 0, "totalRequestBytes": 60 * 5120,
        "totalResponseBytes": 60 * 9310, "estimatedCostCents": 360.0, "unpricedCount": 0,
    }  # fmt: skip
    assert by_window == {"data": [{**day, "interval": "2026-11-21T10:00:00.000Z"}]}
    total = report(database)["total"]
    assert (total["calls"], total["cost_usd"]) == (180, 3.6)


@pytest.mark.parametrize("name", ["report", "gate", "waste", "anomalies", "forecast"])
def test_a_command_reads_the_database(name: str, tmp_path: Path, database: str) -> None:
    if name == "forecast":
        pytest.importorskip("statsmodels")
    store = PostgreSqlStore(parse_url(database))
    from recost.collector.windows import read_window

    store.add("shop", read_window(json.dumps(window()).encode())).result()
    store.close()
    options = {"gate": ["--max-usd", "5"]}
    bare = cluster().url(parse_url(database).text.rpartition("/")[2], password=None)
    done = recost(name, "--store", bare, *options.get(name, []), RECOST_STORE_PASSWORD=PASSWORD)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout


@contextmanager
def dying(folder: Path, database: str, port: int) -> Iterator[Collector]:
    running = Collector(folder, "--store", database, "--listen", f"127.0.0.1:{port}")
    try:
        yield running
    finally:
        running.process.kill()
        running.process.communicate()


def test_a_database_that_is_down_is_503_until_it_is_up(tmp_path: Path) -> None:
    own = started()
    database = new_database(own)
    key = make_key(tmp_path)
    content = window()
    running = Collector(tmp_path, "--store", database)
    try:
        assert running.post(key, window()).status == 202
        own.stop()
        got = [running.post(key, content) for _ in range(3)]
        assert {each.status for each in got} == {503}
        assert all(int(each.headers["retry-after"]) >= 1 for each in got)
        assert running.request("GET", "/health").status == 503
        assert running.request("GET", "/projects/shop/telemetry/recent", key).status == 503
        own.start()
        deadline = time.monotonic() + 60
        while (status := running.post(key, content).status) != 202:
            assert (status, time.monotonic() < deadline) == (503, True)
            time.sleep(0.02)  # more often than connections are tried
        assert running.request("GET", "/health").status == 200
        assert rows(database, "SELECT count(*) FROM recost.metrics") == [(2,)]
    finally:
        _, said = running.stop()
    assert len(said.splitlines()) == 2, said
    assert said.endswith("windows are stored again.\n")
    assert PASSWORD not in said


def test_a_kill_leaves_whole_windows_only(tmp_path: Path, database: str) -> None:
    key = make_key(tmp_path)
    big = window(metrics=[{**window()["metrics"][0], "endpoint": f"e{n}"} for n in range(300)])
    contents = [{**big, "windowId": str(uuid.uuid4())} for _ in range(20)]
    accepted: set[str] = set()

    def send(running: Collector, content: dict[str, Any]) -> None:
        try:
            if running.post(key, content).status == 202:
                accepted.add(content["windowId"])
        except OSError:
            pass

    for turn in range(3):
        with dying(tmp_path, database, 0) as running:
            threads = [threading.Thread(target=send, args=(running, each)) for each in contents]
            for thread in threads:
                thread.start()
            time.sleep(0.05 + 0.2 * turn)
            running.process.kill()
            for thread in threads:
                thread.join()
        counts = rows(database, "SELECT count(*) FROM recost.windows JOIN recost.projects USING (source)")
        assert counts[0][0] >= len(accepted)
        assert rows(database, "SELECT count(*) FROM recost.metrics") == [(counts[0][0] * 300,)]
    with collector(tmp_path, "--store", database) as last:
        assert {last.post(key, each).status for each in contents} == {202}
    assert rows(database, "SELECT count(*) FROM recost.windows") == [(20,)]
    assert rows(database, "SELECT count(*) FROM recost.metrics") == [(6000,)]


def test_the_password_is_in_no_argument_and_no_message(tmp_path: Path, database: str) -> None:
    with collector(tmp_path, "--store", database) as running:
        assert running.request("GET", "/health").status == 200
        title = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
        assert b"postgresql://recost@127.0.0.1" in title
        assert PASSWORD.encode() not in title
        assert b"s3cr3t" not in title
    wrong = database.replace("s3cr3t", "wr0ng")
    for name in ("report", "collector"):
        done = recost(name, "--store", wrong, *(["--dir", tmp_path] if name == "collector" else []))
        assert done.returncode == 2
        assert "password authentication failed" in done.stderr
        assert "wr0ng" not in done.stdout + done.stderr
        done = recost(name, f"--store={wrong.replace('postgresql', 'mysql')}")
        assert done.returncode == 2
        assert "expected postgresql://" in done.stderr
        assert "wr0ng" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE recost.meta SET version = 99", "version 99, which is newer"),
        ("DROP TABLE recost.meta", "made by another program"),
    ],
)
def test_tables_that_are_newer_or_foreign_are_refused(
    statement: str, expected: str, tmp_path: Path, database: str
) -> None:
    PostgreSqlStore(parse_url(database)).close()
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(statement)
    with pytest.raises(DatabaseError, match=expected):
        PostgreSqlStore(parse_url(database))
    done = recost("report", "--store", database)
    assert done.returncode == 2
    assert expected in done.stderr


def test_nothing_recorded(database: str) -> None:
    done = recost("report", "--store", database)
    assert done.returncode == 2
    assert "no collector has stored there" in done.stderr
    PostgreSqlStore(parse_url(database)).close()
    assert recost("report", "--store", database).returncode == 0
    done = recost("report", "--store", database, os.curdir)
    assert (done.returncode, "no PATH" in done.stderr) == (2, True)


def test_collectors_that_start_together_make_the_tables_once(database: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        for store in pool.map(lambda _: PostgreSqlStore(parse_url(database)), range(6)):
            store.close()
    assert rows(database, "SELECT count(*) FROM recost.meta") == [(1,)]


def test_months_have_partitions_and_a_late_one_goes_elsewhere(database: str) -> None:
    from recost.collector.windows import read_window

    store = PostgreSqlStore(parse_url(database))
    for start in ("1999-12-31T23:59:59.000Z", "2026-10-01T00:00:00.000Z", "2026-10-31T23:59:59.999Z"):
        content = window(windowStart=start, windowEnd="2026-12-01T00:00:00.000Z")
        assert store.add("shop", read_window(json.dumps(content).encode())).result(30)
    store.close()
    found = dict(rows(database, _PLACES))
    assert found == {"metrics_other": 1, "metrics_2026_10": 2}
    with psycopg.connect(
        database, autocommit=True
    ) as connection:  # months whose rows came before their table
        connection.execute("DROP TABLE recost.metrics_2026_10, recost.windows_2026_10")
        connection.execute("DELETE FROM recost.window_ids")
        connection.execute(
            "INSERT INTO recost.windows SELECT source, '2026-10-05', environment, arrived, number, line "
            "FROM recost.windows"
        )
    store = PostgreSqlStore(parse_url(database))
    content = window(windowStart="2026-10-02T00:00:00.000Z", windowEnd="2026-12-01T00:00:00.000Z")
    assert store.add("shop", read_window(json.dumps(content).encode())).result(30)
    store.close()
    found = dict(rows(database, _PLACES))
    assert found == {"metrics_other": 2}


def test_keys_are_in_the_folder(tmp_path: Path) -> None:
    make_key(tmp_path)
    assert "shop" in command("keys", "list", "--dir", tmp_path).stdout
