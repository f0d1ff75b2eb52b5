"""Queue of undelivered windows in order, bounded by count and by bytes."""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost.delivery.identity import id_for
from recost.delivery.losses import LeftWindow, Loss, PendingWindow

if TYPE_CHECKING:
    from recost.delivery.transports.base import SendError

__all__ = ["REFUSED_FOR_S", "Outbox", "PendingWindow"]

_MAX_WINDOWS: Final = 48
"""With their parts, these are at most 60 POSTs: a long outage is caught up in as many."""
_MAX_BYTES: Final = 12 * 1024 * 1024
_MOST_ASIDE: Final = 16
"""Maximum number of windows, or parts of them, that are set aside."""
_MOST_AT_END: Final = 24
"""Maximum number of windows that were never sent, and are left to another process: an hour each of a day."""
_SAVING_S: Final = 1e-4
"""Seconds that it takes to write a metric to the spool, generously."""
_MAX_OVERFLOW_BYTES: Final = 4 * 1024 * 1024
"""Limit on windows that wait to be written to the spool."""
REFUSED_FOR_S: Final = 600.0
"""Seconds for which a window must be refused, if it may have been accepted before, until it is halved."""


class _Entry:
    __slots__ = (
        "closed_at", "failures", "is_part", "merged", "opened_at", "refused_since", "seq", "tried",
        "uncertain", "window", "window_id",
    )  # fmt: skip

    def __init__(self, seq: int, window: PendingWindow, at: float = 0.0, *, is_part: bool = False) -> None:
        self.seq = seq
        """Sequence number of the newest window in it."""
        self.opened_at = self.closed_at = at
        """Times (monotonic) at which the oldest and the newest window in it came."""
        self.window = window
        self.merged = 1
        """Number of windows that were merged into it."""
        self.failures = 0
        """Times that the destination responded and did not accept it."""
        self.tried = False
        """True once it has been sent: its content must not change, so it is not merged."""
        self.uncertain = False
        """True once it may have been accepted without a response: it is not halved."""
        self.refused_since: Optional[float] = None
        """The time (monotonic) since when it is refused, though it may have been accepted before."""
        self.is_part = is_part
        """True for a part of a window that was halved."""
        self.window_id = ""
        """The id of the window since it was first sent. A window with other content has another one."""

    def freeze(self) -> None:
        """Give the window its id: it is about to be sent, and must not change any more."""
        self.tried = True
        self.window_id = self.window_id or id_for(self.window)

    def part(self, window: PendingWindow) -> _Entry:
        """Return an entry for a part of the window, with the same history."""
        made = _Entry(self.seq, window, is_part=self.is_part)
        made.opened_at, made.closed_at = self.opened_at, self.closed_at
        made.failures, made.tried = self.failures, self.tried
        return made

    def afresh(self) -> _Entry:
        """Return an entry for the same window, without its failures."""
        made = self.part(self.window)
        made.failures, made.window_id, made.uncertain = 0, self.window_id, self.uncertain
        made.refused_since = self.refused_since
        return made


