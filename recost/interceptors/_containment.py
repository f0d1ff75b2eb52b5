"""The one boundary that keeps recost's own errors out of the application's calls.

Errors that recost's functions raise on the caller's thread are reported and go no further. Ctrl-C, and what a
signal handler raises meanwhile, belong to the application and are raised again.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, TracebackType
from typing import TYPE_CHECKING, Final, Optional

if TYPE_CHECKING:
    from recost.interceptors.exchange import Exchange

__all__ = ["contain", "end", "reporters"]

reporters: Final[list[Callable[[BaseException], None]]] = []
"""Functions called with each contained error."""


def contain(error: BaseException) -> None:
    """Report an error of recost's own, or raise it again if it is the application's.

    Call it in an ``except BaseException`` clause, and continue the application's call after it.
    """
    try:
        foreign = _comes_from_outside(error)
    except Exception:  # noqa: BLE001 - near the recursion limit
        foreign = not isinstance(error, Exception)
    if foreign:
        raise error
    for report in reporters:
        try:
            report(error)
        except BaseException as own:  # noqa: PERF203 - the last resort
            if not isinstance(own, Exception) and _comes_from_outside(own):
                raise


def end(exchange: Exchange) -> None:
    """Finish an exchange after an error of recost's own."""
    try:
        exchange.finish()
    except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
        contain(error)


def _comes_from_outside(error: BaseException) -> bool:
    """Return True if the interpreter injected the error into the running code.

    A signal handler written in Python has a frame in the traceback. Ctrl-C has no frame: it is a
    `BaseException` that was not raised by a ``raise`` statement.
    """
    last: Optional[TracebackType] = error.__traceback__
    handlers = _signal_handlers()
    traceback = last
    while traceback is not None:
        if traceback.tb_frame.f_code in handlers:
            return True
        last, traceback = traceback, traceback.tb_next
    return not isinstance(error, Exception) and not (last is not None and _is_raise(last))


def _is_raise(traceback: TracebackType) -> bool:
    from opcode import opmap  # noqa: PLC0415 - seldom needed

    return traceback.tb_frame.f_code.co_code[traceback.tb_lasti] == opmap["RAISE_VARARGS"]


def _signal_handlers() -> set[CodeType]:
    import signal  # noqa: PLC0415 - not light

    found = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        code = getattr(getattr(handler, "__func__", handler), "__code__", None)
        if isinstance(code, CodeType):
            found.add(code)
    return found
