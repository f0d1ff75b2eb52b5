"""Splits a captured body into JSON documents.

What a body is, is seen from its first bytes rather than from its content type, which servers get wrong.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage.decoding.events import DONE, cut_event, event_data, one_line_break
from recost.pricing.usage.decoding.jsontext import Text, parse, read_begun, read_ended, skip_space
from recost.pricing.usage.decoding.limits import HEAD_LIMIT, MOST_DOCUMENTS, TAIL_LIMIT, Work

__all__ = ["Documents", "read_documents"]

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_DOCUMENT: Final = re.compile(rb"[ \t\r\n]*[\[{]")
_EVENTS: Final = re.compile(rb"[ \t\r\n]*(?<![ \t])(?:(?:data|event|id|retry)(?::|[\r\n])|:)")
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


def read_documents(
    content: CapturedResponse, wanted: re.Pattern[bytes], work: Optional[Work] = None
) -> Documents:
    """Return the documents of a body that is not encoded, as far as the work allows.

    Args:
        content: What was captured.
        wanted: Found in every document of a stream that matters, besides the first.
        work: What may be spent on it.
    """
    content = _trimmed(content)
    documents = _Reader(content, wanted, work or Work()).read()
    if len(documents.found) > MOST_DOCUMENTS:
        documents = _fewer(documents)
    return documents


def _trimmed(content: CapturedResponse) -> CapturedResponse:
    """Return a content of bounded size, that doesn't begin with the blanks that keep a connection alive."""
    head, tail, gap = content.head, content.tail, content.gap
    if len(head) + len(tail) > 2 * (HEAD_LIMIT + TAIL_LIMIT) and not gap:
        gap = True
        head, tail = head[:HEAD_LIMIT], head[-TAIL_LIMIT:]
    head = head.removeprefix(_BOM)
    if gap and content.complete and head and not head.strip(_BLANK) and tail[:1].isspace():
        document = tail.strip(_BLANK)
        if document.startswith(b"{") and parse(_text(document)) is not None:
            return content._replace(head=document, tail=b"", gap=False)
    return content._replace(head=head, tail=tail, gap=gap)


def _fewer(documents: Documents) -> Documents:
    """Leave documents in the middle out."""
    half = MOST_DOCUMENTS // 2
    return documents._replace(
        found=documents.found[:half] + documents.found[-half:], ended=False, gap=True, before_gap=half
    )


class _Reader:
    """Reads the documents of one body."""

    def __init__(self, content: CapturedResponse, wanted: re.Pattern[bytes], work: Work) -> None:
        self._content = content
        self._wanted = wanted
        self._work = work

    def read(self) -> Documents:
        head, kind = self._content.head, self._content.content_type.lower()
        if head.startswith(b"\0") or kind.startswith(_EVENT_STREAM):
            found = self._event_stream()
        elif _EVENTS.match(head):
            found = self._events()
        elif _LINES.search(kind):
            found = self._lines()
        else:
            found = self._json()
        return found._replace(ended=False, gap=True) if self._work.done else found

    def _json(self) -> Documents:
        content, text = self._content, _text(self._content.head)
        start = skip_space(text, 0)
        first = Text(text, self._work).read(start)
        if first is None or not isinstance(first.value, (dict, list)):
            return self._broken(text)
        if content.gap or skip_space(text, first.end) < len(text):
            return self._lines()
        return Documents(_objects(first.value), ended=True, streamed=isinstance(first.value, list))

    def _broken(self, text: str) -> Documents:
        """Read a document that is cut off, or has a gap."""
        content = self._content
        begun = read_begun(text, self._work)
        if not content.gap or not content.complete:
            return Documents(_objects(begun), ended=False, streamed=isinstance(begun, list), gap=True)
        ended = read_ended(_text(content.tail), self._work)
        if isinstance(begun, dict) and isinstance(ended, dict):
            return Documents([{**begun, **ended}], ended=True, gap=True)
        if isinstance(begun, list) and isinstance(ended, list):
            before = _objects(begun)
            return Documents(
                before + _objects(ended), ended=True, streamed=True, gap=True, before_gap=len(before)
            )
        lost = isinstance(begun, list) or ended is not None
        return Documents(_objects(begun), ended=not lost, streamed=isinstance(begun, list), gap=True)

    def _lines(self) -> Documents:
        content = self._content
        if content.gap:
            last, _, after = one_line_break(content.tail).partition(b"\n")
            before = self._matching(_lines_of(content.head))
            found = [*before, *_objects(self._cut(last))]
            found += self._matching(_lines_of(after), first=False)
            return Documents(found, content.complete, streamed=True, gap=True, before_gap=len(before))
        text = _text(content.head)
        if "\n" not in text.strip():
            return Documents(self._concatenated(text), ended=content.complete, streamed=True)
        return Documents(self._matching(_lines_of(content.head)), ended=content.complete, streamed=True)

    def _concatenated(self, text: str) -> list[dict[str, Any]]:
        """Return documents with nothing between them."""
        found: list[dict[str, Any]] = []
        within = Text(text, self._work)
        value = within.read(skip_space(text, 0))
        while value is not None:
            found.extend(_objects(value.value))
            value = within.read(skip_space(text, value.end))
        return found

    def _events(self) -> Documents:
        content = self._content
        data = list(event_data(content.head))
        found = self._matching(data)
        before = len(found)
        if content.gap:
            cut, rest = cut_event(content.tail)
            data = list(event_data(rest))
            found += [*_objects(self._cut(cut)), *self._matching(data, first=False)]
        done = bool(data) and data[-1].strip() == DONE
        return Documents(found, content.complete or done, streamed=True, gap=content.gap, before_gap=before)

    def _event_stream(self) -> Documents:
        from recost.pricing.usage.decoding.eventstream import read_payloads  # noqa: PLC0415 - Bedrock alone has it

        content = self._content
        found = self._payloads(read_payloads(content.head))
        before = len(found)
        if content.gap:
            found += self._payloads(read_payloads(content.tail, resume=True))
        return Documents(found, content.complete, streamed=True, gap=content.gap, before_gap=before)

    def _payloads(self, payloads: Iterable[bytes]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for payload in payloads:
            if self._work.done:
                break
            found.extend(_objects(_unwrapped(parse(_text(payload), self._work), self._work)))
        return found

    def _matching(self, data: Iterable[bytes], *, first: bool = True) -> list[dict[str, Any]]:
        """Return the documents that matter; the first one names the model."""
        found: list[dict[str, Any]] = []
        for line in data:
            if (first and _DOCUMENT.match(line)) or self._wanted.search(line):
                if self._work.done:
                    break
                documents = _objects(parse(_text(line), self._work))
                found.extend(documents)
                first = first and not documents
        return found

    def _cut(self, data: bytes) -> Any:
        """Return a document of which the beginning may be missing."""
        text = _text(data)
        whole = parse(text, self._work)
        return read_ended(text, self._work) if whole is None else whole


def _unwrapped(value: Any, work: Work) -> Any:
    """Return the model's own document where it is in a ``PayloadPart``: ``{"bytes": "eyJ0…"}``."""
    if isinstance(value, dict) and isinstance(value.get("bytes"), str):
        try:
            return parse(_text(b64decode(value["bytes"])), work)
        except ValueError:
            return None
    return value


def _lines_of(data: bytes) -> list[bytes]:
    return one_line_break(data).split(b"\n")


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
