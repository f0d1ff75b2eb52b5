"""Fields found in a body, whatever surrounds them, and the work that it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from recost.interceptors._request_fields import read_fields
from recost.interceptors.request_body import PART

NAMES = ("model", "n", "stream")
ALL = {"model": "m-1", "stream": "true"}
TEXT = 'say "model": "no-1", {"model": "no-2"} \\ and \\" \n'


def read(document: Any, **options: Any) -> dict[str, str]:
    return read_fields(json.dumps(document, **options).encode(), NAMES)


BODIES: dict[str, tuple[Any, dict[str, str]]] = {
    "first": ({"model": "m-1", "input": TEXT}, {"model": "m-1"}),
    "last": ({"input": TEXT, "model": "m-1"}, {"model": "m-1"}),
    "between texts of any length": (
        {"instructions": TEXT * 900, "model": "m-1", "tools": [{"model": "no", "d": TEXT}] * 90},
        {"model": "m-1"},
    ),
    "numbers and truth": ({"n": 2, "stream": True, "model": "m"}, {"n": "2", "stream": "true", "model": "m"}),
    "within another object only": ({"a": {"model": "no"}, "b": [{"n": 3}], "c": [[["model", ":"]]]}, {}),
    "as a value only": ({"a": "model", "b": "n", "c": ["stream", 1]}, {}),
    "of another kind": ({"model": None, "n": {"model": "no"}, "stream": ["no"]}, {}),
    "an array": ([{"model": "no"}], {}),
    "a longer name": ({"model_name": "no", "xmodel": "no"}, {}),
    "too long": ({"model": "m" * 201}, {}),
    "a text that ends in backslashes": ({"a": "\\\\\\", "model": "m-1"}, {"model": "m-1"}),
    "empty": ({}, {}),
}


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}])
def test_a_field_is_found_at_the_top_only(case: str, options: dict[str, Any]) -> None:
    document, found = BODIES[case]
    assert read(document, **options) == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='model":{}[],\\ n\n\u20ac', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["model", "n", "x", 'a"', "\\"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["model", "n", "stream", "x", 'y"', "\\"]), json_values, max_size=6))
def test_no_more_and_no_less_than_the_parser_finds(document: dict[str, Any]) -> None:
    found = read(document)
    for name in NAMES:
        value = document.get(name)
        if isinstance(value, str) and '"' not in value and "\\" not in value and value.isprintable():
            expected = json.dumps(value)[1:-1]
            assert found.get(name) == expected
        elif isinstance(value, (list, dict)) or name not in document:
            assert name not in found


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"model',
        b'{"model"',
        b'{"model":',
        b'{"model":"',
        b'{"model":"m-1',
        b'{"model" "m-1"}',
        b'{model: "m-1"}',
        b'"model":"m-1"',
        b"\x1f\x8b\x08model=m-1",
        b"\xff\xfe{\x00",
        b"just a text, model: m-1",
        b'{"n":1',
        b"--",
        b"--\r\n",
        b"--b",
        b"--b\r\n\r\n--b",
        b"--b\r\ncontent-disposition: form-data; name=model\r\n\r\nm-1\r\n--b--\r\n",
        b'--b\ncontent-disposition: form-data; name="model"\n\nm-1\n--b--\n',
        b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nm-1',
        b'--b\r\ncontent-disposition: form-data; name="model"; filename="m"\r\n\r\nm-1\r\n--b--\r\n',
        b'{"a":' + b"[" * 100_000 + b'"model":"m-1"',
        b'{"a":"' + b'\\"' * 100_000,
        b"--" + b"\r\n--" * 50_000,
        b"model&" * 50_000,
    ],
)
def test_what_is_broken_has_no_field(body: bytes) -> None:
    assert read_fields(body, NAMES) == {}


@pytest.mark.parametrize("blank", [" ", "\n", "\t \r\n"])
def test_blanks_in_any_number_are_passed_over(blank: str) -> None:
    many = blank * 300_000
    for body in (f'{{"a": 1,{many}"model": "m-1"}}', f'{{"model":{many}"m-1"}}', f'{{"model":"m-1"{many}}}'):
        assert read_fields(body.encode(), NAMES) == {"model": "m-1"}
    for body in (f'{many}{{"model": "m-1"}}', f'{{"model"{many}: "m-1"}}', f'{{"n":{many}2}}', many):
        assert read_fields(body.encode(), NAMES) == {}, "no client writes that"
        assert read_long(body.encode()) == {}


def multipart(*more: Any, size: int = 1000) -> bytes:
    file = ("speech.wav", b"\r\n--model\0" * (size // 10), "audio/wav")
    body, _ = urllib3.encode_multipart_formdata([("model", "m-1"), ("prompt", TEXT), ("file", file), *more])
    return body


def test_of_a_form_with_files_the_small_parts_are_read() -> None:
    assert read_fields(multipart(), NAMES) == {"model": "m-1"}
    assert read_fields(multipart(("n", "2")), NAMES) == {"model": "m-1", "n": "2"}
    assert read_fields(multipart(("model", ("f.txt", "m-2", "text/plain"))), NAMES) == {"model": "m-1"}
    assert read_fields(multipart(("model", "m" * 300)), NAMES) == {"model": "m-1"}


def test_of_a_long_form_beginning_and_end_are_read() -> None:
    body = multipart(("n", "2"), size=300_000)
    assert read_fields(body[:PART], NAMES, body[-PART:]) == {"model": "m-1", "n": "2"}


def read_long(body: bytes) -> dict[str, str]:
    """Read a body that is kept at its ends only."""
    assert len(body) > 2 * PART
    return read_fields(body[:PART], NAMES, body[-PART:])


@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}])
@pytest.mark.parametrize("text", ["x", TEXT, '"', "\\", "{", "]", "\N{EURO SIGN}"])
def test_of_long_json_beginning_and_end_are_read(text: str, options: dict[str, Any]) -> None:
    long, tools = text * 200_000, [{"model": "no", "d": text * 5, "e": [[{"n": 3}]]}] * 9
    documents: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
        "first": ({"model": "m-1", "input": long, "tools": tools}, {"model": "m-1"}),
        "last": ({"input": long, "tools": tools, "model": "m-1"}, {"model": "m-1"}),
        "between": ({"input": long, "model": "m-1", "tools": tools}, {"model": "m-1"}),
        "both": ({"model": "m-1", "input": long, "n": 2, "stream": True}, {**ALL, "n": "2"}),
        "in the midst of both": ({"input": long, "model": "m-1", "more": long}, {}),
        "deeper only": ({"input": long, "tools": {"model": "no", "n": 3}}, {}),
    }
    for case, (document, found) in documents.items():
        assert read_long(json.dumps(document, **options).encode()) == found, case


def test_of_json_that_has_no_end_the_beginning_is_read() -> None:
    for end in ("", "]", '"', '"}]', ' "model": "no"'):
        body = json.dumps({"model": "m-1", "input": "x" * 200_000, "n": 2})[:-1] + end
        assert read_long(body.encode()) == {"model": "m-1"}
    cut = json.dumps({"model": "m-1", "n": 2}).encode()[:-12]
    assert read_fields(cut, NAMES, b"more") == {}, "an incomplete value is not a value"


@given(st.integers(0, 60), st.text(alphabet='model":{}[],\\ ', max_size=40))
def test_wherever_json_is_cut_its_end_is_read(at: int, text: str) -> None:
    body = json.dumps({"input": text, "x": {"model": text}, "model": "m-1", "n": 2}).encode()
    found = read_fields(b"{", NAMES, body[min(at, body.rindex(b', "model"')) :])
    assert found == {"model": "m-1", "n": "2"}


def test_of_a_long_form_of_pairs_beginning_and_end_are_read() -> None:
    assert read_long(b"model=m-1&prompt=" + b"x" * 200_000 + b"&n=2") == {"model": "m-1", "n": "2"}
    assert read_long(b"prompt=" + b"&model=no" * 30_000) == {"model": "no"}


def test_of_a_form_the_pairs_are_read() -> None:
    assert read_fields(b"prompt=a+model&model=org%2Fm-1%3Aft&n=2&x=model", NAMES) == {
        "model": "org/m-1:ft",
        "n": "2",
    }


class Counting(bytes):
    """Bytes that count what is looked through."""

    work = 0

    def _counted(self) -> None:
        Counting.work += len(self)

    def count(self, *args: Any) -> int:
        self._counted()
        return super().count(*args)

    def split(self, *args: Any) -> Any:
        self._counted()
        return super().split(*args)

    def replace(self, *args: Any) -> Any:
        self._counted()
        return Counting(super().replace(*args))


@pytest.mark.parametrize("piece", ['{"model":"a"},', '"model",', '[["n"]],', '"a\\"b",'])
def test_the_work_grows_as_the_body_does(piece: str) -> None:
    works = []
    for times in (500, 4000):
        Counting.work = 0
        body = Counting(f'{{"x":[{piece * times}0],"model":"m-1"}}'.encode())
        assert read_fields(body, NAMES) == {"model": "m-1"}
        works.append(Counting.work)
    assert works[0] > 0
    assert works[1] <= 8.5 * works[0]
