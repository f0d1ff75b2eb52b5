"""The counters of windows in ``/metrics``: exact, bounded, never falling, and never forged."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.collector.metrics import spend_text
from recost.collector.spend import Spend
from recost.collector.stores.counting import content_of
from recost.collector.stores.files import FileStore
from recost.collector.windows import read_window
from recost.wire.parsing import parse_window
from tests.collector.serving import WINDOW, Collector, collector, make_key, report, window
from tests.hostile_names import HOSTILE, is_inert
from tests.loopback import wait_until
from tests.scripts import environment

Labels = dict[str, str]
_SAMPLE = re.compile(r'(\w+)\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\} (\S+)')
_LABEL = re.compile(r'(\w+)="((?:[^"\\\n]|\\.)*)"')


def samples(text: str) -> list[tuple[str, Labels, Decimal]]:
    """Return name, labels and value of each line of an exposition that has labels. None may be malformed."""
    found = []
    for line in text.split("\n"):
        if not line or line.startswith(("# HELP ", "# TYPE ")) or re.fullmatch(r"\w+ [0-9.]+", line):
            continue
        match = _SAMPLE.fullmatch(line)
        assert match is not None, line
        labels = {name: _unescaped(value) for name, value in _LABEL.findall(match[2])}
        found.append((match[1], labels, Decimal(match[3])))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def sums(text: str, *by: str) -> dict[tuple[str, ...], Decimal]:
    """Return the sums of counters by name and some labels."""
    found: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for name, labels, value in samples(text):
        found[(name, *(labels.get(each, "") for each in by))] += value
    return dict(found)


def metric(provider: str = "openai", calls: int = 3, cents: float = 6.0, **fields: Any) -> dict[str, Any]:
    base = WINDOW["metrics"][0]
    return {**base, "provider": provider, "requestCount": calls, "estimatedCostCents": cents, **fields}


RICH = metric(
    calls=10,
    errorCount=2,
    cents=0.30000000000000004,
    costSource={"computed": 0.1, "estimated": 0.2},
    unpricedCount=3,
    tokens={"input": 100, "output": 50, "cacheRead": 7},
    models=[
        {"model": "a", "requestCount": 4, "estimatedCostCents": 0.1, "unpricedCount": 1, "inputTokens": 60,
         "outputTokens": 50},
        {"model": "b", "requestCount": 5, "estimatedCostCents": 0.2, "unpricedCount": 2, "inputTokens": 30,
         "outputTokens": 0},
    ],
)  # fmt: skip


def shown(spend: Spend, project: str | None = None) -> str:
    return spend_text(spend, project)


def test_a_metric_is_split_by_model_source_and_kind() -> None:
    spend = Spend(hold_s=0)
    spend.add("shop", window(metrics=[RICH]))
    found = sums(shown(spend), "model", "source", "kind")
    assert found == {
        ("recost_cost_usd_total", "a", "mixed", ""): Decimal("0.001"),
        ("recost_cost_usd_total", "b", "mixed", ""): Decimal("0.0020000000000000004"),
        ("recost_calls_total", "a", "", ""): 4,
        ("recost_calls_total", "b", "", ""): 5,
        ("recost_calls_total", "", "", ""): 1,
        ("recost_errors_total", "", "", ""): 2,
        ("recost_unpriced_calls_total", "a", "", ""): 1,
        ("recost_unpriced_calls_total", "b", "", ""): 2,
        ("recost_tokens_total", "a", "", "input"): 60,
        ("recost_tokens_total", "b", "", "input"): 30,
        ("recost_tokens_total", "", "", "input"): 10,
        ("recost_tokens_total", "a", "", "output"): 50,
        ("recost_tokens_total", "", "", "cache_read"): 7,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {("", "unknown"): "6"}),
        ({"costSource": {"reported": 6}}, {("", "reported"): "6"}),
        ({"costSource": {"reported": 2, "computed": 3}},
         {("", "reported"): "2", ("", "computed"): "3", ("", "unknown"): "1"}),
        ({"costSource": {"reported": 9}}, {("", "unknown"): "6"}),
        ({"models": [{"model": "a", "estimatedCostCents": 6}], "costSource": {"reported": 2, "computed": 4}},
         {("a", "reported"): "2", ("a", "computed"): "4"}),
        ({"models": [{"model": "a", "estimatedCostCents": 2}]},
         {("a", "unknown"): "2", ("", "unknown"): "4"}),
        ({"models": [{"model": "a", "estimatedCostCents": 7}]}, {("", "unknown"): "6"}),
        ({"models": [{"model": "a", "estimatedCostCents": 6.0000000001}]}, {("a", "unknown"): "6"}),
        ({"models": [{"model": 3}, None, {}], "costSource": []}, {("", "unknown"): "6"}),
    ],
)  # fmt: skip
def test_costs_add_up_whatever_their_parts_say(fields: dict[str, Any], expected: dict[Any, str]) -> None:
    spend = Spend(hold_s=0)
    spend.add("shop", window(metrics=[metric(**fields)]))
    found = sums(shown(spend), "model", "source")
    costs = {labels[1:]: value for labels, value in found.items() if labels[0] == "recost_cost_usd_total"}
    assert costs == {labels: Decimal(cents) / 100 for labels, cents in expected.items()}


NUMBERS = st.one_of(st.integers(0, 10**15 - 1), st.floats(0, 10**11), st.just(-1), st.none(), st.just("x"))
NAMES = st.sampled_from(["a", "b", "c", "other", ""])
PARTS = st.lists(
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {"model": NAMES},
            optional={
                **dict.fromkeys(
                    ("requestCount", "estimatedCostCents", "unpricedCount", "inputTokens"), NUMBERS
                )
            },
        ),
    ),
    max_size=4,
)
METRICS = st.fixed_dictionaries(
    {
        "provider": st.text(min_size=1, max_size=3),
        "endpoint": st.sampled_from(["x", "y" * 300, "z\n"]),
        "method": st.just("GET"),
        "requestCount": NUMBERS,
        "errorCount": st.just(0),
        "estimatedCostCents": NUMBERS,
    },
    optional={
        "models": PARTS,
        "costSource": st.dictionaries(st.sampled_from(["reported", "computed", "free"]), NUMBERS),
        "tokens": st.dictionaries(st.sampled_from(["input", "cacheRead", "new"]), NUMBERS),
        "unpricedCount": NUMBERS,
    },
)


@given(st.lists(st.tuples(st.sampled_from(["shop", "blog"]), st.lists(METRICS, max_size=4)), max_size=6))
def test_sums_are_those_of_the_reader_of_lines(windows: list[tuple[str, list[dict[str, Any]]]]) -> None:
    spend = Spend(100, hold_s=0)
    expected: dict[tuple[str, str], Any] = defaultdict(Decimal)
    for project, metrics in windows:
        line = json.dumps(window(metrics=metrics)).encode()
        parsed, content = parse_window(line), content_of(line)
        if parsed is None:
            assert content is None
            continue
        assert content is not None
        spend.add(project, content)
        for each in parsed.metrics:
            expected["recost_calls_total", project] += each.calls
            expected["recost_unpriced_calls_total", project] += each.unpriced
            expected["recost_cost_usd_total", project] += each.cost_usd
    found = sums(shown(spend), "project")
    for (name, project), value in expected.items():
        assert abs(found.get((name, project), Decimal(0)) - value) < Decimal("1e-20"), (name, project)
    assert len(samples(shown(spend))) == len(spend) <= 100
    assert all(labels["project"] == "blog" for _, labels, _ in samples(shown(spend, "blog")))


def test_the_number_of_series_is_bounded_and_sums_stay_right() -> None:
    spend = Spend(1000, hold_s=0)
    for number in range(3000):
        spend.add(
            f"project-{number % 7}",
            window(metrics=[metric(endpoint=f"e{number}", provider=f"p{number % 5}")]),
        )
    text = shown(spend)
    assert len(samples(text)) == len(spend) <= 1000
    assert sums(text, "project")["recost_calls_total", "project-3"] == 3 * len(range(3, 3000, 7))
    assert sums(text, "provider")["recost_cost_usd_total", "p4"] == Decimal("0.06") * 600
    assert sums(text, "endpoint")["recost_calls_total", "other"] > 0
    for number in range(3000):
        spend.add(f"new-{number}", window(metrics=[RICH]))
    text = shown(spend)
    assert len(samples(text)) == len(spend) <= 1000
    assert sums(text)["recost_calls_total",] == 3 * 3000 + 10 * 3000
    assert sums(text, "project")["recost_calls_total", "other"] > 0


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_forges_a_line(name: str) -> None:
    spend = Spend(hold_s=0)
    hostile = HOSTILE[name] + '"} 1\nrecost_calls_total{project="x"} 7 \\'
    models = [{"model": hostile, "requestCount": 3}]
    spend.add("shop", window(environment=hostile, metrics=[metric(hostile, endpoint=hostile, models=models)]))
    text = shown(spend)
    assert {labels["project"] for _, labels, _ in samples(text)} == {"shop"}
    assert sums(text)["recost_calls_total",] == 3
    assert all(is_inert(value) for _, labels, _ in samples(text) for value in labels.values())
    assert len(text) < 20_000
    if shutil.which("promtool"):
        check(text)


def check(text: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus")
def test_promtool_has_nothing_to_say(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        running.post(key, window(metrics=[RICH]))
        running.post("rc-", window())
        text = running.request("GET", "/metrics").body.decode()
    assert "recost_collector_windows_accepted_total 1" in text
    check(text)


def stored(store: FileStore, *windows: dict[str, Any], project: str = "shop") -> None:
    for each in windows:
        assert store.add(project, read_window(json.dumps(each).encode())).result(10)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_new_series_is_first_shown_as_zero() -> None:
    clock = Clock()
    spend = Spend(hold_s=60, monotonic=clock)
    clock.now = 1000  # nobody has seen it yet
    for moment, calls, seen in ((1000, 3, 0), (1030, 4, 0), (1059, 0, 0), (1060, 0, 7), (1061, 5, 12)):
        clock.now = moment
        spend.add("shop", window(metrics=[metric(calls=calls)]))
        assert sums(shown(spend))["recost_calls_total",] == seen


def calls_of(folder: Path, *windows: dict[str, Any], before: int | None = None, most: int = 10_000) -> int:
    """Store windows as a collector that starts and ends does, and return the calls that it has counted."""
    spend = Spend(most, hold_s=0)
    store = FileStore(folder, spend)
    try:
        total = int(sums(shown(spend)).get(("recost_calls_total",), 0))
        assert before in (None, total)
        stored(store, *windows)
        return int(sum(series.value for series in spend._families["calls"].values()))
    finally:
        store.close()


def test_counters_are_restored_and_never_fall(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(json.dumps(window()).encode() + b"\n")
    assert calls_of(tmp_path, before=3) == 3  # what was there, shown at once
    assert calls_of(tmp_path, window(), before=3) == 6
    file = tmp_path / "shop.jsonl"
    with file.open("ab") as out:  # local mode, while no collector runs
        out.write(json.dumps(window()).encode() + b"\nnot a window\n")
    assert calls_of(tmp_path, window()) == 12
    content = file.read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "recost", "prune", "--older-than", "1d", "--yes", str(tmp_path)],
        env=environment(), capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(file.read_bytes()) < len(content) if file.exists() else True
    assert calls_of(tmp_path, before=12) == 12
    assert calls_of(tmp_path, window()) == 15
    file.rename(tmp_path / "shop.jsonl.1")
    assert calls_of(tmp_path, window(), before=15) == 18
    assert calls_of(tmp_path, before=18) == 18


def test_what_a_crash_left_unsaved_is_counted_from_the_files(tmp_path: Path) -> None:
    state = tmp_path / ".collector" / "counters.sqlite"
    assert calls_of(tmp_path, window(), window()) == 6
    behind = state.read_bytes()
    for file in state.parent.glob("counters.sqlite-*"):
        file.unlink()
    assert calls_of(tmp_path, window()) == 9
    state.write_bytes(behind)
    assert calls_of(tmp_path) == 9
    state.write_bytes(behind)
    path = tmp_path / "shop.jsonl"  # pruned after the last save, and before the crash
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    fresh.rename(path)
    assert calls_of(tmp_path) == 9
    state.write_bytes(b"damaged" * 1000)
    assert calls_of(tmp_path) == 6
    state.unlink()
    assert calls_of(tmp_path) == 6


def test_what_others_append_meanwhile_is_counted(tmp_path: Path) -> None:
    spend = Spend(hold_s=0)
    store = FileStore(tmp_path, spend)
    try:
        stored(store, window())
        with (tmp_path / "shop.jsonl").open("ab") as out:
            out.write(json.dumps(window()).encode() + b"\n")
        stored(store, window())
        assert sum(series.value for series in spend._families["calls"].values()) == 9
    finally:
        store.close()
    assert calls_of(tmp_path) == 9


def test_fewer_series_after_a_restart(tmp_path: Path) -> None:
    sent = [window(metrics=[metric(endpoint=f"e{number}")]) for number in range(100)]
    assert calls_of(tmp_path, *sent) == 300
    for _ in range(2):
        assert calls_of(tmp_path, most=100) == 300
    assert calls_of(tmp_path) == 300


def test_a_long_line_is_counted(tmp_path: Path) -> None:
    sent = window(metrics=[metric(endpoint=f"{number:0500}") for number in range(100)])
    assert read_window(json.dumps(sent).encode()).content is None
    assert calls_of(tmp_path, sent) == 300


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_counters_equal_the_report_after_a_kill(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    key = make_key(tmp_path)
    running = Collector(tmp_path, "--scrape-interval", 1)
    for number in range(5):
        sent = {**RICH, "endpoint": f"e{number % 2}", "estimatedCostCents": 0.1 * number}
        running.post(key, window(metrics=[sent]))
    running.request("GET", "/metrics")
    wait_until(lambda: total(running) == Decimal("0.01"))
    running.post(key, window(metrics=[RICH]))
    running.stop(signal.SIGKILL)
    with collector(tmp_path, "--scrape-interval", 1) as running:
        found = sums(running.request("GET", "/metrics").body.decode())
        expected = report(tmp_path)["total"]
        running.request("GET", "/metrics")
        wait_until(lambda: total(running) > found["recost_cost_usd_total",])
        found = sums(running.request("GET", "/metrics").body.decode())
    assert abs(found["recost_cost_usd_total",] - Decimal(str(expected["cost_usd"]))) < Decimal("1e-15")
    assert found["recost_calls_total",] == expected["calls"] == 60
    assert found["recost_errors_total",] == expected["errors"]


def total(running: Collector) -> Decimal:
    return sums(running.request("GET", "/metrics").body.decode()).get(("recost_cost_usd_total",), Decimal(0))


def test_who_may_read_the_metrics(tmp_path: Path) -> None:
    shop, blog, metrics = make_key(tmp_path), make_key(tmp_path, "blog"), make_key(tmp_path, "x", "--metrics")
    with collector(tmp_path, "--behind-proxy") as running:
        running.post(shop, window())
        running.post(blog, window(), "blog")
        projects = {
            name: {
                labels.get("project")
                for _, labels, _ in samples(running.request("GET", "/metrics", key).body.decode())
            }
            for name, key in (("shop", shop), ("blog", blog))
        }
        assert projects == {"shop": {"shop"}, "blog": {"blog"}}
        everything = running.request("GET", "/metrics", metrics).body.decode()
        assert {"shop", "blog"} <= {labels.get("project") for _, labels, _ in samples(everything)}
        assert "recost_collector_storing 1" in everything
        assert "recost_collector" not in running.request("GET", "/metrics", shop).body.decode()
        assert running.request("GET", "/metrics").status == 401
        for project in ("shop", "x", ""):
            assert running.post(metrics, window(), project).status == 404
        assert running.request("GET", "/projects/shop/telemetry/recent", metrics).status == 404
    assert not (tmp_path / "x.jsonl").exists()
    with collector(tmp_path) as running:
        assert running.request("GET", "/metrics").status == 200
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", ""):
            assert running.request("GET", "/metrics", Host=host).status in {400, 401}, host
        packed = running.request("GET", "/metrics", Accept_Encoding="gzip")
        assert packed.headers["content-encoding"] == "gzip"
