"""The words by which segments of paths are judged. They are in ``vocabulary.txt``, by section."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

__all__ = [
    "COMPANIES",
    "FIRST_NAMES",
    "GENERAL_WORDS",
    "LAST_NAMES",
    "NUMBERED",
    "RESOURCES",
    "SUBRESOURCES",
    "TELLING",
    "TOKENS",
    "WORDS",
]


def _read_sections() -> dict[str, list[str]]:
    """Return the words of each section, read by the loader: the package may be in a zip archive."""
    loader: Any = __spec__.loader
    text = loader.get_data(str(Path(__file__).with_name("vocabulary.txt"))).decode("ascii")
    sections = (section.partition("]") for section in text.split("[")[1:])
    return {title: words.split() for title, _, words in sections}


_sections: Final = _read_sections()

TOKENS: Final = tuple(_sections["tokens"])
"""Prefixes of published formats of secrets: a segment that begins with one is hidden."""

TELLING: Final = {
    **dict.fromkeys(_sections["before one identifier"], 1),
    **dict.fromkeys(_sections["before one name"], 8),
    **dict.fromkeys(_sections["before two identifiers"], 2),
    **dict.fromkeys(_sections["before some identifiers"], 9),
}
"""Words that announce a person, a tenant or a secret, and how many segments after them are hidden.

Two segments hold a token after an id, or a name after an owner. Before a person's or a tenant's name (8)
resources stay too. After a weak one (9) known words stay.
"""

SUBRESOURCES: Final = frozenset(_sections["subresources"])
"""Verbs and collections that stand where an id could: ``users/search``, ``accounts/{id}/settings``."""

RESOURCES: Final = frozenset(_sections["resources"])
"""Nouns for parts of an account, in the singular, which name no person and no company."""

FIRST_NAMES: Final = frozenset(_sections["given names"])
"""Frequent given names, and a few family names, that are not words of an API."""

LAST_NAMES: Final = frozenset(_sections["family names"])
"""Frequent family names, which follow a given name or its first letter: ``janedoe``, ``jdoe``."""

COMPANIES: Final = frozenset(_sections["companies"])
"""Last words of companies' names."""

NUMBERED: Final = frozenset(_sections["with digits"])
"""Standards, formats and abbreviations that contain digits."""

GENERAL_WORDS: Final = frozenset(_sections["general"])
"""Words of many APIs."""

WORDS: Final = SUBRESOURCES.union(
    RESOURCES, GENERAL_WORDS, _sections["technologies"], _sections["documented"], _sections["identifiers"]
)
"""Words that stay. The documented ones are from the routes of 570 public APIs, which
``tests/endpoints/corpus`` names. Technologies are protocols, formats and products. The identifiers are names
of operations, parameters and fields."""
