"""Makes, from the parts of a regular expression, the texts that keep it busy longest."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Iterator
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        from re import _constants as constants  # type: ignore[attr-defined]
        from re import _parser as parser  # type: ignore[attr-defined]
    except ImportError:  # before Python 3.11
        import sre_constants as constants
        import sre_parse as parser

__all__ = ["Attack", "attacks_on", "pumped"]

SUFFIXES = ("", "!", "\x00", "\n")
"""What comes after: most patterns fail on one of them."""
_SAMPLES = 4
_MOST_PUMPS = 48
_CATEGORIES = {
    "CATEGORY_DIGIT": "7",
    "CATEGORY_NOT_DIGIT": "x-",
    "CATEGORY_SPACE": " \t\n",
    "CATEGORY_NOT_SPACE": "x7",
    "CATEGORY_WORD": "a7_",
    "CATEGORY_NOT_WORD": "-. ",
}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}

Attack = tuple[str, str, str]
"""What comes first, what is repeated, what comes last."""


def pumped(attack: Attack, size: int) -> str:
    first, pump, last = attack
    return first + pump * (size // len(pump)) + last


def attacks_on(pattern: Any) -> list[Attack]:
    """Return attacks on a compiled pattern: the same ones each time."""
    source = pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parser.parse(
            text, pattern.flags & ~(re.UNICODE | re.DEBUG) & ~(re.ASCII * isinstance(source, bytes))
        )
    rng = random.Random(text)
    pumps: dict[tuple[str, str], None] = {}
    for before, body in _repeats(list(tree), []):
        prefixes = {_sample(before, rng, 0) for _ in range(2)} | {""}
        bodies = [_sample(body, rng, more) for more in (0, 0, 0, 1, 1, 2)]
        bodies += [one + two for one, two in zip(bodies, reversed(bodies))]
        bodies += [prefix + each for prefix in prefixes for each in bodies[:2]]
        bodies += sorted(prefixes)
        pumps.update({(prefix, each): None for prefix in sorted(prefixes) for each in bodies if each})
    letters = sorted({char for _ in range(_SAMPLES) for char in _sample(list(tree), rng, 1)})[:24]
    singles = [(first, char) for char in letters[:12] for first in ("", "!")]
    pairs = [("", one + two) for one in letters for two in letters if one != two]
    rng.shuffle(pairs)
    chosen = list(pumps)
    rng.shuffle(chosen)
    chosen = [*chosen[:_MOST_PUMPS], *singles, *pairs[:12]]
    wholes = [("", whole) for _ in range(3) if (whole := _sample(list(tree), rng, 0))]
    cut = [("", whole[:-1]) for _, whole in wholes if whole[:-1]]
    return [(first, pump, last) for first, pump in [*chosen, *wholes, *cut] for last in SUFFIXES]


def _repeats(items: list[Any], before: list[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield each repeated part with all that comes before it."""
    for at, (op, argument) in enumerate(items):
        ahead = [*before, *items[:at]]
        if str(op) in _REPEATS:
            _, most, body = argument
            if most == constants.MAXREPEAT or most >= 8:
                yield ahead, list(body)
            yield from _repeats(list(body), ahead)
        else:
            for part in _parts(op, argument):
                yield from _repeats(part, ahead)


def _parts(op: Any, argument: Any) -> list[list[Any]]:
    name = str(op)
    if name == "SUBPATTERN":
        return [list(argument[-1])]
    if name == "BRANCH":
        return [list(branch) for branch in argument[1]]
    if name in {"ASSERT", "ASSERT_NOT"}:
        return [list(argument[1])]
    if name == "ATOMIC_GROUP":
        return [list(argument)]
    if name == "GROUPREF_EXISTS":
        return [list(part) for part in argument[1:] if part]
    return []


def _sample(items: list[Any], rng: random.Random, more: int) -> str:
    """Return a text that these parts match, or nearly: repeated as little as can be, and some more."""
    return "".join(_one(op, argument, rng, more) for op, argument in items)


def _one(op: Any, argument: Any, rng: random.Random, more: int) -> str:
    name = str(op)
    if name == "LITERAL":
        return chr(argument)
    if name == "NOT_LITERAL":
        return "b" if argument == ord("a") else "a"
    if name == "ANY":
        return rng.choice("a1/ .")
    if name == "IN":
        return _member(argument, rng)
    if name in _REPEATS:
        least, most, body = argument
        times = min(least + more, 300 if most == constants.MAXREPEAT else most)
        return "".join(_sample(list(body), rng, more) for _ in range(times))
    parts = [] if name in {"ASSERT", "ASSERT_NOT"} else _parts(op, argument)
    return _sample(rng.choice(parts), rng, more) if parts else ""


def _member(members: list[Any], rng: random.Random) -> str:
    if str(members[0][0]) == "NEGATE":
        out = {char for member in members[1:] for char in _chars(member, rng)}
        return next((char for char in rng.sample("ax7-_ .\n!~%\u00ff", 12) if char not in out), "\u20ac")
    return rng.choice([rng.choice(_chars(member, rng)) for member in members])


def _chars(member: Any, rng: random.Random) -> str:
    op, argument = member
    if str(op) == "LITERAL":
        return chr(argument)
    if str(op) == "RANGE":
        low, high = argument
        return "".join(map(chr, range(low, high + 1))) if high - low < 300 else chr(low) + chr(high)
    return _CATEGORIES.get(str(argument), "a")
