"""A check of the parameters of a method that is about to be replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["takes"]

_VARIABLE: Final = 0x04 | 0x08
"""Flags of functions with ``*args`` or ``**kwargs``, as in `inspect`, which is not light."""


def takes(function: Any, positional: Sequence[str], keywords: Sequence[str] = ()) -> bool:
    """Return True if a method has just these parameters, so that they can be passed on one by one."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & _VARIABLE or function.__defaults__:
        return False
    count = 1 + len(positional)
    names = code.co_varnames
    return bool(
        (code.co_argcount, code.co_kwonlyargcount) == (count, len(keywords))
        and names[1:count] == tuple(positional)
        and names[count : count + len(keywords)] == tuple(keywords)
        and len(function.__kwdefaults__ or ()) == len(keywords)
    )
