"""Skimming of long JSON bodies: names and numbers are kept, long strings and lists are not.

Prices need names and numbers, which may stand before, between or after strings and lists of any length. So a
long body is skimmed while it passes, in two steps:

1. Each slice is split at its quotes. Strings of more than 200 bytes become empty: names of models are
   shorter. In other strings brackets, commas and escapes are masked, so that the rest is structure.
   Inside a long string or a long member, only its end is searched for.
   Long arrays of numbers, such as embeddings, are reduced to a few numbers.
   This takes a few calls into C for each slice, without a loop over its bytes.
2. If the result of step 1 is longer than `_ROOM`, it is thinned (`recost.thinning`): a sequence of documents
   loses those that don't count, a document loses its long members.

The result is JSON, and is read like a short body. Step 2 reads at most 40 KB for each 16 KB that step 1
leaves, so the work is linear in the length of the body. It is also bounded. The rest of a body that takes
more than `_BUDGET`, is not JSON, or doesn't become shorter is kept as it is: its beginning and its end, with
a ``gap``.

Most events of a stream are short, and are kept without any work. Only events that are longer than a slice are
skimmed. Of all events the first and the last ones are kept.

At most `KEPT` bytes of one body are in memory.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any, Final, NamedTuple, Optional

from recost.slices import (
    FEW,
    LONG_NUMBERS,
    NO_BRACKETS,
    end_of_string,
    ends_escaping,
    masked,
    with_searches,
    without_numbers,
)
from recost.thinning import LEFT_OUT, SEARCHES, thin

__all__ = ["KEPT", "Skimmed", "Skimmer"]

KEPT: Final = 60 * 1024
"""Maximum bytes kept of one body."""
_HEAD: Final = 16 * 1024
_LONGEST_HEAD: Final = 20 * 1024
"""Bytes of the head including events that name searches."""
_TAIL: Final = 24 * 1024
"""Minimum bytes kept of the end of a body that is not skimmed."""
_SLICE: Final = 8 * 1024
_ROOM: Final = 32 * 1024
_LONGEST: Final = 200
"""Maximum bytes of a string that is kept."""
_BUDGET: Final = 25_000
"""Maximum work for one body, in units of a microsecond on a machine of 2026."""
_PER_SLICE: Final = 4
_PER_UNESCAPED: Final = 16
_PARTS: Final = 10
"""Strings and parts between strings per unit of work."""
_PASSED: Final = 64
"""Strings and parts per unit of work while a member is skipped."""
_BYTES_THINNED: Final = 128
"""Bytes thinned per unit of work."""
_BRACKETS_THINNED: Final = 3
"""Brackets thinned per unit of work."""
_BRACKETS_PASSED: Final = 12
"""Brackets per unit of work while a member is skipped."""

_BLANK: Final = b" \t\r\n"
_START: Final = re.compile(rb"[\[{]|(?:data|event|id|retry)(?::|[\r\n])|:")
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_NO_STRUCTURE: Final = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_ROUNDS: Final = 8
"""Times that pairs of brackets are removed before the rest are counted one by one."""
_STEPS: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_MOST_BRACKETS: Final = 12_000
"""Maximum brackets of a text that is thinned, which take four milliseconds."""
_EVENT: Final = 6 * 1024
"""Bytes from which an event is thinned at its end."""
_MASK: Final = bytes.maketrans(b"{}[],\\", b"~~~~~~")


class Skimmed(NamedTuple):
    """The result of skimming a body."""

    head: bytes
    tail: bytes
    gap: bool
    """True if something that may count is missing between head and tail."""
    thinned: bool
    """True if long members of documents were left out."""
    size: int
    """Bytes of the body."""


class Skimmer:
    """A reducer of one body to its names and numbers while it passes. Not thread-safe."""

    __slots__ = (
        "_break",
        "_budget",
        "_depth",
        "_escaped",
        "_event",
        "_gap",
        "_head",
        "_level",
        "_pending",
        "_plain",
        "_string",
        "_text",
        "_thinned",
        "size",
    )

    def __init__(self) -> None:
        self.size = 0
        """Bytes of the body so far."""
        self._pending = bytearray()
        """Bytes that are too few for a slice."""
        self._head = b""
        """The text before the gap. Empty without a gap."""
        self._text = bytearray()
        self._string: Optional[bytes] = None
        """The beginning of a string that has not ended."""
        self._escaped = False
        """True after an unfinished escape."""
        self._plain = False
        """True if the body is not skimmed, or not any longer."""
        self._gap = False
        self._thinned = False
        self._level: Optional[int] = None
        """1 if the documents are elements of an array, else 0. None if not yet known."""
        self._depth = 0
        """Open brackets of a long member, which is skipped up to its end."""
        self._break = b""
        """Separator of events. Empty if the body is not a stream of events."""
        self._event: Optional[int] = None
        """Index of the beginning of the event that is skimmed in the text."""
        self._budget = _BUDGET

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return len(self._pending) + len(self._head) + len(self._text) + len(self._string or b"")

    def feed(self, data: Any) -> None:
        """Skim the next bytes, or a view of them."""
        self.size += len(data)
        rest = data if self._plain else self._skim_all(data)
        if len(rest):
            self._keep(rest)

    def _skim_all(self, data: Any) -> Any:
        """Skim whole slices, and return the rest of a body that is kept as it is."""
        pending = self._pending
        if len(pending) + len(data) < _SLICE:
            pending += data
            return b""
        at = 0
        if pending:
            at = _SLICE - len(pending)
            self._skim(bytes(pending) + data[:at])
            pending.clear()
        while not self._plain:
            if len(data) - at < _SLICE:
                pending += data[at:]
                return b""
            self._skim(bytes(data[at : at + _SLICE]))
            at += _SLICE
        return memoryview(data)[at:]

    def finish(self) -> Skimmed:
        """Return the result, and release the memory."""
        if self._pending:
            self._skim(bytes(self._pending))
        if not self._plain and self._string is not None:
            self._text += b'"' + self._string
        head, text = self._head, bytes(self._text)
        if not self._gap:
            head, text = head + text, b""
        self._pending, self._head, self._text, self._string = bytearray(), b"", bytearray(), None
        return Skimmed(head, text, self._gap, self._thinned, self.size)

    def _skim(self, data: bytes) -> None:
        """Skim a slice."""
        if self._level is None and not self._begins(data):
            return
        if self._break:
            self._skim_events(data)
        else:
            self._condense(data)
        if len(self._text) > _ROOM and not self._plain:
            self._shorten()
        if self._budget <= 0 and not self._plain:
            self._give_up()

    def _skim_events(self, data: bytes) -> None:
        """Skim a slice of a stream. Events that are not longer than a slice are kept as they are."""
        text = self._text
        end = data.find(self._break) if b"\n" in data else -1  # much faster than a search for two bytes
        if self._event is None:
            if end >= 0:
                text += data
                return
            self._event = max(text.rfind(self._break), 0)
            data = bytes(text[self._event :]) + data
            del text[self._event :]
        self._condense(data if end < 0 else data[:end])
        if end >= 0 and not self._plain:
            self._end_event()
        if end >= 0:
            (self._keep if self._plain else text.extend)(data[end:])

    def _end_event(self) -> None:
        """Thin the event that has ended."""
        if self._string is not None or self._escaped or self._depth:
            self._give_up()  # not JSON
        elif self._event is not None and len(self._text) - self._event > _EVENT:
            self._thin(self._event)
        self._event = None

    def _condense(self, data: bytes) -> None:
        """Add the names and numbers of a slice, or skip the slice."""
        self._budget -= _PER_SLICE
        if self._string is not None and len(self._string) > _LONGEST and not self._escaped:
            end = end_of_string(data)
            if end < 0:
                self._escaped = ends_escaping(data)
                return
            data = data[end:]
        if b"\\" in data or self._escaped:
            data = self._unescaped(data)
        if not self._depth or not self._goes_on(data):
            self._add(data)

    def _add(self, data: bytes) -> None:
        """Add the names and numbers of a slice whose escapes are masked."""
        parts = data.split(b'"')
        if self._string is not None:
            parts[0] = self._string + parts[0]
            parts.insert(0, b"")
        self._string = parts.pop()[: _LONGEST + 1] if not len(parts) % 2 else None
        self._budget -= len(parts) // _PARTS
        if max(map(len, parts[::2])) > LONG_NUMBERS:
            parts[::2] = [without_numbers(part) for part in parts[::2]]
        strings = parts[1::2]
        if strings:
            if max(map(len, strings)) > _LONGEST:
                strings = [string if len(string) <= _LONGEST else b"" for string in strings]
            joined = b'"'.join(strings)
            if b"\n" in joined:  # not a string
                self._text += b'"'.join(parts)
                self._give_up()
                return
            parts[1::2] = joined.translate(_MASK).split(b'"')
        text = b'"'.join(parts)
        if self._depth:
            text = self._resumed(text)
        self._text += text

    def _goes_on(self, data: bytes) -> bool:
        """Return True if a long member goes on after a slice, which is then skipped."""
        # Strings without brackets are empty here, and removed. Two adjacent ones may be merged.
        structure = data.translate(_ONE_KIND, _NO_STRUCTURE)
        if self._string is not None:
            structure = b'"' + structure
        parts = structure.replace(b'""', b"").split(b'"')
        self._budget -= len(structure) // _PASSED
        if not self._passes(b"".join(parts[::2])):
            return False
        self._string = None if len(parts) % 2 else b""  # skipped like the member
        return True

    def _passes(self, brackets: bytes) -> bool:
        """Return True if a long member goes on after a slice with these brackets, all square."""
        self._budget -= len(brackets) // _BRACKETS_PASSED
        for _ in range(_ROUNDS):
            shorter = brackets.replace(b"[]", b"")
            if len(shorter) == len(brackets):
                break
            brackets = shorter
        depths = list(accumulate(map(_STEPS.__getitem__, brackets)))
        if depths and self._depth + min(depths) <= 0:
            return False
        self._depth += depths[-1] if depths else 0
        return True

    def _resumed(self, text: bytes) -> bytes:
        """Return the text after the end of a long member."""
        depth, self._depth = self._depth, 0
        for found in _BRACKET.finditer(text):
            depth += _STEPS[text[found.start()]]
            if not depth:
                return LEFT_OUT + text[found.end() :]
        return text

    def _begins(self, data: bytes) -> bool:
        """Determine the kind of body from its beginning. Return False if there is nothing to skim."""
        start = data.lstrip(b"\xef\xbb\xbf" + _BLANK)  # the byte order mark of UTF-8
        if not start:
            return False  # blanks that keep a connection alive
        if _START.match(start):
            self._level = int(start.startswith(b"["))
            if not start.startswith((b"[", b"{")):
                self._break = b"\r\n\r\n" if start.partition(b"\n")[0].endswith(b"\r") else b"\n\n"
            return True
        self._level = 0
        self._text += data
        self._give_up()
        return False

    def _unescaped(self, data: bytes) -> bytes:
        """Mask escapes that could be mistaken for the end of a string."""
        if self._escaped:
            data = b"\\" + data
        self._escaped = ends_escaping(data)
        if self._escaped:
            data = data[:-1]
        pieces = data.split(b"\\", FEW)
        if b"\\" not in pieces[-1]:
            return masked(pieces)
        self._budget -= _PER_UNESCAPED
        return data.replace(b"\\\\", b"~~").replace(b'\\"', b"~~")

    def _shorten(self) -> None:
        """Make room by thinning a long document and dropping events."""
        start = 0 if not self._break else self._event
        if start is not None and len(self._text) - start > _ROOM // 2:
            self._thin(start)
        if self._break and len(self._text) > _ROOM and not self._plain:
            self._drop()

    def _thin(self, start: int) -> None:
        """Leave long members out of the documents from ``start`` on."""
        text = bytes(self._text[start:])
        brackets = len(text.translate(None, NO_BRACKETS))
        found = None
        self._budget -= len(text) // _BYTES_THINNED
        if brackets <= _MOST_BRACKETS:
            self._budget -= brackets // _BRACKETS_THINNED
            found = thin(text, self._level or 0, _ROOM // 2, resumed=self._gap and not self._break)
        if found is None or (found.head is not None and self._break):
            self._give_up()
            return
        self._thinned = self._thinned or found.thinned
        self._depth = found.depth
        self._text[start:] = found.text
        if found.head is not None and not self._gap:
            self._gap, self._head = True, found.head

    def _drop(self) -> None:
        """Drop the events between the first and the last ones."""
        text, end, event = self._text, self._break, self._event
        first = 0
        if not self._gap:
            first = max(text.rfind(end, 0, _HEAD), text.find(end)) + len(end)
        last = len(text) - _TAIL if event is None else min(len(text) - _TAIL, event)
        last = text.find(end, max(last, first - len(end))) + len(end)
        if last < max(first, len(end)):
            self._give_up()
            return
        self._head += text[:first]
        if text.find(SEARCHES, first, last) >= 0:
            searches = with_searches(bytes(text[first:last]), end)
            if len(self._head) + len(searches) <= _LONGEST_HEAD:
                self._head += searches
        self._gap = True
        del text[:last]
        self._event = None if event is None else max(event - last, 0)

    def _give_up(self) -> None:
        """Stop skimming, and keep the rest as it is."""
        self._plain = True
        text = bytes(self._text) + (b"" if self._string is None else b'"' + self._string)
        self._text.clear()
        self._string = None
        self._keep(text)

    def _keep(self, data: Any) -> None:
        missing = 0 if self._gap else _HEAD - len(self._head)
        if missing > 0:
            self._head += data[:missing]
            data = data[missing:]
        self._gap = self._gap or len(data) > 0
        tail = self._text
        if len(data) > _TAIL:
            tail[:] = data[-_TAIL:]
            return
        tail += data
        if len(tail) > KEPT - _HEAD:
            del tail[:-_TAIL]
