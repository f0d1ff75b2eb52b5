"""Words that programmers use in names, in any inflected form, and names of people."""

from __future__ import annotations

from typing import Final

from recost._patterns import LazyPattern
from recost.endpoints.vocabulary import (
    COMPANIES,
    FIRST_NAMES,
    LAST_NAMES,
    RESOURCES,
    SUBRESOURCES,
    TELLING,
    WORDS,
)

__all__ = [
    "HUMP",
    "is_collection",
    "is_compound",
    "is_countable",
    "is_known",
    "is_known_word",
    "is_part",
    "is_person",
    "is_run_together",
    "is_run_together_noun",
    "is_run_together_verb",
    "may_follow",
    "names_company",
    "words_of",
]

HUMP: Final = LazyPattern("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_LEAST_STEM: Final = 4
_LEAST_PIECE: Final = 3
_MOST_PIECE: Final = 16
_MOST_LETTERS: Final = 40
_ENDINGS_TEXT: Final = """
    ies/y es/ s/ ers/ rs/ ors/e ations/e ions/e ions/ ments/ ied/y ed/ d/ ing/ ing/e er/ r/ or/e ly/ able/
    able/e ation/e ation/ ion/e ion/ ment/
"""
_ENDINGS: Final[dict[str, list[tuple[str, str]]]] = {}
"""Endings of words by their last letter, each with the ending of the word that it is formed from."""
for _ending, _, _instead in (text.partition("/") for text in _ENDINGS_TEXT.split()):
    _ENDINGS.setdefault(_ending[-1], []).append((_ending, _instead))
_BEGINNINGS: Final = (
    "auto",
    "co",
    "de",
    "dis",
    "inter",
    "mis",
    "multi",
    "non",
    "pre",
    "re",
    "sub",
    "super",
    "un",
)
_FOLLOWING: Final = (
    "able",
    "ance",
    "ed",
    "ence",
    "ible",
    "ing",
    "ion",
    "ity",
    "ment",
    "ness",
    "ship",
)
"""Endings of words for actions and states, which do not name a person."""
_PARTICLES: Final = ("ahead", "back", "down", "off", "out", "over", "up")
"""Last parts of nouns for actions: ``failover``, ``cleanup``."""
_SHORT: Final = frozenset({"by", "id", "in", "ip", "of", "on", "or", "to"})
"""Words of two letters that occur in run-together names."""
_VERBS_TEXT: Final = """
    add batch bulk cancel change check clear create delete download edit export extend fetch find get
    import list load new query register remove resend reset save search send set show start stop submit
    update upload validate verify
"""
_VERBS: Final = frozenset(_VERBS_TEXT.split())
"""First verbs of run-together names."""
_MOUNTS: Final = frozenset({"api", "cloud", "gateway", "platform", "service", "studio"})
"""Last words of APIs' names."""
_FIRST_TEXT: Final = """
    accept activate approve archive assign batch bulk clone confirm convert copy deactivate decline del
    disable duplicate enable generate invite lock lookup merge migrate move multi publish refresh
    regenerate register reject request resend restore resume retrieve revoke rotate subscribe suspend
    switch sync transfer unarchive unassign unlock unpublish unregister unsubscribe verify
"""
_FIRST: Final = _VERBS.union(_FIRST_TEXT.split())
"""First words of names with hyphens."""
_LAST_TEXT: Final = """
    account address amount amounts balance balances check configs contact control count customer details
    email fee fees history id ids in info key keys limit limits list login logout mode name off out
    password rate rates report search session settings size status subscription summary token type types
    up uri url urls user version
"""
_LAST: Final = frozenset(_LAST_TEXT.split())
"""Last words of names with hyphens."""
_NOUNS_TEXT: Final = """
    account address code contact count customer details email history info list password
    report search session settings status subscription summary token type user
"""
_NOUNS: Final = frozenset(_NOUNS_TEXT.split())
"""Last nouns of run-together names."""
_NO_PLURALS: Final = ("ss", "us", "is", "vas", "las")


_HEADS: Final = frozenset(name[:_LEAST_PIECE] for name in FIRST_NAMES)


def words_of(text: str) -> list[str]:
    """Return the words in lower case, without single letters as in ``OAuth`` and ``S3``."""
    return [hump.lower() for hump in HUMP.findall(text) if len(hump) > 1]


def is_known(text: str) -> bool:
    """Return whether each word of a text is known."""
    words = words_of(text)
    return bool(words) and (WORDS.issuperset(words) or all(map(is_known_word, words)))


def is_known_word(word: str) -> bool:
    """Return whether a word in lower case is known, or formed from a known one."""
    return word in WORDS or (
        _LEAST_STEM < len(word) <= _MOST_LETTERS and (_is_formed(word) or _is_phrasal(word, WORDS))
    )


def _is_formed(word: str) -> bool:
    """Recognise ``unsubscribed`` by ``subscribe``."""
    if word.startswith(_BEGINNINGS):
        for beginning in _BEGINNINGS:
            rest = word[len(beginning) :]
            if (
                word.startswith(beginning)
                and len(rest) >= _LEAST_STEM
                and (rest in WORDS or _is_inflected(rest))
            ):
                return True
    return _is_inflected(word)


def _is_inflected(word: str) -> bool:
    for ending, instead in _ENDINGS.get(word[-1], ()):
        if word.endswith(ending):
            stem = word[: -len(ending)] + instead
            if stem in WORDS or (stem[-1:] == stem[-2:-1] and stem[:-1] in WORDS):  # pinned, stopping
                return len(stem) >= _LEAST_PIECE
    return False


def is_run_together(word: str) -> bool:
    """Return whether a word is made of known ones without separators: ``webhooknotifications``."""
    return bool(_run_together(word))


def is_run_together_verb(word: str) -> bool:
    """Recognise ``updatecategory`` and ``customproperties``, but not ``topsecret``."""
    pieces = _run_together(word)
    return bool(pieces) and (
        (pieces[0] in _VERBS and any(_is_subresource(piece) or is_part(piece) for piece in pieces[1:]))
        or (len(pieces[-1]) >= _LEAST_STEM and pieces[-1][-1] == "s" and may_follow(pieces[-1]))
    )


def is_run_together_noun(word: str) -> bool:
    """Recognise ``serviceaccount`` and ``maritalstatus``, but not ``facebook``."""
    pieces = _run_together(word)
    return bool(pieces) and pieces[-1] in _NOUNS and min(map(len, pieces)) > _LEAST_PIECE


def _run_together(word: str) -> list[str]:
    length = len(word)
    if not 2 * _LEAST_PIECE <= length <= _MOST_LETTERS:
        return []
    starts = {0: 0}
    for start in range(length - _LEAST_PIECE + 1):
        if start in starts:
            if word[start : start + 2] in _SHORT:
                starts.setdefault(start + 2, start)
            for end in range(start + _LEAST_PIECE, min(start + _MOST_PIECE, length) + 1):
                piece = word[start:end]
                if piece in WORDS or (piece[-1] == "s" and piece[:-1] in WORDS):
                    starts[end] = start  # the last piece is the shortest one
    pieces = []
    end = length
    while end and end in starts:
        pieces.append(word[starts[end] : end])
        end = starts[end]
    return pieces[::-1] if len(pieces) > 1 else []


def is_person(word: str) -> bool:
    """Recognise ``jane``, ``janedoe`` and ``jdoe``, unless it is a known word."""
    if word in FIRST_NAMES:
        return True
    if word in WORDS or not _LEAST_STEM <= len(word) <= _MOST_PIECE:
        return False
    if word[1:] in LAST_NAMES:
        return True
    return word[:_LEAST_PIECE] in _HEADS and any(
        word[:end] in FIRST_NAMES and (word[end:] in LAST_NAMES or word[end:] in FIRST_NAMES)
        for end in range(_LEAST_PIECE, len(word) - 1)
    )


def is_compound(words: list[str], *, hyphens: bool) -> bool:
    """Return whether words that stand where an id could begin with a verb, or end with a part of an account.

    ``margin_mode`` and ``role-assignments`` do, but not ``open-door``, which may name a company. With hyphens
    all words must be technical. Otherwise one is enough, for companies' names have hyphens.
    """
    last = words[-1]
    if last in _FIRST or last in _LAST or "by" in words:
        return True
    if words[0] in _FIRST and any(_is_subresource(word) or is_part(word) for word in words[1:]):
        return True
    if not hyphens and any(map(_is_subresource, words)):
        return True
    if last.endswith(_FOLLOWING):
        return any(_is_subresource(word) or is_part(word) for word in words[:-1])
    return (last in RESOURCES or last[-1] == "s") and all(
        _is_subresource(word) or is_part(word) or (word[-1] == "s" and word[:-1] in SUBRESOURCES)
        for word in words
    )


def _is_subresource(word: str) -> bool:
    return word in SUBRESOURCES or word in TELLING or word.endswith(_FOLLOWING)


def is_collection(words: list[str]) -> bool:
    """Recognise ``master-templates`` by its last word."""
    return words[-1][-1] == "s" and words[-1] in SUBRESOURCES and all(map(is_known_word, words))


def is_countable(words: list[str]) -> bool:
    """Return whether an id may follow: ``orders`` and ``product``, but not ``sms`` and ``agent-studio``."""
    last = words[-1] if words else ""
    if len(words) > 1 and last in _MOUNTS:
        return False
    return last + "s" in WORDS or (last[-1:] == "s" and len(last) >= _LEAST_STEM)


def is_part(word: str) -> bool:
    """Recognise ``portfolio`` and ``perspectives``."""
    return word in RESOURCES or (word[-1] == "s" and word[:-1] in RESOURCES)


def _is_phrasal(word: str, verbs: frozenset[str]) -> bool:
    """Recognise ``failover`` and ``cleanup``."""
    return word.endswith(_PARTICLES) and any(
        word.endswith(particle)
        and len(word) >= _LEAST_STEM + len(particle)
        and word[: -len(particle)] in verbs
        for particle in _PARTICLES
    )


def may_follow(word: str) -> bool:
    """Return whether a word that stands where an id could is a verb, a state or a collection."""
    if word in SUBRESOURCES or word in TELLING or _is_phrasal(word, SUBRESOURCES):
        return True
    if not is_known_word(word) or word in LAST_NAMES:
        return False
    return word.endswith(_FOLLOWING) or (word[-1] == "s" and not word.endswith(_NO_PLURALS))


def names_company(words: list[str]) -> bool:
    """Recognise ``global-systems`` by its last word."""
    return len(words) > 1 and words[-1].lower() in COMPANIES
