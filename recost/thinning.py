"""Shortening of unfinished JSON documents that keeps what prices need.

The text comes from `recost.skimming`: its strings contain neither brackets nor commas.

In a sequence of documents, such as the events of a stream, those that don't count are dropped, except the
first and the last. In a document, long members are left out: its own, or those of an object that a stream
wraps, such as ``response``. A ``model`` within ``tools`` is left out with ``tools``.

If a long member has not ended, the text stops before it. The number of its open brackets is returned, so that
the rest of the member can be skipped.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Optional

__all__ = ["COUNTS", "LEFT_OUT", "SEARCHES", "Thinned", "thin"]

COUNTS: Final = (
    *(
        b"usage",
        b"Usage",
        b'"metrics"',
        b"invocationMetrics",
        b'"message_stop"',
        b'"succeeded"',
        b"TokenCount",
    ),
    *(b'eval_count"', b'"billed_', b'"webSearchQueries"', b'"duration"', b'"num_segments"', b'"costDollars"'),
    *(b'"credits', b'"amount', b'"executed_tools"', b'"token_count"'),
    *(b"guardrail", b'"groundingMetadata"', b'"google_search_call"', b'"google_maps_call"'),
)
"""Names in documents that may count. Everything that an extractor of usage reads contains one of these."""
SEARCHES: Final = b'"webSearchQueries"'
LEFT_OUT: Final = b'"~"'
"""Replacement of a long member: neither null nor an empty list, because the member had a value."""
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_WRAPS: Final = re.compile(rb'"(?:response|message|result|x_groq)"[ \t\r\n]{0,8}:[ \t\r\n]{0,8}\Z')
_KEY: Final = 64
"""Bytes before a value that are searched for its key."""
_LONG: Final = (2048, 400)
"""Bytes from which a member is long. The second limit applies if the first is not enough."""
_LONGEST_THAT_COUNTS: Final = 8192
_DEEPEST: Final = 200
_MOST: Final = 2_000
"""Maximum documents in one text."""


class Thinned(NamedTuple):
    """A shortened text."""

    text: bytes
    thinned: bool
    """True if members were left out."""
    head: Optional[bytes]
    """The first document, if some after it that count are missing."""
    depth: int
    """Open brackets of an unfinished long member that the text ends before, or 0."""


class _Document(NamedTuple):
    """A document with the text before it, and its long members."""

    start: int
    end: int
    cuts: list[tuple[int, int]]


def thin(text: bytes, level: int, room: int, *, resumed: bool) -> Optional[Thinned]:
    """Return a text that fits into the room, or None if that is not possible.

    Args:
        text: The beginning of the documents, or of their continuation.
        level: 1 if the documents are the elements of an array, else 0.
        room: Maximum bytes of the result.
        resumed: True if the text continues after a document, within the array if there is one.
    """
    for long in _LONG:
        scan = _Scan(text, level, level if resumed else 0, long)
        if not scan.run():
            return None
        found = scan.result(room, keep_first=not resumed, lossy=long == _LONG[-1])
        if found is not None:
            return found
    return None


class _Scan:
    """One pass over the brackets of a text."""

    def __init__(self, text: bytes, level: int, depth: int, long: int) -> None:
        self._text = text
        self._level = level
        self._long = long
        self._open: list[int] = [-1] * depth
        """Indices of the open brackets."""
        self._wraps = False
        """True inside a member of the document whose own members count."""
        self._cuts: list[tuple[int, int]] = []
        self._documents: list[_Document] = []
        self._end = 0
        """End of the last document."""

    def run(self) -> bool:
        """Scan the text. Return False if it is not JSON, or has too many or too deep documents."""
        text, level, opened = self._text, self._level, self._open
        for found in _BRACKET.finditer(text):
            at = found.start()
            if text[at] in b"[{":
                if len(opened) == level + 1:
                    self._wraps = self._is_wrapper(at)
                opened.append(at)
                if len(opened) > _DEEPEST:
                    return False
                continue
            if not opened:
                return False
            start = opened.pop()
            depth = len(opened)
            if depth == level and start >= 0:
                self._documents.append(_Document(self._end, at + 1, self._cuts))
                self._cuts, self._end = [], at + 1
                if len(self._documents) > _MOST:
                    return False
            elif depth == level + 1 + self._wraps and at - start >= self._long:
                self._cut(start, at + 1)
        return True

    def _is_wrapper(self, at: int) -> bool:
        text = self._text
        return text[at : at + 1] == b"{" and bool(_WRAPS.search(text, max(at - _KEY, 0), at))

    def _cut(self, start: int, end: int) -> None:
        key = b"" if end - start >= _LONGEST_THAT_COUNTS else self._key(start)
        if not any(map(key.__contains__, COUNTS)):
            self._cuts.append((start, end))

    def _key(self, start: int) -> bytes:
        """Return the key of a member with its quotes."""
        parts = self._text[max(start - _KEY, 0) : start].rsplit(b'"', 2)
        return b'"' + parts[-2] + b'"' if len(parts) > 1 else b""

    def result(self, room: int, *, keep_first: bool, lossy: bool) -> Optional[Thinned]:
        """Return the shortened text, or None if it doesn't fit into the room.

        Args:
            room: Maximum bytes of the text.
            keep_first: Keep the first document, which describes the others.
            lossy: Drop documents that count if there are too many.
        """
        rest, thinned, depth = self._unfinished()
        documents, head = self._documents, b""
        if keep_first and documents:
            head, thinned = self._whole(documents[0]), thinned or bool(documents[0].cuts)
            documents = documents[1:]
        kept, lost = self._last(documents, room - len(head) - len(rest))
        pieces = [self._whole(document) for document in kept]
        thinned = thinned or any(document.cuts for document in kept)
        if not lost and len(head) + len(rest) <= room:
            return Thinned(b"".join([head, *pieces, rest]), thinned, None, depth)
        crowded = len(documents) * self._long > len(self._text)
        if not (lossy or crowded) or len(rest) > room or len(head) > room - 2048:
            return None
        return Thinned(b"".join([*pieces, rest]), thinned, head, depth)

    def _last(self, documents: list[_Document], room: int) -> tuple[list[_Document], bool]:
        """Return the last documents that count, and True if others that count are missing."""
        text, kept = self._text, list[_Document]()
        counts = [name for name in COUNTS if name in text]
        for document in reversed(documents):
            start, end, cuts = document
            if kept and not any(text.find(name, start, end) >= 0 for name in counts):
                continue
            room -= end - start - sum(after - first for first, after in cuts)
            if room < 0:
                return kept[::-1], True
            kept.append(document)
        return kept[::-1], False

    def _whole(self, document: _Document) -> bytes:
        return self._without(document.start, document.end, document.cuts)

    def _without(self, start: int, end: int, cuts: list[tuple[int, int]]) -> bytes:
        pieces = []
        for first, after in cuts:
            pieces += [self._text[start:first], LEFT_OUT]
            start = after
        return b"".join([*pieces, self._text[start:end]])

    def _unfinished(self) -> tuple[bytes, bool, int]:
        """Return the unfinished document, True if members are missing, and the open brackets."""
        text, opened, level = self._text, self._open, self._level
        if len(opened) <= level:
            return text[self._end :], False, 0
        member = level + 1 + (self._wraps and len(opened) > level + 1)
        if len(opened) <= member or len(text) - opened[member] < self._long:
            return self._without(self._end, len(text), self._cuts), bool(self._cuts), 0
        return self._without(self._end, opened[member], self._cuts), True, len(opened) - member
