"""Names that a programmer gave, distinguished from tokens, persons and companies by words and letters."""

from __future__ import annotations

from typing import Final

from recost._patterns import LazyPattern
from recost.endpoints.vocabulary import FIRST_NAMES, NUMBERED, SUBRESOURCES, TELLING, TOKENS, WORDS
from recost.endpoints.words import (
    HUMP,
    is_known,
    is_known_word,
    is_person,
    is_run_together,
    names_company,
    words_of,
)

__all__ = [
    "DATE",
    "NAMESPACE",
    "PIECE",
    "PUNCTUATED",
    "SPECIAL",
    "VERSION",
    "ends_with_a_number",
    "is_domain",
    "is_name",
    "reads_like_a_word",
]

DATE: Final = "20[0-4][0-9]-?(?:0[1-9]|1[0-2])(?:-?(?:0[1-9]|[12][0-9]|3[01]))?"
_MAX_WORD: Final = 24
_JUDGED: Final = 6
"""Minimum number of letters of an unknown word that is judged by its pairs of letters."""
_LEAST_HUMP: Final = 2.6
"""Average length of ``One``, ``Word``, ``After``, ``Another``. Humps of random letters are shorter."""
_GOOD_HUMP: Final = 4.0
_MOST_ODD: Final = 0.2
_MOST_ODD_OF_FORMS: Final = 0.34
_FORMS: Final = (
    "able",
    "ance",
    "ence",
    "graphy",
    "ible",
    "ical",
    "ment",
    "ness",
    "ology",
    "ship",
    "sion",
    "tion",
)
"""Endings of English words, which random letters seldom have."""
_GROUPS: Final = 3
VERSION: Final = LazyPattern(
    r"[vV][0-9]{1,2}(?:[._][0-9]{1,3}){0,2}(?:(?:alpha|beta|preview|rc|p|b)[0-9]{0,2}){0,2}"
    rf"|v(?:{DATE})"
)
PUNCTUATED: Final = LazyPattern(r"\$?[A-Za-z0-9._-]*")
NAMESPACE: Final = LazyPattern(r"Microsoft(?:\.[A-Z][A-Za-z]{1,30}){1,3}")
"""Name of a resource provider of Azure."""
SPECIAL: Final = frozenset({"@me", "@all", "~", "()", "$"})
PIECE: Final = LazyPattern("[a-z0-9]+")
_NUMBERED: Final = LazyPattern("([a-z]{2,})[0-9]{1,3}")
"""A known word and a number, as in ``office365``. ``user7`` is rejected later."""
_VERSIONED: Final = LazyPattern("(?:v[0-9]{1,2})?([a-z]+)(?<!v)(?:v[0-9]{1,2})?")
_ABBREVIATION: Final = LazyPattern("[A-Z][A-Za-z]{0,2}[0-9]{1,2}(?![a-z0-9])")
_HEX: Final = LazyPattern("[a-fA-F]{8,}")
_SEPARATORS: Final = LazyPattern("[._-]")
_DOMAINS: Final = frozenset({"com", "de", "dev", "eu", "fr", "io", "jp", "local", "net", "org", "ru", "uk"})
_PAIRS: Final = {
    "a": "bcdfgiklmnprstuvwxy",
    "b": "aceijloprsuy",
    "c": "acdehiklmnoprstuvy",
    "d": "abcdefgilmnoprstu",
    "e": "abcdefghiklmnopqrstuvwxy",
    "f": "adefilorstuy",
    "g": "aeghilmnorstu",
    "h": "aeilorstu",
    "i": "abcdefglmnoprstvxz",
    "j": "u",
    "k": "aegilsw",
    "l": "acdefilnopstuvy",
    "m": "abdeilmopstuy",
    "n": "acdefgiklmnopstuvy",
    "o": "abcdefgiklmnoprstuvwx",
    "p": "acdefhiloprstuy",
    "q": "u",
    "r": "acdefgiklmnoprstuvwy",
    "s": "acdefghiklmnoprstuvwy",
    "t": "abcdefhilmnoprstuvwy",
    "u": "abcdefgilmnoprst",
    "v": "aeio",
    "w": "aehinors",
    "x": "ceipty",
    "y": "ceilmnpst",
    "z": "ei",
}
"""Letters that follow a letter in English, in at least 3 of 10,000 pairs. The pairs were counted over the
words in the docstrings and names of Python's standard library."""


def is_name(text: str) -> bool:
    """Return whether a programmer gave this name, judged by its characters, pieces, words and letters."""
    if text in SPECIAL or VERSION.fullmatch(text):
        return True
    if text.startswith("Microsoft.") and NAMESPACE.fullmatch(text):
        return True
    if text.startswith(TOKENS) or _holds_a_token(text):
        return False
    return PUNCTUATED.fullmatch(text) is not None and _consists_of_words(text)


def _holds_a_token(text: str) -> bool:
    """Recognise ``token-sk_live_abc`` by the prefix after a separator."""
    return any(text.startswith(TOKENS, found.end()) for found in _SEPARATORS.finditer(text))


def _consists_of_words(text: str) -> bool:
    if not text.isalpha() and not NUMBERED.isdisjoint(_SEPARATORS.split(text)):
        text = "-".join(piece for piece in _SEPARATORS.split(text) if piece not in NUMBERED) or "a"
    words = words_of(text)
    if not FIRST_NAMES.isdisjoint(words):
        return False
    if words and WORDS.issuperset(words) and 2 * len(words) >= len(HUMP.findall(text)):
        return text.isalpha() or _has_plain_digits(text)
    return _has_plain_digits(text) and _reads_like_words(text) and not any(map(is_person, words))


def is_domain(pieces: list[str]) -> bool:
    """Recognise ``acme.com`` by its last piece."""
    return pieces[-1].lower() in _DOMAINS