class Outbox:
    """A queue of windows. Not locked itself: its owner locks changes.

    When there are too many, or they take more than half of ``max_bytes``, two neighbours are merged. Totals
    are kept and only the resolution in time is lost, evenly. Windows that have been sent are never merged.
    Beyond ``max_bytes``, or with ``merge=False``, the oldest windows are dropped and counted, or kept for the
    spool.

    A window that the destination does not accept, while it accepts others, is set aside. It is tried again
    later, in smaller parts.
    """

    def __init__(
        self,
        *,
        max_windows: int,
        max_bytes: int,
        merge: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._entries: deque[_Entry] = deque()
        self._aside: deque[_Entry] = deque()
        self._max_windows = max_windows
        self._max_bytes = max_bytes
        self._merge = merge
        self._merging_helps = True
        """False while merging saves little memory, as the windows have few keys in common."""
        self._under_way: Optional[PendingWindow] = None
        self._seq = 0
        self._overflow: deque[_Entry] = deque()
        self.keeps_overflow = False
        """True: windows that are dropped wait for `take_overflow`, up to a limit."""
        self.loss = Loss()

    @classmethod
    def usual(cls, share: int = 1) -> Outbox:
        """Return the queue of one of ``share`` destinations, which share the memory."""
        return cls(max_windows=_MAX_WINDOWS, max_bytes=_MAX_BYTES // share)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def last_seq(self) -> int:
        """Sequence number of the newest window that was ever put in."""
        return self._seq

    @property
    def call_count(self) -> int:
        """Number of calls in all windows of the queue."""
        return sum(entry.window.call_count for entry in (*self._overflow, *self._entries, *self._aside))

    @property
    def saving_s(self) -> float:
        """Seconds, at most, that writing all windows to the spool takes. On any thread."""
        places = (self._overflow.copy(), self._entries.copy(), self._aside.copy())
        return _SAVING_S * sum(entry.window.bucket_count for entries in places for entry in entries)

    @property
    def has_overflow(self) -> bool:
        """True when windows wait for `take_overflow`."""
        return bool(self._overflow)

    @property
    def has_aside(self) -> bool:
        """True when a window is set aside."""
        return bool(self._aside)

    def put(self, window: PendingWindow) -> None:
        """Append a window, and make room for it."""
        self._seq += 1
        self._entries.append(_Entry(self._seq, window, self._monotonic()))
        while len(self._entries) > self._max_windows:
            if not self._merge_two():
                self._drop_oldest(self._entries)
        while self._merging_helps and self._nbytes() > self._max_bytes / 2 and self._merge_two():
            pass
        while len(self._entries) + len(self._aside) > 1 and self._nbytes() > self._max_bytes:
            self._drop_oldest(self._aside, self._entries)

    def head(self, max_metrics: Optional[int], behind: int = 0) -> Optional[PendingWindow]:
        """Return the oldest window, or its first part of ``max_metrics`` metrics. None in an empty queue.

        It stays in the queue, untouched, until `pop` or `put_back`.

        Args:
            max_metrics: Maximum number of metrics of one window. None: any number.
            behind: 1 for the window behind the oldest one.
        """
        if len(self._entries) <= behind:
            return None
        entry = self._entries[behind]
        if max_metrics is not None and entry.window.bucket_count > max_metrics:
            first, *others = entry.window.split(max_metrics)
            entry.window = first  # there at every moment: `holds_up_to` is asked by other threads
            for index, part in enumerate(others, behind + 1):
                piece = _Entry(entry.seq, part, is_part=True)
                piece.opened_at, piece.closed_at = entry.opened_at, entry.closed_at
                self._entries.insert(index, piece)
        entry.freeze()
        self._under_way = entry.window
        return self._under_way

    def id_of(self, window: PendingWindow) -> str:
        """Return the id of a window that is about to be sent. Empty if the window is gone."""
        if (entry := self._entry_of(window)) is None:
            return ""
        entry.freeze()
        return entry.window_id

    def put_back(self, failure: Optional[SendError] = None) -> int:
        """Note that the window under way was not delivered: it waits like the others.

        Args:
            failure: The reason.

        Returns:
            How often the destination reported a failure of its own on this window.
        """
        window, self._under_way = self._under_way, None
        entry = None if window is None else self._entry_of(window)
        if entry is None:
            return 0
        if failure is not None:
            entry.failures += failure.responded and entry in self._entries
            entry.uncertain = entry.uncertain or failure.uncertain
        return entry.failures

    def pop(self, window: PendingWindow) -> bool:
        """Remove a window. Return False if it is gone: `take` or `clear` was faster."""
        self._under_way = None
        self._merging_helps = True
        if (entry := self._entry_of(window)) is None:
            return False
        self._place_of(entry).remove(entry)
        return True

    def halve(self, window: PendingWindow) -> bool:
        """Replace a window by its halves. Return whether it was whole until now."""
        self._under_way = None
        if (entry := self._entry_of(window)) is None:
            return False
        entries = self._place_of(entry)
        index = entries.index(entry)
        was_whole, entry.is_part, entry.window_id = not entry.is_part, True, ""
        entry.uncertain, entry.refused_since = False, None
        entry.window, *others = window.split((window.bucket_count + 1) // 2)
        for number, part in enumerate(others, 1):
            entries.insert(index + number, entry.part(part))
        return was_whole

    def set_aside(self, window: PendingWindow) -> None:
        """Set a window aside, so that it does not block the others."""
        if (entry := self._entry_of(window)) is not None:
            self._put_aside(entry)

    def _put_aside(self, entry: _Entry) -> None:
        self._place_of(entry).remove(entry)
        self._aside.append(entry.afresh())
        while len(self._aside) > _MOST_ASIDE:
            self._drop(self._aside.popleft())

    def keep_whole(self, window: PendingWindow, failure: SendError, now: float) -> bool:
        """Set aside a window that is refused, and may have been accepted before: its parts would count twice.

        A destination that refuses it for a long time has surely not accepted it.

        Args:
            window: The window.
            failure: The refusal.
            now: The time (monotonic).

        Returns:
            False if it may be halved, or dropped.
        """
        self._under_way = None
        if (entry := self._entry_of(window)) is None:
            return False
        entry.uncertain = entry.uncertain or failure.uncertain
        if entry.refused_since is None:
            entry.refused_since = now
        if not entry.uncertain or now - entry.refused_since >= REFUSED_FOR_S:
            return False
        self._put_aside(entry)
        return True

    def next_aside(self) -> Optional[PendingWindow]:
        """Return the window that has been set aside for longest, which is about to be sent."""
        self._under_way = self._aside[0].window if self._aside else None
        return self._under_way

    def may_halve(self, window: PendingWindow) -> bool:
        """Return whether the window that was set aside first is divisible, and was surely not accepted."""
        return window.bucket_count > 1 and not (self._aside and self._aside[0].uncertain)

    def leave_aside(self, window: PendingWindow, failure: SendError) -> int:
        """Move a window behind the others that are set aside.

        Returns:
            The number of its failures. 0 for one that may have been accepted, which is not given up.
        """
        self._under_way = None
        if not self._aside or self._aside[0].window is not window:
            return 0
        entry = self._aside[0]
        entry.failures += 1
        entry.uncertain = entry.uncertain or failure.uncertain
        self._aside.rotate(-1)
        return 0 if entry.uncertain else entry.failures

    def holds_up_to(self, seq: int) -> bool:
        """Return whether a window that was put in no later than ``seq`` is still here."""
        return any(_begins_by(each, seq) for each in (self._overflow, self._entries, self._aside))

    def take_overflow(self) -> Optional[LeftWindow]:
        """Remove and return the oldest window that overflowed."""
        return self._taken(self._overflow)

    def condense(self) -> None:
        """Merge windows that were never sent to a small number, before they are left to another process."""
        while self._merge and sum(not entry.tried for entry in self._entries) > _MOST_AT_END:
            if not self._merge_two():
                return

    def gather(self, limit: int, span_s: float) -> None:
        """Merge windows that were never sent, because few can be sent.

        Args:
            limit: Number of windows that may stay apart.
            span_s: Longest time in which merged windows came, in seconds.
        """
        while len(self._entries) > limit and self._merge_two(span_s):
            pass

    def take(self) -> Optional[LeftWindow]:
        """Remove and return the oldest window of all."""
        return self._taken(self._overflow) or self._taken(self._entries) or self._taken(self._aside)

    def clear(self) -> Loss:
        """Drop everything, and return its count."""
        lost = self.loss.take() or Loss()
        for entry in (*self._overflow, *self._entries, *self._aside):
            lost.add(entry.window.call_count, uncertain=self._may_have_arrived(entry))
        self._overflow.clear()
        self._entries.clear()
        self._aside.clear()
        return lost

    def _taken(self, entries: deque[_Entry]) -> Optional[LeftWindow]:
        if not entries:
            return None
        entry = entries.popleft()
        return LeftWindow(entry.window, entry.window_id, self._may_have_arrived(entry))

    def _may_have_arrived(self, entry: _Entry) -> bool:
        return entry.uncertain or entry.window is self._under_way  # the thread that sends it may hang

    def _entry_of(self, window: PendingWindow) -> Optional[_Entry]:
        return next((each for each in (*self._entries, *self._aside) if each.window is window), None)

    def _place_of(self, entry: _Entry) -> deque[_Entry]:
        return self._entries if entry in self._entries else self._aside

    def _nbytes(self) -> int:
        return sum(entry.window.nbytes for entry in (*self._entries, *self._aside))

    def _merge_two(self, span_s: float = math.inf) -> bool:
        """Merge two neighbours that were never sent, of the shortest time. Return False if it is impossible.

        Where windows have few keys in common, the number of windows is all that merging saves.
        """
        index = self._shortest_pair(span_s) if self._merge else None
        if index is None:
            return False
        older, newer = self._entries[index], self._entries[index + 1]
        before = older.window.nbytes + newer.window.nbytes
        older.window.merge(newer.window)
        older.seq, older.closed_at = newer.seq, newer.closed_at
        older.merged += newer.merged
        del self._entries[index + 1]
        self._merging_helps = older.window.nbytes < before * 0.95
        return True

    def _shortest_pair(self, span_s: float) -> Optional[int]:
        """Return the index of two neighbours, never sent, that the fewest windows were merged into."""
        best, fewest = None, 0
        for index, (older, newer) in enumerate(zip(self._entries, itertools.islice(self._entries, 1, None))):
            count = older.merged + newer.merged
            apart = older.tried or newer.tried or newer.closed_at - older.opened_at > span_s
            if not apart and (best is None or count < fewest):
                best, fewest = index, count
        return best

    def _drop_oldest(self, *places: deque[_Entry]) -> None:
        """Drop the oldest window that is not being sent."""
        for entries in places:
            for entry in entries:
                if entry.window is not self._under_way:
                    entries.remove(entry)
                    self._drop(entry)
                    return

    def _drop(self, entry: _Entry) -> None:
        waiting = sum(each.window.nbytes for each in self._overflow)
        if self.keeps_overflow and waiting + entry.window.nbytes <= _MAX_OVERFLOW_BYTES:
            self._overflow.append(entry)
        else:
            self.loss.add(entry.window.call_count, uncertain=self._may_have_arrived(entry))


def _begins_by(entries: deque[_Entry], seq: int) -> bool:
    try:
        return entries[0].seq <= seq
    except IndexError:  # empty, or becoming so: may be asked on any thread
        return False
