"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) and JSON lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["DONE", "cut_event", "event_data"]

DONE: Final = b"[DONE]"
"""The data of the event that ends a stream of OpenAI's kind."""


def event_data(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the data of each event, the last one also where the blank line after it is missing."""
    data: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line and data:
            yield data[0] if len(data) == 1 else b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


def cut_event(lines: list[bytes]) -> tuple[bytes, list[bytes]]:
    """Return what is left of an event whose beginning is missing, and the lines after it."""
    try:
        blank = lines.index(b"", 1)
    except ValueError:
        blank = len(lines)
    first = (
        lines[0].partition(b"data:")[2] if lines and lines[0].startswith(b"data:") else b"".join(lines[:1])
    )
    return b"\n".join([first, *event_data(lines[1:blank])]), lines[blank:]
