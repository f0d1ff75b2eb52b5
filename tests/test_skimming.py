"""Results of skimming long bodies, the work, and the memory."""

from __future__ import annotations

import importlib
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.pricing.usage.extractors import __path__ as shapes_path
from recost.skimming import KEPT, Skimmed, Skimmer
from recost.thinning import COUNTS, LEFT_OUT
from tests.pricing.usage.responses import SAMPLES

DENSE = [
    b'{"a":"b"},',
    b'"a",',
    b"[[[1],2],3],",
    b'{"usage":{"a":1}},',
    b"0.123456789,",
    b'"\\"\\\\",',
    b"\n",
    b'data: {"usage": {"a": 1}}\n\n',
    b'data: {"webSearchQueries": ["a"]}\n\n',
    b'data: {"a": "b"}\n\n',
    b"{}\n",
    b"[",
    b'{"a":',
    b"}",
    b"\xff",
]
FORMS = [b"%s", b'{"model": "m", "a": [%s', b"[%s", b'data: {"response": {"a": [%s']


def skimmed(body: bytes, step: int = 5_000) -> Skimmed:
    skimmer = Skimmer()
    for at in range(0, len(body), step):
        skimmer.feed(body[at : at + step])
        assert skimmer.nbytes <= KEPT
    found = skimmer.finish()
    assert skimmer.nbytes == 0
    assert found.size == len(body)
    return found


class CountedSkimmer(Skimmer):
    """Counts what is thinned."""

    thinned_bytes = 0

    def _thin(self, start: int) -> None:
        self.thinned_bytes += len(self._text) - start
        super()._thin(start)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("unit", DENSE)
