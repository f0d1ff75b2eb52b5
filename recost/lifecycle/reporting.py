"""Where recost's own errors go: the log, and the user's callback, contained."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, Callable, Final, Optional

from recost.errors import RecostError

__all__ = ["Reporter", "logger", "start_debug_log", "stop_debug_log"]

logger: Final = logging.getLogger("recost")


class Reporter:
    """Reports errors to ``on_error`` as `RecostError`s; whatever that raises ends here."""

    def __init__(self, on_error: Optional[Callable[[Exception], Any]]) -> None:
        self._on_error = on_error

    def __call__(self, error: BaseException) -> None:
        """Report one error; never raises."""
        try:
            known = error if isinstance(error, RecostError) else _internal(error)
            logger.debug("%s", known)
            if self._on_error is not None:
                self._on_error(known)
        except Exception as failure:  # noqa: BLE001 - on_error is the user's; its failure is not the host's
            logger.debug("recost: on_error raised %s", type(failure).__name__)


def _internal(error: BaseException) -> RecostError:
    """Describe a bug of recost's own by where it is, without its message: that may quote a URL."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('recost/')[2]}:{frames[-1].lineno}" if frames else ""
    return RecostError(f"recost: internal error, {type(error).__name__}{place}; your calls are not affected")


_handlers: list[logging.Handler] = []


def start_debug_log() -> None:
    """Show recost's log: on stderr, unless the application has handlers that will show it."""
    logger.setLevel(logging.DEBUG)
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        _handlers.append(handler)


def stop_debug_log() -> None:
    """Undo `start_debug_log`."""
    logger.setLevel(logging.NOTSET)
    while _handlers:
        logger.removeHandler(_handlers.pop())
