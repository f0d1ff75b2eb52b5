"""What a destination is to the delivery: it takes one window, or says why not and what to do next."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Optional, Protocol

from recost.events import WindowSummary

__all__ = ["Disposition", "RetryPolicy", "SendError", "Transport"]


class Disposition(Enum):
    """What becomes of a window that was not accepted."""

    RETRY = "retry"
    """A passing failure: try again with back-off, as the transport's `RetryPolicy` says; then wait."""
    DEFER = "defer"
    """Nothing is sent before `SendError.retry_after_s` is over; the window is kept."""
    WAIT = "wait"
    """Keep the window and try again at the next flush."""
    SPLIT = "split"
    """It refuses this window and may take its parts: the window is halved; a single metric is dropped."""
    REJECT = "reject"
    """This window will never be accepted: it is dropped, counted and reported."""
    SUSPEND = "suspend"
    """Nothing more will be accepted from this process: sending stops for good."""


class SendError(Exception):
    """A window was not accepted.

    Attributes:
        error: What ``on_error`` is to receive; None where the transport has reported this episode already.
        disposition: What becomes of the window.
        retry_after_s: With `Disposition.DEFER`, seconds to wait.
        answered: The destination failed on this very window: others may go through.
    """

    def __init__(
        self,
        error: Optional[Exception],
        disposition: Disposition,
        *,
        retry_after_s: Optional[float] = None,
        answered: bool = False,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.disposition = disposition
        self.retry_after_s = retry_after_s
        self.answered = answered


class RetryPolicy(NamedTuple):
    """How often and how fast one window is tried again within one flush.

    The n-th wait is drawn between half of and the whole of ``min(first_s * 2**n, longest_s)``.
    """

    retries: int
    first_s: float
    longest_s: float
    exhausted: Disposition = Disposition.WAIT
    """WAIT for the next flush, or SUSPEND, when every try failed."""


class Transport(Protocol):
    """A destination. One thread at a time calls it, never the application's own."""

    retry: RetryPolicy
    spacing_s: float
    """Least time between two early flushes under sustained load."""
    max_metrics: Optional[int]
    """A window with more metrics is split before it is sent; None: any size."""

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
        """Release what is held; idempotent."""
        ...
