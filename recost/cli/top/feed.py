"""New windows of the files, added up for ``recost top``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Callable, Final, Protocol

from recost.analytics.rates import Recent
from recost.cli._shared.arguments import right_now
from recost.wire.parsing import parse_window

__all__ = ["APART", "Feed", "Lines"]

APART: Final = timedelta(minutes=2)
"""The most by which lines of several processes may be out of order."""


class Lines(Protocol):
    """Lines of windows as they come."""

    def start_after(self, old: Callable[[bytes], bool]) -> Iterable[tuple[str, bytes]]:
        """Return project and line of the last windows. Old ones may be included."""
        ...

    def news(self) -> Iterable[tuple[str, bytes]]:
        """Return project and line of new windows."""
        ...

    def close(self) -> None:
        """Release everything."""
        ...


class Feed:
    """The windows of the last minutes.

    Args:
        follower: The follower of the files or the database.
        over: The length of the span.
    """

    def __init__(self, follower: Lines, over: timedelta) -> None:
        self.recent = Recent(over)
        self.bad_lines = 0
        """Malformed lines since the start."""
        self.bad_metrics = 0
        """Malformed metrics since the start."""
        self._follower = follower

    def start(self) -> None:
        """Read the last minutes."""
        now = right_now()
        since = now - self.recent.over - APART

        def old(line: bytes) -> bool:
            window = parse_window(line, "")
            return window is not None and window.ended < since

        for project, line in self._follower.start_after(old):
            window = parse_window(line, project)
            if window is not None:
                self.recent.add(window, now)

    def read(self) -> bool:
        """Read new lines, and return whether there were any."""
        found = False
        now = right_now()
        for project, line in self._follower.news():
            window = parse_window(line, project)
            if window is not None:
                self.bad_metrics += window.bad_metrics
                self.recent.add(window, now)
            elif line.strip():
                self.bad_lines += 1
            found = True
        return found
