"""Traffic between the queue and the spool, and between the spool and the destination."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Callable, Final, Optional

from recost.delivery.identity import Identity, id_for
from recost.delivery.losses import LeftWindow, Loss, Losses
from recost.delivery.outbox import REFUSED_FOR_S
from recost.delivery.sending import REFUSED, Sender
from recost.delivery.transports.base import Disposition, SendError, Transport

if TYPE_CHECKING:
    from recost.delivery.spool import Spool, SpooledWindow
    from recost.events import WindowSummary

__all__ = ["Spooling"]

_AT_ONCE: Final = 4
"""Windows of the spool that are sent in a row. POSTs are limited by the hour, and new windows go first."""


class Spooling:
    """The two ways of a spool.

    Args:
        spool: The windows on disk.
        sender: Sends them.
        identity: Of this process, for windows that were never sent.
        losses: Counts windows of the spool that are refused for good.
        transport: Windows with more metrics than it takes are split before they are written.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        spool: Spool,
        sender: Sender,
        identity: Identity,
        losses: Losses,
        transport: Transport,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self._sender = sender
        self._identity = identity
        self._losses = losses
        self._max_metrics = transport.max_metrics
        self._monotonic = monotonic
        self._refused_since: dict[Optional[str], float] = {}
        """The time since when a window is refused that may have been accepted before, by id."""
        spool.on_removed = self._count_removed
        self.close = spool.close
        self.abandon = spool.abandon

    @property
    def is_due(self) -> bool:
        """True when there may be something to send."""
        return self._spool.is_due

    def save(self, entries: Iterator[LeftWindow], deadline: Optional[float] = None) -> tuple[Loss, Loss]:
        """Write windows.

        Args:
            entries: The windows.
            deadline: The time (monotonic) at which writing ends.

        Returns:
            The count of what could not be written, and the count of what was.
        """
        lost, saved = Loss(), Loss()
        for window, window_id, uncertain in entries:
            whole = window_id or self._max_metrics is None
            for part in [window] if whole else window.split(self._max_metrics or 1):
                late = deadline is not None and self._monotonic() >= deadline
                done = not late and self._is_saved(LeftWindow(part, window_id or id_for(part), uncertain))
                if done:
                    saved.add(part.call_count)
                else:
                    lost.add(part.call_count, uncertain=uncertain)
        self._losses.spool(saved)
        return lost, saved

    def _is_saved(self, left: LeftWindow) -> bool:
        summary = self._identity.identify(left.window.summary(), left.window_id)
        return self._spool.save(summary, uncertain=left.uncertain)

    def send(
        self, may_go_on: Callable[[], bool], on_sent: Optional[Callable[[WindowSummary], None]]
    ) -> Optional[SendError]:
        """Send a few windows, the oldest first. Return the failure that holds up the others, or None."""
        until, limit = None, self._sender.deadline
        if limit is not None:  # at the end of the process: half of the time that is left
            until = (self._monotonic() + limit) / 2
        for _ in range(_AT_ONCE):
            late = until is not None and self._monotonic() >= until
            window = self._spool.next() if not late and may_go_on() else None
            if window is None:
                return None
            # Before it is sent, as this process may be killed.
            if not self._spool.mark_uncertain(window, uncertain=True):
                self._spool.pass_over(window)
                continue
            failure = self._sender.send_once(None, window.summary, None)
            if failure is not None and not (window.uncertain or failure.uncertain):
                self._spool.mark_uncertain(window, uncertain=False)
            if failure is None:
                self._spool.remove(window)
                self._count(window.summary)
                if on_sent is not None:
                    on_sent(window.summary)
            elif failure.disposition in REFUSED:
                self._refuse(window, failure)
            elif failure.responded:  # it fails on this window, and may accept others
                self._spool.pass_over(window)
            else:
                self._spool.put_back(window)
                return failure
        return None

    def _must_stay_whole(self, window: SpooledWindow) -> bool:
        """Return whether a refused window may have been accepted before: its parts would count twice."""
        if not window.uncertain:
            return False
        now = self._monotonic()
        return now - self._refused_since.setdefault(window.summary.window_id, now) < REFUSED_FOR_S

    def _refuse(self, window: SpooledWindow, failure: SendError) -> None:
        """Replace a window by its halves, so that only what is at fault is lost."""
        from recost.delivery.frozen import call_count, halves  # noqa: PLC0415 - only where there is a spool

        splits = failure.disposition is Disposition.SPLIT
        divisible = splits and len(window.summary.metrics) > 1
        stays = splits and self._must_stay_whole(window)
        if stays or (divisible and not self._spool.replace(window, halves(window.summary))):
            self._spool.pass_over(window)
        if stays or divisible:
            return
        if not self._spool.remove(window):  # closed meanwhile: the next process tries it, and reports it
            return
        self._count(window.summary, "rejected")
        self._losses.refuse(Loss(1, call_count(window.summary)), failure.error)

    def _count_removed(self, summary: WindowSummary, uncertain: bool) -> None:
        self._count(summary, "unknown" if uncertain else "expired")

    def _count(self, summary: WindowSummary, dropped: str = "") -> None:
        """Count a window that is not in the spool any more. ``dropped`` is the reason, if it was dropped."""
        from recost.delivery.frozen import call_count  # noqa: PLC0415 - only where there is a spool

        if self._identity.has_recorded(summary):
            self._losses.unspool(call_count(summary), dropped)
        elif not dropped:
            self._losses.recovered += call_count(summary)
