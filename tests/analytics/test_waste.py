"""What `recost waste` sums up equals a plain sum over the lines."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.query import Question
from recost.analytics.store import consult
from recost.analytics.waste import STORM_ATTEMPTS, Waste, WasteSums, find_waste
from tests.analytics.corpora import EXACT, Plain, corpora, few, usd
from tests.analytics.test_report import written

pytest.importorskip("duckdb")


def troubled(lines: list[bytes], seed: int) -> list[bytes]:
    """Have some calls fail and be repeated, whole tag sets of them, too."""
    chance = random.Random(seed)
    return [_troubled(line, chance) for line in lines]


def _troubled(line: bytes, chance: random.Random) -> bytes:
    try:
        window = json.loads(line)
        metrics = [metric for metric in window["metrics"] if isinstance(metric, dict)]
    except (ValueError, TypeError, KeyError):
        return line
    for metric in metrics:
        calls = metric.get("requestCount")
        if not isinstance(calls, int) or calls < 0:
            continue
        metric["requestCount"] = calls = chance.choice([calls, calls % 60])
        metric["errorCount"] = chance.choice([0, calls // 2, calls])
        if "attempts" in metric:
            metric["attempts"] = calls + chance.choice([0, 5, calls])
        for part in metric.get("tags") or ():
            part["errorCount"] = chance.choice([0, part["requestCount"]])
    return json.dumps(window).encode()


def plainly(plain: Plain, least: int) -> dict[str, Any]:
    """Add up what is wanted, metric by metric."""
    names = WasteSums.__dataclass_fields__
    sums: dict[str, Any] = {name: Decimal(0) if name.endswith("_usd") else 0 for name in names}

    def add(name: str, amount: Decimal) -> None:
        sums[name] = EXACT.add(sums[name], amount)

    for _, _, metric in plain.entries:
        calls, errors = metric["requestCount"], metric["errorCount"]
        cost, attempts = usd(metric["estimatedCostCents"]), metric.get("attempts")
        extra = max((attempts or 0) - calls, 0)
        sums["calls"] += calls
        sums["errors"] += errors
        sums["extra"] += extra
        sums["unpriced"] += metric.get("unpricedCount", 0)
        sums["attempts"] += attempts or 0
        sums["attempts_known"] += 0 if attempts is None else calls
        add("cost_usd", cost)
        if attempts is None:
            add("flat_usd", usd(metric.get("costSource", {}).get("estimated", 0)))
        for name, holds in (("extra", extra), ("errors", errors), ("unpriced", metric.get("unpricedCount"))):
            add(f"{name}_usd", cost if holds else Decimal(0))
        if errors + extra >= STORM_ATTEMPTS and (errors + extra) * 2 >= max(attempts or 0, calls):
            sums["storms"] += 1
            sums["storm_attempts"] += errors + extra
            add("storms_usd", cost)
        if calls >= least:
            sums["repeats"] += 1
            sums["repeated"] += calls
            sums["repeated_most"] = max(sums["repeated_most"], calls)
            sums["repeated_bytes"] += metric.get("totalRequestBytes", 0)
            add("repeated_usd", cost)
    return sums


def waste(lines: list[bytes], least: int, **options: Any) -> tuple[Waste, Plain]:
    with written(lines) as (folder, data):
        found = consult((), folder, lambda read: find_waste(read, Question(by=(), **options), least))
        return found, Plain.of(data)


@few
@given(corpora, st.integers(), st.integers(2, 100))
def test_every_sum(lines: list[bytes], seed: int, least: int) -> None:
    found, plain = waste(troubled(lines, seed), least)
    expected = plainly(plain, least)
    likely = {name for name in expected if "_likely_" in name}
    for name in expected.keys() - {"billed", "billed_usd"} - likely:
        assert getattr(found.total, name) == expected[name], name
    certain = [
        usd(metric["estimatedCostCents"])
        for _, _, metric in plain.entries
        if metric["errorCount"] and metric["errorCount"] >= metric["requestCount"]
    ]
    assert sum(certain) - Decimal("1e-9") <= found.total.billed_usd <= found.total.errors_usd
    for name in likely:
        assert 0 <= getattr(found.total, name) <= getattr(found.total, name.replace("_likely", "")), name
    assert found.total.errors_likely_usd >= found.total.billed_usd
    assert sum(each.calls for _, _, each in found.endpoints) == found.total.calls
    assert len(found.storms) == min(found.total.storms, 5)


def row(calls: int, errors: int, cents: float, **more: Any) -> dict[str, Any]:
    return {
        "provider": "openai", "endpoint": "chat", "method": "POST",
        "requestCount": calls, "errorCount": errors,
        "totalLatencyMs": 1, "p50LatencyMs": 1, "p95LatencyMs": 1, "totalRequestBytes": 10 * calls,
        "totalResponseBytes": 1, "estimatedCostCents": cents, **more,
    }  # fmt: skip


def one(*metrics: dict[str, Any]) -> WasteSums:
    window = {"protocolVersion": "1.1", "windowStart": "2026-03-27T00:00:00.000Z", "environment": "test"}
    return waste([json.dumps({**window, "metrics": metrics}).encode()], 50)[0].total


def test_errors_were_billed_for_sure_where_every_call_failed() -> None:
    assert one(row(4, 4, 8)).billed_usd == Decimal("0.08")
    assert one(row(4, 3, 8)).billed_usd == 0
    assert one(row(4, 3, 8)).errors_usd == Decimal("0.08")
    assert one(row(4, 4, 0)).billed == 0


def test_errors_were_billed_for_sure_where_every_call_of_a_tag_set_failed() -> None:
    def part(calls: int, errors: int, cents: float) -> dict[str, Any]:
        tags = {"tenant": f"t{calls}"}
        return {
            "tags": tags, "requestCount": calls, "errorCount": errors, "estimatedCostCents": cents,
            "unpricedCount": 0,
        }  # fmt: skip

    mixed = one(row(10, 3, 8, tags=[part(2, 2, 3), part(7, 1, 4), part(1, 0, 1)]))
    assert (mixed.billed, mixed.billed_usd, mixed.errors_usd) == (2, Decimal("0.03"), Decimal("0.08"))
    whole = one(row(2, 2, 3, tags=[part(2, 2, 3)]))
    assert (whole.billed, whole.billed_usd) == (2, Decimal("0.03"))


def test_a_storm_is_most_of_the_attempts_and_ten_of_them() -> None:
    assert one(row(9, 9, 1)).storms == 0
    assert one(row(10, 10, 1)).storms == 1
    assert one(row(30, 10, 1)).storms == 0
    assert one(row(5, 0, 1, attempts=15)).storms == 1
    assert one(row(5, 0, 1, attempts=15)).storm_attempts == 10


def test_no_rows_at_all() -> None:
    assert waste([b"{}"], 50)[0].total == WasteSums()


@pytest.mark.parametrize(
    ("metric", "extra", "errors", "storms"),
    [
        (row(100, 1, 100, attempts=101), "0.0099009901", "0.01", "0"),
        (row(4, 4, 8, attempts=4), "0", "0.08", "0"),
        (row(10, 0, 60, attempts=14), "0.17142857143", "0", "0"),
        (row(10, 5, 60, attempts=30), "0.4", "0.3", "0.5"),
        (row(50, 25, 10), "0", "0.05", "0.05"),
        (row(50, 50, 0), "0", "0", "0"),
    ],
)
def test_what_was_probably_wasted(metric: dict[str, Any], extra: str, errors: str, storms: str) -> None:
    found = one(metric)
    assert found.extra_likely_usd == pytest.approx(Decimal(extra))
    assert found.errors_likely_usd == pytest.approx(Decimal(errors))
    assert found.storms_likely_usd == pytest.approx(Decimal(storms))


def test_what_was_billed_for_sure_was_wasted() -> None:
    part = {
        "tags": {"tenant": "a"}, "requestCount": 1, "errorCount": 1, "estimatedCostCents": 7,
        "unpricedCount": 0,
    }  # fmt: skip
    found = one(row(10, 1, 8, tags=[part]))
    assert (found.billed_usd, found.errors_likely_usd, found.errors_usd) == (
        Decimal("0.07"), Decimal("0.07"), Decimal("0.08"),
    )  # fmt: skip
