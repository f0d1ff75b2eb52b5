"""Prometheus scrapes a collector over a restart; its sums are the report's, and Grafana's queries work."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recost.cli import main
from tests.collector.prometheus import Prometheus, needs_prometheus, prometheus
from tests.collector.serving import Collector, collector, make_key, report, window
from tests.collector.test_spend import RICH
from tests.loopback import free_port, wait_until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")
PANELS = {"row", "stat", "table", "timeseries"}


def rich(number: int) -> dict[str, Any]:
    """Return a window with a new endpoint each time, and one that all have."""
    metrics = [
        {**RICH, "endpoint": name, "estimatedCostCents": 0.1 * number + 1} for name in ("all", f"e{number}")
    ]
    return window(metrics=metrics)


def send(running: Collector, key: str, numbers: range, scraper: Prometheus) -> None:
    """Send windows between scrapes."""
    for number in numbers:
        assert running.post(key, rich(number)).status == 202
        if number % 3 == 0:
            wait_for_scrape(scraper)


def wait_for_scrape(scraper: Prometheus) -> None:
    seen = len(scraper.scrapes())
    assert wait_until(lambda: len(scraper.scrapes()) > seen, 20)


@pytest.mark.slow
@needs_prometheus
def test_increases_are_those_of_the_report_over_a_restart(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    folder, port = tmp_path / "stored", free_port()
    key, metrics = make_key(folder), make_key(folder, "x", "--metrics")
    options = ("--listen", f"127.0.0.1:{port}", "--scrape-interval", 2)
    running = Collector(folder, *options)
    try:
        with prometheus(tmp_path / "prometheus", port, metrics) as scraper:
            assert wait_until(lambda: len(scraper.scrapes()) > 1, 30)
            send(running, key, range(10), scraper)
            running.stop(signal.SIGKILL)
            running = Collector(folder, *options)
            send(running, key, range(10, 20), scraper)
            running.stop()
            running = Collector(folder, *options)
            send(running, key, range(20, 25), scraper)
            expected = report(folder)["total"]
            assert wait_until(lambda: scraper.scalar("sum(recost_calls_total)") == expected["calls"], 40)
            check_increases(scraper, expected)
            check_dashboard(scraper)
    finally:
        code, said = running.stop()
    assert (code, said) == (-signal.SIGTERM, "")


def check_increases(scraper: Prometheus, expected: dict[str, Any]) -> None:
    """Check sums over a range that begins and ends with a scrape, so that nothing is extrapolated."""
    times = scraper.scrapes()
    period = f"{round(1000 * (times[-1] - times[0]))}ms"
    assert expected["calls"] == 25 * 2 * 10
    for name, figure in (
        ("cost_usd", "cost_usd"),
        ("calls", "calls"),
        ("errors", "errors"),
        ("unpriced_calls", "unpriced"),
    ):
        found = scraper.scalar(f"sum(increase(recost_{name}_total[{period}]))", times[-1])
        assert abs(found - float(expected[figure])) <= 1e-9 * max(1, found), name
        assert found > 0
    by_endpoint = scraper.query(f"sum by (endpoint) (increase(recost_calls_total[{period}]))", times[-1])
    found_by = {each["metric"]["endpoint"]: float(each["value"][1]) for each in by_endpoint}
    assert found_by == {"all": 250, **{f"e{number}": 10 for number in range(25)}}
    series = len(scraper.query('count by (__name__) ({__name__=~"recost_.*"})'))
    assert series > 10


def check_dashboard(scraper: Prometheus) -> None:
    """Run each query of the dashboard."""
    content = json.loads(Path(DASHBOARD).read_text())
    for expression in expressions(content):
        found = scraper.query(filled(expression))
        assert found, expression
        assert any(float(each["value"][1]) > 0 for each in found) or NONE_IN_THE_TEST.search(expression), (
            expression
        )
    (variable,) = [each for each in content["templating"]["list"] if each["name"] == "project"]
    name = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"])
    assert name is not None
    assert scraper.query(f"count by ({name[2]}) ({name[1]})")[0]["metric"] == {name[2]: "shop"}


DASHBOARD = Path(__file__).parents[2] / "recost" / "collector" / "grafana.json"
NONE_IN_THE_TEST = re.compile("windows_repeated|windows_refused")


def filled(expression: str) -> str:
    """Return a query with Grafana's variables filled in."""
    for name, value in (("$__rate_interval", "1h"), ("$__range", "1h"), ("$project", ".*")):
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def expressions(content: dict[str, Any]) -> Iterator[str]:
    for panel in content["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def test_the_dashboard_is_as_grafana_wants_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collector", "grafana"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["schemaVersion"] == 38
    assert {each["name"] for each in content["templating"]["list"]} == {"datasource", "project"}
    panels = content["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["type"] for panel in panels} == PANELS
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not own & cells, panel["title"]
        assert max(x for x, _ in own) < 24
        cells |= own
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            targets = panel["targets"]
            assert len({target["refId"] for target in targets}) == len(targets) > 0
            for target in targets:
                assert target["datasource"] == panel["datasource"]
                used = set(re.findall(r"\brecost_\w+", target["expr"]))
                assert used
    assert len(list(expressions(content))) > 15


def test_the_dashboard_names_figures_that_there_are(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        running.post(key, rich(1))
        text = running.request("GET", "/metrics").body.decode()
    present = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    content = json.loads(DASHBOARD.read_text())
    used = {name for expression in expressions(content) for name in re.findall(r"\brecost_\w+", expression)}
    assert used <= present
    spend = {name for name in present if not name.startswith("recost_collector_")}
    assert spend <= used
