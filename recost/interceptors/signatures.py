"""A check of the parameters of a method that is about to be replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Optional

__all__ = ["takes"]

_VARARGS: Final = 0x04
_VARKEYWORDS: Final = 0x08
"""Flags of functions with ``*args`` and ``**kwargs``, as in `inspect`, which is not light."""


def takes(
    function: Any,
    positional: Sequence[str],
    keywords: Optional[Sequence[str]] = (),
    defaults: Optional[tuple[Any, ...]] = None,
) -> bool:
    """Return True if a method has just these parameters, so that they can be passed on one by one.

    Args:
        function: The method.
        positional: Parameters after the instance.
        keywords: Parameters that are only keywords. None if they are passed on as ``**kwargs``.
        defaults: Default values of the last positional parameters.
    """
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & _VARARGS or function.__defaults__ != defaults:
        return False
    count = 1 + len(positional)
    names = code.co_varnames
    if code.co_argcount != count or names[1:count] != tuple(positional):
        return False
    return keywords is None or bool(
        not code.co_flags & _VARKEYWORDS
        and code.co_kwonlyargcount == len(keywords)
        and names[count : count + len(keywords)] == tuple(keywords)
    )
