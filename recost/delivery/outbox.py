"""What has not arrived yet: windows in order, bounded by count and by bytes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Optional, Protocol

from recost.events import WindowSummary

__all__ = ["Loss", "Outbox", "PendingWindow"]


class PendingWindow(Protocol):
    """A closed window, as much of it as the delivery needs to know."""

    @property
    def bucket_count(self) -> int:
        """Number of metrics that its summary will have."""
        ...

    @property
    def call_count(self) -> int:
        """Number of calls in it."""
        ...

    @property
    def nbytes(self) -> int:
        """Roughly the memory that it takes."""
        ...

    def merge(self, other: Any) -> None:
        """Absorb another window."""
        ...

    def split(self, limit: int) -> list[Any]:
        """Return windows of at most ``limit`` metrics that add up to this one."""
        ...

    def summary(self) -> WindowSummary:
        """Return the window as it is sent."""
        ...


@dataclass
class Loss:
    """What had to be dropped since it was last reported."""

    windows: int = 0
    calls: int = 0

    def add(self, window: PendingWindow) -> None:
        """Count one window."""
        self.windows += 1
        self.calls += window.call_count

    def take(self) -> Optional[Loss]:
        """Return what is to be reported, and start again at nothing; None when there is nothing."""
        if not self.windows:
            return None
        taken = Loss(self.windows, self.calls)
        self.windows = self.calls = 0
        return taken


@dataclass
class _Entry:
    seq: int
    """Of the newest window in it."""
    window: PendingWindow


class Outbox:
    """A queue of windows. Not locked: its owner is.

    When there are too many, or they take more than half of ``max_bytes``, the two oldest become one, so that
    totals are kept and only the resolution in time is lost. What takes more than ``max_bytes`` all the same
    is dropped, the oldest first, and counted; with ``merge=False`` that is so from the start.
    """

    def __init__(self, *, max_windows: int, max_bytes: int, merge: bool = True) -> None:
        self._entries: deque[_Entry] = deque()
        self._max_windows = max_windows
        self._max_bytes = max_bytes
        self._merge = merge
        self._merging_helps = True
        """False while merging has shown that the windows have little in common."""
        self._under_way: Optional[PendingWindow] = None
        self._seq = 0
        self.loss = Loss()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_seq(self) -> int:
        """Sequence number of the newest window that was ever put in."""
        return self._seq

    @property
    def call_count(self) -> int:
        """Number of calls that are waiting."""
        return sum(entry.window.call_count for entry in self._entries)

    def put(self, window: PendingWindow) -> None:
        """Append a window, and make room for it."""
        self._seq += 1
        self._entries.append(_Entry(self._seq, window))
        while len(self._entries) > self._max_windows:
            if not self._merge_oldest():
                self._drop_oldest()
        while self._merging_helps and self._nbytes() > self._max_bytes / 2 and self._merge_oldest():
            pass
        while len(self._entries) > 1 and self._nbytes() > self._max_bytes:
            self._drop_oldest()

    def head(self, max_metrics: Optional[int]) -> Optional[PendingWindow]:
        """Return the oldest window, in parts when it has more than ``max_metrics`` metrics; None when empty.

        It stays in the queue, untouched, until `pop` or `put_back`.
        """
        if not self._entries:
            return None
        entry = self._entries[0]
        if max_metrics is not None and entry.window.bucket_count > max_metrics:
            first, *others = entry.window.split(max_metrics)
            entry.window = first  # there at every moment: `holds_up_to` is asked by other threads
            for index, part in enumerate(others, 1):
                self._entries.insert(index, _Entry(entry.seq, part))
        self._under_way = self._entries[0].window
        return self._under_way

    def put_back(self) -> None:
        """Note that the head was not delivered: it waits like the others."""
        self._under_way = None

    def pop(self, window: PendingWindow) -> None:
        """Take out a window that has been dealt with."""
        self._under_way = None
        self._merging_helps = True
        if self._entries and self._entries[0].window is window:
            self._entries.popleft()

    def holds_up_to(self, seq: int) -> bool:
        """Tell whether anything that was put in no later than ``seq`` is still here."""
        try:
            return self._entries[0].seq <= seq
        except IndexError:  # empty, or becoming so: may be asked on any thread
            return False

    def clear(self) -> Loss:
        """Drop everything, and return how much it was."""
        lost = Loss()
        for entry in self._entries:
            lost.add(entry.window)
        self._entries.clear()
        return lost

    def _nbytes(self) -> int:
        return sum(entry.window.nbytes for entry in self._entries)

    def _oldest(self) -> int:
        """Return the index of the oldest window that is not under way."""
        return 0 if self._under_way is None else 1

    def _merge_oldest(self) -> bool:
        """Make one of the two oldest windows; False when there are no two, or it is not wanted."""
        index = self._oldest()
        if not self._merge or len(self._entries) < index + 2:
            return False
        older, newer = self._entries[index], self._entries[index + 1]
        before = older.window.nbytes + newer.window.nbytes
        older.window.merge(newer.window)
        older.seq = newer.seq
        del self._entries[index + 1]
        self._merging_helps = older.window.nbytes < before * 0.95
        return True

    def _drop_oldest(self) -> None:
        index = min(self._oldest(), len(self._entries) - 1)
        self.loss.add(self._entries[index].window)
        del self._entries[index]
