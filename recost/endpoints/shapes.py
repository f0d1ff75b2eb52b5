"""Shapes of paths: what is left once each certain identifier is replaced by the same one.

Paths with identifiers seldom repeat, but their shapes do. Two paths of one shape have the same template. So a
path that has not been met before needs one look-up for each segment, instead of being judged anew.
"""

from __future__ import annotations

from typing import Final

__all__ = ["has_many_digits", "shape_of"]

_ANY_ID: Final = "000"
"""Stands for every identifier that is hidden wherever it stands after the first segment."""
_JUDGED_BY_NEIGHBOUR: Final = "\0"
"""Stands for a segment before the name of a model, which may have as many digits as an identifier."""
_MODELS: Final = frozenset({"deployments", "engines", "model", "models"})
_DIGITS: Final = b"0123456789"
_MOST_DIGITS: Final = 5
_LONGEST: Final = 64
"""Characters of a segment that is remembered."""
_REMEMBERED: Final = 2048
"""Segments that are remembered."""
_LONGEST_MOUNT: Final = 24
"""Characters of a date, or of an API's name. Those with many digits have two hyphens."""
_NOT_ALONE: Final = frozenset("%:;=(.?#\0")
"""Marks of segments that are more than an identifier."""
_OWN_MEANING: Final = ("v", "V", "T", "AUTH_", "KEY_", "SERVICE_")
"""Beginnings of versions, of Slack's teams and of Swift's accounts, which say what comes after them."""


def shape_of(path: str) -> str:
    """Return the shape of a path without query, or ``""`` if the path must be judged by itself."""
    start = path.find("/", 1) + 1
    if not start or path[0] != "/":
        return path
    first = path[:start]
    shape = first + "/".join(map(_stand_in, path[start:].split("/")))
    if _JUDGED_BY_NEIGHBOUR in shape or _names_what_follows(first[1:-1]):
        return ""
    return shape


def has_many_digits(text: str) -> bool:
    """Return whether a text has more digits than a name."""
    raw = text.encode("ascii", "replace")  # bytes are translated four times as fast
    return len(raw) - len(raw.translate(None, _DIGITS)) > _MOST_DIGITS


class _StandIns(dict[str, str]):
    """Stand-ins for segments in the shape: the segment itself, or `_ANY_ID`. Identifiers aren't kept."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} segments>"  # which may be secret

    def __missing__(self, segment: str) -> str:
        if len(segment) > 2 and (segment.isdigit() or _is_certain_id(segment)):
            return _ANY_ID
        found = _JUDGED_BY_NEIGHBOUR if _names_what_follows(segment) else segment
        if len(segment) <= _LONGEST:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[segment] = found
        return found


_stand_ins: Final = _StandIns()
_stand_in: Final = _stand_ins.__getitem__


def _names_what_follows(segment: str) -> bool:
    """Return True for a segment before the name of a model, and for ``mod%65ls``."""
    return segment.lower() in _MODELS or "%" in segment or "\0" in segment


def _is_certain_id(segment: str) -> bool:
    """Return True for an identifier that is hidden without a look at the segments around it.

    It has many digits. Versions, dates and names of APIs are left out, because they stay in some places.
    """
    return (
        len(segment) > _MOST_DIGITS
        and has_many_digits(segment)
        and _NOT_ALONE.isdisjoint(segment)
        and not segment.startswith(_OWN_MEANING)
        and (len(segment) > _LONGEST_MOUNT or segment.count("-") + segment.count("_") < 2)
    )
