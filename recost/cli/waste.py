"""``recost waste``: what may have been paid for in vain, and what the windows cannot tell of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Optional

from recost._money import format_usd
from recost.analytics.periods import SpanError
from recost.analytics.query import Question, QuestionError
from recost.analytics.store import Readings
from recost.analytics.waste import REPEATED, STORM_ATTEMPTS, Storm, Sums, Waste, find_waste
from recost.cli._shared.arguments import add_filters, add_period, add_sources, question_of, right_now, whole
from recost.cli._shared.footnotes import flat_note
from recost.cli._shared.formats import format_bytes, format_share
from recost.cli._shared.output import exact_json
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.tables import Column, Table, wrap
from recost.cli._shared.terminal import Style, terminal_width

__all__ = ["configure", "run"]

_SHOWN: Final = 5
"""Endpoints of each kind."""
_EXAMPLES: Final = """examples:
  recost waste --since 7d
  recost waste --provider openai --repeated 20
  recost waste --json | jq .total.extra

A row is one endpoint and method in one window. What was probably wasted is the
found part of its calls, times its cost; at most, all that the rows cost.
A call may be in several lines, so they don't add up."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser)
    parser.add_argument(
        "--repeated",
        type=whole("number of 2 or more", 2),
        default=REPEATED,
        metavar="N",
        help=f"calls to one endpoint within a window that count as repeated ({REPEATED})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_period(parser)
    add_filters(parser, within=False)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 2 when it cannot be told."""
    if not available("waste", "duckdb"):
        return 2
    try:
        question = question_of(arguments, (), right_now())
    except (QuestionError, SpanError) as error:
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
    parts = [_summary(waste.total, style, width), _notes(waste, found, style, width)]
    parts += _details(waste, question, style, width)
    return "\n\n".join(parts)


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


def _summary(total: Sums, style: Style, width: int) -> str:
    table = Table(
        [
            Column("what", least=20), Column("found", right=True, rank=2), Column("of all", right=True),
            Column("probably", right=True, rank=3), Column("share", right=True),
            Column("at most", right=True),
        ]
    )  # fmt: skip
    whole = total.cost_usd

    def line(what: str, found: int, of: str, likely: Optional[Decimal], most: Decimal) -> list[str]:
        known = ["not known", ""] if likely is None else [format_usd(likely), format_share(likely, whole)]
        return [what, f"{found:,}", of, *known, format_usd(most)]

    def among(count: int) -> str:
        return format_share(count, total.calls)

    table.rows += [
        line(
            "attempts beyond the first",
            total.extra,
            format_share(total.extra, total.attempts),
            total.extra_likely_usd,
            total.extra_usd,
        ),
        line("errors", total.errors, among(total.errors), total.errors_likely_usd, total.errors_usd),
        line("  billed, at least", total.billed, among(total.billed), total.billed_usd, total.billed_usd),
        line("attempts in error storms", total.storm_attempts, "", total.storms_likely_usd, total.storms_usd),
        line("repeated calls", total.repeated, among(total.repeated), None, total.repeated_usd),
        ["calls without a price", f"{total.unpriced:,}", among(total.unpriced), *_cost_untold(total), ""],
    ]
    table.total = ["all calls", f"{total.calls:,}", "", "", "", format_usd(whole)]
    return table.render(style, width)


def _cost_untold(total: Sums) -> list[str]:
    return ["not known", ""] if total.unpriced else [format_usd(Decimal(0)), "-"]


def _notes(waste: Waste, found: Readings, style: Style, width: int) -> str:
    total = waste.total
    untold = total.calls - total.attempts_told
    notes = [
        wrap(
            "rows       ",
            "one endpoint and method in one window. A call may count in several lines, so they don't add up",
            width,
        ),
        wrap(
            "probably   ",
            "the found part of a row's calls or attempts, times its cost. At most: all that these rows cost",
            width,
        ),
        wrap("attempts   ", _about_attempts(untold), width),
        wrap(
            "errors     ",
            "billed at least: what rows cost in which every call failed. Whether other failed calls were "
            "billed is not known",
            width,
        ),
        wrap(
            "storms     ",
            f"{total.storms:,} rows of which at least half of the attempts, and {STORM_ATTEMPTS} or more, "
            "failed or were repeated. Windows hold no statuses: whether it was 429 is not known",
            width,
        ),
        wrap(
            "repeated   ",
            f"{total.repeats:,} rows of {waste.repeated_from} calls or more to one endpoint within a window. "
            "Whether calls were identical is not known: a window holds no bodies, and sizes only as sums",
            width,
        ),
    ]
    flat = flat_note(total.flat_usd)
    if flat:
        notes.append(style(wrap("cost       ", flat, width), "yellow"))
    if total.unpriced:
        text = f"what {total.unpriced:,} calls cost is not known, and in no figure"
        notes.append(style(wrap("unpriced   ", text, width), "yellow"))
    if found.bad_lines or found.bad_metrics:
        text = f"lines: {found.bad_lines:,}, metrics: {found.bad_metrics:,}; -v names them"
        notes.append(style(wrap("left out   ", text, width), "yellow"))
    return "\n".join(notes)


def _about_attempts(untold: int) -> str:
    text = "retries, redirects and log-ins are not told apart; what a provider billed for them is not known"
    return f"{text}. {untold:,} calls are in rows that tell no attempts" if untold else text


def _details(waste: Waste, question: Question, style: Style, width: int) -> list[str]:
    """Return where each kind was found most."""
    parts = []
    for title, name, told in (
        ("extra attempts", "extra", True),
        ("errors", "errors", True),
        ("unpriced", "unpriced", False),
    ):
        most = _most(waste, name)
        if most:
            parts.append(_by_endpoint(most, waste.total, title, name, told=told).render(style, width))
    if waste.storms:
        parts.append(_storm_table(waste.storms, question, style, width))
    if waste.total.repeats:
        parts.append(_repeated_table(waste, style, width))
    return parts


def _most(waste: Waste, name: str) -> list[tuple[str, str, Sums]]:
    found = [each for each in waste.endpoints if getattr(each[2], name)]
    found.sort(key=lambda each: (-getattr(each[2], name), each[0], each[1]))
    return found[:_SHOWN]


def _where() -> list[Column]:
    return [Column("provider", least=8), Column("endpoint", least=8)]


def _by_endpoint(
    most: Sequence[tuple[str, str, Sums]], total: Sums, title: str, name: str, *, told: bool
) -> Table:
    titles = [title, "calls", *(["probably", "share", "at most"] if told else [])]
    table = Table([*_where(), *(Column(each, right=True) for each in titles)])
    for provider, endpoint, sums in most:
        cells = [provider, endpoint, f"{getattr(sums, name):,}", f"{sums.calls:,}"]
        if told:
            likely, cost = (getattr(sums, f"{name}{amount}") for amount in ("_likely_usd", "_usd"))
            cells += [_cost(likely, sums), format_share(likely, total.cost_usd), _cost(cost, sums)]
        table.rows.append(cells)
    return table


def _cost(dollars: Decimal, sums: Sums) -> str:
    return "not known" if not dollars and sums.unpriced else format_usd(dollars)


def _storm_table(storms: Sequence[Storm], question: Question, style: Style, width: int) -> str:
    columns = [Column("worst storms", least=16), *_where()]
    columns += [Column(title, right=True) for title in ("calls", "errors", "attempts")]
    table = Table(columns)
    for storm in storms:
        started = _moment(storm.started, question)
        attempts = "-" if storm.attempts is None else f"{storm.attempts:,}"
        table.rows.append(
            [started, storm.provider, storm.endpoint, f"{storm.calls:,}", f"{storm.errors:,}", attempts]
        )
    return table.render(style, width)


def _moment(moment: datetime, question: Question) -> str:
    return f"{moment.astimezone(question.zone):%m-%d %H:%M:%S}"


def _repeated_table(waste: Waste, style: Style, width: int) -> str:
    titles = ("repeated", "in rows", "most", "mean sent", "at most", "share")
    table = Table([*_where(), *(Column(title, right=True) for title in titles)])
    for provider, endpoint, sums in _most(waste, "repeated"):
        table.rows.append(
            [
                provider, endpoint, f"{sums.repeated:,}", f"{sums.repeats:,}", f"{sums.repeated_most:,}",
                format_bytes(sums.repeated_bytes / sums.repeated),
                _cost(sums.repeated_usd, sums), format_share(sums.repeated_usd, waste.total.cost_usd),
            ]
        )  # fmt: skip
    return table.render(style, width)
