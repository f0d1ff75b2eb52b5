"""Windows that leave the queue undelivered, how many were dropped, and when that is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Protocol

from recost.errors import RecostError

if TYPE_CHECKING:
    from recost.delivery.transports.base import SendError
    from recost.events import WindowSummary

__all__ = ["LeftWindow", "Loss", "Losses", "PendingWindow"]


class PendingWindow(Protocol):
    """The interface of a closed window that the delivery needs."""

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
        """Approximate size in memory."""
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


class LeftWindow(NamedTuple):
    """A window that leaves the queue undelivered."""

    window: PendingWindow
    window_id: str
    """Empty if it was never sent."""
    uncertain: bool
    """True if the destination may have accepted it."""


class Loss:
    """A number of dropped windows, and the calls in them."""

    __slots__ = ("calls", "windows")

    def __init__(self, windows: int = 0, calls: int = 0) -> None:
        self.windows = windows
        self.calls = calls

    def add(self, window: PendingWindow) -> None:
        """Count one window."""
        self.windows += 1
        self.calls += window.call_count

    def merge(self, other: Loss) -> None:
        """Add the counts of another instance."""
        self.windows += other.windows
        self.calls += other.calls

    def take(self) -> Optional[Loss]:
        """Return the count and begin again at zero. Return None when the count is zero."""
        if not self.windows:
            return None
        taken = Loss(self.windows, self.calls)
        self.windows = self.calls = 0
        return taken


class Losses:
    """All that a delivery has dropped. An overflow is reported when it begins and when it ends."""

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        self._report = report
        self.total = Loss()
        self._unreported = Loss()
        """Dropped since the beginning of the overflow was reported."""
        self._overflowing = False

    def fail(self, failure: SendError) -> None:
        """Report why a window was not accepted, unless the transport has done that already."""
        if failure.error is not None:
            self._report(failure.error)

    def overflow(self, loss: Optional[Loss]) -> None:
        """Count windows that were dropped because the queue was full."""
        if loss is None:
            return
        self.total.merge(loss)
        if self._overflowing:
            self._unreported.merge(loss)
            return
        self._overflowing = True
        self._report(
            RecostError(
                f"recost: the queue of undelivered windows is full: the oldest are dropped "
                f"({loss.windows} windows, {loss.calls} calls so far)"
            )
        )

    def refuse(self, lost: Loss, error: Optional[BaseException]) -> None:
        """Count windows that were refused for good, and report why, with the number of their calls."""
        self.total.merge(lost)
        if error is not None:
            if isinstance(error, RecostError):
                error.args = (f"{error}: {lost.calls} calls dropped",)
            self._report(error)

    def end_overflow(self) -> None:
        """Report what was dropped since the beginning of the overflow: a window has arrived."""
        self._overflowing = False
        unreported, self._unreported = self._unreported, Loss()
        if unreported.windows:
            self._report(_undelivered(unreported, ": the queue was full"))

    def close(self, left: Loss, spooled: Loss) -> None:
        """Count and report windows that will never be sent, and report those that another process sends."""
        if spooled.windows:
            self._report(_undelivered(spooled, ": they are in the spool, and the next process sends them"))
        self.total.merge(left)
        left.merge(self._unreported)
        self._unreported = Loss()
        if left.windows:
            self._report(_undelivered(left))


def _undelivered(loss: Loss, reason: str = "") -> RecostError:
    return RecostError(f"recost: {loss.calls} calls in {loss.windows} windows could not be delivered{reason}")
