"""Longer versions of the sample responses, with the same usage."""

from __future__ import annotations

import json
import random
from typing import Any, Callable, Final, Optional

from tests.pricing.usage.responses import Sample

__all__ = ["PADDINGS", "PLACES", "crowded", "lengthened", "pieces", "repeated"]

_DECOY: Final = {
    "model": "decoy-9",
    "service_tier": "priority",
    "usage": {"prompt_tokens": 9, "input_tokens": 9, "completion_tokens": 9, "total_tokens": 99},
    "usageMetadata": {"promptTokenCount": 9},
}
_SHORT: Final = (
    b'data: {"type": "x.delta", "choices": [{"delta": {"content": "a \\"word\\""}}], "usage": null}'
)
_TEXT: Final = 'say "usage": {"input_tokens": 9}, \\ [{\n\t"model": "decoy-9"}] \u00e9\u4e2d '


def _text(size: int) -> str:
    return _TEXT * (size // 80 + 1)


def _tools(size: int) -> list[Any]:
    tool = {"type": "function", "name": "f", "description": _TEXT, "parameters": {"properties": _DECOY}}
    return [tool] * (size // 400 + 1)


def _numbers(size: int) -> list[Any]:
    return [-0.0123456789] * (size // 15 + 1)


def _words(size: int) -> dict[str, str]:
    return {f"key{number}": "a,b" for number in range(size // 20 + 1)}


def _nested(size: int) -> list[Any]:
    value: Any = _DECOY
    for _ in range(40):
        value = {"items": [value, "}"]}
    return [value] * (size // 1200 + 1)


PADDINGS: Final[dict[str, Callable[[int], Any]]] = {
    "text": _text,
    "tools": _tools,
    "numbers": _numbers,
    "words": _words,
    "nested": _nested,
}
PLACES: Final = ("beginning", "middle", "end", "everywhere")


def lengthened(sample: Sample, padding: str, place: str, size: int) -> Optional[bytes]:
    """Return the body with long members that mean nothing; None for one that is no text of objects."""
    if sample.content_type.startswith("application/vnd") or not sample.body.strip():
        return None
    try:
        documents = [json.loads(sample.body, parse_float=_Number)]
    except ValueError:
        return _lengthened_lines(sample.body, padding, place, size)
    value = documents[0]
    if not isinstance(value, dict):
        return None
    return _dumped(_with_padding(value, padding, place, size))


def repeated(body: bytes, times: int) -> Optional[bytes]:
    """Return a stream whose first event comes again before the others."""
    first, line_break, rest = body.partition(b"\n\n")
    if not rest or b"data:" not in first:
        return None
    return (first + line_break) * times + rest


def crowded(body: bytes, place: str, size: int) -> Optional[bytes]:
    """Return a stream with many short events that count nothing; None for what is no stream of events."""
    end = b"\r\n\r\n" if b"\r\n\r\n" in body else b"\n\n"
    events = body.split(end)
    if len(events) < 3 or b"data:" not in events[0]:
        return None
    places = {
        "beginning": [len(events) - 1],  # of the other events
        "middle": [1, len(events) - 1],
        "end": [1],
        "everywhere": list(range(1, len(events))),
    }[place]
    share = size // (len(places) * len(_SHORT)) + 1
    for at in reversed(places):
        events[at:at] = [_SHORT] * share
    return end.join(events)


class _Number(float):
    """A number that is written as it was."""

    def __init__(self, written: str) -> None:
        self.written = written

    def __repr__(self) -> str:
        return self.written


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def _with_padding(document: dict[str, Any], padding: str, place: str, size: int) -> dict[str, Any]:
    for holder in ("response", "message"):
        if isinstance(document.get(holder), dict):
            return {**document, holder: _with_padding(document[holder], padding, place, size)}
    members = list(document.items())
    places = {
        "beginning": [0],
        "middle": [len(members) // 2],
        "end": [len(members)],
        "everywhere": list(range(len(members), -1, -1)),
    }[place]
    for at in places:
        members.insert(at, (f"x_padding_{at}", PADDINGS[padding](size // len(places))))
    return dict(members)


def _lengthened_lines(body: bytes, padding: str, place: str, size: int) -> Optional[bytes]:
    """Return the body of a stream, each document of which is lengthened."""
    lines, found = [], 0
    total = body.count(b'{"') or 1
    for line in body.split(b"\n"):
        before, _, document = line.rpartition(b"data:") if line.startswith(b"data:") else (b"", b"", line)
        try:
            value = json.loads(document, parse_float=_Number)
        except ValueError:
            value = None
        if isinstance(value, dict):
            found += 1
            share = size // min(total, 3) if found <= 2 or b"usage" in document else 100
            prefix = b"data: " if line.startswith(b"data:") else b""
            lines.append(before + prefix + _dumped(_with_padding(value, padding, place, share)))
        else:
            lines.append(line)
    return b"\n".join(lines) if found > 1 else None


def pieces(body: bytes, seed: int) -> list[bytes]:
    """Return the body in pieces of random sizes."""
    chance, at, found = random.Random(seed), 0, []
    largest = chance.choice((100, 3_000, 20_000, 200_000, 2_000_000))
    while at < len(body):
        size = chance.randint(1, largest)
        found.append(body[at : at + size])
        at += size
    return found
