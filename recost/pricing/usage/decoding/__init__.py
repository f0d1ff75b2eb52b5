"""The JSON documents of a captured body.

The first bytes decide how a body is read. Its content type is often wrong.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Final, Optional

from recost.captured import CapturedResponse
from recost.pricing.usage.decoding.events import DONE, cut_event, event_data, one_line_break
from recost.pricing.usage.decoding.jsontext import Text, parse, read_begun, read_ended, skip_space
from recost.pricing.usage.decoding.limits import HEAD_LIMIT, MOST_DOCUMENTS, TAIL_LIMIT, Work
from recost.pricing.usage.response import DecodedResponse

__all__ = ["read_documents"]

_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_DOCUMENT: Final = re.compile(rb"[ \t\r\n]*[\[{]")
_EVENTS: Final = re.compile(rb"[ \t\r\n]*(?<![ \t])(?:(?:data|event|id|retry)(?::|[\r\n])|:)")
_LINES: Final = re.compile(r"x-?(?:ndjson|jsonl|json-?lines)|jsonl|ndjson|jsonlines|stream\+json|json-seq")
_EVENT_STREAM: Final = "application/vnd.amazon.eventstream"


def read_documents(
    captured: CapturedResponse, wanted: re.Pattern[bytes], work: Optional[Work] = None
) -> DecodedResponse:
    """Return the documents of a body without content coding, within the limits.

    Args:
        captured: The captured response.
        wanted: Pattern found in every document of a stream that matters, except the first.
        work: Remaining work for this response. By default that of a whole response.
    """
    work = work or Work()
    response = _read_one(captured, work)
    if response is not None:
        return response
    captured = _trimmed(captured)
    response = _Reader(captured, wanted, work).read()
    if len(response.documents) > MOST_DOCUMENTS:
        half = MOST_DOCUMENTS // 2
        fewer = response.documents[:half] + response.documents[-half:]
        response = response._replace(documents=fewer, ended=False, gap=True, before_gap=half)
    return response._replace(complete=captured.complete, path=captured.path, headers=captured.headers)


def _read_one(captured: CapturedResponse, work: Work) -> Optional[DecodedResponse]:
    """Return a body of one object, which most bodies are. None if it may be anything else."""
    head = captured.head
    if captured.gap or head[:1] != b"{" or head[-1:] != b"}" or len(head) > HEAD_LIMIT or captured.tail:
        return None
    kind = captured.content_type.lower()
    if kind.startswith(_EVENT_STREAM) or _EVENTS.match(head) or _LINES.search(kind):
        return None
    text, left = head.decode("utf-8", "replace"), work.left
    found = Text(text, work).read(0)
    if found is None or found.end != len(text):
        work.left = left
        return None
    done = work.left <= 0
    return DecodedResponse(
        [found.value],
        ended=not done,
        gap=done,
        complete=captured.complete,
        path=captured.path,
        headers=captured.headers,
    )


def _trimmed(captured: CapturedResponse) -> CapturedResponse:
    """Return a response of bounded size, without the leading blanks that keep a connection alive."""
    head, tail, gap = captured.head, captured.tail, captured.gap
    if len(head) + len(tail) > 2 * (HEAD_LIMIT + TAIL_LIMIT) and not gap:
        gap = True
        head, tail = head[:HEAD_LIMIT], head[-TAIL_LIMIT:]
    head = head.removeprefix(_BOM)
    if gap and captured.complete and head and not head.strip(_BLANK) and tail[:1].isspace():
        document = tail.strip(_BLANK)
        if document.startswith(b"{") and parse(_text(document)) is not None:
            return captured._replace(head=document, tail=b"", gap=False)
    return captured._replace(head=head, tail=tail, gap=gap)


class _Reader:
    """Reader of the documents of one body."""

    def __init__(self, captured: CapturedResponse, wanted: re.Pattern[bytes], work: Work) -> None:
        self._captured = captured
        self._wanted = wanted
        self._work = work

    def read(self) -> DecodedResponse:
        head, kind = self._captured.head, self._captured.content_type.lower()
        if head.startswith(b"\0") or kind.startswith(_EVENT_STREAM):
            found = self._event_stream()
        elif _EVENTS.match(head):
            found = self._events()
        elif _LINES.search(kind):
            found = self._lines()
        else:
            found = self._json()
        return found._replace(ended=False, gap=True) if self._work.done else found

    def _json(self) -> DecodedResponse:
        text = _text(self._captured.head)
        start = skip_space(text, 0)
        first = Text(text, self._work).read(start)
        if first is None or not isinstance(first.value, (dict, list)):
            return self._broken(text)
        if self._captured.gap or skip_space(text, first.end) < len(text):
            return self._lines()
        return DecodedResponse(_objects(first.value), ended=True, streamed=isinstance(first.value, list))

    def _broken(self, text: str) -> DecodedResponse:
        """Read a document that is truncated or has a gap."""
        captured = self._captured
        begun = read_begun(text, self._work)
        if not captured.gap or not captured.complete:
            return DecodedResponse(_objects(begun), ended=False, streamed=isinstance(begun, list), gap=True)
        ended = read_ended(_text(captured.tail), self._work)
        if isinstance(begun, dict) and isinstance(ended, dict):
            return DecodedResponse([{**begun, **ended}], ended=True, gap=True)
        if isinstance(begun, list) and isinstance(ended, list):
            before = _objects(begun)
            return DecodedResponse(
                before + _objects(ended), ended=True, streamed=True, gap=True, before_gap=len(before)
            )
        lost = isinstance(begun, list) or ended is not None
        return DecodedResponse(_objects(begun), ended=not lost, streamed=isinstance(begun, list), gap=True)

    def _lines(self) -> DecodedResponse:
        captured = self._captured
        if captured.gap:
            last, _, after = one_line_break(captured.tail).partition(b"\n")
            before = self._matching(_lines_of(captured.head))
            found = [*before, *_objects(self._cut(last))]
            found += self._matching(_lines_of(after), first=False)
            return DecodedResponse(found, captured.complete, streamed=True, gap=True, before_gap=len(before))
        text = _text(captured.head)
        if "\n" not in text.strip():
            return DecodedResponse(self._concatenated(text), ended=captured.complete, streamed=True)
        return DecodedResponse(
            self._matching(_lines_of(captured.head)), ended=captured.complete, streamed=True
        )

    def _concatenated(self, text: str) -> list[dict[str, Any]]:
        """Return documents that follow each other without line breaks."""
        found: list[dict[str, Any]] = []
        within = Text(text, self._work)
        value = within.read(skip_space(text, 0))
        while value is not None:
            found.extend(_objects(value.value))
            value = within.read(skip_space(text, value.end))
        return found

    def _events(self) -> DecodedResponse:
        captured = self._captured
        data = list(event_data(captured.head))
        found = self._matching(data)
        before = len(found)
        if captured.gap:
            cut, rest = cut_event(captured.tail)
            data = list(event_data(rest))
            found += [*_objects(self._cut(cut)), *self._matching(data, first=False)]
        done = bool(data) and data[-1].strip() == DONE
        return DecodedResponse(
            found, captured.complete or done, streamed=True, gap=captured.gap, before_gap=before
        )

    def _event_stream(self) -> DecodedResponse:
        from recost.pricing.usage.decoding.eventstream import read_payloads  # noqa: PLC0415 - only for Bedrock

        captured = self._captured
        found = self._payloads(read_payloads(captured.head))
        before = len(found)
        if captured.gap:
            found += self._payloads(read_payloads(captured.tail, resume=True))
        return DecodedResponse(found, captured.complete, streamed=True, gap=captured.gap, before_gap=before)

    def _payloads(self, payloads: Iterable[bytes]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for payload in payloads:
            if self._work.done:
                break
            found.extend(_objects(_unwrapped(parse(_text(payload), self._work), self._work)))
        return found

    def _matching(self, data: Iterable[bytes], *, first: bool = True) -> list[dict[str, Any]]:
        """Return the documents that matter. The first one names the model."""
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
        """Return a document whose beginning may be missing."""
        text = _text(data)
        whole = parse(text, self._work)
        return read_ended(text, self._work) if whole is None else whole


def _unwrapped(value: Any, work: Work) -> Any:
    """Return the model's own document if it is in a ``PayloadPart``: ``{"bytes": "eyJ0…"}``."""
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
