"""Captured parts of a call, which interceptors write and extractors of usage read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from recost.wanted import Wanted

__all__ = ["CapturedResponse", "Wanted"]


class CapturedResponse(NamedTuple):
    """A response's body, as much of it as was kept, with the headers that its usage is read from."""

    head: bytes
    """The body, or its beginning if there is a ``gap``."""
    tail: bytes = b""
    """The end of the body if there is a ``gap``."""
    gap: bool = False
    """True if bytes between ``head`` and ``tail`` were not kept."""
    complete: bool = True
    """True if the body was received to its end."""
    content_type: str = ""
    encoding: str = ""
    """Content coding of ``head``: ``""``, ``gzip``, ``deflate``, ``br``, ``zstd`` or a list of them.

    Always empty if there is a ``gap``: a body that is too long to keep is decoded as it arrives.
    """
    path: str = "/"
    """Path of the request, without its query. Set by `recost.metering`."""
    status: int = 200
    """Status of the response. Set by `recost.metering`."""
    headers: Mapping[str, str] = {}
    """The requested headers that the response has, with lower-case names."""
    unread: bool = False
    """True if part of the body could not be decoded, or was too expensive to decode."""
    thinned: bool = False
    """True if long members of the documents were replaced by a short text each."""
    size: int = 0
    """Bytes of the decoded body, or 0 if not yet known."""

    def __repr__(self) -> str:
        return f"CapturedResponse({len(self.head)} + {len(self.tail)} bytes)"
