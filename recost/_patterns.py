"""Regular expressions that are compiled at their first use.

Compiling takes up to a millisecond a pattern. ``init()`` needs few of them, and most are used on recost's own
thread only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Callable, Optional

__all__ = ["LazyPattern"]

if TYPE_CHECKING:
    _Match = Callable[..., Optional[re.Match[str]]]


class LazyPattern:
    """A pattern that is compiled at its first use. The methods are those of `re.Pattern`."""

    match: _Match
    fullmatch: _Match
    search: _Match
    findall: Callable[..., list[Any]]
    finditer: Callable[..., Any]
    split: Callable[..., list[Any]]
    sub: Callable[..., str]

    def __init__(self, source: str, flags: int = 0) -> None:
        self.arguments = (source, flags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        compiled = re.compile(*self.arguments)
        for method in ("match", "fullmatch", "search", "findall", "finditer", "split", "sub"):
            setattr(self, method, getattr(compiled, method))  # found at once from now on
        return getattr(compiled, name)
