"""A flush before SIGTERM ends the process, followed by the earlier handler or the default action.

Flushes may be interrupted by flushes, so the handler simply does one. If the main thread is in
the middle of one, which may be sending a window, the end of the process waits until that is over.
Where the default action follows, the process surely ends: recost is ended instead, which leaves to the next
process what could not be sent.
"""

from __future__ import annotations

import _thread
import os
import signal
import threading
import time
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any, Callable, Final, Optional

from recost.lifecycle.process import busy, deferred, here

__all__ = ["SigtermFlush"]

_masks: Final = threading.local()


class SigtermFlush:
    """A handler of SIGTERM that calls ``flush``, and then the earlier handler.

    Args:
        flush: Sends what has been recorded. It may be called at any moment, and takes a limited time.
        end: The same, before the default action: nothing is recorded after it.
        timeout_s: Limit in seconds on how long a flush of the main thread may delay the signal.
    """

    def __init__(self, flush: Callable[[], None], end: Callable[[], None], timeout_s: float) -> None:
        self._flush = flush
        self._end = end
        self._timeout_s = timeout_s
        self._previous: Any = signal.SIG_DFL
        self._under_way = False

    def install(self, *, over_handlers: bool = True) -> Optional[str]:
        """Install the handler. Only the main thread can do that.

        Args:
            over_handlers: False: only where SIGTERM has its default action.

        Returns:
            The reason why that is impossible. None when it is done or not needed.
        """
        if os.name != "posix":
            return "this system has no such signal"
        previous: Any = signal.getsignal(signal.SIGTERM)
        if previous is signal.SIG_IGN or getattr(previous, "__self__", None).__class__ is SigtermFlush:
            return None
        if callable(previous) and not over_handlers:
            return None
        if previous is None:
            return "its handler was not installed by Python, and could not be called any more"
        try:
            signal.signal(signal.SIGTERM, self._terminated)
        except ValueError:
            return "signal handlers can only be set on the main thread of the main interpreter"
        self._previous = previous
        _keep_signals_across_forks()
        return None

    def remove(self) -> None:
        """Restore the earlier handler, where this one is still in place and this is the main thread."""
        if os.name != "posix" or signal.getsignal(signal.SIGTERM) != self._terminated:
            return
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._previous)

    def _terminated(self, number: int, frame: Optional[FrameType]) -> None:
        previous = self._previous
        is_last = not callable(previous)
        follow = self._end_and_die if is_last else partial(previous, number, frame)
        if here() in busy and not (deferred or self._under_way):  # a second one waits for nothing
            deferred.append(follow)
            _insist_later(self._timeout_s)
            return
        if not (is_last or deferred):  # else this is a second one
            self._once(self._flush)
        deferred.clear()
        follow()

    def _end_and_die(self) -> None:
        self._once(self._end)
        _die()

    def _once(self, flush: Callable[[], None]) -> None:
        """Flush, unless this is a second SIGTERM while a first one does."""
        if self._under_way:
            return
        self._under_way = True
        try:
            flush()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process ends
            # Not by `print`: the main thread may be in the middle of one.
            os.write(2, f"recost: not flushed at SIGTERM: {type(error).__name__}\n".encode())
        finally:
            self._under_way = False


def _die() -> None:
    """End by SIGTERM, so that the exit status shows it."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)


def _insist_later(pause_s: float) -> None:
    """Send SIGTERM once more when the main thread's time is over. It takes effect at once then."""
    pid = os.getpid()

    def insist() -> None:
        time.sleep(pause_s)
        if deferred and os.getpid() == pid:
            os.kill(pid, signal.SIGTERM)

    # Not by `threading`, whose locks the main thread may hold.
    with suppress(RuntimeError):  # refused: the flush has a limit of its own
        _thread.start_new_thread(insist, ())


_fork_hooks: Final[list[str]] = []


def _keep_signals_across_forks() -> None:
    """Block SIGTERM while a child is made.

    Python forgets signals that come before a child has set itself up. The default action needs no Python, so
    without this a child could outlive a SIGTERM that would have ended it without a handler.
    """
    if _fork_hooks:
        return
    _fork_hooks.append("fork")
    os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=_after_fork_in_child)


def _block() -> None:
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


def _unblock() -> None:
    before = getattr(_masks, "before", None)
    if before is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _after_fork_in_child() -> None:
    deferred.clear()
    _unblock()
