"""The one boundary between an error inside recost and the call of the application that it happens in.

Whatever a function of recost's raises on the caller's thread is reported and goes no further. What comes from
outside while such a function runs is the application's: Ctrl-C, and what a signal handler raises.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, TracebackType
from typing import TYPE_CHECKING, Final, Optional

if TYPE_CHECKING:
    from recost.interceptors.exchange import Exchange

__all__ = ["contain", "end", "reporters"]

reporters: Final[list[Callable[[BaseException], None]]] = []
"""Called with each error that is contained; they must not raise."""


def contain(error: BaseException) -> None:
    """Report an error that was raised inside recost; raise it again where it is the application's.

    Call it in an ``except BaseException`` clause, and go on with the call after that.
    """
    try:
        foreign = _comes_from_outside(error)
    except Exception:  # noqa: BLE001 - near the recursion limit: it is ours, or is raised again further up
        foreign = not isinstance(error, Exception)
    if foreign:
        raise error
    for report in reporters:
        try:
            report(error)
        except Exception:  # noqa: BLE001, PERF203, S112 - nobody is left to hear of it
            continue


def end(exchange: Exchange) -> None:
    """Finish an exchange that something has gone wrong with."""
    try:
        exchange.finish()
    except BaseException as error:  # noqa: BLE001 - raised again where it is not ours
        contain(error)


def _comes_from_outside(error: BaseException) -> bool:
    """Tell whether the interpreter has put the error into the running code.

    A signal handler written in Python has a frame in the traceback. Ctrl-C has none: it is an error that
    is no `Exception`, and that no ``raise`` statement raised.
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
