"""Index of rules that finds the first match of a host and a path, however many rules there are.

Hosts are looked up by name and by each parent domain. Within a host, the segments of the path are followed
through a tree of the prefixes, down to the deepest one. Each step is one lookup in a dict. A node knows the
lowest number of the rules that end there. The lowest one on the way is the first rule of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Optional

from recost.pricing.hosts import canonical_host, parse_host
from recost.pricing.model import ProviderDef

__all__ = ["NO_RULE", "RuleIndex"]

NO_RULE: Final = 1 << 62
"""Result of `RuleIndex.find` if no rule matches: greater than the number of any rule."""

_CACHED_HOSTS: Final = 1024


class _Node:
    """A step of a path, with the rules that match up to here."""

    __slots__ = ("at", "below", "children")

    def __init__(self) -> None:
        self.at = NO_RULE
        """The rule whose prefix ends with this segment."""
        self.below = NO_RULE
        """The rule whose prefix ends with the slash after this segment."""
        self.children: dict[str, _Node] = {}


class _PathTable:
    """The rules of one host pattern, by path prefix."""

    __slots__ = ("_any_path", "_splits", "_start")

    def __init__(self) -> None:
        self._any_path = NO_RULE
        self._start = _Node()
        self._splits = 0

    def add(self, prefix: Optional[str], number: int) -> None:
        if prefix is None:
            self._any_path = min(self._any_path, number)
            return
        *segments, last = prefix.split("/")
        node = self._start
        for segment in segments if last == "" else (*segments, last):
            node = node.children.setdefault(segment, _Node())
        if last == "":
            node.below = min(node.below, number)
        else:
            node.at = min(node.at, number)
        self._splits = max(self._splits, prefix.count("/") + 1)

    def find(self, path: str) -> int:
        best = self._any_path
        if not self._splits:
            return best
        node = self._start
        for segment in path.split("/", self._splits):
            if node.below < best:  # noqa: PLR1730 - a call of min() would take as long as all the rest
                best = node.below
            child = node.children.get(segment)
            if child is None:
                return best
            if child.at < best:  # noqa: PLR1730
                best = child.at
            node = child
        return best


class RuleIndex:
    """The rules of a list, prepared for `find`."""

    def __init__(self, rules: Sequence[ProviderDef]) -> None:
        self._exact: dict[str, _PathTable] = {}
        self._below: dict[str, _PathTable] = {}
        for number, rule in enumerate(rules):
            self._add(rule, number)
        self._tables = lru_cache(maxsize=_CACHED_HOSTS)(self._find_tables)

    def find(self, host: str, path: str) -> int:
        """Return the number of the first rule that matches, or `NO_RULE`."""
        best = NO_RULE
        for table in self._tables(host):
            found = table.find(path)
            if found < best:  # noqa: PLR1730 - as above
                best = found
        return best

    def _add(self, rule: ProviderDef, number: int) -> None:
        pattern = rule.host_pattern
        if pattern.startswith("*."):
            table = self._below.setdefault(parse_host(pattern[2:]), _PathTable())
        else:
            table = self._exact.setdefault(parse_host(pattern), _PathTable())
        table.add(rule.path_prefix, number)

    def _find_tables(self, host: str) -> tuple[_PathTable, ...]:
        name = canonical_host(host)
        if name is None:
            return ()
        found = [self._exact[name]] if name in self._exact else []
        if ":" not in name:
            dot = name.find(".")
            while dot >= 0:
                table = self._below.get(name[dot + 1 :])
                if table is not None:
                    found.append(table)
                dot = name.find(".", dot + 1)
        return tuple(found)
