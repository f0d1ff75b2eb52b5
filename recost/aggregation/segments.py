"""Tells names from identifiers in the segments of a path.

A segment stays when it reads like a name that a programmer gave: words, versions, formats. Everything
else becomes ``{id}``: numbers, UUIDs, hex, tokens, prefixed ids, e-mail addresses, people's names, text in
any other alphabet. Where it is not clear, it is an identifier: a merged endpoint is a smaller loss than a
leaked secret.

Every check looks at a segment of at most 64 characters, and at each piece of it once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from recost._patterns import LazyPattern
from recost.aggregation.vocabulary import FIRST_NAMES, NUMBERED, SUBRESOURCES, TELLING, TOKENS, WORDS
from recost.aggregation.words import (
    HUMP,
    is_known,
    is_known_word,
    is_person,
    is_run_together,
    is_run_together_verb,
    may_follow,
    names_company,
    words_of,
)

__all__ = [
    "FREE",
    "ID",
    "KNOWN",
    "PASSED_OVER",
    "STRICT",
    "WEAK",
    "is_model",
    "is_telling",
    "template_segment",
]

ID: Final = "{id}"
FREE: Final = 0
KNOWN: Final = 1
STRICT: Final = 2
PASSED_OVER: Final = -1
WEAK: Final = 9

_PLACEHOLDERS: Final = frozenset({"", ID, "bot{id}", "{bucket}", "{key}", "{object}", "{rest}"})
_MAX_LENGTH: Final = 64
_MAX_WORD: Final = 24
_JUDGED: Final = 6
"""Letters that an unknown word must have before it is judged by which letters follow each other."""
_JUDGED_MODEL: Final = 10
"""The same for the words of a model's name."""
_LEAST_HUMP: Final = 2.6
"""Average letters of ``One``, ``Word``, ``After``, ``Another``; random letters have fewer."""
_GOOD_HUMP: Final = 4.0
_MOST_ODD: Final = 0.2
_SHORT: Final = 5
_GROUPS: Final = 3


