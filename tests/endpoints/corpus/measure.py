"""Rates of the templater over both corpora: static words that it hides, and leaks that it lets through."""

from __future__ import annotations

import hashlib
import random
import re
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Final

from recost.endpoints.templating import template, template_for
from tests.endpoints.corpus.build import ROUTES
from tests.endpoints.corpus.leaks import LEAKS

_PARAMETER: Final = re.compile(r"\{([^{}]*)\}")
_PERSON: Final = re.compile(
    "user|customer|patient|member|owner|author|login|email|person|contact|account", re.IGNORECASE
)
_SECRET: Final = re.compile("token|secret|password|api_?key|access_?key|invit", re.IGNORECASE)
_FORMAT: Final = re.compile("(^|_)(format|ext)$|extension|format$", re.IGNORECASE)
_VERSION: Final = re.compile("(?:api_?)?version", re.IGNORECASE)
_CHANCE: Final = 20261129


HELD_OUT: Final = Path(__file__).with_name("held_out.txt")
"""Routes whose words are in no list. Their rate shows what to expect of APIs that nobody has looked at."""


def read_routes(file: Path = ROUTES) -> dict[str, list[str]]:
    """Return the documented routes by API."""
    routes: dict[str, list[str]] = defaultdict(list)
    api = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            api = line[1:-1]
        elif not line.startswith("#"):
            routes[api].append(line)
    return routes


def tuned(api: str) -> bool:
    """Tell whether an API is of the half that words are taken from and rules are tried on."""
    return hashlib.sha256(api.encode()).digest()[0] % 2 == 0


def _value(name: str, chance: random.Random, glued: bool = False) -> tuple[str, bool]:
    """Return a value for a parameter of that name, and whether it must be hidden."""
    if _VERSION.fullmatch(name):
        return ("2" if glued else "v2"), False
    if _FORMAT.search(name):
        return (".json" if glued else "json"), False
    token = f"{chance.getrandbits(80):020x}"
    if re.search("email|mail", name, re.IGNORECASE):
        return chance.choice(["jane.doe@example.com", "jane.doe%40example.com"]), True
    if re.search("user_?name|login|owner|author|handle", name, re.IGNORECASE):
        return chance.choice(["janedoe", "jane-doe", "jdoe", "jane.doe"]), True
    if _SECRET.search(name):
        return chance.choice([f"sk_live_{token}", token.upper(), f"eyJ{token}.{token}.x"]), True
    if _PERSON.search(name):
        return chance.choice(
            [str(chance.randrange(10**9)), f"usr_{token[:12]}", str(uuid.UUID(int=chance.getrandbits(128)))]
        ), True
    values = [
        str(chance.randrange(1000, 10**7)),
        token,
        str(uuid.UUID(int=chance.getrandbits(128))),
        f"x_{token[:10]}",
    ]
    return chance.choice(values), True


def static_hidden(routes: dict[str, list[str]]) -> tuple[int, list[str], int, list[str]]:
    """Return static segments and those hidden, then parameters and those let through."""
    seen = filled = 0
    hidden, left = [], []
    for api, paths in routes.items():
        chance = random.Random(f"{_CHANCE} {api}")
        for route in paths:
            secrets: list[str] = []

            def fill(
                match: re.Match[str], chance: random.Random = chance, secrets: list[str] = secrets
            ) -> str:
                value, must = _value(match[1], chance, match.string[: match.start()][-1:].isalnum())
                if must:
                    secrets.append(value)
                return value

            path = _PARAMETER.sub(fill, route)
            shown = template(path)
            filled += len(secrets)
            left += [f"LEFT {api} {path} -> {shown}" for value in secrets if value in shown]
            for wanted, found in zip(route.split("/"), shown.split("/")):
                if found == "{rest}":
                    break
                for text in filter(None, re.split("[:()]", _PARAMETER.sub(":", wanted))):
                    if re.search("[A-Za-z0-9]", text):
                        seen += 1
                        if text not in found:
                            hidden.append(f"HIDDEN {text} {api} {path} -> {shown}")
    return seen, hidden, filled, left


def read_leaks() -> list[list[str]]:
    """Return kind, host, path and what must not be left of each leaking path."""
    lines = LEAKS.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def leaks_left() -> tuple[int, list[str]]:
    """Return how many leaking paths there are, and those of which something is left."""
    kept = []
    leaks = read_leaks()
    for kind, host, path, value in leaks:
        shown = template_for(host, path)
        text = value.rpartition(".")[0] if kind == "file" else value
        if re.search(rf"(?<![A-Za-z]){re.escape(text)}(?![a-z])", shown):
            kept.append(f"LEAK {kind} {host}{path} -> {shown}")
    return len(leaks), kept


def words_of(routes: dict[str, list[str]]) -> frozenset[str]:
    """Return the words of routes."""
    return frozenset(
        word.lower()
        for paths in routes.values()
        for path in paths
        for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", _PARAMETER.sub("/", path))
    )
