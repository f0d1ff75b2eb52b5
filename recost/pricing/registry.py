"""The active rules, and the one that matches a URL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Optional

from recost._late import importing
from recost._pacing import short_turns
from recost._validate import invalid_type
from recost.pricing.index import NO_RULE, RuleIndex
from recost.pricing.model import MatchResult, ProviderDef
from recost.pricing.paths import single_slashes

__all__ = ["ProviderRegistry"]

_Rules = list[ProviderDef]

_URL: Final = (
    r"[A-Za-z][A-Za-z0-9+.-]*://"
    r"(?:[^/?#\\]*@)?"  # userinfo ends at the last @. Clients disagree about backslashes
    r"(\[[^\]/?#\\]*\]|[^\[\]:/?#\\]+)(?::[0-9]*)?"
    r"(/[^?#]*)?(?:[?#]|\Z)"
)
"""Host and path of a URL. `urllib.parse.urlsplit` is several times slower, and raises."""

_CACHED_URLS: Final = 1024
_LONGEST_CACHED: Final = 512


class _Table:
    """Rules in the order in which they are tried, prepared for lookups."""

    __slots__ = ("builtin", "index", "prepared", "rules")

    def __init__(self, custom: tuple[ProviderDef, ...]) -> None:
        with importing(), short_turns():
            from recost.pricing.providers import BUILTIN_PROVIDERS  # noqa: PLC0415 - slow: it makes them all

            self.rules = custom + BUILTIN_PROVIDERS
            self.builtin = frozenset(map(id, BUILTIN_PROVIDERS))
            self.index = RuleIndex(self.rules)
            self.prepared = tuple(map(_prepare, self.rules))


class ProviderRegistry:
    """A lookup of the provider and the flat price of a URL. Custom rules come before built-in ones.

    Thread-safe. The built-in rules are made by the first lookup, or by `prepare`.

    Args:
        custom_providers: Rules that come before `recost.BUILTIN_PROVIDERS`.

    Raises:
        ValueError: ``custom_providers`` contains an item that is not a `ProviderDef`.
    """

    def __init__(self, custom_providers: Optional[Iterable[ProviderDef]] = None) -> None:
        custom = tuple(custom_providers or ())
        for rule in custom:
            if not isinstance(rule, ProviderDef):
                raise invalid_type("custom_providers", rule, "a list of ProviderDef")
        self._custom = custom
        self._table: Optional[_Table] = None
        self._cached = lru_cache(maxsize=_CACHED_URLS)(self._match)

    def prepare(self) -> _Table:
        """Prepare the rules now, which would otherwise delay the first lookup."""
        table = self._table
        if table is None:
            # No lock: a thread that isn't there after a fork could hold it. Two threads make the same.
            table = self._table = _Table(self._custom)
        return table

    def match(self, url: str) -> Optional[MatchResult]:
        """Return the result of the first rule that matches a URL. None if no rule does, or it has no host."""
        return self._cached(url) if len(url) <= _LONGEST_CACHED else self._match(url)

    def lookup(self, host: str, path: str) -> Optional[MatchResult]:
        """Return the same as `match`, for a host without port and a path without query."""
        path = path or "/"
        result = self.resolve(host, path)
        return result if result is None or result.categorised else _with_path(result, path)

    def resolve(self, host: str, path: str) -> Optional[MatchResult]:
        """Return what `lookup` returns, without the path that it has for a rule without category."""
        table = self._table or self.prepare()
        number = table.index.find(host, path)
        if "//" in path:
            number = min(number, table.index.find(host, single_slashes(path)))
        if number == NO_RULE:
            return None
        cases, result = table.prepared[number]
        for contains, refined in cases:
            if contains in path:
                return refined
        return result

    def is_builtin(self, rule: ProviderDef) -> bool:
        """Return True if a rule is one of `recost.BUILTIN_PROVIDERS`."""
        return id(rule) in (self._table or self.prepare()).builtin

    def list(self) -> _Rules:
        """Return the rules in the order in which they are tried."""
        return [*(self._table or self.prepare()).rules]

    def _match(self, url: str) -> Optional[MatchResult]:
        target = _split(url)
        return None if target is None else self.lookup(*target)


def _prepare(rule: ProviderDef) -> tuple[tuple[tuple[str, MatchResult], ...], MatchResult]:
    """Return the results of a rule for its path cases, and for all other paths."""
    cases = tuple(
        (
            case.contains,
            MatchResult(rule.provider, case.endpoint_category, case.cost_per_request_cents, rule),
        )
        for case in rule.path_cases
    )
    category = rule.endpoint_category
    result = MatchResult(
        rule.provider, category or "/", rule.cost_per_request_cents, rule, categorised=category is not None
    )
    return cases, result


def _with_path(prepared: MatchResult, path: str) -> MatchResult:
    """Return a copy with the path. The constructor of a frozen class takes three times as long."""
    result = object.__new__(MatchResult)
    result.__dict__.update(prepared.__dict__, endpoint_category=path)
    return result


def _split(url: str) -> Optional[tuple[str, str]]:
    """Return host and path of an absolute URL. None if its host is missing or malformed."""
    parts = _url_pattern().match(url)
    return None if parts is None else (parts[1], parts[2] or "/")


@lru_cache(maxsize=1)
def _url_pattern() -> re.Pattern[str]:
    """Return `_URL`, compiled when it is first needed rather than at import."""
    return re.compile(_URL)
