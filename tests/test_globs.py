"""Templates with wildcards: the same as regular expressions say, in linear time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.analytics.sql import is_like
from recost.budgets.model import Budget
from recost.globs import ANYTHING, Glob
from recost.pricing.prices import _host_glob, _path_glob


def expected_path(template: str) -> re.Pattern[str]:
    parts = [r"[^/]+".join(map(re.escape, part.split("*"))) for part in template.split("**")]
    return re.compile(".*".join(parts) + r"\Z", re.DOTALL)


def expected_host(template: str) -> re.Pattern[str]:
    name, beginning = template, ""
    if name.startswith("*."):
        name, beginning = name[2:], r".+\."
    return re.compile(beginning + r"[^.]*".join(map(re.escape, name.split("*"))) + r"\Z")


@given(st.text("ab/*", max_size=9), st.text("ab/\n", max_size=9))
def test_paths(template: str, path: str) -> None:
    assert _path_glob(template).matches(path) == (expected_path(template).match(path) is not None)


@given(st.text("ab.*", max_size=9), st.text("ab.", max_size=9))
def test_hosts(template: str, host: str) -> None:
    assert _host_glob(template).matches(host) == (expected_host(template).match(host) is not None)


@given(st.text("ab*", max_size=9), st.text("ab\n*", max_size=9))
def test_filters(template: str, text: str) -> None:
    expected = re.fullmatch(re.escape(template).replace(r"\*", ".*"), text, re.DOTALL) is not None
    assert is_like(text, template) == expected


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
        (r"a\\*", "a\\b", True),
        ("\\", "\\", True),
        ("", "", True),
    ],
)
def test_filters_with_a_star_that_is_meant(pattern: str, text: str, matches: bool) -> None:
    assert is_like(text, pattern) is matches


@pytest.mark.parametrize(
    ("model", "answered", "matches"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("gpt-4o", "GPT-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-*", "gpt-4o-mini-latest", True),
        ("gpt-4", "gpt-4-0613", True),
        ("claude-*-sonnet", "claude-3-5-sonnet@20241022", True),
        ("claude-*-sonnet", "claude-3-5-sonnet-x", False),
        ("*a" * 40 + "*b", "a" * 200, False),
    ],
)
def test_models_of_budgets(model: str, answered: str, matches: bool) -> None:
    budget = Budget(1, model=model, on_exceed="raise")
    assert budget.matches_model(answered) is matches


def test_a_template_without_wildcards_is_a_text() -> None:
    assert Glob(["abc"]).matches("abc")
    assert not Glob(["abc"]).matches("abcd")
    assert Glob([ANYTHING]).matches("")
