"""What happens in the run of a seed: the weather of the network, and what befalls each process.

The same number gives the same plan. What comes of it depends on the machine, too.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["CLIENTS", "FAULTS", "Phase", "Plan", "ProducerPlan", "planned", "word"]

FAULTS: Final = (
    "pass", "delay", "drop", "reset", "hang", "lose", "lose, 504", "truncate head", "truncate body",
    "throttle", "401", "404", "408", "413", "422", "429", "429 without a time", "500", "502", "503",
    "503 with a time", "html", "garbage",
)  # fmt: skip
"""What a proxy may do to a request. See `tests.chaos.destination`."""
CLIENTS: Final = ("urllib", "http.client", "requests", "httpx", "aiohttp")
TRAITS: Final = (
    "forks",
    "killed",
    "stopped",
    "full disk",
    "clock set",
    "terminated",
    "threads",
    "short",
    "no folder",
)
ENDS: Final = ("end", "sys.exit", "exception", "dispose", "os._exit")
_LETTERS: Final = "bcdfghklmnprstvwz"
_VOWELS: Final = "aeiou"
_HOUR: Final = 3600.0


@dataclass(frozen=True)
class Phase:
    """A while in which the network fails in one way, or in a few."""

    until_s: float
    """Seconds since the beginning of the run."""
    share: float
    """Share of requests that it befalls."""
    faults: tuple[str, ...]


@dataclass(frozen=True)
class ProducerPlan:
    """A program that makes calls, and what befalls it. It is started again when it has ended early."""

    number: int
    client: str
    traits: frozenset[str]
    rate: float
    """Calls a second."""
    options: dict[str, Any]
    """For `recost.init`."""
    ends: tuple[str, ...]
    """How it ends, the first time, the second and so on."""
    seed: int
    lives_s: float = 1e9
    """Seconds after which a program ends by itself."""
    signals: tuple[tuple[float, str], ...] = ()
    """Seconds since the beginning of the run, and ``KILL``, ``TERM``, ``STOP`` or ``CONT``."""
    jumps: tuple[tuple[float, float], ...] = ()
    """Seconds since the beginning of the run, and by how many the clock is wrong from then on."""
    most_bytes: int = 0
    """Size that no file of it may exceed. 0: any size."""


@dataclass(frozen=True)
class Plan:
    """The run of a seed."""

    seed: int
    seconds: float
    weather: tuple[Phase, ...]
    producers: tuple[ProducerPlan, ...] = field(default=())


def planned(seed: int, seconds: float) -> Plan:
    """Return the plan of a seed."""
    chance = random.Random(seed)
    weather = tuple(_weather(chance, seconds))
    count = 5 if seconds >= 20 else 3
    producers = tuple(_producer(chance, number, seconds) for number in range(count))
    return Plan(seed, seconds, weather, producers)


def word(*numbers: int) -> str:
    """Return a name for a process: letters only, as an identifier would be no part of an endpoint."""
    return "".join(
        _LETTERS[number // len(_VOWELS) % len(_LETTERS)] + _VOWELS[number % len(_VOWELS)]
        for number in (7, *numbers)
        for number in divmod(number, len(_LETTERS) * len(_VOWELS))
    )


def _weather(chance: random.Random, seconds: float) -> Iterable[Phase]:
    at = 0.0
    longest = min(8.0, seconds / 4)
    while at < seconds + 60:
        at += chance.uniform(0.5, longest)
        kind = chance.random()
        if kind < 0.2:
            yield Phase(at, 0.0, ("pass",))
        elif kind < 0.6:
            yield Phase(at, chance.choice((0.3, 0.7, 1.0)), (chance.choice(FAULTS[1:]),))
        else:
            yield Phase(at, chance.uniform(0.2, 0.9), tuple(chance.sample(FAULTS[1:], chance.randint(2, 6))))


def _producer(chance: random.Random, number: int, seconds: float) -> ProducerPlan:
    traits = frozenset(chance.sample(TRAITS, chance.choice((1, 1, 2, 2, 3))))
    if "terminated" in traits:  # what other threads do while the process ends is not recorded
        traits -= {"threads"}
    options = {
        "flush_interval_ms": chance.choice((100, 300, 1000, 5000)),
        "max_batch_size": chance.choice((3, 20, 100)),
        "max_retries": chance.choice((0, 0, 1, 3)),
        "max_buckets": chance.choice((5, 2000)),
        "shutdown_flush_timeout_ms": chance.choice((500, 1000, 3000)),
        "flush_on_sigterm": "terminated" in traits,
    }
    return ProducerPlan(
        number=number,
        client=chance.choice(CLIENTS),
        traits=traits,
        rate=chance.choice((5.0, 20.0, 50.0)),
        options=options,
        ends=tuple(chance.choice(ENDS) for _ in range(4)),
        seed=chance.randrange(2**32),
        lives_s=chance.uniform(0.5, 3.0) if "short" in traits else 1e9,
        signals=tuple(sorted(_signals(chance, traits, seconds))),
        jumps=tuple(sorted(_jumps(chance, seconds))) if "clock set" in traits else (),
        most_bytes=chance.choice((1, 700, 5_000, 50_000)) if "full disk" in traits else 0,
    )


def _signals(chance: random.Random, traits: frozenset[str], seconds: float) -> Iterable[tuple[float, str]]:
    often = max(round(seconds / 10), 1)
    for trait, name in (("killed", "KILL"), ("terminated", "TERM")):
        if trait in traits:
            yield from ((chance.uniform(0.3, 1) * seconds, name) for _ in range(often))
    if "stopped" in traits:
        for _ in range(often):
            at = chance.uniform(0.2, 0.9) * seconds
            yield at, "STOP"
            yield at + chance.uniform(0.1, 4.0), "CONT"


def _jumps(chance: random.Random, seconds: float) -> Iterable[tuple[float, float]]:
    for _ in range(max(round(seconds / 8), 2)):
        yield (
            chance.random() * seconds,
            chance.choice((-1, 1)) * chance.choice((0.5, 60, _HOUR, 30 * _HOUR, 300 * _HOUR)),
        )
