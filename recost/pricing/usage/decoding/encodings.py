"""Content codings of captured bodies, decoded in bounded memory and time."""

from __future__ import annotations

from typing import Final, Optional

from recost.captured import CapturedResponse
from recost.decompression import Decompressor, UndecodableError
from recost.pricing.usage.decoding.limits import HEAD_LIMIT, TAIL_LIMIT
from recost.skimming import Skimmed, Skimmer

__all__ = ["decode"]

_MOST: Final = 4 * 1024 * 1024
"""Bytes that are decoded of one body, at most. They take 5 to 15 ms."""


def decode(captured: CapturedResponse) -> Optional[CapturedResponse]:
    """Return a response without content coding, possibly truncated, or None if it can't be decoded."""
    if captured.gap and not _is_identity(captured.encoding):
        return None
    if _is_identity(captured.encoding):
        return captured._replace(encoding="")
    kept = _Kept()
    try:
        whole = _read(Decompressor(captured.encoding.lower(), _MOST), captured.head, kept)
    except UndecodableError:
        whole = False
    if not kept.size:
        return None
    head, tail, gap, thinned, size = kept.finish()
    return captured._replace(
        head=head,
        tail=tail,
        gap=gap,
        thinned=thinned,
        size=size,
        complete=captured.complete and whole,
        encoding="",
        unread=captured.unread or (captured.complete and not whole),
    )


def _is_identity(encoding: str) -> bool:
    return encoding.strip().lower() in {"", "identity"}


class _Kept:
    """A body that is kept whole while it fits, and skimmed otherwise."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._skimmer: Optional[Skimmer] = None
        self.size = 0

    def feed(self, data: bytes) -> None:
        """Add the next bytes."""
        self.size += len(data)
        if self._skimmer is None:
            self._pieces.append(data)
            if self.size <= HEAD_LIMIT + TAIL_LIMIT:
                return
            self._skimmer, data = Skimmer(), b"".join(self._pieces)
            self._pieces.clear()
        self._skimmer.feed(data)

    def finish(self) -> Skimmed:
        """Return what was kept."""
        if self._skimmer is None:
            return Skimmed(b"".join(self._pieces), b"", gap=False, thinned=False, size=self.size)
        return self._skimmer.finish()


def _read(decompressor: Decompressor, data: bytes, kept: _Kept) -> bool:
    """Decode up to the limit, and return True if that was the whole body."""
    decompressor.feed(data)
    while True:
        piece = decompressor.read()
        if not piece:
            return decompressor.ended and not decompressor.exhausted
        kept.feed(piece)
