"""Starting and ending the SDK in a process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

from recost.config import RecostConfig, Settings, resolve, warn_of_plain_http
from recost.errors import RecostError
from recost.interceptors.exchange import Exchange
from recost.lifecycle.compose import Composition
from recost.lifecycle.ends import ExitFlushes
from recost.lifecycle.handle import RecostHandle
from recost.lifecycle.process import watch_forks
from recost.lifecycle.reporting import Reporter, start_debug_log, stop_debug_log

if TYPE_CHECKING:
    from recost.lifecycle.sigterm import SigtermFlush
    from recost.pricing.cost import Cost

__all__ = [
    "RecostHandle", "current_cost_of", "current_handle", "end_all", "flush_all", "init", "priced_by",
]  # fmt: skip

if TYPE_CHECKING:
    CostOf = Callable[[Exchange], Optional[Cost]]

_locks: Final = [threading.RLock()]
"""One, which a forked child replaces."""
_current: Final[list[RecostHandle]] = []
_stand_ins: Final[list[CostOf]] = []
"""Functions that price calls where no `init` is active, the latest first."""
_last_resorts: Final[list[CostOf]] = []
"""Functions that price calls where nothing else does, the latest first."""


def init(config: Optional[RecostConfig] = None, **options: Any) -> RecostHandle:
    """Record what this process's outbound HTTP calls cost, from now on.

    Args:
        config: Settings. One that is not set is read from the environment, else it has its default.
        **options: The same settings by name. They override ``config``.

    Returns:
        The handle that flushes and ends it. A second ``init()`` disposes the first handle.

    Raises:
        ValueError: A setting is invalid. The message has its name, its value and what is expected.
    """
    settings = resolve(config, options)
    warn_of_plain_http(settings)
    report = Reporter(settings.on_error)
    if settings.enabled and settings.capture_usage:
        _warn_without_prices(report)
    with _locks[0]:
        watch_forks(_lock_renewal)
        previous = _make_way()
        started: Optional[RecostHandle] = None
        try:
            started = _start(settings, report)
            meanwhile = _make_way()  # by a signal handler or finaliser, on this very thread
            if meanwhile:
                started.reconnect()
            previous += meanwhile
            _current.append(started)
        finally:
            for handle in previous:
                handle.hand_over(started)
        return started


def _make_way() -> list[RecostHandle]:
    """Dispose the running handles, except that they still receive calls. Return them."""
    found = list(_current)
    for handle in found:
        handle.make_way()
        with suppress(ValueError):
            _current.remove(handle)
    return found


class _LockRenewal:
    """Renewal of the lock in a forked child: another thread of its parent may have held it."""

    def before_fork(self) -> None:
        """Do nothing."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""

    def after_fork_in_child(self) -> None:
        """Begin with a lock that nobody holds."""
        _locks[0] = threading.RLock()


_lock_renewal: Final = _LockRenewal()


def current_handle() -> Optional[RecostHandle]:
    """Return the handle of the latest `init` of this process, if it has not been disposed."""
    return next((handle for handle in list(_current) if not handle.disposed), None)


def current_cost_of(given: Optional[CostOf] = None) -> Optional[CostOf]:
    """Return the function that prices calls: that of `init`, else that of the latest `priced_by`, else None.

    Args:
        given: The caller's own. If it is of an `init` that is ending, it precedes those of `priced_by`.
    """
    handle = current_handle()
    if handle is not None:
        return handle.cost_of
    standing_in = [*_last_resorts, *_stand_ins]
    if given is not None and given not in standing_in:
        return given
    return next(reversed(standing_in), None)


@contextmanager
def priced_by(cost_of: CostOf, *, last: bool = False) -> Iterator[None]:
    """Price calls by ``cost_of`` for the length of a block, where no `init` is active.

    Args:
        cost_of: Returns the cost of a call.
        last: Only where no other block prices them.
    """
    pricing = _last_resorts if last else _stand_ins
    pricing.append(cost_of)
    try:
        yield
    finally:
        with suppress(ValueError):
            pricing.remove(cost_of)


def flush_all() -> None:
    """Send what has been recorded, or finish an ending under way. Safe in signal handlers."""
    for handle in _current.copy():
        if handle.disposed:
            handle.dispose()
        else:
            handle.flush_blocking(handle.shutdown_timeout_s)


def end_all() -> None:
    """Dispose the handles of this process. Safe in signal handlers."""
    for handle in _current.copy():
        handle.dispose()


def _report_here(error: BaseException) -> None:
    handle = current_handle()
    if handle is not None:
        handle.report(error)


_ends: Final = ExitFlushes(current_handle, _report_here)


def _start(settings: Settings, report: Reporter) -> RecostHandle:
    if not settings.enabled:
        return RecostHandle(None, report=report)
    if settings.debug:
        start_debug_log()
    composition = Composition(settings, report, late=True)
    _ends.watch()
    timeout_s = settings.shutdown_flush_timeout_ms / 1000
    sigterm: Optional[SigtermFlush] = None
    if settings.flush_on_sigterm:
        from recost.lifecycle.sigterm import SigtermFlush  # noqa: PLC0415 - signal is not light

        sigterm = SigtermFlush(flush_all, end_all, timeout_s)
        _install(sigterm, report)
    return RecostHandle(
        composition.runtime,
        report=report,
        settings=settings,
        shutdown_timeout_s=timeout_s,
        flush_at_exit=settings.auto_shutdown_handlers,
        # Servers reset signals in the processes that they fork.
        on_started=partial(_install_again, sigterm),
        on_disposed=partial(_end, settings, sigterm),
    )


def _warn_without_prices(report: Reporter) -> None:
    from importlib.util import find_spec  # noqa: PLC0415 - only with capture_usage

    from recost.pricing.list_place import tokens_unpriced  # noqa: PLC0415 - the same

    if find_spec("genai_prices") is None:
        report.warn_here(f"recost: {tokens_unpriced('is not installed')}")


def _install(sigterm: SigtermFlush, report: Reporter) -> None:
    hindrance = sigterm.install()
    if hindrance is not None:
        message = f"recost: flush_on_sigterm: not in effect: {hindrance}"
        import logging  # noqa: F401, PLC0415 - so that it is shown, on stderr unless logging is set up otherwise

        report.warn(message)
        report(RecostError(message))


def _install_again(sigterm: Optional[SigtermFlush]) -> None:
    if sigterm is not None:
        sigterm.install(over_handlers=False)


def _end(settings: Settings, sigterm: Optional[SigtermFlush]) -> None:
    if sigterm is not None:
        sigterm.remove()
    if settings.debug:
        stop_debug_log()
