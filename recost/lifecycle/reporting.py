"""Where recost's own errors go: the log, and the user's callback, contained.

`logging` and `traceback` are imported when they are needed: both are slow to import, and a program that has
not imported `logging` has nobody who listens.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost.errors import RecostError

if TYPE_CHECKING:
    import logging

__all__ = ["Reporter", "log_debug", "start_debug_log", "stop_debug_log"]

_LOGGER: Final = "recost"


class Reporter:
    """Reports errors to ``on_error`` as `RecostError`s; whatever that raises ends here."""

    def __init__(self, on_error: Optional[Callable[[Exception], Any]]) -> None:
        self._on_error = on_error

    def __call__(self, error: BaseException) -> None:
        """Report one error; never raises."""
        try:
            known = error if isinstance(error, RecostError) else _internal(error)
            log_debug("%s", known)
            if self._on_error is not None:
                self._on_error(known)
        except Exception as failure:  # noqa: BLE001 - on_error is the user's; its failure is not the host's
            log_debug("recost: on_error raised %s", type(failure).__name__)


def log_debug(message: str, *arguments: object) -> None:
    """Log to the logger ``recost``, if logging is in use at all."""
    logging = sys.modules.get("logging")
    if logging is not None:
        logging.getLogger(_LOGGER).debug(message, *arguments)


def _internal(error: BaseException) -> RecostError:
    """Describe a bug of recost's own by where it is, without its message: that may quote a URL."""
    import traceback  # noqa: PLC0415 - see above

    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('recost/')[2]}:{frames[-1].lineno}" if frames else ""
    return RecostError(f"recost: internal error, {type(error).__name__}{place}; your calls are not affected")


_handlers: Final[list[logging.Handler]] = []


def start_debug_log() -> None:
    """Show recost's log: on stderr, unless the application has handlers that will show it."""
    import logging  # noqa: PLC0415 - see above

    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.DEBUG)
    if not logger.hasHandlers():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        _handlers.append(handler)


def stop_debug_log() -> None:
    """Undo `start_debug_log`."""
    import logging  # noqa: PLC0415 - see above

    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.NOTSET)
    while _handlers:
        logger.removeHandler(_handlers.pop())
