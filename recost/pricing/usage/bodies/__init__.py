"""Splits a captured body into JSON documents.

What a body is, is seen from its first bytes rather than from its content type, which servers get wrong.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from recost.pricing.usage.bodies.events import DONE, cut_event, event_data
from recost.pricing.usage.bodies.jsontext import parse, read_begun, read_ended, read_value, skip_space
from recost.pricing.usage.content import Content

__all__ = ["Documents", "read_documents"]

_BOM: Final = b"\xef\xbb\xbf"
_EVENTS: Final = re.compile(rb"(?:[ \t]*[\r\n]+)*(?:(?:data|event|id|retry)(?::|[\r\n])|:)")
_LINES: Final = re.compile(r"x-?(?:ndjson|jsonl|json-?lines)|jsonl|ndjson|jsonlines|stream\+json|json-seq")
_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"


class Documents(NamedTuple):
    """The JSON objects of a body, as far as they were kept, in their order."""

    found: list[dict[str, Any]]
    ended: bool
    """True: nothing can follow that would change what they say."""
    streamed: bool = False
    """True: the body is a sequence of documents."""
    gap: bool = False
    """True: documents or members in the middle may be missing."""
    before_gap: int = 0
    """How many of a stream's documents came before its gap."""


def read_documents(content: Content, wanted: re.Pattern[bytes]) -> Documents:
    """Return the documents of a body that is not encoded.

    Args:
        content: What was captured.
        wanted: Found in every document of a stream that matters, besides the first.
    """
    head = content.head.removeprefix(_BOM)
    kind = content.content_type.lower()
    content = content if head is content.head else content._replace(head=head)
    if head.startswith(b"\0") or kind.startswith(_EVENT_STREAM):
        return _read_event_stream(content)
    if _EVENTS.match(head):
        return _read_events(content, wanted)
    if _LINES.search(kind):
        return _read_lines(content, wanted)
    return _read_json(content, wanted)


def _read_json(content: Content, wanted: re.Pattern[bytes]) -> Documents:
    text = _text(content.head)
    start = skip_space(text, 0)
    first = read_value(text, start)
    if first is None or not isinstance(first.value, (dict, list)):
        return _read_broken(content, text)
    if content.gap or skip_space(text, first.end) < len(text):
        return _read_lines(content, wanted)
    return Documents(_objects(first.value), ended=True, streamed=isinstance(first.value, list))


def _read_broken(content: Content, text: str) -> Documents:
    """Read a document that is cut off, or has a gap."""
    begun = read_begun(text)
    if not content.gap or not content.complete:
        return Documents(_objects(begun), ended=False, streamed=isinstance(begun, list), gap=True)
    ended = read_ended(_text(content.tail))
    if isinstance(begun, dict) and isinstance(ended, dict):
        return Documents([{**begun, **ended}], ended=True, gap=True)
    if isinstance(begun, list) and isinstance(ended, list):
        before = _objects(begun)
        return Documents(
            before + _objects(ended), ended=True, streamed=True, gap=True, before_gap=len(before)
        )
    lost = isinstance(begun, list) or ended is not None
    return Documents(_objects(begun), ended=not lost, streamed=isinstance(begun, list), gap=True)


def _read_lines(content: Content, wanted: re.Pattern[bytes]) -> Documents:
    if content.gap:
        last, after = _split_first(content.tail.splitlines())
        head, lines = content.head.splitlines(), after
        before = _wanted(head, wanted)
        found = [*before, *_objects(_parse_cut(last)), *_wanted(lines, wanted, first=False)]
        return Documents(found, content.complete, streamed=True, gap=True, before_gap=len(before))
    text = _text(content.head)
    if "\n" not in text.strip():
        return Documents(_concatenated(text), ended=content.complete, streamed=True)
    return Documents(_wanted(content.head.splitlines(), wanted), ended=content.complete, streamed=True)


def _concatenated(text: str) -> list[dict[str, Any]]:
    """Return documents with nothing between them."""
    found: list[dict[str, Any]] = []
    value = read_value(text, skip_space(text, 0))
    while value is not None:
        found.extend(_objects(value.value))
        value = read_value(text, skip_space(text, value.end))
    return found


def _read_events(content: Content, wanted: re.Pattern[bytes]) -> Documents:
    data = list(event_data(content.head.splitlines()))
    found = _wanted(data, wanted)
    before = len(found)
    if content.gap:
        cut, lines = cut_event(content.tail.splitlines())
        data = list(event_data(lines))
        found += [*_objects(_parse_cut(cut)), *_wanted(data, wanted, first=False)]
    done = bool(data) and data[-1].strip() == DONE
    return Documents(found, content.complete or done, streamed=True, gap=content.gap, before_gap=before)


def _read_event_stream(content: Content) -> Documents:
    from recost.pricing.usage.bodies.eventstream import read_payloads  # noqa: PLC0415 - Bedrock alone has it

    found = _payload_objects(read_payloads(content.head))
    before = len(found)
    if content.gap:
        found += _payload_objects(read_payloads(content.tail, resume=True))
    return Documents(found, content.complete, streamed=True, gap=content.gap, before_gap=before)


def _payload_objects(payloads: Iterable[bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for payload in payloads:
        found.extend(_objects(_unwrapped(parse(_text(payload)))))
    return found


def _unwrapped(value: Any) -> Any:
    """Return the model's own document where it is in a ``PayloadPart``: ``{"bytes": "eyJ0…"}``."""
    if isinstance(value, dict) and isinstance(value.get("bytes"), str):
        try:
            return parse(_text(b64decode(value["bytes"])))
        except ValueError:
            return None
    return value


def _wanted(data: Iterable[bytes], wanted: re.Pattern[bytes], *, first: bool = True) -> list[dict[str, Any]]:
    """Return the documents that matter; the first one names the model."""
    found: list[dict[str, Any]] = []
    for line in data:
        if first or wanted.search(line):
            documents = _objects(parse(_text(line)))
            found.extend(documents)
            first = first and not documents
    return found


def _parse_cut(data: bytes) -> Any:
    """Return a document of which the beginning may be missing."""
    text = _text(data)
    whole = parse(text)
    return read_ended(text) if whole is None else whole


def _split_first(lines: list[bytes]) -> tuple[bytes, list[bytes]]:
    return (lines[0], lines[1:]) if lines else (b"", [])


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
