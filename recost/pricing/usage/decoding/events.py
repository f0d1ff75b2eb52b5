"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) and JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["DONE", "cut_event", "event_data", "one_line_break"]

DONE: Final = b"[DONE]"
"""Data of the event that ends a stream of OpenAI's API."""


def event_data(data: bytes) -> Iterator[bytes]:
    """Yield the data of each event, including a last one without a blank line after it."""
    for event in one_line_break(data).split(b"\n\n"):
        if event.startswith(b"data:") and b"\n" not in event:
            yield _after_colon(event)
        elif event and b"data:" in event:
            lines = [_after_colon(line) for line in event.split(b"\n") if line.startswith(b"data:")]
            if lines:
                yield b"\n".join(lines)


def cut_event(data: bytes) -> tuple[bytes, bytes]:
    """Return the rest of an event whose beginning is missing, and the events after it."""
    data = one_line_break(data)
    blank = data.find(b"\n\n")  # not one at the beginning: that line may have lost its text
    cut, rest = (data, b"") if blank < 0 else (data[:blank], data[blank:])
    line, _, more = cut.partition(b"\n")
    first = line.partition(b"data:")[2] if line.startswith(b"data:") else line
    return b"\n".join([first, *event_data(more)]), rest


def one_line_break(data: bytes) -> bytes:
    """Return the text with line feeds for line breaks."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _after_colon(line: bytes) -> bytes:
    return line[6:] if line.startswith(b"data: ") else line[5:]