def test_the_work_grows_as_the_body_does(unit: bytes, form: bytes) -> None:
    for size in (100_000, 800_000):
        body = form % (unit * (size // len(unit)))
        skimmer = CountedSkimmer()
        for at in range(0, len(body), 3_000):
            skimmer.feed(body[at : at + 3_000])
            assert skimmer.nbytes <= KEPT
        assert skimmer.thinned_bytes <= 3 * len(body)


@pytest.mark.parametrize("unit", DENSE)
def test_a_body_takes_a_bounded_amount_of_memory(unit: bytes) -> None:
    body = b'{"model": "m", "a": [' + unit * (1_000_000 // len(unit))
    skimmed(body[:200_000])
    tracemalloc.start()
    try:
        skimmer = Skimmer()
        for at in range(0, len(body), 65_536):
            skimmer.feed(memoryview(body)[at : at + 65_536])
        assert tracemalloc.get_traced_memory()[0] < KEPT + 64_000
        assert tracemalloc.get_traced_memory()[1] < 700_000
    finally:
        tracemalloc.stop()


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=12) | st.text('"\\[]{},\n', max_size=300),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text('ab\\"', max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.lists(values, max_size=5), st.integers(0, 3_000), st.integers(1, 9_000), st.booleans())
def test_what_is_left_of_a_document_is_one(extra: list[Any], times: int, step: int, ascii_only: bool) -> None:
    document = {"first": 1, **{f"x{n}": [value] * times for n, value in enumerate(extra)}, "last": {"b": 2}}
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    found = skimmed(body[:3_000_000], max(step, 1))
    if found.gap or len(body) > 3_000_000:
        return
    left = json.loads(found.head)
    assert list(left) == list(document)
    assert (left["first"], left["last"]) == (1, {"b": 2})
    for name, value in left.items():
        assert value == json.loads(LEFT_OUT) or type(value) is type(document[name])


@pytest.mark.parametrize("text", ["\\", '"', '\\"', "\\\\", "\\n", "]", '"}', "\u00e9"])
def test_escapes_across_slices(text: str) -> None:
    for shift in range(12):
        body = json.dumps(
            {"a": "x" * shift + text * 40_000, "model": "m", "b": [text], "usage": {"c": 1}}
        ).encode()
        for step in (1_000, 8_191, 100_000):
            left = json.loads(skimmed(body, step).head)
            assert (left["model"], left["usage"]) == ("m", {"c": 1})


@pytest.mark.parametrize(
    "text",
    ['"', "\\", '\\"', '\\\\"', "[", "]", '"]', "}]}", 'a"b', '"' * 150, "\\" * 151, "]" * 300, "\n", ""],
)
def test_a_long_member_is_passed_over_whatever_its_texts_hold(text: str) -> None:
    for shift in range(0, 40, 7):
        long = [["x" * shift, text, 1.5, {"model": text}]] * 1_500
        body = json.dumps({"a": {"b": long}, "model": "m", "usage": {"c": 1}}).encode()
        for step in (1_000, 8_191, 100_000):
            left = json.loads(skimmed(body, step).head)
            assert left == {"a": json.loads(LEFT_OUT), "model": "m", "usage": {"c": 1}}


@pytest.mark.parametrize("numbers", ["[0.25, 1e-3, -7]", "0.5", "{}"])
def test_of_many_numbers_some_are_left(numbers: str) -> None:
    for count in (500, 3_000):
        array = "[" + ", ".join([numbers] * count) + "]"
        body = f'{{"model": "m", "a": {array}, "b": {array}, "usage": {{"c": 1}}}}'.encode()
        for step in (1_000, 100_000):
            left = json.loads(skimmed(body, step).head)
            assert (left["model"], left["usage"]) == ("m", {"c": 1})
            assert left["a"] == json.loads(LEFT_OUT) or left["a"][0] == json.loads(array)[0]


def test_nested_names_are_not_the_documents_own() -> None:
    decoys = [{"model": "decoy", "usage": {"prompt_tokens": 1}, "x": [1, "]}"]}] * 5_000
    document = {"tools": decoys, "model": "m", "more": {"a": decoys}, "usage": {"prompt_tokens": 5}}
    found = skimmed(json.dumps(document).encode())
    assert found.thinned
    assert json.loads(found.head) == {**document, "tools": "~", "more": "~"}


@pytest.mark.parametrize(
    "body", [b"\0\0\0\1" * 50_000, b"<html>" + b'"' * 300_000, b'{"a":' + b"[" * 90_000, b"1, " * 60_000]
)
def test_other_bodies_than_json_are_kept_at_their_ends(body: bytes) -> None:
    found = skimmed(body)
    assert found.gap
    assert found.head[:100] == body[:100]
    assert found.tail[-100:] == body[-100:]
    assert len(found.tail) > 20_000


def test_a_stream_with_unbalanced_quotes_between_its_documents() -> None:
    event = b': it"s a comment\ndata: {"a": "b"}\n\n'
    found = skimmed(
        b'data: {"model": "m"}\n\n' + event * 20_000 + b'data: {"usage": {"a": 1}}\n\ndata: [DONE]\n\n'
    )
    assert found.head.startswith(b'data: {"model": "m"}')
    assert (found.tail or found.head).endswith(b'data: {"usage": {"a": 1}}\n\ndata: [DONE]\n\n')


def test_events_of_a_stream_are_kept_at_its_ends_and_those_that_name_searches() -> None:
    events = [b'data: {"n": %d}\n\n' % number for number in range(20_000)]
    events[5_000] = b'data: {"webSearchQueries": ["a"]}\n\n'
    found = skimmed(b"".join(events))
    assert found.gap
    head, tail = found.head.split(b"\n\n")[:-1], found.tail.split(b"\n\n")[:-1]
    assert head[-1] == events[5_000][:-2]
    assert head[:-1] == [event[:-2] for event in events[: len(head) - 1]]
    assert tail == [event[:-2] for event in events[-len(tail) :]]
    assert len(found.head) > 15_000
    assert len(found.tail) > 20_000


@pytest.mark.parametrize("place", [0, 1, 500])
def test_a_long_event_is_skimmed_where_it_stands(place: int) -> None:
    events = [b'data: {"n": %d}\n\n' % number for number in range(1_000)]
    long = {"text": "x" * 100_000, "tools": [{"a": "b"}] * 30_000, "usage": {"n": 1}}
    events[place] = b"event: a\ndata: " + json.dumps(long).encode() + b"\n\n"
    for step in (999, 8_192, 65_536):
        found = skimmed(b"".join(events), step)
        (left,) = (event for event in found.head.split(b"\n\n") if event.startswith(b"event: a\ndata: "))
        assert json.loads(left[15:]) == {"text": "", "tools": "~", "usage": {"n": 1}}
        assert not found.gap
        assert found.head.endswith(events[-1])


def alternatives(pattern: str) -> list[str]:
    """Return texts that a pattern of simple alternatives matches."""
    texts = []
    for part in pattern.split("|"):
        optional = re.sub(r"\(\?:([^()]*)\)\?", r"\1", part)
        texts.append(optional.replace(r"\s*", " ").replace("[{]", "{"))
    return texts


def test_what_counts_for_any_shape_counts_here() -> None:
    names = [path.stem for place in shapes_path for path in Path(place).glob("[a-z]*.py")]
    modules = [
        importlib.import_module(f"recost.pricing.usage.extractors.{name}")
        for name in names
        if name != "__init__"
    ]
    patterns = [module.WANTED for module in modules if hasattr(module, "WANTED")]
    assert len(patterns) >= 10
    lines = {line for sample in SAMPLES for line in sample.body.splitlines()}
    lines |= {line.encode() for pattern in patterns for line in alternatives(pattern.pattern.decode())}
    seen = set()
    for line in lines:
        for pattern in patterns:
            if pattern.search(line):
                seen.add(pattern)
                assert any(name in line for name in COUNTS), (pattern, line[:200])
    assert len(seen) == len(set(patterns))
