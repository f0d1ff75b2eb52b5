"""The reader in SQL and the parser in Python accept and reject the same lines, whatever is done to them."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

pytest.importorskip("duckdb")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.lines import GOOD, ODD, same

_TAGS: Final = (
    b'"tags":[{"tags":{"tenant":"acme"},"requestCount":1,"errorCount":0,"estimatedCostCents":0.1,'
    b'"unpricedCount":0},{"tags":{},"other":true,"requestCount":1,"errorCount":0,"estimatedCostCents":0.1,'
    b'"unpricedCount":0}],"models":'
)
_FULL: Final = json.loads(GOOD.replace(b'"models":', _TAGS))
_CONTENT: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_BEFORE: Final = (b"", b"", b"\xef\xbb\xbf", b" \t")
_AFTER: Final = (b"", b"\r", b" ")


def _places(content: Any) -> list[tuple[Any, Any]]:
    """Return each container with each of its keys."""
    keys: list[Any] = list(content) if isinstance(content, dict) else []
    if isinstance(content, list):
        keys = list(range(len(content)))
    found = [(content, key) for key in keys]
    return found + [each for key in keys for each in _places(content[key])]


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Make a line: values replaced, fields gone, twice, renamed or moved, then bytes changed."""
    content = json.loads(json.dumps(_FULL))
    raw: list[bytes] = []
    for _ in range(draw(st.integers(0, 3))):
        where, key = draw(st.sampled_from(_places(content)))
        how = draw(st.sampled_from(("odd", "odd", "other", "gone", "renamed", "twice")))
        if how == "odd":
            where[key] = f"\0{len(raw)}\0"
            raw.append(draw(st.sampled_from(ODD)))
        elif how == "other":
            where[key] = draw(_CONTENT)
        elif how == "gone":
            del where[key]
        elif how == "twice" and isinstance(where, list):
            where.append(where[key])
        elif isinstance(where, dict):
            name = draw(st.sampled_from((key.upper(), f" {key}", f"{key}s", "method", "metrics")))
            where[name] = where[key] if how == "twice" else where.pop(key)
    separators = draw(st.sampled_from(((",", ":"), (", ", ": "), (" ,\t", " :\r"))))
    line = json.dumps(content, separators=separators, ensure_ascii=draw(st.booleans()))
    data = line.encode("utf-8", "surrogatepass")
    for number, value in enumerate(raw):
        data = data.replace(b'"\\u0000%d\\u0000"' % number, value)
    return draw(_damaged(data))


@st.composite
def _damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Make a copy of which some bytes are replaced, dropped, or stand twice."""
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 20, len(data))))
        middle = draw(st.one_of(st.binary(max_size=4), st.just(data[start:end] * 2), st.just(b"")))
        data = data[:start] + middle + data[end:]
    return draw(st.sampled_from(_BEFORE)) + data + draw(st.sampled_from(_AFTER))


@settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(_mutated())
def test_both_read_the_same_of_a_mutated_line(line: bytes) -> None:
    same(line)


_LITERALS: Final = (
    b"true", b"false", b"NaN", b"nAn", b"inf", b"-inf", b"Infinity", b"-infinity", b"5", b"-5", b"1e400",
    b"1e-7", b"null", b"[]", b"{}", b'[{"a":1}]',
)  # fmt: skip
_STRINGS: Final = (
    b'""', b'"true"', b'"null"', b'"nan"', b'"-infinity"', b'"5"', b'"1e400"', b'"1password"', b'"-"',
    b'"-5"', b'"[]"', b'"{"', b'"|"', b'"\\\\"', b'"."', b'" "', b'"GET"', b'"\xc3\xbc"', b'"truest"',
    b'"\\"quoted\\""',
)  # fmt: skip


@pytest.mark.parametrize("name", ["provider", "endpoint", "method"])
@pytest.mark.parametrize("value", [*_LITERALS, *_STRINGS], ids=repr)
def test_names_that_look_like_other_values(name: str, value: bytes) -> None:
    """Names are read as text, where ``true`` and ``"true"`` are the same."""
    content = json.loads(GOOD)
    content["metrics"] = [{**content["metrics"][0], name: "@"}, content["metrics"][0]]
    same(json.dumps(content).encode().replace(b'"@"', value))
