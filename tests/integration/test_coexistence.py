"""recost beside the tracing tools: in every order each sees each call once, and nothing is left behind."""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest

from tests.integration.coexistence import calls
from tests.integration.coexistence.judge import disturbed, every, judge
from tests.integration.coexistence.orders import Order, Outcome, drive
from tests.integration.coexistence.tools import TOOLS

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the orders run in forked processes"),
    pytest.mark.slow,
    pytest.mark.timeout(300),
]

COMBINATIONS = [
    (),
    ("opentelemetry",),
    ("sentry",),
    pytest.param(("ddtrace",), marks=pytest.mark.slow),
    pytest.param(("opentelemetry", "sentry"), marks=pytest.mark.slow),
]
"""What recost runs beside. All of them together: ``python -m tests.integration.coexistence``."""


@pytest.mark.parametrize("others", COMBINATIONS, ids=lambda others: " and ".join(others) or "alone")
def test_every_order(others: tuple[str, ...]) -> None:
    for tool in others:
        missing = TOOLS[tool].missing()
        if missing:
            pytest.skip(f"{', '.join(missing)} not installed on this Python")
    bare, orders, clients = every(others), every(["recost", *others]), calls.clients()
    outcomes = list(drive([*bare, *orders]))
    references = dict(zip(bare, outcomes))
    if len(others) < 2:
        for order, outcome in references.items():
            assert disturbed(order, outcome, clients) == []
    for order, outcome in zip(orders, outcomes[len(bare) :]):
        assert judge(order, outcome, references[order.without("recost")], clients) == [], order


ORDER = Order(("tool", "recost"), ("recost", "tool"))


@pytest.fixture
def outcomes() -> tuple[Outcome, Outcome]:
    """Return what comes of an order in which nothing is wrong, and of the order without recost."""
    phases = {
        "with-tool": ["tool"],
        "with-recost": ["recost", "tool"],
        "left-recost": ["tool"],
        "left-tool": [],
    }
    now, then = (
        Outcome(phases=phases),
        Outcome(phases={name: phases[name] for name in ("with-tool", "left-tool")}),
    )
    now.served = {f"{phase}/httpx": 1 for phase in phases}
    now.seen = {
        "tool": {f"part {phase}/httpx": 1 for phase in phases if phase != "left-tool"},
        "recost": {"with-recost/httpx": 1},
    }
    then.seen = {"tool": {"part with-tool/httpx": 1}}
    now.crumbs, then.crumbs = {"tool": {}, "recost": {}}, {"tool": {}}
    now.strangers, now.posts = {"tool": [], "recost": []}, 1
    now.left = {"httpx:Client.send": ["tool"]}
    then.left = {"httpx:Client.send": ["tool"]}
    return now, then


def test_an_order_in_which_nothing_is_wrong(outcomes: tuple[Outcome, Outcome]) -> None:
    assert judge(ORDER, *outcomes, ["httpx"]) == []


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("served", {"with-tool/httpx": 2}, "served: with-tool/httpx 2 for 1"),
        ("seen", {"recost": {}}, "recost: with-recost/httpx 0 for 1"),
        ("seen", {"recost": {"with-recost/httpx": 2}}, "recost: with-recost/httpx 2 for 1"),
        ("seen", {"recost": {"with-recost/httpx": 1, "left-recost/httpx": 1}}, "recost: left-recost/httpx 1"),
        ("seen", {"tool": {}}, "tool: part with-tool/httpx 0 for 1"),
        ("crumbs", {"tool": {"with-recost/httpx": 1}}, "tool's breadcrumbs: with-recost/httpx 1 for 0"),
        ("strangers", {"tool": ["/projects/proj-1/telemetry"]}, "tool saw /projects/proj-1/telemetry"),
        ("raised", {"tool": "no"}, "taken off: {'tool': 'no'}, without recost no error"),
        ("posts", 0, "recost made 0 posts"),
        ("left", {}, "httpx:Client.send is original, without recost tool"),
        ("left", {"urllib3:X.y": ["recost", "original"]}, "urllib3:X.y is recost over original"),
        ("error", "it died", "it died"),
    ],
)
def test_what_is_wrong_is_told(outcomes: tuple[Outcome, Outcome], field: str, value: Any, told: str) -> None:
    now, then = copy.deepcopy(outcomes)
    found = getattr(now, field)
    setattr(now, field, {**found, **value} if isinstance(value, dict) and value else value)
    problems = judge(ORDER, now, then, ["httpx"])
    assert [problem for problem in problems if problem.startswith(told)], problems


def test_a_tool_that_misses_calls_on_its_own_is_told() -> None:
    phases = {"with-sentry": ["sentry"], "left-sentry": []}
    outcome = Outcome(phases=phases, seen={"sentry": {"left-sentry/httpx": 2}}, left={"urllib3:X.y": ["?"]})
    assert disturbed(Order(("sentry",), ("sentry",)), outcome, ["httpx"]) == [
        "sentry in with-sentry",
        "sentry in left-sentry",
        "sentry counts left-sentry/httpx",
        "urllib3:X.y stays",
    ]
