from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from decimal import Decimal
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.pricing.model import MatchResult, PathCase, ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry

LABELS = st.sampled_from(["a", "B", "api", "x-y", "xn--bcher-kva", "bücher"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
SEGMENTS = st.sampled_from(["", "v1", "v1x", "a", "b", "A", "%41", "ü"])
PATHS = st.lists(SEGMENTS, max_size=5).map(lambda segments: "/" + "/".join(segments))


@st.composite
def rules(draw: st.DrawFn) -> ProviderDef:
    return ProviderDef(
        draw(st.sampled_from(["", "*."])) + draw(HOSTS) + draw(st.sampled_from(["", "."])),
        draw(st.sampled_from(["one", "two"])),
        path_prefix=draw(st.none() | PATHS),
        endpoint_category=draw(st.none() | st.sampled_from(["c", "d"])),
        path_cases=tuple(
            draw(st.lists(st.builds(PathCase, st.sampled_from(["v1", "/a", "b"]), st.just("case"))))
        ),
    )


def same_spelling(host: str) -> str:
    labels = host.lower().rstrip(".").split(".")
    return ".".join("xn--bcher-kva" if label == "bücher" else label for label in labels)


def scan(candidates: Sequence[ProviderDef], host: str, path: str) -> Optional[ProviderDef]:
    """The rule, as the contract has it: the first of the list that matches."""
    host = same_spelling(host)
    for rule in candidates:
        suffix = rule.host_pattern.startswith("*.")
        wanted = same_spelling(rule.host_pattern[2:] if suffix else rule.host_pattern)
        if not (host.endswith("." + wanted) if suffix else host == wanted):
            continue
        prefix = rule.path_prefix
        if (
            prefix is None
            or path == prefix
            or path.startswith(prefix if prefix.endswith("/") else prefix + "/")
        ):
            return rule
    return None


@given(st.lists(rules(), max_size=8), HOSTS, PATHS)
def test_the_first_rule_that_matches_wins(custom: list[ProviderDef], host: str, path: str) -> None:
    found = ProviderRegistry(custom).lookup(host, path)
    wanted = scan(custom, host, path)
    assert (found and found.rule) is wanted
    if wanted is not None and found is not None:
        case = next((case for case in wanted.path_cases if case.contains in path), None)
        assert found.endpoint_category == (
            case.endpoint_category if case else wanted.endpoint_category or path
        )


@given(
    st.lists(rules(), max_size=8),
    HOSTS,
    st.just("") | PATHS,
    st.sampled_from(["", "user@", "user:pa@ss@", "a:b@"]),
    st.sampled_from(["", ":443", ":8080", ":"]),
    st.sampled_from(["", "?q=/v1/a", "#/v1/a", "?a#b", "?x@y/z", "#?"]),
    st.sampled_from(["https", "HTTP", "wss"]),
)
def test_urls_come_down_to_host_and_path(
    custom: list[ProviderDef], host: str, path: str, userinfo: str, port: str, rest: str, scheme: str
) -> None:
    registry = ProviderRegistry(custom)
    url = f"{scheme}://{userinfo}{host}{port}{path}{rest}"
    assert registry.match(url) == registry.lookup(host, path or "/")
    assert registry.match(url) == registry.match(url), "the second time from the cache"


@given(st.text() | st.text(alphabet="htps:/@[]?#.%\\*:0aé ").map("http://".__add__))
def test_no_text_raises(url: str) -> None:
    registry = ProviderRegistry([ProviderDef("a", "p")])
    assert registry.match(url) is None or isinstance(registry.match(url), MatchResult)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://",
        "http:///path",
        "//api.stripe.com/v1/charges",
        "api.stripe.com/v1/charges",
        "https://?api.stripe.com",
        "https://api.stripe.com:port/",
        "https://api.stripe.com:80:80/",
        "https://[api.stripe.com]/",
        "https://[::1/",
        "https://[::1]x/",
        "https://evil.example\\@api.stripe.com/",
        "https://api%2Estripe%2Ecom/",
        "https://api.stripe.com@evil.example/",
        "https://evil.example/?@api.stripe.com/",
        "https://evil.example#@api.stripe.com/",
        "https://api.stripe.com.evil.example/",
        "https://.api.stripe.com/",
        "https://.amazonaws.com/",
        "https://" + "a" * 10_000 + "/",
        "https://" + "é" * 10_000 + "/",
    ],
)
def test_urls_that_belong_to_nobody(url: str) -> None:
    assert ProviderRegistry().match(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://api.stripe.com/v1/charges/" + "x" * 10_000,
        "https://api.stripe.com/v1/charges/%zz%",
        "https://api.stripe.com/v1/charges/" + "/" * 10_000,
        "https://api.stripe.com./v1/charges",
        "https://user:p%40ss@api.stripe.com/v1/charges",
        "https://user@name:pass@api.stripe.com/v1/charges",
        "https://api.stripe.com:65536000/v1/charges",
    ],
)
def test_odd_urls_that_have_a_provider(url: str) -> None:
    match = ProviderRegistry().match(url)
    assert match is not None
    assert match.endpoint_category == "charges"


