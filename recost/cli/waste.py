"""``recost waste``: an estimate of avoidable spend from recorded windows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Final, Optional

from recost.analytics.periods import PeriodError
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.analytics.waste import REPEATED, STORM_ATTEMPTS, RetryStorm, Waste, WasteSums, find_waste
from recost.cli._shared.arguments import add_filters, add_period, add_sources, question_of, right_now, whole
from recost.cli._shared.footnotes import NO_CALLS, Note, flat_note, rendered, skipped_note, unpriced_note
from recost.cli._shared.formats import UNKNOWN, counted, format_bytes, format_cost, format_share
from recost.cli._shared.output import exact_json
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import refused
from recost.cli._shared.stores import readable
from recost.cli._shared.tables import Cell, Column, Table, Usd, cost_cell, wrap
from recost.cli._shared.terminal import Style, terminal_width

__all__ = ["configure", "run"]

_SHOWN: Final = 5
"""Endpoints shown for each kind of waste."""
_EXAMPLES: Final = """examples:
  recost waste --since 7d
  recost waste --provider openai --repeated 20
  recost waste --json | jq .total.extra

A row is one endpoint and method in one window. The probable cost is the share
of its calls that was found, times its cost. The upper bound is the cost of the
row. A call may be in several lines, so they don't add up."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--repeated",
        type=whole(2),
        default=REPEATED,
        metavar="N",
        help=f"calls to one endpoint within a window that count as repeated (default: {REPEATED})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_period(parser)
    add_filters(parser, within=False)


def run(arguments: argparse.Namespace) -> int:
    """Print the estimate. Return 2 if it cannot be made."""
    if not readable(arguments, "waste"):
        return 2
    try:
        question = question_of(arguments, (), right_now())
    except (QuestionError, PeriodError) as error:
        return refused(error)
    text = read(arguments, lambda found: _text(found, question, arguments))
    if text is None:
        return 2
    print(text)
    return 0


def _text(found: Readings, question: Question, arguments: argparse.Namespace) -> str:
    waste = find_waste(found, question, arguments.repeated)
    if arguments.json:
        return _as_json(waste, found)
    style, width = Style.of(sys.stdout), terminal_width()
    total = waste.total
    summary = _summary(total, style, width) if _is_found(total) else wrap("", _nothing(total), width)
    parts = [summary, rendered(_notes(waste, found), style, width)]
    parts += [table.render(style, width) for table in _details(waste, question)]
    return "\n\n".join(filter(None, parts))


def _is_found(total: WasteSums) -> bool:
    return any((total.extra, total.errors, total.storm_attempts, total.repeated, total.unpriced))


def _nothing(total: WasteSums) -> str:
    if not total.calls:
        return NO_CALLS
    return f"nothing found in {counted(total.calls, 'call')}, with a cost of {format_cost(total)}"


def _as_json(waste: Waste, found: Readings) -> str:
    content: dict[str, Any] = {
        "repeated_from": waste.repeated_from,
        "storm_attempts_from": STORM_ATTEMPTS,
        "total": asdict(waste.total),
        "endpoints": [
            {"provider": provider, "endpoint": endpoint, **asdict(sums)}
            for provider, endpoint, sums in sorted(waste.endpoints, key=lambda each: each[:2])
        ],
        "storms": [{**asdict(storm), "started": storm.started.isoformat()} for storm in waste.storms],
        "bad_lines": found.bad_lines,
        "bad_metrics": found.bad_metrics,
    }
    return exact_json(content)


def _summary(total: WasteSums, style: Style, width: int) -> str:
    table = Table(
        [
            Column("what", least=20), Column("found", right=True, rank=2), Column("of all", right=True),
            Column("probable cost", right=True, rank=3), Column("share", right=True),
            Column("upper bound", right=True),
        ],
        alike=True,
    )  # fmt: skip
    cost = total.cost_usd

    def line(what: str, found: int, of: str, likely: Optional[Decimal], most: Decimal) -> list[Cell]:
        bound = _cost(most, total)
        if likely is None or isinstance(bound, str):
            return [what, f"{found:,}", of, UNKNOWN, "", bound]
        return [what, f"{found:,}", of, Usd(likely), format_share(likely, cost), bound]

    def among(count: int) -> str:
        return format_share(count, total.calls)

    extra = format_share(total.extra, total.attempts)
    table.rows += [
        line("attempts beyond the first", total.extra, extra, total.extra_likely_usd, total.extra_usd),
        line("errors", total.errors, among(total.errors), total.errors_likely_usd, total.errors_usd),
        line("  billed, at least", total.billed, among(total.billed), total.billed_usd, total.billed_usd),
        line("attempts in error storms", total.storm_attempts, "", total.storms_likely_usd, total.storms_usd),
        line("repeated calls", total.repeated, among(total.repeated), None, total.repeated_usd),
    ]
    if total.unpriced:
        table.rows.append(
            ["calls without a price", f"{total.unpriced:,}", among(total.unpriced), UNKNOWN, "", ""]
        )
    table.total = ["all calls", f"{total.calls:,}", "", "", "", cost_cell(total)]
    return table.render(style, width)


