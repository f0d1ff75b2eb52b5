"""New windows of the files, added up for ``recost top``."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from recost.analytics.follow import Follower
from recost.analytics.rates import Recent
from recost.cli._shared.arguments import right_now
from recost.wire.parsing import parse_window

__all__ = ["Feed"]

_APART: Final = timedelta(minutes=2)
"""The most by which lines of several processes may be out of order."""


class Feed:
    """The windows of the last minutes.

    Args:
        follower: The follower of the files.
        over: The length of the span.
    """

    def __init__(self, follower: Follower, over: timedelta) -> None:
        self.recent = Recent(over)
        self.bad_lines = 0
        """Malformed lines since the start."""
        self.bad_metrics = 0
        """Malformed metrics since the start."""
        self._follower = follower

    def start(self) -> None:
        """Read the last minutes."""
        now = right_now()
        since = now - self.recent.over - _APART

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
