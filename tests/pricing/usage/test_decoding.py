"""How bodies are split into documents."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.captured import CapturedResponse
from recost.pricing.usage.decoding import read_documents
from recost.pricing.usage.decoding.eventstream import read_payloads
from recost.pricing.usage.decoding.jsontext import read_begun, read_ended
from recost.pricing.usage.fields import UNKNOWN
from recost.pricing.usage.response import DecodedResponse
from tests.pricing.usage.responses.build import AWS, aws_message

ALL = re.compile(b"")

STRINGS = st.text(max_size=12) | st.sampled_from(
    ['"usage":{"a":1}', "\\", '\\"', '",', '"x":', "{", "}", "é\n"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["usage", "model", "id", "data", "a b", ""]), VALUES, max_size=5)


def split(body: bytes, **more: Any) -> DecodedResponse:
    return read_documents(CapturedResponse(body, **more), ALL)


def found(body: bytes, **more: Any) -> list[dict[str, Any]]:
    return split(body, **more).documents


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
def test_events(newline: str) -> None:
    text = ': comment||event: x|data: {"a":|data:  1}||data:{"b": "\u2028\x85"}||id: 1||data: [DONE]||'
    documents = split(text.replace("|", newline).encode())
    assert documents.documents == [{"a": 1}, {"b": "\u2028\x85"}]
    assert documents.streamed
    assert documents.ended


def test_events_end_with_the_body_or_with_their_last_one() -> None:
    body = b'data: {"a": 1}\n\n'
    assert split(body).ended
    assert not split(body, complete=False).ended
    assert split(body + b"data: [DONE]", complete=False).ended
    assert not split(body + b"data: [DON", complete=False).ended


def test_events_that_don_t_matter_are_not_parsed() -> None:
    body = b'data: {"a": 1}\n\ndata: {"a": 2}\n\ndata: {"usage": 3}\n\n'
    assert read_documents(CapturedResponse(body), re.compile(b"usage")).documents == [{"a": 1}, {"usage": 3}]


def test_lines() -> None:
    assert found(b'{"a": 1}\n{"a": 2}\r\n\n{"a": 3}') == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert found(b'{"a": 1}{"a": 2} {"a": 3}') == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert found(b'{"a": 1}\n{"a": ', content_type="application/x-ndjson", complete=False) == [{"a": 1}]


def test_what_is_no_object_is_left_out() -> None:
    for body in (b"", b"null", b"7", b'"x"', b"[1, [2]]", b"<html>", b"\xff\xfe", b"{", b"[", b"data: 1\n\n"):
        assert not any(found(body))


def test_numbers_that_are_cut_off_are_not_read() -> None:
    assert found(b'{"a": 12, "b": 12', complete=False) == [{"a": 12}]
    assert found(b'{"a": 12, "b": 12.', complete=False) == [{"a": 12}]
    assert found(b'{"a": 12, "b": 1e', complete=False) == [{"a": 12}]
    assert found(b'[{"a": 12}, {"b": 12}', complete=False) == [{"a": 12}]


def test_a_nested_usage_is_not_the_document_s() -> None:
    body = b'{"content": [{"input": {"usage": {"n": 1}}}, {"x": "' + b"y" * 99 + b'"}], "usage": {"n": 2}}'
    at = body.index(b'"usage"')
    assert found(body[:5], tail=body[at - 1 :], gap=True)[0]["usage"] == {"n": 2}
    nested = b'{"model": "m", "content": [{"text": "' + b"y" * 99 + b'"}, {"input": {"usage": {"n": 1}}}]}'
    documents = found(nested[:14], tail=nested[50:], gap=True)
    assert documents[0]["model"] == "m"
    assert "usage" not in documents[0]
    assert "usage" not in documents[0][UNKNOWN][0]


def test_a_usage_within_a_string_is_not_read() -> None:
    text = json.dumps({"text": 'x" , "usage": {"n": 1}, "y": "' * 20, "z": 1})
    for at in range(2, len(text)):
        assert '"usage": {"n' not in json.dumps(read_ended(text[at:]))


@settings(deadline=None, max_examples=200)
@given(OBJECTS, st.sampled_from([None, 1]), st.data())
def test_the_end_of_a_document(document: dict[str, Any], indent: Any, data: st.DataObject) -> None:
    text = json.dumps(document, indent=indent)
    ended = read_ended(text[data.draw(st.integers(0, len(text))) :])
    if ended is not None:
        assert isinstance(ended, dict)
        known = {key: value for key, value in ended.items() if key != UNKNOWN}
        assert known.items() <= document.items() or all(document[key] == known[key] for key in known)


@settings(deadline=None, max_examples=200)
@given(OBJECTS, st.sampled_from([None, 1]), st.data())
def test_the_beginning_of_a_document(document: dict[str, Any], indent: Any, data: st.DataObject) -> None:
    text = json.dumps(document, indent=indent)
    begun = read_begun(text[: data.draw(st.integers(0, len(text)))])
    if begun is not None:
        assert isinstance(begun, dict)
        assert list(begun) == list(document)[: len(begun)]
        assert all(document[key] == begun[key] for key in begun)


def test_event_stream() -> None:
    payloads = [b'{"a": 1}', b"", b'{"a": 2}']
    body = b"".join(aws_message("chunk", payload) for payload in payloads)
    assert list(read_payloads(body)) == payloads
    for cut in range(len(body)):
        kept = list(read_payloads(body[:cut]))
        assert kept == payloads[: len(kept)]
        late = list(read_payloads(body[cut:], resume=True))
        assert late == payloads[len(payloads) - len(late) :]
    assert found(body, content_type=AWS) == found(body) == [{"a": 1}, {"a": 2}]


def test_event_stream_with_a_damaged_message() -> None:
    whole = aws_message("chunk", b'{"a": 1}')
    damaged = whole.replace(b'"a"', b'"b"')
    assert found(damaged + whole) == [{"a": 1}]
    assert found(whole[:4] + b"\xff" + whole[5:]) == []


def test_event_stream_is_resumed_at_a_message() -> None:
    alike = (64).to_bytes(4, "big") + bytes(4) + b"\xff" * 4
    late = aws_message("chunk", b'{"a": 1}') + aws_message("chunk", b'{"a": 2}')
    assert list(read_payloads(alike + late, resume=True)) == [b'{"a": 1}', b'{"a": 2}']
    assert list(read_payloads(alike + late)) == []


def test_event_stream_of_payload_parts() -> None:
    inner = base64.b64encode(b'{"a": 1}')
    assert found(aws_message("chunk", b'{"bytes": "' + inner + b'", "p": "x"}')) == [{"a": 1}]
    assert found(aws_message("chunk", b'{"bytes": "?", "p": "x"}')) == []
