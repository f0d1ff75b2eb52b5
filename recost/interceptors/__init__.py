"""Interception of a process's outbound HTTP calls, and its public switch.

An interceptor is a module of this package with a function ``instrument(module, interception)``, listed in
`CLIENTS`. It begins an `Exchange` for each call with `Interception.begin`, and finishes it when the call
ends. It knows nothing of the listeners.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Optional

import recost
from recost.interceptors._containment import contain, reporters
from recost.interceptors.clients import CLIENTS, MOCKS
from recost.interceptors.exchange import Exchange
from recost.interceptors.hub import Interception

__all__ = [
    "CLIENTS",
    "MOCKS",
    "Interception",
    "install",
    "interception",
    "is_installed",
    "uninstall",
]

interception = Interception()
"""The only instance of this process, because classes are patched for the whole process."""
reporters.append(lambda error: interception.report(error))  # noqa: PLW0108 - found at each call


class _CallbackSink:
    """A sink that passes each finished exchange to the user's callback as a `RawEvent`.

    An exchange that a forked child inherits is reported by the parent. The child's calls get another sink.
    """

    def __init__(self, callback: Callable[[recost.RawEvent], None]) -> None:
        self.callback: Optional[Callable[[recost.RawEvent], None]] = callback
        """The callback last given to `install`, also for calls under way. None after `uninstall`."""
        self._pid = os.getpid()

    def before_call(self) -> bool:
        if os.getpid() != self._pid and self.callback is not None:
            global _callback_sink  # noqa: PLW0603 - one per process
            interception.after_fork_in_child()
            _callback_sink = None
            install(self.callback)
            return False
        return True

    def __call__(self, exchange: Exchange) -> None:
        callback = self.callback
        if callback is None or os.getpid() != self._pid:
            return
        try:
            callback(exchange.to_event())
        except BaseException as error:  # noqa: BLE001 - the callback runs inside the application's own call
            contain(error)


_CALLBACK: Final = "callback"
_callback_sink: Optional[_CallbackSink] = None
"""The sink of this process while a callback is installed."""


def install(callback: Callable[[recost.RawEvent], None]) -> None:
    """Patch the HTTP clients and call ``callback`` with one RawEvent per call.

    It runs on the thread where the call ended, before the call returns, so it should be quick. Its errors are
    contained. A second ``install()`` replaces the callback. Works with and without ``recost.init()``.

    Raises:
        TypeError: ``callback`` is not callable.
    """
    global _callback_sink  # noqa: PLW0603 - one per process
    from recost import events as _events  # noqa: F401, PLC0415 - else imported during the first call

    if not callable(callback):
        raise TypeError(f"recost.install() takes a callable, got {type(callback).__name__}")
    if _callback_sink is None:
        _callback_sink = _CallbackSink(callback)
    _callback_sink.callback = callback
    interception.add(_CALLBACK, _callback_sink, before_call=_callback_sink.before_call)


def uninstall() -> None:
    """Remove the callback given to `install`, and the patches if nothing else records."""
    global _callback_sink  # noqa: PLW0603 - one per process
    if _callback_sink is not None:
        _callback_sink.callback = None
        _callback_sink = None
    interception.remove(_CALLBACK)


def is_installed() -> bool:
    """Return True while calls are recorded, by `install` or by ``recost.init()``."""
    return interception.sink is not None
