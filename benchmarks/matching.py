"""Time of one provider match, with few rules and with many."""

from __future__ import annotations

from typing import Any, Final

from lowest import lowest_s

from recost.pricing.model import ProviderDef
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry

__all__ = ["measure", "table"]

_RULES: Final = (len(BUILTIN_PROVIDERS), 1_000, 10_000)


def measure(rounds: int, count: int) -> list[dict[str, Any]]:
    """Return nanoseconds a match for each number of rules: URLs that repeat, and URLs that never do."""
    return [_measured(rules, rounds, count) for rules in _RULES]


def _measured(rules: int, rounds: int, count: int) -> dict[str, Any]:
    built_in = len(BUILTIN_PROVIDERS)
    registry = ProviderRegistry(_custom(rules - built_in))
    repeated = _urls(rules - built_in, distinct=False, count=count)
    distinct = _urls(rules - built_in, distinct=True, count=count)
    match = registry.match

    def run(urls: list[str]) -> None:
        for url in urls:
            match(url)

    def nothing(urls: list[str]) -> None:
        for _ in urls:
            pass

    loop_s = lowest_s(lambda _: nothing(repeated), rounds)
    return {
        "rules": rules,
        "repeated_ns": (lowest_s(lambda _: run(repeated), rounds) - loop_s) / count * 1e9,
        "distinct_ns": (lowest_s(lambda _: run(distinct), rounds) - loop_s) / count * 1e9,
    }


def _custom(number: int) -> list[ProviderDef]:
    """Return rules on as many hosts as an application might list, every tenth host with ten prefixes."""
    return [
        ProviderDef(f"api{index // 10}.example.com", f"p{index // 10}", f"/v1/resource{index % 10}", "r", 0.1)
        if index % 2
        else ProviderDef(f"*.zone{index}.example.net", f"zone{index}")
        for index in range(number)
    ]


def _urls(custom: int, *, distinct: bool, count: int) -> list[str]:
    """Return URLs of which half meet the first rules, half the last ones, and some none."""
    last = max(custom - 1, 0) // 10
    hosts = (
        ("api.openai.com", "/v1/chat/completions"),
        ("api.stripe.com", "/v1/customers"),
        (f"api{last}.example.com", "/v1/resource9"),
        ("s3.us-east-1.amazonaws.com", "/bucket"),
        ("unknown.example.org", "/v2/things"),
    )
    urls = []
    for index in range(count):
        host, path = hosts[index % len(hosts)]
        urls.append(f"https://{host}{path}/{index}" if distinct else f"https://{host}{path}")
    return urls


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first."""
    rows = [["rules", "same few URLs, us", "every URL different, us"]]
    return rows + [
        [f"{r['rules']:,}", f"{r['repeated_ns'] / 1000:.2f}", f"{r['distinct_ns'] / 1000:.2f}"]
        for r in results
    ]
