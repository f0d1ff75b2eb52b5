"""``python -m tests.integration.coexistence``: run every order and print the table; exit 1 on any difference.

python -m tests.integration.coexistence                        recost with each tool, and with all of them
python -m tests.integration.coexistence opentelemetry sentry   recost with these
--rows                                                         each order of the large combinations, too
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator

from tests.integration.coexistence import calls
from tests.integration.coexistence.judge import disturbed, every, judge
from tests.integration.coexistence.orders import Order, Outcome, drive
from tests.integration.coexistence.tools import TOOLS

_SHOWN = 8
"""Combinations with more orders than that are shown in one line, and the orders that differ."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.integration.coexistence")
    parser.add_argument(
        "tools", nargs="*", help=f"of {', '.join(name for name in TOOLS if name != 'recost')}"
    )
    parser.add_argument("--rows", action="store_true", help="show each order, of large combinations too")
    options = parser.parse_args()
    here = [name for name in TOOLS if name != "recost" and not TOOLS[name].missing()]
    unknown = [name for name in options.tools if name not in here]
    if unknown:
        parser.error(f"not installed, or not known: {', '.join(unknown)}")
    print(f"{platform.python_implementation()} {platform.python_version()}, {_versions(here)}")
    print(f"clients: {', '.join(calls.clients())}; one call through each after each step\n")
    print(_row("combination", "installed", "taken off", "served", "recost", "the others", "originals back"))
    combinations = [options.tools] if options.tools else [[name] for name in here]
    if not options.tools and len(here) > 1:
        combinations.append(here)
    failures = sum(_combination(combination, rows=options.rows) for combination in [[], *combinations])
    print(f"\n{failures} orders differ" if failures else "\nno order differs from what it is without recost")
    return 1 if failures else 0


def _combination(others: list[str], *, rows: bool) -> int:
    """Run the orders of recost and these; return how many differ."""
    orders = every(["recost", *others])
    references = dict(zip(every(others), drive(every(others), _workers(len(every(others))))))
    clients = calls.clients()
    faults = {order: disturbed(order, outcome, clients) for order, outcome in references.items()}
    failures = total = 0
    for order, outcome in zip(orders, drive(orders, _workers(len(orders)))):
        reference = order.without("recost")
        problems = judge(order, outcome, references[reference], clients)
        if len(others) == 1:
            problems += [f"on its own: {fault}" for fault in faults[reference]]
        failures += bool(problems)
        total += sum(outcome.served.values())
        if rows or problems or len(orders) <= _SHOWN:
            for line in _lines(others, order, outcome, problems):
                print(line, flush=True)
    if len(orders) > _SHOWN:
        name = " + ".join(["recost", *others])
        print(f"{name}: {len(orders)} orders, {total} calls, {failures} differ")
        bad = sum(bool(fault) for fault in faults.values())
        if bad:
            print(f"  without recost, the others disturb each other in {bad} of their {len(faults)} orders")
    return failures


def _lines(others: list[str], order: Order, outcome: Outcome, problems: list[str]) -> Iterator[str]:
    seen = ", ".join(f"{tool} {sum(outcome.seen.get(tool, {}).values())}" for tool in others) or "-"
    stays = sorted({method.partition(":")[0] for method in outcome.left})
    yield _row(
        " + ".join(["recost", *others]),
        ", ".join(order.install),
        ", ".join(order.uninstall),
        str(sum(outcome.served.values())),
        str(sum(outcome.seen.get("recost", {}).values())),
        seen,
        f"all but {', '.join(others)}'s own on {', '.join(stays)}" if stays else "all",
    )
    for problem in problems:
        yield f"    DIFFERS: {problem}"


def _row(*cells: str) -> str:
    widths = (24, 24, 24, 7, 7, 18, 0)
    return " ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip()


def _workers(orders: int) -> int:
    return max(1, min(os.cpu_count() or 1, orders // 4))


def _versions(tools: list[str]) -> str:
    from importlib.metadata import version

    names = {"opentelemetry": "opentelemetry-instrumentation", "sentry": "sentry-sdk"}
    return ", ".join(f"{names.get(tool, tool)} {version(names.get(tool, tool))}" for tool in tools)


if __name__ == "__main__":
    sys.exit(main())