def _notes(waste: Waste, found: Readings) -> Iterator[Note]:
    total = waste.total
    uncounted = total.calls - total.attempts_known
    limits = {
        "rows": "one endpoint and method in one window. A call may be in several lines, so they don't add up",
        "probable": "the share of a row's calls or attempts that was found, times its cost",
        "bound": "the cost of all rows in which something was found",
    }
    if not _is_found(total):
        limits.clear()
    if total.extra or uncounted:
        text = "retries, redirects and log-ins are counted alike. Whether a provider billed them is not known"
        limits["attempts"] = (
            f"{text}. {counted(uncounted, 'call')} without a count of attempts" if uncounted else text
        )
    if total.errors:
        limits["errors"] = (
            "billed at least: the cost of rows in which every call failed. Whether other failed calls were "
            "billed is not known"
        )
    if total.storms:
        limits["storms"] = (
            f"{counted(total.storms, 'row')} in which at least half of the attempts, and {STORM_ATTEMPTS} or "
            "more, failed or were repeated. Whether the status was 429 is not recorded"
        )
    if total.repeats:
        limits["repeated"] = (
            f"{counted(total.repeats, 'row')} of {waste.repeated_from} calls or more to one endpoint within "
            "a window. Whether calls were identical is not recorded"
        )
    for heading, text in limits.items():
        yield Note(heading, text, warns=False)
    yield from flat_note(total.flat_usd)
    yield from unpriced_note(total.unpriced, total.calls)
    yield from skipped_note(found.bad_lines, found.bad_metrics)


def _details(waste: Waste, question: Question) -> Iterator[Table]:
    """Yield a table of the endpoints with the most findings for each kind of waste."""
    for title, name in (("extra attempts", "extra"), ("errors", "errors"), ("unpriced", "unpriced")):
        most = _most(waste, name)
        if most:
            yield _by_endpoint(most, waste.total, title, name)
    if waste.storms:
        yield _storm_table(waste.storms, question)
    if waste.total.repeats:
        yield _repeated_table(waste)


def _most(waste: Waste, name: str) -> list[tuple[str, str, WasteSums]]:
    found = [each for each in waste.endpoints if getattr(each[2], name)]
    found.sort(key=lambda each: (-getattr(each[2], name), each[0], each[1]))
    return found[:_SHOWN]


def _table(*titles: str, first: Optional[Column] = None) -> Table:
    columns = [*([first] if first else []), Column("provider", least=8), Column("endpoint", least=8)]
    return Table([*columns, *(Column(title, right=True) for title in titles)], alike=True)


def _by_endpoint(
    most: Sequence[tuple[str, str, WasteSums]], total: WasteSums, title: str, name: str
) -> Table:
    priced = name != "unpriced"
    table = _table(title, "calls", *(["probable cost", "share", "upper bound"] if priced else []))
    for provider, endpoint, sums in most:
        cells: list[Cell] = [provider, endpoint, f"{getattr(sums, name):,}", f"{sums.calls:,}"]
        if priced:
            likely, cost = (getattr(sums, f"{name}{amount}") for amount in ("_likely_usd", "_usd"))
            cells += [_cost(likely, sums), _share(likely, sums, total), _cost(cost, sums)]
        table.rows.append(cells)
    return table


def _cost(dollars: Decimal, sums: WasteSums) -> Cell:
    return UNKNOWN if not dollars and sums.unpriced else Usd(dollars)


def _share(dollars: Decimal, sums: WasteSums, total: WasteSums) -> str:
    return "-" if not dollars and sums.unpriced else format_share(dollars, total.cost_usd)


def _storm_table(storms: Sequence[RetryStorm], question: Question) -> Table:
    table = _table("calls", "errors", "attempts", first=Column("worst storms", least=16))
    for storm in storms:
        started = f"{storm.started.astimezone(question.zone):%m-%d %H:%M:%S}"
        attempts = "-" if storm.attempts is None else f"{storm.attempts:,}"
        table.rows.append(
            [started, storm.provider, storm.endpoint, f"{storm.calls:,}", f"{storm.errors:,}", attempts]
        )
    return table


def _repeated_table(waste: Waste) -> Table:
    table = _table("repeated", "in rows", "most", "mean sent", "upper bound", "share")
    for provider, endpoint, sums in _most(waste, "repeated"):
        table.rows.append(
            [
                provider, endpoint, f"{sums.repeated:,}", f"{sums.repeats:,}", f"{sums.repeated_most:,}",
                format_bytes(sums.repeated_bytes / sums.repeated),
                _cost(sums.repeated_usd, sums), _share(sums.repeated_usd, sums, waste.total),
            ]
        )  # fmt: skip
    return table
