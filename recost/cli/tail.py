"""``recost tail``: one line for each window, or each metric, as they are written."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Final

from recost._text import cells as cells_of
from recost._text import printable
from recost.analytics.follow import Follower
from recost.analytics.periods import PeriodError, parse_zone
from recost.analytics.rates import CallSums
from recost.cli._shared.arguments import add_paths, add_zone, naming, right_now, telemetry_folder, whole
from recost.cli._shared.following import finder, reader_gone
from recost.cli._shared.formats import counted, format_cost, format_ms
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli._shared.tables import padded
from recost.cli._shared.terminal import WIDE, Style, terminal_width
from recost.errors import RecostError
from recost.wire.parsing import ParsedMetric, ParsedWindow, parse_window

__all__ = ["configure", "run"]

_EVERY_S: Final = 0.2
_LAST: Final = 10
_EXAMPLES: Final = """examples:
  recost tail                       all projects, the last 10 windows first
  recost tail --metrics -n 0        one line for each endpoint, new windows only
  recost tail ~/.recost/local-telemetry/shop.jsonl | grep openai

Ctrl-C ends it."""
_FIGURES: Final = (("calls", 7), ("errors", 6), ("unpriced", 8), ("cost", 10))
_TIGHT: Final = 70
"""The width below which only calls and cost are shown."""
_LATENCIES: Final = (("p50", 8), ("p95", 8))
"""Additional figures of metrics on a wide terminal."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_paths(parser)
    parser.add_argument("--metrics", action="store_true", help="print a line for each endpoint of a window")
    parser.add_argument(
        "-n",
        "--lines",
        type=whole(),
        default=_LAST,
        metavar="N",
        help=f"past lines to print first (default: {_LAST})",
    )
    add_zone(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print lines until interrupted. Return 2 if there is nothing to follow."""
    try:
        zone = naming("--tz", parse_zone, arguments.tz)
        folder = telemetry_folder()
        find = finder("tail", arguments.paths, folder)
    except (PeriodError, RecostError, ValueError) as error:
        return refused(error)

    if not find():
        print(printable(f"recost: waiting for the first window in {folder}"), file=sys.stderr)
    follower = Follower(find)
    try:
        _follow(follower, _Lines(zone, metrics=arguments.metrics), arguments.lines)
    except BrokenPipeError:
        raise
    except OSError as error:
        return refused(error)
    finally:
        follower.close()
    return 0


class _Lines:
    """Windows as lines of the terminal's width."""

    def __init__(self, zone: tzinfo, *, metrics: bool) -> None:
        self._zone = zone
        self._metrics = metrics
        self.style = Style.of(sys.stdout)

    def heading(self) -> str:
        """Return the headings of the columns."""
        what = "endpoint" if self._metrics else "calls by provider"
        return self.style(
            self._line("time", "project", what, [name for name, _ in (*_FIGURES, *_LATENCIES)]), "bold"
        )

    def of(self, window: ParsedWindow) -> list[str]:
        """Return the line of a window, or of each of its metrics."""
        began = self._moment(window.started)
        if self._metrics:
            return [
                self._line(began, window.project, f"{each.provider} {each.endpoint}", self._cells(each))
                for each in window.metrics
            ]
        what = ", ".join(f"{name} {calls:,}" for name, calls in window.by_provider())
        calls, errors, unpriced = (
            sum(getattr(each, name) for each in window.metrics) for name in ("calls", "errors", "unpriced")
        )
        cost = format_cost(CallSums(calls, unpriced, window.cost_usd))
        cells = [f"{calls:,}", f"{errors:,}", f"{unpriced:,}", cost]
        return [self._line(began, window.project, what, cells)]

    def _figures(self) -> Sequence[tuple[str, int]]:
        width = terminal_width()
        if width < _TIGHT:
            return [each for each in _FIGURES if each[0] in {"calls", "cost"}]
        return (*_FIGURES, *_LATENCIES) if self._metrics and width >= WIDE else _FIGURES

    def _cells(self, metric: ParsedMetric) -> list[str]:
        latencies = ("-" if each is None else format_ms(each) for each in (metric.p50_ms, metric.p95_ms))
        figures = (f"{count:,}" for count in (metric.calls, metric.errors, metric.unpriced))
        return [*figures, format_cost(metric), *latencies]

    def _moment(self, moment: datetime) -> str:
        local = moment.astimezone(self._zone)
        today = right_now().astimezone(self._zone).date() == local.date()
        return f"{local:%H:%M:%S}" if today else f"{local:%m-%d %H:%M}"

    def _line(self, began: str, project: str, what: str, cells: Iterable[str]) -> str:
        known = dict(zip((name for name, _ in (*_FIGURES, *_LATENCIES)), cells))
        shown = [(known[name], width) for name, width in self._figures() if name in known]
        figures = " ".join(cell.rjust(width) for cell, width in shown)
        begins = f"{began:<11}" + f" {padded(project, 10)}" * (terminal_width() >= _TIGHT)
        room = terminal_width() - len(figures) - cells_of(begins) - 2
        if not sys.stdout.isatty():
            room = max(room, cells_of(what))  # another program may search the line for a name
        return f"{begins} {padded(what, room)} {figures}"


def _follow(follower: Follower, lines: _Lines, count: int) -> None:
    if sys.stdout.isatty():
        print(lines.heading())
    _print(_first(follower, lines, count))
    gone = reader_gone()
    while not gone():
        for project, line in follower.news():
            _print(_shown(lines, project, line))
        time.sleep(_EVERY_S)
    raise BrokenPipeError


def _first(follower: Follower, lines: _Lines, count: int) -> list[str]:
    """Return the last lines of all files, in the order of time."""
    begun = follower.start(count)
    windows = [window for project, line in begun if (window := parse_window(line, project)) is not None]
    windows.sort(key=lambda window: window.started)
    texts = [
        text for window in windows[len(windows) - min(count, len(windows)) :] for text in lines.of(window)
    ]
    return texts[len(texts) - min(count, len(texts)) :]


def _shown(lines: _Lines, project: str, line: bytes) -> Iterator[str]:
    window = parse_window(line, project)
    if window is None:
        if line.strip():
            print(printable(f"recost: {project}: a line is not a window of protocol 1.x"), file=sys.stderr)
        return
    if window.bad_metrics:
        text = f"recost: {project}: {counted(window.bad_metrics, 'metric')} could not be read"
        print(printable(text), file=sys.stderr)
    yield from lines.of(window)


def _print(texts: Iterable[str]) -> None:
    for text in texts:
        print(text, flush=True)
