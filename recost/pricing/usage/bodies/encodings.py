"""Content-encodings: decodes what there is of a body, in bounded memory and time."""

from __future__ import annotations

from typing import Final, Optional

from recost.decompression import Decompressor, UndecodableError
from recost.pricing.usage.bodies.window import Window
from recost.pricing.usage.content import Content

__all__ = ["decode"]

_MOST: Final = 4 * 1024 * 1024
"""Bytes of output beyond which a body is not read on: these take 5 to 15 ms."""


def decode(content: Content) -> Optional[Content]:
    """Return the content without its encoding, as far as it can be decoded; None where it can't."""
    if content.gap and not _is_identity(content.encoding):
        return None
    window = Window()
    try:
        decompressor = Decompressor(content.encoding.lower(), _MOST)
        whole = _read(decompressor, content.head, window)
    except UndecodableError:
        whole = False
        if not window.size:
            return None
    if _is_identity(content.encoding):
        return content._replace(encoding="")
    if not window.size:
        return None
    return content._replace(
        head=window.head,
        tail=window.tail,
        gap=window.gap,
        complete=content.complete and whole,
        encoding="",
        unread=content.unread or (content.complete and not whole),
    )


def _is_identity(encoding: str) -> bool:
    return encoding.strip().lower() in {"", "identity"}


def _read(decompressor: Decompressor, data: bytes, window: Window) -> bool:
    """Decode all that the limit allows, and tell whether that was the whole body."""
    decompressor.feed(data)
    while True:
        piece = decompressor.read()
        if not piece:
            return decompressor.ended and not decompressor.exhausted
        window.feed(piece)
