"""Operations of `recost.skimming` on one slice of JSON, each a few calls into C."""

from __future__ import annotations

from typing import Final

from recost.thinning import SEARCHES

__all__ = [
    "FEW",
    "LONG_NUMBERS",
    "NO_BRACKETS",
    "end_of_string",
    "ends_escaping",
    "masked",
    "with_searches",
    "without_numbers",
]

FEW: Final = 100
"""Backslashes or quotes of a slice that are handled one by one. More are handled by two replacements."""
LONG_NUMBERS: Final = 400
"""Maximum bytes of numbers that are kept."""
NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_DEEPEST: Final = 200


def without_numbers(text: bytes) -> bytes:
    """Return the text between two strings, with only the first and the last of many numbers."""
    if len(text) <= LONG_NUMBERS:
        return text
    brackets = text.translate(None, NO_BRACKETS)
    if len(brackets) > _DEEPEST:
        return text
    kept: list[bytes] = []
    at = 0
    for bracket in brackets:
        end = text.index(bracket, at)
        kept += (_few_numbers(text[at:end]), text[end : end + 1])
        at = end + 1
    return b"".join([*kept, _few_numbers(text[at:])])


def _few_numbers(numbers: bytes) -> bytes:
    if len(numbers) <= LONG_NUMBERS:
        return numbers
    first, last = numbers.find(b","), numbers.rfind(b",")
    return numbers[:first] + numbers[last:] if first < last else numbers


def end_of_string(data: bytes) -> int:
    """Return the end of the string that a slice begins in, -1 if beyond the slice, 0 if not determined."""
    if b'"' not in data:
        return -1
    *parts, rest = data.split(b'"', FEW)
    at = 0
    for part in parts:
        if not part.endswith(b"\\") or (part.endswith(b"\\\\") and not ends_escaping(part)):
            return at + len(part)
        at += len(part) + 1
    return 0 if b'"' in rest else -1


def ends_escaping(data: bytes) -> bool:
    """Return True if the next byte is escaped: the backslashes at the end are not pairs."""
    return data.endswith(b"\\") and bool((len(data) - len(data.rstrip(b"\\"))) % 2)


def masked(pieces: list[bytes]) -> bytes:
    """Join what was split at its backslashes, with escaped quotes and escaped backslashes masked."""
    kept, after = [pieces[0]], False
    for piece in pieces[1:]:
        if after:  # follows an escaped backslash
            kept.append(piece)
            after = False
        elif not piece:
            kept.append(b"~~")
            after = True
        else:
            kept.append(b"~~" + piece[1:] if piece.startswith(b'"') else b"\\" + piece)
    return b"".join(kept)


def with_searches(events: bytes, end: bytes) -> bytes:
    """Return the events that name searches. The end of a stream doesn't repeat them."""
    return b"".join(event + end for event in events.split(end) if SEARCHES in event)