def ends_with_a_number(text: str) -> bool:
    """Recognise ``save20``, which may be a coupon, but not ``oauth2`` and ``search-v2``."""
    if not text[-1].isdigit():
        return False
    piece = PIECE.findall(text.lower())[-1]
    return piece not in NUMBERED and VERSION.fullmatch(piece) is None


def _has_plain_digits(text: str) -> bool:
    pieces = PIECE.findall(text.lower())
    return all(
        piece.isalpha()
        or piece in NUMBERED
        or (piece[-1] == "s" and piece[:-1] in NUMBERED)
        or VERSION.fullmatch(piece)
        or _is_numbered(piece, text)
        or (piece.isdigit() and len(piece) < _GROUPS and piece is not pieces[-1] and is_known(text))
        for piece in pieces
    )


def _is_numbered(piece: str, text: str) -> bool:
    """Recognise ``office365`` and ``GetTop10Flights``, but not ``user7`` and tokens."""
    found = _NUMBERED.fullmatch(piece)
    if found is not None and found[1] in WORDS:
        return found[1] not in TELLING
    versioned = _VERSIONED.fullmatch(piece)
    if versioned is not None and (_is_word(versioned[1]) or is_known(text)):
        return True
    if _holds_a_numbered(piece) or _holds_an_abbreviation(text):
        return True
    digits, words = sum(map(str.isdigit, text)), words_of(text)
    if found is not None and digits == 1 and len(words) > 1 and is_known(text):
        return words[-1] not in TELLING  # usRaceEthnicityZIP5
    camel = piece[-1].isalpha() and piece[0].isalpha() and not text.islower()
    long = all(len(hump) >= _GROUPS for hump in HUMP.findall(text))
    return camel and long and digits < _GROUPS and len(words) > 1 and is_known(text)


def _holds_a_numbered(piece: str) -> bool:
    """Recognise ``s3express``, ``authorise3ds2`` and ``csv2json``."""
    for end in range(2, min(len(piece), 6)):
        if piece[:end] in NUMBERED and piece[end:].isalpha() and _is_word(piece[end:]):
            return True
        if piece[-end:] in NUMBERED and piece[:-end].isalpha() and _is_word(piece[:-end]):
            return True
    left, _, right = piece.partition("2")
    return left.isalpha() and right.isalpha() and is_known_word(left) and is_known_word(right)


def _holds_an_abbreviation(text: str) -> bool:
    """Recognise ``CreateS3TableIntegration``."""
    if text.islower():
        return False
    found = [found for found in _ABBREVIATION.findall(text) if found.lower() in NUMBERED]
    for abbreviation in found:
        text = text.replace(abbreviation, "")
    return bool(found) and text.isalpha() and len(words_of(text)) > 1 and is_known(text)


def _reads_like_words(text: str) -> bool:
    """Judge by the letters. A token has frequent changes of case, and pairs of letters that words lack."""
    pieces = [piece for piece in _SEPARATORS.split(text) if piece]
    humps = HUMP.findall(text)
    unknown = [hump for hump in humps if hump.lower() not in WORDS]
    if len(pieces) > 1:
        unknown = [hump for hump in unknown if not _is_word(hump)]
    if len(pieces) > 1 and not _go_together(text, pieces, len(humps), unknown):
        return False
    letters, capitals = sum(map(len, humps)), sum(map(str.isupper, text))
    if letters >= _JUDGED and len(humps) > len(pieces) and letters < _LEAST_HUMP * len(humps):
        return False
    good = letters >= _GOOD_HUMP * max(len(humps), capitals)
    return all(map(reads_like_a_word, unknown if good else filter(None, map(_letters, pieces))))


def _go_together(text: str, pieces: list[str], humps: int, unknown: list[str]) -> bool:
    """Recognise ``list-legacy-keys``, but not ``first-last``, ``mail.acme.com`` and ``abcd-efgh-ijkl``."""
    if len(unknown) == humps or _announces_within(text, pieces):
        return False
    if "." in text and pieces[-1].lower() not in SUBRESOURCES:
        return text.endswith(".k8s.io") or (2 * len(unknown) < humps and pieces[-1] not in _DOMAINS)
    return len(pieces) < _GROUPS or len(unknown) < 2 or len({len(piece) for piece in pieces}) > 1


def _is_word(hump: str) -> bool:
    word = hump.lower()
    return is_known_word(word) or is_run_together(word)


def _announces_within(text: str, pieces: list[str]) -> bool:
    """Recognise ``tenant_acme`` and ``user-bob``, where a word announces an identifier."""
    announced = next((index for index, piece in enumerate(pieces) if piece.lower() in TELLING), len(pieces))
    behind = pieces[announced + 1 :]
    unknown = sum(not is_known(piece) for piece in behind)
    if unknown and (3 * unknown > len(behind) or not is_known(behind[0])):
        return True
    return announced == 0 and (names_company(pieces) or ("-" in text and "_" in text))


def _letters(piece: str) -> str:
    return "" if is_known(piece) else "".join(filter(str.isalpha, piece))


def reads_like_a_word(word: str) -> bool:
    """Return whether letters form a word of English, or of a similar language, and are not random."""
    if len(word) < _JUDGED:
        return True
    if _HEX.fullmatch(word):
        return False
    return (len(word) <= _MAX_WORD and _has_common_pairs(word)) or _is_word(word)


def _has_common_pairs(word: str) -> bool:
    lower = word.lower()
    odd = sum(after not in _PAIRS[letter] for letter, after in zip(lower, lower[1:]))
    most = _MOST_ODD_OF_FORMS if lower.endswith(_FORMS) else _MOST_ODD
    return odd <= most * (len(word) - 1)
