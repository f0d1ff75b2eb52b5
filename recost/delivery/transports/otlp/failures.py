"""The errors of exports."""

from __future__ import annotations

from typing import Optional

from recost.delivery.transports.base import Disposition, SendError
from recost.errors import RecostError

__all__ = ["failure"]


def failure(message: str, disposition: Disposition, after_s: Optional[float] = None) -> SendError:
    """Return the error of an export.

    Args:
        message: What went wrong.
        disposition: Fate of the window.
        after_s: Seconds to wait, if the receiver says so.
    """
    return SendError(RecostError(f"recost: {message}"), disposition, retry_after_s=after_s)
