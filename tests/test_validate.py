from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recost._validate import (
    InvalidError,
    as_items,
    as_path,
    check_tag,
    invalid,
    is_number,
    is_text,
    show,
    suggest,
)


def test_a_message_has_what_was_given_and_what_is_expected() -> None:
    error = invalid("Budget.per", "year", "one of hour, day")
    assert str(error) == "recost: Budget.per: got 'year', expected one of hour, day"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 100, "'" + "x" * 79 + "…"),
        ("https://user:secret@host/path", "'https://***@host/path'"),
        ("user:secret@host", "'***@host'"),
        ("user:se://cret@host", "'***@host'"),
        (["rc-0123456789"], "['rc-01234…']"),
    ],
)
def test_a_value_is_shown_without_secrets(value: object, shown: str) -> None:
    assert show(value) == shown


def test_kinds_of_values() -> None:
    assert [is_number(value) for value in (1, 1.5, True, "1")] == [True, True, False, False]
    assert [is_text(value, 3) for value in ("abc", "abcd", " ", "a\n", 1)] == [True, *[False] * 4]
    assert (as_items(["a"]), as_items("a")) == (("a",), None)
    assert [as_path(value) for value in ("a", Path("a"), b"a", "a\0", " ", 1)] == ["a", "a", *[None] * 4]


def test_unknown_names() -> None:
    assert suggest("api_kye", ["api_key", "debug"]) == "did you mean 'api_key'?"
    assert suggest("zzz", ["api_key", "debug"]) == "expected one of api_key, debug"


@pytest.mark.parametrize(("name", "value"), [(7, "x"), ("a\x1b", "x"), ("a", " "), ("a", "x" * 101)])
def test_refused_tags(name: object, value: object) -> None:
    with pytest.raises(InvalidError, match="expected 1 to 100 printable characters"):
        check_tag(name, value)


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python writes out any number")
def test_a_number_of_too_many_digits() -> None:
    assert show(10**5000) == "a number of too many digits"
