"""The accounts of a delivery: what was sent, spooled or dropped, and when that is reported."""

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
    """A number of dropped windows, and the calls in them.

    Attributes:
        windows: Number of windows.
        calls: Number of calls in them.
        unsure: Number of these calls that were sent without a response, and may have arrived.
    """

    __slots__ = ("calls", "unsure", "windows")

    def __init__(self, windows: int = 0, calls: int = 0, unsure: int = 0) -> None:
        self.windows = windows
        self.calls = calls
        self.unsure = unsure

    def add(self, calls: int, *, uncertain: bool = False) -> None:
        """Count one window.

        Args:
            calls: Number of calls in it.
            uncertain: The destination may have accepted it.
        """
        self.windows += 1
        self.calls += calls
        self.unsure += calls if uncertain else 0

    def merge(self, other: Loss) -> None:
        """Add the counts of another instance."""
        self.windows += other.windows
        self.calls += other.calls
        self.unsure += other.unsure

    def doubt(self) -> str:
        """Return the end of a message: how many of the calls may have arrived. Empty for 0."""
        message = f". {self.unsure} of them were sent without a response, and may have arrived"
        return message if self.unsure else ""

    def take(self) -> Optional[Loss]:
        """Return the count and begin again at zero. Return None when the count is zero."""
        if not self.windows:
            return None
        taken = Loss(self.windows, self.calls, self.unsure)
        self.windows = self.calls = self.unsure = 0
        return taken


class Losses:
    """All that a delivery has sent or dropped. An overflow is reported when it begins and when it ends.

    Args:
        report: Receives errors.
        overflowed: Windows that were dropped from the queue and are not counted here yet.
    """

    def __init__(self, report: Callable[[BaseException], None], overflowed: Optional[Loss] = None) -> None:
        self._report = report
        self._overflowed = overflowed or Loss()
        self.total = Loss()
        self.sent = 0
        """Calls of this process that have arrived."""
        self.spooled = 0
        """Calls of this process that are in the spool, or that it has left there to another one."""
        self.recovered = 0
        """Calls of ended processes that have arrived from their spools."""
        self.last_error: Optional[tuple[str, str]] = None
        """Type and text of the latest failure."""
        self._dropped: dict[str, int] = dict.fromkeys(
            ("rejected", "failed", "queue_full", "expired", "end", "unknown"), 0
        )
        self._unreported = Loss()
        """Dropped since the beginning of the overflow was reported."""
        self._overflowing = False

    def fail(self, failure: SendError) -> None:
        """Report why a window was not accepted, unless the transport has done that already."""
        if failure.error is not None:
            self._note(failure.error)
            self._report(failure.error)

    def dropped(self) -> dict[str, int]:
        """Return the calls of this process that were dropped, by reason."""
        found = dict(self._dropped)
        _count(found, "queue_full", self._overflowed)
        return found

    def drop(self, window: PendingWindow, failure: SendError) -> None:
        """Count a window that is not sent again, and report why."""
        self._dropped["rejected" if failure.refused else "failed"] += window.call_count
        self.refuse(Loss(1, window.call_count), failure.error)

    def spool(self, saved: Loss) -> None:
        """Count windows of this process that were written to the spool."""
        self.spooled += saved.calls

    def unspool(self, calls: int, reason: str = "") -> None:
        """Count calls of this process that are not in the spool any more.

        Args:
            calls: Their number.
            reason: The reason why they were dropped. Empty if they have arrived.
        """
        self.spooled -= calls
        if reason:
            self._dropped[reason] += calls
        else:
            self.sent += calls

    def overflow(self, loss: Optional[Loss]) -> None:
        """Count windows that were dropped because the queue was full."""
        if loss is None:
            return
        self.total.merge(loss)
        _count(self._dropped, "queue_full", loss)
        if self._overflowing:
            self._unreported.merge(loss)
            return
        self._overflowing = True
        self._report(
            RecostError(
                f"recost: the queue of undelivered windows is full: the oldest are dropped "
                f"({loss.windows} windows, {loss.calls} calls so far){loss.doubt()}"
            )
        )

    def refuse(self, lost: Loss, error: Optional[BaseException]) -> None:
        """Count windows that were refused for good, and report why, with the number of their calls."""
        self.total.merge(lost)
        if error is not None:
            if isinstance(error, RecostError):
                error.args = (f"{error}: {lost.calls} calls dropped",)
            self._note(error)
            self._report(error)

    def arrive(self, window: PendingWindow) -> None:
        """Count a window that has arrived. Report what was dropped since the beginning of the overflow."""
        self.sent += window.call_count
        self._overflowing = False
        unreported, self._unreported = self._unreported, Loss()
        if unreported.windows:
            self._report(_undelivered(unreported, ": the queue was full"))

    def close(self, left: Loss, spooled: Loss) -> None:
        """Count and report windows that will never be sent, and report those that another process sends."""
        if spooled.windows:
            self._report(_undelivered(spooled, ": they are in the spool, and the next process sends them"))
        self.total.merge(left)
        _count(self._dropped, "end", left)
        left.merge(self._unreported)
        self._unreported = Loss()
        if left.windows:
            self._report(_undelivered(left))

    def _note(self, error: BaseException) -> None:
        name = type(error).__name__
        # The text of an internal error may quote a URL.
        self.last_error = name, str(error) if isinstance(error, RecostError) else name


def _count(dropped: dict[str, int], reason: str, loss: Loss) -> None:
    """Add what was dropped for a reason. Whether the rest has arrived is unknown."""
    dropped[reason] += loss.calls - loss.unsure
    dropped["unknown"] += loss.unsure


def _undelivered(loss: Loss, reason: str = "") -> RecostError:
    message = f"{loss.calls} calls in {loss.windows} windows could not be delivered{reason}{loss.doubt()}"
    return RecostError(f"recost: {message}")
