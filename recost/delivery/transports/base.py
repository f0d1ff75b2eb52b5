"""The Protocol of a destination, and what it reports of a window that it did not accept."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, Optional, Protocol

from recost._late import importing
from recost.errors import RecostError

if TYPE_CHECKING:
    from recost.events import WindowSummary

__all__ = ["Disposition", "RetryPolicy", "SendError", "Transport", "encode"]


class Disposition(Enum):
    """Fate of a window that was not accepted."""

    RETRY = "retry"
    """A passing failure: try again with back-off, as the transport's `RetryPolicy` says. Then wait."""
    DEFER = "defer"
    """Nothing is sent before `SendError.retry_after_s` is over. The window is kept."""
    WAIT = "wait"
    """Keep the window and try again at the next flush."""
    SPLIT = "split"
    """The destination may accept parts: the window is halved. A single metric is dropped."""
    REJECT = "reject"
    """This window will never be accepted: it is dropped, counted and reported."""
    SUSPEND = "suspend"
    """Nothing more will be accepted from this process: sending stops for good."""


class SendError(Exception):
    """The error of a window that was not accepted.

    Attributes:
        error: The error for ``on_error``. None where the transport has reported this episode already.
        disposition: Fate of the window.
        retry_after_s: With `Disposition.DEFER`, seconds to wait.
        responded: The destination responded that it failed on this very window: others may go through.
        uncertain: The destination may have accepted it: no response came, or that of a gateway. The window is
            sent again as it is, because parts would count twice.
    """

    def __init__(
        self,
        error: Optional[Exception],
        disposition: Disposition,
        *,
        retry_after_s: Optional[float] = None,
        responded: bool = False,
        uncertain: bool = False,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.disposition = disposition
        self.retry_after_s = retry_after_s
        self.responded = responded
        self.uncertain = uncertain

    @property
    def refused(self) -> bool:
        """True if the window must not be sent again as it is."""
        return self.disposition in (Disposition.REJECT, Disposition.SPLIT)


class RetryPolicy:
    """Number and spacing of retries of one window within one flush.

    The n-th wait is drawn between half of and the whole of ``min(first_s * 2**n, longest_s)``.

    Args:
        retries: Number of retries.
        first_s: Seconds of the first wait.
        longest_s: Limit on a wait, in seconds.
        exhausted: WAIT for the next flush, or SUSPEND, when every attempt failed.
    """

    __slots__ = ("exhausted", "first_s", "longest_s", "retries")

    def __init__(
        self, retries: int, first_s: float, longest_s: float, exhausted: Disposition = Disposition.WAIT
    ) -> None:
        self.retries: Final = retries
        self.first_s: Final = first_s
        self.longest_s: Final = longest_s
        self.exhausted: Final = exhausted


class Transport(Protocol):
    """A destination. One thread at a time calls it, never the application's own."""

    retry: RetryPolicy
    spacing_s: float
    """Least time between two early flushes under sustained load."""
    max_metrics: Optional[int]
    """A window with more metrics is split before it is sent. None: any size."""

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Deliver one window within about ``timeout_s`` seconds.

        Raises:
            SendError: It was not accepted.
        """
        ...

    def gave_up(self) -> Optional[Exception]:
        """Return the error to report when retries with ``exhausted=SUSPEND`` have run out."""
        ...

    def close(self) -> None:
        """Release files and connections. Idempotent."""
        ...


def encode(summary: WindowSummary) -> bytes:
    """Return the window as one line of UTF-8 JSON, without the line feed.

    Raises:
        SendError: The window has no valid JSON: a number that is not finite, a time that no calendar has.
            Such a window is rejected, because it would block all windows after it.
    """
    with importing():
        from recost import wire  # noqa: PLC0415 - slow to import
    try:
        return wire.encode_window(summary)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        reason = type(error).__name__
    message = f"recost: a window of {len(summary.metrics)} metrics is not valid JSON ({reason}): dropped"
    raise SendError(RecostError(message), Disposition.REJECT)