_MARKS: Final = frozenset("%:;=(.")
_NO_DIGITS: Final = dict.fromkeys(map(ord, "0123456789"))
_MOST_DIGITS: Final = 5
_ESCAPE: Final = LazyPattern("%([0-9A-Fa-f]{2})")
_BOT_TOKEN: Final = LazyPattern(r"bot[0-9]+:")
_DATE: Final = "20[0-4][0-9]-?(?:0[1-9]|1[0-2])(?:-?(?:0[1-9]|[12][0-9]|3[01]))?"
_LEADING_VERSION: Final = LazyPattern(rf"(?:{_DATE})(?:-preview)?|[0-9]\.[0-9]{{1,2}}")
_UUID: Final = LazyPattern(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION: Final = LazyPattern(
    r"[vV][0-9]{1,2}(?:[._][0-9]{1,3}){0,2}(?:(?:alpha|beta|preview|rc|p|b)[0-9]{0,2}){0,2}"
    rf"|v(?:{_DATE})"
)
_PUNCTUATED: Final = LazyPattern(r"\$?[A-Za-z0-9._-]*")
_NAMESPACE: Final = LazyPattern(r"Microsoft(?:\.[A-Z][A-Za-z]{1,30}){1,3}")
"""What a provider of Azure's is called."""
_GRAPH: Final = "microsoft.graph."
_NAMESPACES: Final = ("Microsoft.", _GRAPH)
_MOUNT: Final = LazyPattern("[A-Za-z]+[0-9]?[A-Za-z]*[0-9]?")
_MOST_MOUNT: Final = 16
_BEHIND_MOUNTS: Final = frozenset({"api", "rest"})
_USER_MARKS: Final = frozenset({"@", "u", "~"})
"""They stand for ``users``."""
_SPECIAL: Final = frozenset({"@me", "@all", "~", "()", "$"})
_PIECE: Final = LazyPattern("[a-z0-9]+")
_NUMBERED: Final = LazyPattern("([a-z]{2,})[0-9]{1,3}")
"""A known word and a number, as in ``office365``; but not ``user7``."""
_VERSIONED: Final = LazyPattern("(?:v[0-9]{1,2})?([a-z]+)(?<!v)(?:v[0-9]{1,2})?")
_HEX: Final = LazyPattern("[a-fA-F]{8,}")
_SEPARATORS: Final = LazyPattern("[._-]")

_MODEL: Final = LazyPattern(
    r"(?:(?:us|eu|apac|jp|au|global)\.)?"
    r"(?:(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|mistral|openai|qwen|stability|xai)\.)?"
    r"(?:chatgpt|chirp|claude|codestral|command|dall-e|deepseek|devstral|eleven|embed|flux|gemini|gemma|glm|gpt"
    r"|grok|imagen|jamba|kimi|llama|magistral|ministral|mistral|mixtral|nova|o[1-9]|omni|phi|pixtral|qwen|qwq|rerank"
    r"|sonar|stable|text-(?:bison|davinci|embedding|moderation)|titan|tts|veo|voxtral|voyage|whisper)"
    r"(?=[0-9._-]|\Z)"
)
"""Models carry sizes, versions and dates in their names, and their names are what costs depend on."""
_MODEL_PART: Final = LazyPattern(
    "[a-z]{0,2}[0-9]{1,2}|[a-z]{1,14}[0-9]{0,2}|[0-9]{1,4}[bkmo]?|20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]"
    "|[0-9]{1,3}x[0-9]{1,3}b?|[ae][0-9]{1,3}b"
)
_FORMATS_TEXT: Final = (
    "asmx ashx aspx atom axd cgi do geojson htm html json jsonl jsonld "
    "jsonp jsp php rdf rss svc ttl xhtml xml yaml yml"
)
_FORMATS: Final = frozenset(_FORMATS_TEXT.split())
"""Suffixes of what an API answers: the name before them stays if each of its words is known."""
_FILES_TEXT: Final = """
    7z aac apk avi avif avro bak bin bmp bz2 crt css csv dat db dmg doc docx eml epub exe flac gif
    gz heic ico ics ipa ipynb iso jpeg jpg js key log m3u8 m4a map md mkv mov mp3 mp4 mpeg msg ndjson odt
    ogg opus p12 parquet pbf pdf pem pfx png ppt pptx ps rar rtf sql sqlite svg tar tgz tif tiff ts tsv
    txt vcf wav webm webp wmv xls xlsm xlsx zip zst
"""
_FILES: Final = frozenset(_FILES_TEXT.split())
"""Suffixes of people's files, which keep nothing else."""
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
"""Letters that follow a letter in English, in 3 of 10,000 pairs or more; counted over the words in the
docstrings and names of Python's standard library."""


@lru_cache(maxsize=1024)
def template_segment(segment: str, first: bool, told: int = FREE, model: bool = False) -> str:
    """Return a segment of a path with identifiers replaced; what comes out is not changed by a second pass.

    Args:
        segment: What stands between two slashes, at most a few kilobytes.
        first: It is the path's first, where dates and decimal numbers are versions of an API.
        told: `STRICT` after a word that tells of a person, a tenant or a secret, where only known verbs stay;
            `KNOWN` behind that, where known words stay; `FREE` elsewhere.
        model: It stands where models are named.
    """
    if segment in _PLACEHOLDERS or (first and _LEADING_VERSION.fullmatch(segment)):
        return segment
    if len(segment) > _MAX_LENGTH:
        head, opened, _ = segment.partition("(")
        if len(head) > _MAX_LENGTH or not opened or segment[-1] != ")":
            return ID
        segment = f"{head}({ID})"  # of which nothing but the name stays
    if segment.isdigit():
        return ID
    if not model and _MARKS.isdisjoint(segment) and segment[0] not in "vV":
        if _has_many_digits(segment):
            return ID  # most ids end here
    elif "%" in segment:
        segment = _ESCAPE.sub(_unescape, segment)
    if _BOT_TOKEN.match(segment):
        return "bot{id}"
    result = _segment(segment, told, model)
    return result if len(result) <= _MAX_LENGTH else ID


@lru_cache(maxsize=1024)
def is_telling(segment: str) -> int:
    """Return how many segments after this one are a person's, a tenant's or a secret's.

    `PASSED_OVER` for a version, which stands between a word and what it tells of.
    """
    if len(segment) > _MAX_LENGTH or segment in _PLACEHOLDERS or "@" in segment:
        return 0
    if _VERSION.fullmatch(segment):
        return PASSED_OVER
    if "%" in segment:
        segment = _ESCAPE.sub(_unescape, segment)
    for mark in ":=;(":
        segment = segment.partition(mark)[0]
    if segment.startswith("Microsoft.") and _NAMESPACE.fullmatch(segment):
        return 0
    if segment in _USER_MARKS:
        return 1
    telling = 0
    for word in map(str.lower, HUMP.findall(segment)):
        if word in TELLING and (not telling or telling == WEAK or TELLING[word] == 2):
            telling = TELLING[word]
    return telling


def is_mount(segment: str, behind: list[str]) -> bool:
    """Tell whether a path's first segment is an API's name, by the version behind it: ``/G2W/rest``."""
    after = behind[0] if behind else ""
    return (
        len(segment) <= _MOST_MOUNT
        and (after.rstrip("0123456789") in _BEHIND_MOUNTS or _VERSION.fullmatch(after) is not None)
        and _MOUNT.fullmatch(segment) is not None
        and not segment.startswith(TOKENS)
        and not any(map(is_person, words_of(segment)))
    )


def _has_many_digits(text: str) -> bool:
    return len(text) - len(text.translate(_NO_DIGITS)) > _MOST_DIGITS


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _segment(segment: str, told: int, model: bool) -> str:
    if ";" in segment:  # matrix parameters
        head, _, rest = segment.partition(";")
        kept = _segment(head, told, model) if "=" in rest or rest == ID else ID
        return kept if kept == ID else f"{kept};{ID}"
    if segment.endswith(")"):  # OData: Users('bob@example.com'), reports(period='D7'), delta()
        head, _, inside = segment[:-1].partition("(")
        kept = _part(head, told, model=False)
        return ID if kept == ID else f"{kept}({ID})" if inside else f"{kept}()"
    return _part(segment, told, model) if ":" not in segment else _joined(segment.split(":"), told, model)


def _joined(parts: list[str], told: int, model: bool) -> str:
    """Return ``gemini-2.5-flash:generateContent`` as it is, ``8d3f…:cancel`` as ``{id}:cancel``."""
    head, *rest = parts
    if model and len(rest) == 1 and rest[0] in set("0123456789") and is_model(head):
        return f"{head}:{rest[0]}"  # anthropic.claude-3-5-sonnet-20241022-v2:0
    if model and head == "ft" and is_model(rest[0]):
        return ":".join(["ft", rest[0], *[ID] * (len(rest) - 1)])
    named = model or is_known(head) or is_telling(head) > 0
    if len(rest) == 1 and not named and rest[0] != ID and _is_verb(rest[0]):
        return f"{head if not head.strip('._-') else ID}:{rest[0]}"  # documents/abc:run
    results: list[str] = []
    for part in parts:
        result = _part(part, told, model)
        if results and results[-1] == ID and result != ID and not is_known(part) and not _is_verb(part):
            result = ID
        results.append(result)
        told = STRICT if result != ID and part and is_telling(part) > 0 else FREE
    return ":".join(results)


def _part(part: str, told: int, model: bool) -> str:
    if part in {"", ID}:
        return part
    stem, dot, extension = part.rpartition(".")
    suffix = extension.lower() if dot and stem else ""
    if suffix in _FORMATS:
        return f"{stem if stem == ID or _is_resource(stem, told) else ID}.{extension}"
    if suffix in _FILES and not (model and is_model(part)):
        return f"{ID}.{extension}"
    if told and "@" in part and part not in _SPECIAL:
        return ID
    if told == STRICT:
        kept = _is_verb(part)
    elif told:
        kept = _is_verb(part) or (is_known(part) and not names_company(words_of(part)))
    else:
        return part if _is_name(part) or (model and is_model(part)) else ID
    return part if kept and _is_name(part) else ID


def _is_resource(stem: str, told: int) -> bool:
    """Tell ``Messages`` of ``Messages.json`` from ``jane-doe``."""
    if stem[0] not in "vV" and _has_many_digits(stem):
        return False
    if told:
        return is_known(stem) and _is_name(stem) and (told == KNOWN or _is_verb(stem))
    return _is_name(stem) and (is_known(stem) or _is_camel(stem))


def _is_camel(text: str) -> bool:
    """Tell ``EducationalDetection``, of which half is known, from ``Kowalski`` and ``AcmeCorp``."""
    words = words_of(text)
    known = sum(map(is_known_word, words))
    return text.isalpha() and text[0].isupper() and 1 < len(words) <= 2 * known and not names_company(words)


def is_model(text: str) -> bool:
    """Tell whether a text is the name of a model of a known family."""
    lower = text.lower()
    return (
        text.isascii()
        and _MODEL.match(lower) is not None
        and _PUNCTUATED.fullmatch(lower) is not None
        and all(map(_MODEL_PART.fullmatch, _PIECE.findall(lower)))
        and _UUID.search(lower) is None
        and all(len(hump) < _JUDGED_MODEL or _reads_like_a_word(hump) for hump in HUMP.findall(text))
    )


def _is_verb(text: str) -> bool:
    """Tell what may follow ``users``: a verb, or a part of every account, such as ``settings``."""
    if text in _SPECIAL or not text.strip("._-") or _VERSION.fullmatch(text):
        return True
    if text.startswith(_NAMESPACES):
        return _NAMESPACE.fullmatch(text) is not None or (text[0] == "m" and _is_name(text[len(_GRAPH) :]))
    words = words_of(text)
    if not words:
        return False
    if len(words) > 1 and text.isalpha() and text[0].islower():  # listLegacyOrganizations
        return words[0] in SUBRESOURCES or all(map(is_known_word, words))
    if any(map(may_follow, words)) and all(map(is_known_word, words)):
        return not names_company(words)
    return len(words) == 1 and is_run_together_verb(words[0])


def _is_name(text: str) -> bool:
    """Tell whether a programmer gave this name: by its characters, its pieces, its words and its letters."""
    if text in _SPECIAL or _VERSION.fullmatch(text):
        return True
    if text.startswith(_NAMESPACES) and _NAMESPACE.fullmatch(text):
        return True
    if text.startswith(TOKENS) or _holds_a_token(text):
        return False
    return _PUNCTUATED.fullmatch(text) is not None and _consists_of_words(text)


def _holds_a_token(text: str) -> bool:
    """Tell ``token-sk_live_abc`` by the prefix behind a separator."""
    return any(text.startswith(TOKENS, found.end()) for found in _SEPARATORS.finditer(text))


def _consists_of_words(text: str) -> bool:
    words = words_of(text)
    if not FIRST_NAMES.isdisjoint(words):
        return False
    if words and WORDS.issuperset(words) and 2 * len(words) >= len(HUMP.findall(text)):
        return text.isalpha() or _has_plain_digits(text)
    return _has_plain_digits(text) and _reads_like_words(text) and not any(map(is_person, words))


def _has_plain_digits(text: str) -> bool:
    pieces = _PIECE.findall(text.lower())
    return all(
        piece.isalpha()
        or piece in NUMBERED
        or _VERSION.fullmatch(piece)
        or _is_numbered(piece, text)
        or (piece.isdigit() and len(piece) < _GROUPS and piece is not pieces[-1] and is_known(text))
        for piece in pieces
    )


def _is_numbered(piece: str, text: str) -> bool:
    """Tell ``office365`` and ``GetTop10Flights`` from ``user7`` and tokens."""
    found = _NUMBERED.fullmatch(piece)
    if found is not None and found[1] in WORDS:
        return found[1] not in TELLING
    versioned = _VERSIONED.fullmatch(piece)
    if versioned is not None and (versioned[1] in WORDS or is_known(text)):
        return True
    if _holds_a_numbered(piece):
        return True
    digits, words = sum(map(str.isdigit, text)), words_of(text)
    if found is not None and digits == 1 and len(words) > 1 and is_known(text):
        return words[-1] not in TELLING  # usRaceEthnicityZIP5
    camel = piece[-1].isalpha() and piece[0].isalpha() and not text.islower()
    long = all(len(hump) >= _GROUPS for hump in HUMP.findall(text))
    return camel and long and digits < _GROUPS and len(words) > 1 and is_known(text)


def _holds_a_numbered(piece: str) -> bool:
    """Tell ``s3express``, ``authorise3ds2`` and ``csv2json``."""
    for end in range(2, min(len(piece), 6)):
        if piece[:end] in NUMBERED and piece[end:].isalpha() and _is_word(piece[end:]):
            return True
        if piece[-end:] in NUMBERED and piece[:-end].isalpha() and _is_word(piece[:-end]):
            return True
    left, _, right = piece.partition("2")
    return left.isalpha() and right.isalpha() and is_known_word(left) and is_known_word(right)


def _reads_like_words(text: str) -> bool:
    """Tell by the letters: those of a token switch between cases, and follow each other as in no word."""
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
    return all(map(_reads_like_a_word, unknown if good else filter(None, map(_letters, pieces))))


def _go_together(text: str, pieces: list[str], humps: int, unknown: list[str]) -> bool:
    """Tell ``list-legacy-keys`` from ``first-last``, ``mail.acme.com`` and ``abcd-efgh-ijkl``."""
    if len(unknown) == humps or _tells_within(pieces):
        return False
    if "." in text and pieces[-1].lower() not in SUBRESOURCES:
        return text.endswith(".k8s.io") or (2 * len(unknown) < humps and pieces[-1] not in _DOMAINS)
    return len(pieces) < _GROUPS or len(unknown) < 2 or len({len(piece) for piece in pieces}) > 1


def _is_word(hump: str) -> bool:
    word = hump.lower()
    return is_known_word(word) or is_run_together(word)


def _tells_within(pieces: list[str]) -> bool:
    """Tell ``tenant_acme`` and ``user-bob``, where a word tells of the next one."""
    told = next((index for index, piece in enumerate(pieces) if piece.lower() in TELLING), len(pieces))
    behind = pieces[told + 1 :]
    unknown = sum(not is_known(piece) for piece in behind)
    if unknown and (3 * unknown > len(behind) or not is_known(behind[0])):
        return True
    return told == 0 and names_company(pieces)


def _letters(piece: str) -> str:
    return "" if is_known(piece) else "".join(filter(str.isalpha, piece))


def _reads_like_a_word(word: str) -> bool:
    if len(word) < _JUDGED:
        return True
    if _HEX.fullmatch(word):
        return False
    return (len(word) <= _MAX_WORD and _has_common_pairs(word)) or _is_word(word)


def _has_common_pairs(word: str) -> bool:
    lower = word.lower()
    odd = sum(after not in _PAIRS[letter] for letter, after in zip(lower, lower[1:]))
    return odd <= _MOST_ODD * (len(word) - 1)
