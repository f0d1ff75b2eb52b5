"""Drives patterns with attacks of growing size: a program, as what is exponential is best left to die.

Prints a JSON line with what was found, then one for each pattern: ``name``, ``attacks``, ``slowest_ms``,
``growth`` and ``attack``. ``growth`` is by how much the time grew while the text grew eight times; 0
where even the longest text took next to nothing, null where it took too long to tell.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
import warnings
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from tests.patterns.attacks import Attack, attacks_on, pumped
from tests.patterns.sources import Found, find_patterns, programs
from tests.patterns.templates import find_templates

SIZES = (1_000, 2_000, 4_000, 8_000)
LIMIT_S = 0.5
"""Of CPU, for one text: a thousand times what a linear pattern needs."""
ENOUGH = 40.0
"""A growth that leaves no doubt: no further attack is tried."""
DOUBTFUL = 16.0
"""A growth that is measured again."""
UNSUSPICIOUS_S = 0.003
"""For the largest text: what takes less is not looked at more closely."""


class Subject(NamedTuple):
    """What is driven: a method of a pattern, or a template."""

    name: str
    run: Callable[[str], Any]
    attacks: list[Attack]


class TooLongError(Exception):
    """A text took longer than the limit."""


def _interrupt(*_: object) -> None:
    raise TooLongError


def subjects(found: list[Found]) -> Iterator[Subject]:
    for each in found:
        attacks = attacks_on(each.pattern)
        for method in sorted(each.methods):
            yield Subject(
                f"{min(each.places)} {each.pattern.pattern!r:.60} {method}",
                _runner(each.pattern, method),
                attacks,
            )


def _runner(pattern: Any, method: str) -> Callable[[str], Any]:
    if method in {"match", "fullmatch", "search"}:
        run = getattr(pattern, method)
    else:

        def run(text: Any) -> Any:
            return pattern.sub(text[:0], text)  # as all of these, without a loop in Python

    return run if isinstance(pattern.pattern, str) else lambda text: run(text.encode("latin-1"))


def timed(run: Callable[[str], Any], text: str) -> float:
    """Return the time that a text takes; `TooLongError` beyond the limit of CPU."""
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_S)
    try:
        began = time.thread_time()  # not what other programs take meanwhile
        run(text)
        return time.thread_time() - began
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def growth(run: Callable[[str], Any], attack: Attack) -> tuple[float, float]:
    """Return the time of the longest text, and the growth from the shortest."""
    texts = [pumped(attack, size) for size in SIZES]
    times = [timed(run, text) for text in texts]
    if times[-1] < UNSUSPICIOUS_S:
        return times[-1], 0.0
    least = [min(time_, *(timed(run, text) for _ in range(6))) for time_, text in zip(times, texts)]
    return least[-1], least[-1] / max(least[0], 1e-5)


def measure(subject: Subject) -> dict[str, Any]:
    slowest, worst, attack = 0.0, 0.0, None
    for each in subject.attacks:
        try:
            took, grown = growth(subject.run, each)
            for _ in range(2):
                if grown > DOUBTFUL:  # on a busy machine
                    took, grown = min((took, grown), growth(subject.run, each), key=lambda found: found[1])
        except TooLongError:
            return {"name": subject.name, "attacks": len(subject.attacks), "growth": None, "attack": each}
        slowest = max(slowest, took)
        if grown > worst:
            worst, attack = grown, each
        if worst > ENOUGH:
            break
    rounded = {"slowest_ms": round(slowest * 1000, 3), "growth": round(worst, 1)}
    return {"name": subject.name, "attacks": len(subject.attacks), **rounded, "attack": attack}


def published(found: list[Found]) -> dict[str, int]:
    """Return the patterns that regexploit refuses, with the power of the length in their time."""
    from regexploit.ast.sre import SreOpParser
    from regexploit.redos import find

    refused: dict[str, int] = {}
    for each in found:
        source = each.pattern.pattern
        text = source.decode("latin-1") if isinstance(source, bytes) else source
        for redos in find(SreOpParser().parse_sre(text)):
            refused[f"{min(each.places)} {text!r:.60}"] = redos.starriness
    return refused


def main(sources: list[str]) -> None:
    signal.signal(signal.SIGVTALRM, _interrupt)
    warnings.simplefilter("ignore")
    if sources == ["--published"]:
        print(json.dumps(published(find_patterns(programs())[0])))
        return
    if sources:
        given: list[Found] = [Found(re.compile(source), {source}, {"match", "search"}) for source in sources]
        chosen = list(subjects(given))
        unclear: list[str] = []
    else:
        read = programs()
        found, unclear = find_patterns(read)
        templates, more = find_templates(read)
        unclear += more
        chosen = [*subjects(found), *(Subject(name, run, attacks) for name, run, attacks in templates)]
        print(
            json.dumps({"patterns": len(found), "templates": len(templates), "unclear": unclear}), flush=True
        )
    for subject in chosen:
        print(json.dumps(measure(subject)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
