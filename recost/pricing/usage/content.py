"""A captured answer, as far as it was kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["HEAD_LIMIT", "TAIL_LIMIT", "Content"]

HEAD_LIMIT = 16 * 1024
"""Bytes that are kept of the beginning of a body that is larger than both limits together."""
TAIL_LIMIT = 48 * 1024
"""Bytes that are kept of its end."""


class Content(NamedTuple):
    """A captured answer."""

    head: bytes
    """The body, or its beginning when there is a ``gap``."""
    tail: bytes = b""
    """What came last, when there is a ``gap``."""
    gap: bool = False
    """True: bytes between ``head`` and ``tail`` were not kept."""
    complete: bool = True
    """True: the body came to its end."""
    content_type: str = ""
    encoding: str = ""
    """The content-encoding that ``head`` is still in: ``""``, ``gzip``, ``deflate``, ``br``, ``zstd``.

    Never together with a ``gap``: a body that is larger than the limits is decoded on its way.
    """
    path: str = "/"
    """Of the request, without query."""
    status: int = 200
    headers: Mapping[str, str] = {}
    """Lower-case names; only those that `recost.pricing.usage.HEADERS` has for the shape."""

    unread: bool = False
    """True: it is not read to its end, because that would take too long or can't be done."""
    thinned: bool = False
    """True: long members of its documents were left out; a text stands for each."""
    size: int = 0
    """Bytes of the body without its encoding; 0 where that is not known."""

    def __repr__(self) -> str:
        return f"Content({len(self.head)} + {len(self.tail)} bytes)"
