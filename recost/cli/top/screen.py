"""The live table of ``recost top``, drawn by rich on the alternate screen of a terminal."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, Final, Optional

from rich.box import HORIZONTALS
from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from recost.analytics.rates import Recent
from recost.cli._shared.arguments import right_now
from recost.cli._shared.tables import Table, shorten
from recost.cli.top.feed import Feed
from recost.cli.top.keys import Keys, keys
from recost.cli.top.view import HELP, KEYS, View, headings, notes, table_of

__all__ = ["watch"]

_KEYS_WITHIN_S: Final = 0.1
_READ_EVERY_S: Final = 0.2
_DRAWN_EVERY_S: Final = 1.0
_FRAME: Final = 6
"""Lines for a blank, the titles, two rules, the totals and the keys."""
_LEAVING: Final = ("SIGINT", "SIGTERM", "SIGHUP")


def watch(feed: Feed, view: View, zone: tzinfo) -> int:
    """Show the rates until a key or a signal ends it, and return the exit code."""
    console = Console(highlight=False)
    signals = _Signals()
    screen = _Screen(feed, view, zone)
    with signals.caught():
        while not (signals.leaving or screen.left):
            signals.stopping = False
            with keys() as typed, _live(console) as live:
                screen.run(live, console, typed, signals)
            if signals.stopping:  # Ctrl-Z: the terminal is restored, and drawn again afterwards
                _stop()
    if signals.leaving == signal.SIGINT:
        raise KeyboardInterrupt
    return 128 + signals.leaving if signals.leaving else 0


def _live(console: Console) -> Live:
    """Return the display. stdout is not redirected, because its encoding is needed."""
    return Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    )


class _Signals:
    """Received signals. An exception while drawing would leave the terminal in a wrong state."""

    def __init__(self) -> None:
        self.leaving: int = 0
        self.stopping = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        before: dict[int, Any] = {}
        for name in (*_LEAVING, "SIGTSTP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._stop if name == "SIGTSTP" else self._leave)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _leave(self, number: int, _frame: object) -> None:
        self.leaving = number

    def _stop(self, _number: int, _frame: object) -> None:
        self.stopping = True

    @property
    def any(self) -> bool:
        return bool(self.leaving) or self.stopping


def _stop() -> None:
    signal_number = getattr(signal, "SIGSTOP", None)
    if signal_number is not None:
        os.kill(os.getpid(), signal_number)


class _Screen:
    """The content of the screen, and the effect of keys."""

    def __init__(self, feed: Feed, view: View, zone: tzinfo) -> None:
        self.left = False
        self._feed = feed
        self._view = view
        self._zone = zone
        self._held: Optional[tuple[Recent, datetime]] = None

    def run(self, live: Live, console: Console, typed: Keys, signals: _Signals) -> None:
        read = drawn = 0.0
        size = None
        while not (self.left or signals.any):
            pressed = self._press(typed(_KEYS_WITHIN_S))
            now = time.monotonic()
            news = False
            if now - read >= _READ_EVERY_S:
                news, read = self._feed.read(), now
            if pressed or news or now - drawn >= _DRAWN_EVERY_S or console.size != size:
                size, drawn = console.size, now
                live.update(self._content(size.width, size.height), refresh=True)

    def _press(self, characters: str) -> bool:
        for key in characters.lower():
            self.left = self.left or key in {"q", "\x04"}
            view = self._view.after(key)
            if view.paused != self._view.paused:
                self._held = (self._feed.recent.frozen(), right_now()) if view.paused else None
            self._view = view
        return bool(characters)

    def _content(self, width: int, height: int) -> RenderableType:
        recent, now = self._held or (self._feed.recent, right_now())
        rates = recent.rates(self._view.by, now)
        first, second = headings(rates, recent, self._view, now.astimezone(self._zone))
        above = [_line(first, "bold"), _line(second)]
        if self._view.help:
            return Group(*above, Text(), Text(HELP.format(by=self._view.next_by)))
        said = notes(rates, self._feed.bad_lines, self._feed.bad_metrics)
        below = [_line(f"{head}: {text}", "yellow" if warns else "dim") for head, text, warns in said]
        taken = len(above) + len(below) + _FRAME
        table = table_of(rates, self._view, width, max(height - taken, 1))
        return Group(*above, Text(), _grid(table, width), *below, _line(KEYS, "dim"))


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")


def _grid(table: Table, width: int) -> Grid:
    _titles, *rows, total = table.texts()
    grid = Grid(box=HORIZONTALS, show_edge=False, show_footer=True, padding=0)
    for index, most in table.widths(width).items():
        column = table.columns[index]
        justify: JustifyMethod = "right" if column.right else "left"
        footer = Text(shorten(total[index], most))
        grid.add_column(Text(column.title), footer, width=most, justify=justify, no_wrap=True)
    for row in rows:
        grid.add_row(*(Text(shorten(row[index], most)) for index, most in table.widths(width).items()))
    return grid
