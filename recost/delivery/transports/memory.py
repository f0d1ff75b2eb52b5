"""A transport for tests, which keeps windows in a list."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Optional

from recost.delivery.transports.base import RetryPolicy, SendError
from recost.events import WindowSummary

__all__ = ["MemoryTransport"]


class MemoryTransport:
    """A transport that accepts every window, unless `fail` has set a failure.

    Attributes:
        windows: Accepted windows, in order.
        attempts: All windows of `send`, in order.
        closed: Number of calls of `close`.
    """

    def __init__(
        self,
        failures: Iterable[Optional[SendError]] = (),
        *,
        retry: RetryPolicy = RetryPolicy(retries=0, first_s=0.0, longest_s=0.0),  # noqa: B008 - frozen
        spacing_s: float = 0.0,
        max_metrics: Optional[int] = None,
        gave_up: Optional[Exception] = None,
    ) -> None:
        self.retry = retry
        self.spacing_s = spacing_s
        self.max_metrics = max_metrics
        self.windows: list[WindowSummary] = []
        self.attempts: list[WindowSummary] = []
        self.closed = 0
        self._failures = deque(failures)
        self._gave_up = gave_up

    def fail(self, *failures: Optional[SendError]) -> None:
        """Make the next sends fail with these, one each. None lets one through."""
        self._failures.extend(failures)

    def send(self, summary: WindowSummary, timeout_s: float) -> None:  # noqa: ARG002 - the Protocol's signature
        """Keep the window.

        Raises:
            SendError: The next one given to the constructor or to `fail`.
        """
        self.attempts.append(summary)
        failure = self._failures.popleft() if self._failures else None
        if failure is not None:
            raise failure
        self.windows.append(summary)

    def gave_up(self) -> Optional[Exception]:
        """Return the error given to the constructor."""
        return self._gave_up

    def close(self) -> None:
        """Count the call."""
        self.closed += 1
