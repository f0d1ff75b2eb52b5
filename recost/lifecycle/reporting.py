"""Reports of recost's own errors, to the log and to the user's callback.

Both are foreign code: `Notifier` calls them. Without a callback, the first failure of each kind is logged as
a warning. `logging` is imported only for ``debug=True``. In a program without it, warnings go to stderr, as
`logging` would write them. An import might use up the last moment of a process, which is for the last flush.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost._patterns import LazyPattern
from recost._text import printable
from recost.errors import RecostAuthError, RecostError
from recost.lifecycle.notifier import Notifier

if TYPE_CHECKING:
    import logging

__all__ = ["Reporter", "StderrLines", "start_debug_log", "stop_debug_log"]

_LOGGER: Final = "recost"
_DEBUG: Final = 10
_WARNING: Final = 30
_WRITABLE_WITHIN_MS: Final = 50
_MOST_KINDS: Final = 100
_LONGEST_KIND: Final = 1000
_COUNT: Final = LazyPattern(r"[0-9]{1,20}(?= [a-z])")
"""A number of things. The status of a response is not followed by a word, and stays."""


class Reporter:
    """A reporter of errors to ``on_error``, as `RecostError`s. Exceptions of the callback are contained.

    No method raises, waits or takes a lock, so that each may be called anywhere.

    Args:
        on_error: The application's callback. None: the first error of each kind is logged at level WARNING,
            the others at DEBUG.
    """

    def __init__(self, on_error: Optional[Callable[[Exception], Any]]) -> None:
        self._on_error = on_error
        self._kinds: set[tuple[type, str]] = set()
        """Kinds of errors that have been logged, without an ``on_error``."""
        self._log_failed = False
        self.notifier: Final = Notifier(self._report_dropped, self._report_failed)

    def __call__(self, error: BaseException) -> None:
        """Report one error."""
        known = error if isinstance(error, RecostError) else _internal(error)
        if self._on_error is None and self._is_first(known):
            self.notifier.post(partial(self._log_first, known))
        elif self._on_error is not None or _is_logged(_DEBUG):
            self.notifier.post(partial(self._deliver, known))

    def log(self, message: str, *arguments: object) -> None:
        """Log to the logger ``recost`` at level DEBUG, if anything listens."""
        if _is_logged(_DEBUG):
            self.notifier.post(partial(self._log, _DEBUG, message, arguments))

    def warn(self, message: str) -> None:
        """Log to the logger ``recost`` at level WARNING."""
        self.notifier.post(partial(self._log, _WARNING, message, ()))

    def warn_here(self, message: str) -> None:
        """Log a warning on the calling thread, which must hold no lock. Equal errors are not logged again."""
        self._kinds.add(_kind(RecostError(message)))
        self._log(_WARNING, "%s", (message,))

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function of the application's, and report what it raises."""
        self.notifier.post(partial(self._call, function, arguments))

    def _is_first(self, error: RecostError) -> bool:
        kind = _kind(error)
        if kind in self._kinds or len(self._kinds) >= _MOST_KINDS:
            return False
        self._kinds.add(kind)
        return True

    def _log_first(self, error: RecostError) -> None:
        # The lines on a refused key are on stderr already. Don't repeat them if logging is not set up.
        # The text may quote a collector's response, and may be written to a terminal.
        text = printable(str(error))
        self._log(_WARNING, "%s", (text,), last_resort=not isinstance(error, RecostAuthError))

    def _deliver(self, error: RecostError) -> None:
        self._log(_DEBUG, "%s", (error,))
        self._hand_over(error)

    def _hand_over(self, error: RecostError) -> None:
        if self._on_error is None:
            return
        try:
            self._on_error(error)
        except Exception as failure:  # noqa: BLE001 - on_error is the user's, and must not fail the host
            self._log(_DEBUG, "recost: on_error raised %s", (type(failure).__name__,))

    def _log(
        self, level: int, message: str, arguments: tuple[object, ...], *, last_resort: bool = True
    ) -> None:
        try:
            _write_log(level, message, arguments, last_resort=last_resort)
        except Exception as failure:  # noqa: BLE001 - a handler or filter of the application's
            if not self._log_failed:
                self._log_failed = True
                self._hand_over(
                    RecostError(
                        f"recost: a handler or filter of the application's logging raised "
                        f"{type(failure).__name__}: recost's log is not complete"
                    )
                )

    def _call(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        try:
            function(*arguments)
        except Exception as error:  # noqa: BLE001 - the function is the application's
            self._deliver(_internal(error))

    def _report_failed(self, error: BaseException) -> None:
        self._log(_DEBUG, "recost: on_error, a callback or a log handler raised %s", (type(error).__name__,))

    def _report_dropped(self, count: int) -> None:
        self._deliver(
            RecostError(f"recost: {count} messages were dropped: on_error or a log handler is too slow")
        )


class StderrLines:
    """A stream that writes to ``sys.stderr`` of that moment. The calling thread does not wait for it."""

    def __init__(self, report: Reporter) -> None:
        self._report = report

    def write(self, text: str) -> None:
        """Queue a text."""
        self._report.notifier.post(partial(_write_to_stderr, text))

    def flush(self) -> None:
        """Do nothing: every text is flushed."""


def _write_log(level: int, message: str, arguments: tuple[object, ...], *, last_resort: bool) -> None:
    """Log a message.

    Args:
        level: A level of `logging`. Warnings are shown also in a program that has not imported it.
        message: The text, with a ``%`` field for each argument.
        arguments: The arguments of the message.
        last_resort: Write to stderr where logging is not set up.
    """
    if "logging" not in sys.modules:
        if level >= _WARNING and last_resort:  # as logging does where it is not set up
            _write_to_stderr(f"{message % arguments}\n")
        return
    import logging  # noqa: PLC0415 - see above

    logger = logging.getLogger(_LOGGER)
    if not last_resort and not logger.hasHandlers():
        return
    if logger.isEnabledFor(level) and _all_writable(logger):
        logger.log(level, message, *arguments)


def _kind(error: RecostError) -> tuple[type, str]:
    """Return the type of an error, and its message without sizes, counts and request ids."""
    text = str(error)[:_LONGEST_KIND]
    if text.endswith(")"):
        text = text.rpartition(" (")[0]
    return type(error), _COUNT.sub("#", text)


def _is_logged(level: int) -> bool:
    """Return True if the logger ``recost`` may accept a record, without taking logging's lock."""
    logging = sys.modules.get("logging")
    if logging is None:
        return False
    try:
        found = logging.root.manager.loggerDict.get(_LOGGER)
        logger = found if isinstance(found, logging.Logger) else logging.root
        enabled: bool = logger.getEffectiveLevel() <= level
    except Exception:  # noqa: BLE001 - a logger class of the application's, or a module under construction
        return False
    return enabled


def _all_writable(logger: Any) -> bool:
    """Return True if every stream that a handler of ``logger`` writes to accepts a line now.

    A handler waits for a full pipe while it holds its lock, which `logging` acquires as the process ends.
    """
    if not logger.hasHandlers():
        return _is_writable(sys.stderr)  # where logging writes warnings then
    while logger is not None:
        for handler in logger.handlers:
            if not _is_writable(getattr(handler, "stream", None)):
                return False
        logger = logger.parent if logger.propagate else None
    return True


def _is_writable(stream: Any) -> bool:
    """Return True if a write will not wait. True where that can't be determined."""
    import select  # noqa: PLC0415 - only where something is logged

    poll = getattr(select, "poll", None)
    if poll is None or stream is None:
        return True
    try:
        poller = poll()
        poller.register(stream.fileno(), select.POLLOUT)
        return bool(poller.poll(_WRITABLE_WITHIN_MS))
    except (OSError, ValueError, TypeError, AttributeError):
        return True


def _write_to_stderr(text: str) -> None:
    stream = sys.stderr
    try:
        if _is_writable(stream):
            stream.write(text)
            stream.flush()
    except (OSError, ValueError, AttributeError):  # closed, or None in a program without a console
        return


def _internal(error: BaseException) -> RecostError:
    """Describe a bug of recost's own by its place, without its message, which may quote a URL."""
    place, traceback = "", error.__traceback__
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        place = f" at {filename.rpartition('recost/')[2]}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
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
