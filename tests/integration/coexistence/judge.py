"""What is wrong with the outcome of an order: everything that differs from the same order without recost.

Without recost, because the tools disturb each other on their own account (OpenTelemetry and Datadog each take
off whatever lies on top of a method), which recost can neither help nor must make worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import permutations

from tests.integration.coexistence.orders import Order, Outcome
from tests.integration.coexistence.tools import TOOLS

Counts = dict[str, int]


def every(tools: Iterable[str]) -> list[Order]:
    """Return each order in which these can be installed and taken off."""
    ways = list(permutations(sorted(tools)))
    return [Order(install, uninstall) for install in ways for uninstall in ways]


def judge(order: Order, outcome: Outcome, reference: Outcome, clients: list[str]) -> list[str]:
    """Return what is wrong; ``reference`` is the outcome of the order without recost."""
    return list(_wrong(order, outcome, reference, clients))


def _wrong(order: Order, outcome: Outcome, reference: Outcome, clients: list[str]) -> Iterator[str]:
    if outcome.error or reference.error:
        yield outcome.error or f"without recost: {reference.error}"
        return
    once = {f"{phase}/{client}": 1 for phase in outcome.phases for client in clients}
    yield from _difference("served", outcome.served, once)
    recorded = {key: 1 for key in once if "recost" in outcome.phases[key.partition("/")[0]]}
    yield from _difference("recost", outcome.seen["recost"], recorded)
    for tool in order.install:
        for path in outcome.strangers[tool]:
            yield f"{tool} saw {path}"
        if tool != "recost":
            seen = _stretched(reference.seen[tool], outcome.phases)
            crumbs = _stretched(reference.crumbs[tool], outcome.phases)
            yield from _difference(tool, outcome.seen[tool], seen)
            yield from _difference(f"{tool}'s breadcrumbs", outcome.crumbs[tool], crumbs)
    if {*outcome.raised} != {*reference.raised}:
        yield f"taken off: {outcome.raised or 'no error'}, without recost {reference.raised or 'no error'}"
    if outcome.posts < sum("recost" in installed for installed in outcome.phases.values()):
        yield f"recost made {outcome.posts} posts"
    for method in sorted({*outcome.left} ^ {*reference.left}):
        now, then = (found.left.get(method, ["original"]) for found in (outcome, reference))
        yield f"{method} is {' over '.join(now)}, without recost {' over '.join(then)}"


def _stretched(seen: Counts, phases: dict[str, list[str]]) -> Counts:
    """Return what was seen, as of an order with recost: its coming and going changes nothing."""
    found: Counts = {}
    basis = ""
    for phase in phases:
        basis = basis if phase.endswith("-recost") else phase
        for key, count in seen.items():
            component, _, place = key.rpartition(" ")
            if place.partition("/")[0] == basis:
                found[f"{component} {phase}/{place.partition('/')[2]}".strip()] = count
    return found


def _difference(what: str, now: Counts, then: Counts) -> Iterator[str]:
    wrong = [key for key in {**now, **then} if now.get(key, 0) != then.get(key, 0)]
    if wrong:
        shown = ", ".join(f"{key} {now.get(key, 0)} for {then.get(key, 0)}" for key in wrong[:4])
        yield f"{what}: {shown}{f' and {len(wrong) - 4} more' if len(wrong) > 4 else ''}"


def disturbed(order: Order, outcome: Outcome, clients: list[str]) -> list[str]:
    """Return where tools, without recost, fail to see each call once, or leave methods changed."""
    if outcome.error:
        return [outcome.error]
    found = [f"{tool} fails: {error}" for tool, error in outcome.raised.items()]
    for tool in order.install:
        for phase, installed in outcome.phases.items():
            seen = [key for key in outcome.seen[tool] if key.rpartition(" ")[2].startswith(f"{phase}/")]
            wanted = clients if tool in installed else []
            if {key.partition("/")[2] for key in seen} != {*wanted}:
                found.append(f"{tool} in {phase}")
        found += [f"{tool} counts {key}" for key, count in outcome.seen[tool].items() if count != 1]
    remains = [pattern for tool in order.install for pattern in TOOLS[tool].remains]
    left = [method for method in outcome.left if not any(fnmatchcase(method, one) for one in remains)]
    return found + [f"{method} stays" for method in left]
