"""How often forecasts hold what they say, and how often anomalies are none: on series whose truth is known.

python benchmarks/forecasts.py              some minutes
python benchmarks/forecasts.py --series 5   rougher

The generated series are those of tests/analytics/histories.py. The published ones come with statsmodels: the
volume of the Nile at Aswan (Cobb 1978; yearly) and the production of electrical equipment in the euro area
(Eurostat; monthly), each value taken for a day; the steps to come are not among those that are known.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recost.analytics.anomalies import Anomaly, ReviewPeriod, review
from recost.analytics.forecast import outlook
from recost.analytics.timeseries import Series
from tests.analytics.histories import DAYS, HOURS, days_of, hours_of

KNOWN: Final = (16, 30, 60, 120)
AHEAD: Final = (5, 15, 28)
LEVELS: Final = (0.8, 0.95)
START: Final = datetime(2026, 1, 5)  # noqa: DTZ001 - local time, a Monday
HOUR: Final = timedelta(hours=1)
KNOWN_DAYS: Final = 30
LOOKED_AT_DAYS: Final = 28
SHIFT_AT: Final = 44
PEAKS: Final = 4
"""In the four weeks that are looked at."""
FACTORS: Final = (3, 10)
MONTH_DAYS: Final = 30.4


@dataclass(frozen=True)
class Course:
    kind: str
    known: Sequence[float]
    truth: float
    ahead: int


@dataclass(frozen=True)
class Told:
    kind: str
    held: Sequence[bool]
    error: float
    run_rate_error: float
    truth: float
    width: float


def generated(count: int) -> Iterator[Course]:
    for kind in DAYS:
        for seed in range(count):
            chance = random.Random(f"{kind} {seed}")
            known, ahead = KNOWN[seed % len(KNOWN)], chance.choice(AHEAD)
            days = days_of(kind, known + ahead, chance, shift_at=known - chance.randint(5, known // 2))
            yield Course(kind, days[:known], sum(days[known:]), ahead)


def published(count: int) -> Iterator[Course]:
    for name, column in (("nile", "volume"), ("elec_equip", None)):
        data: Any = importlib.import_module(f"statsmodels.datasets.{name}").load_pandas().data
        values = [float(value) for value in (data[column] if column else data.iloc[:, -1])]
        for seed in range(count):
            chance = random.Random(f"{name} {seed}")
            known, ahead = chance.choice(KNOWN[:3]), chance.choice(AHEAD[:2])
            at = chance.randint(known, len(values) - ahead)
            yield Course(name, values[at - known : at], sum(values[at : at + ahead]), ahead)


def forecast(course: Course) -> Told:
    found = [outlook(course.known, course.ahead, level) for level in LEVELS]
    run_rate = sum(course.known[-7:]) / 7 * course.ahead
    return Told(
        course.kind,
        [each.low <= course.truth <= each.high for each in found],
        abs(found[0].expected - course.truth),
        abs(run_rate - course.truth),
        course.truth,
        found[0].high - found[0].low,
    )


def forecasts(pool: Any, count: int) -> None:
    told = pool.map(forecast, [*generated(count), *published(count)], chunksize=4)
    print("| series | in the 80% bounds | in the 95% bounds | width of 80% | error | of last week's mean |")
    print("|---|---:|---:|---:|---:|---:|")
    kinds = list(dict.fromkeys(each.kind for each in told))
    for kind in [*kinds, "all generated"]:
        rows = [each for each in told if each.kind == kind or (kind == "all generated" and each.kind in DAYS)]
        truth = sum(each.truth for each in rows)
        shares = [sum(each.held[index] for each in rows) / len(rows) for index in range(len(LEVELS))]
        parts = [
            sum(getattr(each, name) for each in rows) / truth for name in ("width", "error", "run_rate_error")
        ]
        print(f"| {kind} | {' | '.join(f'{each:.0%}' for each in (*shares, *parts))} |")


@dataclass(frozen=True)
class Watched:
    kind: str
    alarms: int
    """That nothing was put in for."""
    found: dict[int, float]
    """Share of the peaks, by their factor."""
    after_shift_days: int = 0


def watch(task: tuple[str, int]) -> Watched:
    kind, seed = task
    costs = hours_of(kind, KNOWN_DAYS + LOOKED_AT_DAYS, random.Random(f"{kind} {seed}"), SHIFT_AT)
    quiet = anomalies(costs)
    if kind == "shift":
        shift = START + timedelta(days=SHIFT_AT)
        after = [each for each in quiet if each.end > shift]
        soon = any(each.start < shift + timedelta(days=1) for each in after)
        days = {(each.start - shift).days for each in after}
        return Watched(kind, len(quiet) - len(after), dict.fromkeys(FACTORS, float(soon)), len(days))
    chance = random.Random(f"peaks {kind} {seed}")
    found = {}
    for factor in FACTORS:
        hours = [
            chance.choice(
                [hour for hour in range(first * 24, (first + 7) * 24) if costs[hour] >= 1] or [first * 24]
            )
            for first in range(KNOWN_DAYS, KNOWN_DAYS + LOOKED_AT_DAYS, 7)
        ]
        peaked = [cost * factor if hour in hours else cost for hour, cost in enumerate(costs)]
        told = anomalies(peaked)
        hits = [any(each.start <= START + HOUR * hour < each.end for each in told) for hour in hours]
        found[factor] = sum(hits) / len(hits)
    return Watched(kind, len(quiet), found)


def anomalies(costs: Sequence[float]) -> Sequence[Anomaly]:
    hours = {START + HOUR * index: Decimal(repr(cost)) for index, cost in enumerate(costs) if cost}
    until = START + timedelta(days=KNOWN_DAYS + LOOKED_AT_DAYS)
    span = ReviewPeriod(START + timedelta(days=KNOWN_DAYS), until, until + HOUR)
    return review(Series(hours), span, Decimal(1)).anomalies


def alarms(pool: Any, count: int) -> None:
    kinds = (*HOURS, "sparse")
    told = pool.map(watch, [(kind, seed) for kind in kinds for seed in range(count)], chunksize=1)
    print("| series | false alarms a month | hours x3 found | hours x10 found |")
    print("|---|---:|---:|---:|")
    for kind in kinds:
        rows = [each for each in told if each.kind == kind]
        days = SHIFT_AT - KNOWN_DAYS if kind == "shift" else LOOKED_AT_DAYS
        rate = sum(each.alarms for each in rows) / len(rows) * MONTH_DAYS / days
        shares = [sum(each.found[factor] for each in rows) / len(rows) for factor in FACTORS]
        if kind == "shift":
            after = sum(each.after_shift_days for each in rows) / len(rows)
            cells = f"the shift within a day: {shares[0]:.0%} | alarms on {after:.1f} days after it"
        else:
            cells = " | ".join(f"{share:.0%}" for share in shares)
        print(f"| {kind} | {rate:.1f} | {cells} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="Print how well forecasts and anomalies do.")
    parser.add_argument(
        "--series", type=int, default=60, help="of each kind; a sixth of it for anomalies (60)"
    )
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    with multiprocessing.get_context("spawn").Pool(max(1, min(os.cpu_count() or 1, 8))) as pool:
        forecasts(pool, arguments.series)
        print()
        alarms(pool, max(1, arguments.series // 6))


if __name__ == "__main__":
    main()
