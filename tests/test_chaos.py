"""The parts of `tests.chaos`: plans that come again, and sums that find what is wrong."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.chaos.accounts import Accounts, Arrived, dropped_calls
from tests.chaos.plan import planned, word
from tests.chaos.producer import Said
from tests.chaos.run import run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and forks")


def test_a_number_gives_the_same_plan_each_time() -> None:
    assert [planned(seed, 60) for seed in range(50)] == [planned(seed, 60) for seed in range(50)]
    names = [word(seed, number, life) for seed in range(90) for number in range(5) for life in range(40)]
    assert len(set(names)) == len(names)


SAID = [Said("a"), Said("c", flushed=2), Said("c", flushed=1)]
FOUR = "recost: 4 calls in 1 windows could not be delivered"


def accounts(**changed: object) -> list[str]:
    """Return what is found wrong with sums that are right, but for what is given."""
    windows = {"id-1": Counter(a=3), "id-2": Counter(b=2)}
    values = {
        "served": Counter(a=4, b=2, c=5),
        "arrived": Arrived(windows=windows),
        "spooled": {"id-3": Counter(a=1, c=2), "id-2": Counter(b=2)},
        "killed": {"c"},
        "said": SAID,
        **changed,
    }
    return Accounts(**values).problems()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"served": Counter(a=5, b=2, c=5)}, "lost without a word: 1 calls"),
        ({"served": Counter(a=3, b=2, c=5)}, "a: 1 calls too many"),
        ({"served": Counter(a=4, b=2)}, "calls that nobody served"),
        ({"killed": set()}, "lost without a word: 3 calls"),
        ({"said": [Said("c", flushed=3)]}, "lost without a word: 1 calls"),
        ({"said": [Said("a", error=FOUR)]}, "reported as"),
        ({"said": [Said("a", error=f"{FOUR}. 0 of them were sent without a response, …")]}, "for sure"),
        ({"said": [Said("c", failed="OSError()")]}, "a call failed"),
        ({"said": [Said("c", blocked="worker.py")]}, "a call waited"),
        ({"arrived": Arrived(problems=["other content"])}, "other content"),
    ],
)
def test_the_sums_find(changed: dict[str, object], problem: str) -> None:
    assert accounts() == []
    assert accounts(said=[*SAID, Said("a", error=f"{FOUR}. 4 of them were sent without a response, …")]) == []
    assert any(each.find(problem) >= 0 for each in accounts(**changed))


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        ("recost: 7 calls in 3 windows could not be delivered", 7),
        ("recost: 7 calls in 3 windows could not be delivered: the queue was full", 7),
        ("recost: 7 calls in 3 windows could not be delivered: they are in the spool, and so on", 0),
        ("recost: 5 calls in 2 windows were removed from the spool: too old", 5),
        ("recost: https://x responded with 422: invalid (1 metrics, 3 calls): 3 calls dropped", 3),
        ("recost: https://x responded with 422: invalid (2 metrics, 3 calls)", 0),
        ("recost: the queue is full: the oldest are dropped (2 windows, 9 calls so far)", 9),
        ("recost: 4 calls were dropped because the queue was full", 4),
        ("recost: 2 calls could not be added up: not recorded", 2),
    ],
)
def test_drops_as_they_are_reported(error: str, calls: int) -> None:
    assert dropped_calls(error) == calls


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
def test_whatever_happens_each_call_arrives_once_waits_or_is_reported(seed: int) -> None:
    """Short runs. Longer ones, which are also timed: ``python -m tests.chaos``."""
    outcome = run(seed, 6, timed=False)
    assert outcome.problems == [], outcome.line()
    assert outcome.figures["served"] > 0
    assert outcome.figures["left"] == 0
