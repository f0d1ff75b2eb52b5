"""A window as bytes, or the reason why it will never be any."""

from __future__ import annotations

from recost import wire
from recost.delivery.transports.base import Disposition, SendError
from recost.errors import RecostError
from recost.events import WindowSummary

__all__ = ["encode"]


def encode(summary: WindowSummary) -> bytes:
    """Return the window as one line of UTF-8 JSON, without the line feed.

    Raises:
        SendError: It cannot be put on the wire: a number that is not finite, a time that no calendar has.
            Such a window is rejected, because it would stop all that follow it.
    """
    try:
        return wire.encode_window(summary)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        reason = type(error).__name__
    raise SendError(
        RecostError(
            f"recost: a window of {len(summary.metrics)} metrics is no valid JSON ({reason}): dropped"
        ),
        Disposition.REJECT,
    )
