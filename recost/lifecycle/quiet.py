"""recost's own traffic is not the application's: nothing that a transport does is recorded."""

from __future__ import annotations

from typing import Optional

from recost.delivery.transports.base import Transport
from recost.events import WindowSummary
from recost.interceptors.context import SUPPRESSED, current

__all__ = ["Quiet"]


class Quiet:
    """A transport whose sending the interceptors don't see. What ``on_error`` calls is seen, as ever."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.retry = transport.retry
        self.spacing_s = transport.spacing_s
        self.max_metrics = transport.max_metrics

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Deliver one window, unseen."""
        outer = current.get()
        current.set(SUPPRESSED)
        try:
            self._transport.send(summary, timeout_s)
        finally:
            current.set(outer)

    def gave_up(self) -> Optional[Exception]:
        """Return what the transport says when retries have run out."""
        return self._transport.gave_up()

    def close(self) -> None:
        """Close the transport, unseen."""
        outer = current.get()
        current.set(SUPPRESSED)
        try:
            self._transport.close()
        finally:
            current.set(outer)