def test_ipv6_in_any_spelling() -> None:
    registry = ProviderRegistry([ProviderDef("[0:0::1]", "local")])
    for url in ("http://[::1]/", "http://[::1]:8000/x", "http://u@[0:0:0:0:0:0:0:1]", "http://[::1]?q"):
        match = registry.match(url)
        assert match is not None, url
        assert match.provider == "local"
    assert registry.lookup("::1", "/") is not None
    assert registry.match("http://[::2]/") is None


def test_a_prefix_with_a_slash_at_its_end_wants_something_below_it() -> None:
    registry = ProviderRegistry([ProviderDef("h.example", "p", "/v1/", "below")])
    assert registry.lookup("h.example", "/v1") is None
    assert registry.lookup("h.example", "/v1/") is not None
    assert registry.lookup("h.example", "/v1/x") is not None


def test_custom_rules_come_first() -> None:
    mine = ProviderDef("api.openai.com", "proxy", cost_per_request_cents=0.1)
    registry = ProviderRegistry(custom_providers=[mine])
    match = registry.match("https://api.openai.com/v1/chat/completions")
    assert match is not None
    assert (match.provider, match.endpoint_category, match.rule) == ("proxy", "/v1/chat/completions", mine)
    assert match.cost_cents == Decimal("0.1")
    assert registry.list() == [mine, *BUILTIN_PROVIDERS]


def test_the_list_is_a_copy() -> None:
    registry = ProviderRegistry()
    registry.list().clear()
    assert registry.list() == list(BUILTIN_PROVIDERS)


def test_a_cost_that_is_not_known_is_none() -> None:
    match = ProviderRegistry([ProviderDef("h.example", "p")]).match("https://h.example/x")
    assert match is not None
    assert match.cost_per_request_cents is None
    assert match.cost_cents is None


@pytest.mark.parametrize("custom", [["api.example.com"], [None], [{"host_pattern": "sk-hidden"}]])
def test_rules_of_another_type_are_refused(custom: Any) -> None:
    with pytest.raises(ValueError, match=r"custom_providers: got a \w+, expected a list of ProviderDef"):
        ProviderRegistry(custom)


def test_a_result_is_a_value_like_any_other() -> None:
    match = ProviderRegistry().match("https://api.stripe.com/v1/refunds")
    assert match is not None
    assert match == MatchResult("stripe", "/v1/refunds", None, match.rule, categorised=False)
    with pytest.raises(FrozenInstanceError):
        match.provider = "other"  # type: ignore[misc]


def test_what_is_remembered_is_bounded() -> None:
    registry = ProviderRegistry()
    for number in range(5000):
        registry.match(f"https://host{number}.amazonaws.com/{number}")
        registry.match(f"https://host{number}.amazonaws.com/{number}" + "x" * 1000)
    assert registry._cached.cache_info().currsize <= 1024
    assert registry.prepare().index._tables.cache_info().currsize <= 1024
    assert registry._cached.cache_info().misses == 5000, "long URLs are not kept"


def test_the_number_of_rules_makes_no_difference_to_the_work() -> None:
    """Counted in lines of Python that run, which no load on the machine changes."""

    def work(count: int) -> int:
        custom = [
            ProviderDef(
                f"*.s{number}.example.com" if number % 2 else "many.example.com", "p", f"/a/b{number}/c"
            )
            for number in range(count)
        ]
        registry = ProviderRegistry(custom)
        registry.prepare()
        lines = 0

        def trace(frame: Any, event: str, arg: Any) -> Any:
            nonlocal lines
            if not frame.f_globals.get("__name__", "").startswith("recost.pricing"):
                return None  # a finalizer that the garbage collector happens to run in between
            lines += event == "line"
            return trace

        previous = sys.gettrace()
        sys.settrace(trace)
        try:
            for host in ("many.example.com", "x.s1.example.com", "api.openai.com", "nobody.example"):
                registry.lookup(host, "/a/b0/c/d/e")
        finally:
            sys.settrace(previous)
        return lines

    assert 0 < work(10) == work(10_000)
