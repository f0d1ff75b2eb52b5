"""Variants of the sample responses."""

from __future__ import annotations

import json
from typing import Any, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage import Usage
from recost.skimming import Skimmer
from tests.pricing.usage.responses import Sample
from tests.pricing.usage.responses.build import TEXT

_WRITTEN = json.dumps(TEXT, ensure_ascii=False)[1:-1].encode()
_EVENT_STREAM = "application/vnd.amazon.eventstream"


def captured(sample: Sample, body: bytes, *, step: int = 4096) -> CapturedResponse:
    """Return what is kept of a body that comes in pieces."""
    skimmer = Skimmer()
    for at in range(0, len(body), step):
        skimmer.feed(body[at : at + step])
    kept = skimmer.finish()
    return sample.captured(head=kept.head, tail=kept.tail, gap=kept.gap, thinned=kept.thinned)


def with_long_text(sample: Sample, size: int) -> Optional[bytes]:
    """Return the body with a text of its own made longer; None where it has none.

    The text has what a usage looks like, escaped as a string of JSON has it.
    """
    if _WRITTEN not in sample.body:
        return None
    before, _, after = sample.body.partition(_WRITTEN)
    return before + _WRITTEN * (size // len(_WRITTEN) + 1) + after


def with_more_events(sample: Sample, size: int) -> Optional[bytes]:
    """Return the body of a stream with one of its events said many times; None for other bodies."""
    if sample.content_type.startswith(_EVENT_STREAM):
        events = _messages(sample.body)
    elif b"data:" in sample.body and b"\n\n" in sample.body:
        events = [event + b"\n\n" for event in sample.body.split(b"\n\n")[:-1]]
    elif "json" in sample.content_type and sample.body.count(b"}\n{") > 1:
        events = [line + b"\n" for line in sample.body.splitlines()]
    else:
        return None
    counting = (b'usage": {', b"Usage", b"custom_id", b"Token", b"bytes")
    if len(events) < 3 or any(name in events[1] for name in counting):
        return None
    return b"".join([events[0], events[1] * (size // len(events[1]) + 1), *events[2:]])


def agrees(found: Optional[Usage], sample: Sample) -> bool:
    """Tell whether a reading of a part of a sample is right, or says that it is not final."""
    whole = sample.usage
    if found is None or found.partial or found == whole:
        return True
    if whole is None or whole.partial:
        return False
    same = (found.units, found.reported_usd) == (whole.units, whole.reported_usd)
    return same and found.model in {None, whole.model} and found.tier in {None, whole.tier}


def with_strings(body: bytes, text: str, keep: frozenset[str] = frozenset()) -> bytes:
    """Return a body with a text in place of every string of its values, besides those of some keys."""
    try:
        return json.dumps(_with_strings(json.loads(body), text, keep)).encode()
    except ValueError:
        return b"\n".join(_line_with_strings(line, text, keep) for line in body.splitlines())


def _line_with_strings(line: bytes, text: str, keep: frozenset[str]) -> bytes:
    before, _, document = line.rpartition(b"data:")
    try:
        value = json.loads(document)
    except ValueError:
        return line
    colon = b"data:" if line.startswith(b"data:") else b""
    return before + colon + json.dumps(_with_strings(value, text, keep)).encode()


def _with_strings(value: Any, text: str, keep: frozenset[str]) -> Any:
    if isinstance(value, str):
        return text
    if isinstance(value, list):
        return [_with_strings(element, text, keep) for element in value]
    if isinstance(value, dict):
        return {
            key: element if key in keep and isinstance(element, str) else _with_strings(element, text, keep)
            for key, element in value.items()
        }
    return value


def _messages(body: bytes) -> list[bytes]:
    found = []
    while body:
        length = int.from_bytes(body[:4], "big")
        found.append(body[:length])
        body = body[length:]
    return found
