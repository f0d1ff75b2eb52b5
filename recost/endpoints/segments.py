"""Names and identifiers in the segments of a path.

A segment stays when it reads like a name that a programmer gave: words, versions, formats. Everything
else becomes ``{id}``: numbers, UUIDs, hex, tokens, prefixed ids, e-mail addresses, people's names, text in
any other alphabet. An unclear case is an identifier: a merged endpoint does less harm than a leaked secret.

Every check looks at a segment of at most 64 characters, and at each piece of it once.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from recost._patterns import LazyPattern
from recost.endpoints.names import (
    DATE,
    NAMESPACE,
    PIECE,
    PUNCTUATED,
    SPECIAL,
    VERSION,
    ends_with_a_number,
    is_domain,
    is_name,
    reads_like_a_word,
)
from recost.endpoints.shapes import has_many_digits
from recost.endpoints.vocabulary import SUBRESOURCES, TELLING, TOKENS
from recost.endpoints.words import (
    HUMP,
    is_collection,
    is_compound,
    is_known,
    is_known_word,
    is_part,
    is_person,
    is_run_together_noun,
    is_run_together_verb,
    may_follow,
    names_company,
    words_of,
)

__all__ = [
    "FREE",
    "ID",
    "KNOWN",
    "NAME",
    "NAMED",
    "PASSED_OVER",
    "STRICT",
    "WEAK",
    "announces",
    "is_model",
    "is_mount",
    "is_service",
    "template_segment",
]

ID: Final = "{id}"
FREE: Final = 0
KNOWN: Final = 1
NAMED: Final = 2
STRICT: Final = 3
PASSED_OVER: Final = -1
NAME: Final = 8
WEAK: Final = 9

_PLACEHOLDERS: Final = frozenset({"", ID, "bot{id}", "{bucket}", "{key}", "{object}", "{rest}"})
_MAX_LENGTH: Final = 64
_JUDGED_MODEL: Final = 10
"""Minimum number of letters of a word in a model's name that is judged by its pairs of letters."""


_MARKS: Final = frozenset("%:;=(.")
_ESCAPE: Final = LazyPattern("%([0-9A-Fa-f]{2})")
_BOT_TOKEN: Final = LazyPattern(r"bot[0-9]+:")
_LEADING_VERSION: Final = LazyPattern(rf"(?:{DATE})(?:-preview)?|[0-9]\.[0-9]{{1,2}}")
_UUID: Final = LazyPattern(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BYS: Final = frozenset({"by", "By"})
_BY: Final = LazyPattern("by[_-][A-Za-z]|by[A-Z]|By[A-Z]")
"""``by-slug``, behind which an identifier stands."""
_GRAPH: Final = "microsoft.graph."
_NAMESPACES: Final = ("Microsoft.", _GRAPH)
_MOUNT: Final = LazyPattern("[A-Za-z]+(?:[0-9](?:[A-Za-z]+[0-9]?)?)?")
_MOST_MOUNT: Final = 24
_USER_MARKS: Final = frozenset({"@", "u", "~"})
"""Abbreviations of ``users``."""

_MODEL: Final = LazyPattern(
    r"(?:(?:us|eu|apac|jp|au|global)\.)?"
    r"(?:(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|mistral|openai|qwen|stability|xai)\.)?"
    r"(?:chatgpt|chirp|claude|codestral|command|dall-e|deepseek|devstral|eleven|embed|flux|gemini|gemma|glm|gpt"
    r"|grok|imagen|jamba|kimi|llama|magistral|ministral|mistral|mixtral|nova|o[1-9]|omni|phi|pixtral|qwen|qwq|rerank"
    r"|sonar|stable|text-(?:bison|davinci|embedding|moderation)|titan|tts|veo|voxtral|voyage|whisper)"
    r"(?=[0-9._-]|\Z)"
)
"""Families of models. Their names contain sizes, versions and dates, and costs depend on the names."""
_MODEL_PART: Final = LazyPattern(
    "[a-z]{0,2}[0-9]{1,2}|[a-z]{1,14}[0-9]{0,2}|[0-9]{1,4}[bkmo]?|20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]"
    "|[0-9]{1,3}x[0-9]{1,3}b?|[ae][0-9]{1,3}b"
)
_FORMATS_TEXT: Final = (
    "asmx ashx aspx atom axd cgi do geojson htm html json jsonl jsonld "
    "jsonp jsp php rdf rss svc ttl xhtml xml yaml yml"
)
_FORMATS: Final = frozenset(_FORMATS_TEXT.split())
"""Suffixes of responses. The name before them stays if each of its words is known."""
_PROGRAMS: Final = frozenset({"asmx", "ashx", "axd", "cgi", "dll", "jsp", "php", "svc"})
"""Suffixes of programs. Any name before them stays."""
_FILES_TEXT: Final = """
    7z aac apk avi avif avro bak bin bmp bz2 crt css csv dat db dmg doc docx eml epub exe flac gif
    gz heic ico ics ipa ipynb iso jpeg jpg js key log m3u8 m4a map md mkv mov mp3 mp4 mpeg msg ndjson odt
    ogg opus p12 parquet pbf pdf pem pfx png ppt pptx ps rar rtf sql sqlite svg tar tgz tif tiff ts tsv
    txt vcf wav webm webp wmv xls xlsm xlsx zip zst
"""
_FILES: Final = frozenset(_FILES_TEXT.split())
"""Suffixes of people's files. Nothing but the suffix stays."""


@lru_cache(maxsize=1024)
def template_segment(segment: str, first: bool, announced: int = FREE, model: bool = False) -> str:
    """Return a segment of a path with identifiers replaced. A second pass does not change the result.

    Args:
        segment: The text between two slashes, at most a few kilobytes.
        first: True for the first segment, where dates and decimal numbers are versions of an API.
        announced: `STRICT` after a word for a secret, where only known verbs stay. `NAMED` after a word for
            a person or a tenant, where resources stay too. `KNOWN` behind that, where known words stay.
            `FREE` elsewhere.
        model: True where models are named.
    """
    if segment in _PLACEHOLDERS or (first and _LEADING_VERSION.fullmatch(segment)):
        return segment
    if len(segment) > _MAX_LENGTH:
        head, opened, _ = segment.partition("(")
        if len(head) > _MAX_LENGTH or not opened or segment[-1] != ")":
            return ID
        segment = f"{head}({ID})"  # nothing but the name stays
    if segment.isdigit():
        return ID
    if not model and _MARKS.isdisjoint(segment) and segment[0] not in "vV":
        if has_many_digits(segment):
            return ID  # most ids end here
    elif "%" in segment:
        segment = _ESCAPE.sub(_unescape, segment)
    if _BOT_TOKEN.match(segment):
        return "bot{id}"
    result = _segment(segment, announced, model)
    return result if len(result) <= _MAX_LENGTH else ID


@lru_cache(maxsize=1024)
def announces(segment: str) -> int:
    """Return the number of segments after this one that are a person's, a tenant's or a secret's.

    Return `NAME` for a person's or a tenant's name, and `WEAK` for some that are hidden if unknown. Return
    `PASSED_OVER` for a version, which may stand between a word and the identifier that it announces.
    """
    if len(segment) > _MAX_LENGTH and segment[-1] == ")":
        segment = segment.partition("(")[0]
    if len(segment) > _MAX_LENGTH or segment in _PLACEHOLDERS or "@" in segment:
        return 0
    if VERSION.fullmatch(segment):
        return PASSED_OVER
    if "%" in segment:
        segment = _ESCAPE.sub(_unescape, segment)
    for mark in ":=;(":
        segment = segment.partition(mark)[0]
    if segment.startswith("Microsoft.") and NAMESPACE.fullmatch(segment):
        return 0
    if segment in _USER_MARKS:
        return 1
    count = 1 if segment[:2] in _BYS and _BY.match(segment) else 0
    for word in map(str.lower, HUMP.findall(segment)):
        if word in TELLING and (not count or TELLING[word] == 2 or (count != 2 and TELLING[word] < count)):
            count = TELLING[word]
    return count


def is_mount(segment: str) -> bool:
    """Return whether a segment before a version may be an API's name: ``/api.xro/2.0``, ``/G2W/rest``."""
    pieces = segment.replace("-", ".").replace("_", ".").split(".")
    return (
        len(segment) <= _MOST_MOUNT
        and all(map(_MOUNT.fullmatch, pieces))
        and (len(pieces) == 1 or (any(map(is_known, pieces)) and not is_domain(pieces)))
        and not segment.startswith(TOKENS)
        and not announces(segment)
        and not any(map(is_person, words_of(segment)))
    )


def is_service(service: str, method: str) -> bool:
    """Recognise ``/qdrant.Collections/List``, where service and method are words."""
    *_, name = service.split(".")
    return (
        len(service) <= _MAX_LENGTH
        and (is_known(name) or any(map(VERSION.fullmatch, service.split("."))))
        and method.isalpha()
        and is_known(method)
        and is_name(method)
    )


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _segment(segment: str, announced: int, model: bool) -> str:
    if ";" in segment:  # matrix parameters
        head, _, rest = segment.partition(";")
        kept = _segment(head, announced, model) if "=" in rest or rest == ID else ID
        return kept if kept == ID else f"{kept};{ID}"
    if segment.endswith(")"):  # OData: Users('bob@example.com'), reports(period='D7'), delta()
        head, _, inside = segment[:-1].partition("(")
        kept = _part(head, announced, model=False)
        return ID if kept == ID else f"{kept}({ID})" if inside else f"{kept}()"
    if ":" in segment:
        return _joined(segment.split(":"), announced, model)
    return _part(segment, announced, model)


def _joined(parts: list[str], announced: int, model: bool) -> str:
    """Return ``gemini-2.5-flash:generateContent`` as it is, ``8d3f…:cancel`` as ``{id}:cancel``."""
    head, *rest = parts
    if model and len(rest) == 1 and rest[0] in set("0123456789") and is_model(head):
        return f"{head}:{rest[0]}"  # anthropic.claude-3-5-sonnet-20241022-v2:0
    if model and head == "ft" and is_model(rest[0]):
        return ":".join(["ft", rest[0], *[ID] * (len(rest) - 1)])
    named = model or (head != ID and (is_known(head) or announces(head) > 0))
    if len(rest) == 1 and not named and not rest[0].startswith(ID) and _is_verb(rest[0]) and is_name(rest[0]):
        kept = VERSION.fullmatch(head) or not head.strip("._-")
        return f"{head if kept else ID}:{rest[0]}"  # documents/abc:run
    results: list[str] = []
    for part in parts:
        result = _part(part, announced, model)
        if results and results[-1] == ID and result != ID and not _is_method(part):
            result = ID
        results.append(result)
        announced = STRICT if result != ID and part and announces(part) > 0 else FREE
    return ":".join(results)


def _is_method(text: str) -> bool:
    """Recognise what follows an identifier and a colon: ``cancel``, ``lookupConfiguredPerimeter``."""
    if is_known(text) or _is_verb(text):
        return True
    first, *others = HUMP.findall(text) or [""]
    known = bool(others) and (is_known_word(first) or is_known_word(others[-1].lower()))
    return known and first.islower() and text.isalpha()


def _part(part: str, announced: int, model: bool) -> str:
    if part in {"", ID}:
        return part
    stem, dot, extension = part.rpartition(".")
    suffix = extension.lower() if dot and stem else ""
    if suffix in _FORMATS:
        free = suffix in _PROGRAMS and not announced
        kept = stem == ID or (is_name(stem) if free else _is_resource(stem, announced))
        return f"{stem if kept else ID}.{extension}"
    if suffix in _FILES and not (model and is_model(part)) and not NAMESPACE.fullmatch(part):
        return f"{ID}.{extension}"
    return part if _stays(part, announced, model) else ID


def _stays(part: str, announced: int, model: bool) -> bool:
    if not announced:
        return is_name(part) or (model and is_model(part))
    if "@" in part and part not in SPECIAL:
        return False
    stays = (
        _is_verb(part) or (announced == NAMED and _is_part(part)) or (announced == KNOWN and _is_known(part))
    )
    return stays and is_name(part)


def _is_known(part: str) -> bool:
    if len(part) == 1:
        return part.isalpha()
    words = words_of(part)
    if len(words) == 1 and is_run_together_noun(words[0]):
        return True
    return is_known(part) and not names_company(words)


def _is_resource(stem: str, announced: int) -> bool:
    """Recognise ``Messages`` of ``Messages.json``, but not ``jane-doe``."""
    if stem[0] not in "vV" and has_many_digits(stem):
        return False
    if announced:
        stays = announced == KNOWN or _is_verb(stem) or (announced == NAMED and _is_part(stem))
        return stays and is_known(stem) and is_name(stem)
    return is_name(stem) and (is_known(stem) or _is_camel(stem))


def _is_camel(text: str) -> bool:
    """Recognise ``EducationalDetection``, where half is known, but not ``AcmeCorp``."""
    words = words_of(text)
    known = sum(map(is_known_word, words))
    return text.isalpha() and text[0].isupper() and 1 < len(words) <= 2 * known and not names_company(words)


def is_model(text: str) -> bool:
    """Return whether a text is the name of a model of a known family."""
    lower = text.lower()
    return (
        text.isascii()
        and _MODEL.match(lower) is not None
        and PUNCTUATED.fullmatch(lower) is not None
        and all(map(_MODEL_PART.fullmatch, PIECE.findall(lower)))
        and _UUID.search(lower) is None
        and all(len(hump) < _JUDGED_MODEL or reads_like_a_word(hump) for hump in HUMP.findall(text))
    )


def _is_part(text: str) -> bool:
    """Recognise a part of an account: ``portfolio``, ``serviceaccount``."""
    words = words_of(text)
    if len(words) == 1 and is_run_together_noun(words[0]):
        return True
    if len(words) == 1:
        return is_part(words[0])
    return bool(words) and is_collection(words) and not names_company(words)


def _is_verb(text: str) -> bool:
    """Recognise what may follow ``users``: a verb, or a part of every account, such as ``settings``."""
    if text in SPECIAL or not text.strip("._-") or VERSION.fullmatch(text):
        return True
    if text.startswith(_NAMESPACES):
        return NAMESPACE.fullmatch(text) is not None or (text[0] == "m" and is_name(text[len(_GRAPH) :]))
    if text[:2] in _BYS and _BY.match(text):
        return True
    return not ends_with_a_number(text) and _acts(text, words_of(text))


def _acts(text: str, words: list[str]) -> bool:
    """Return whether words are known to stand where an id could."""
    if len(words) < 2:
        return bool(words) and (may_follow(words[0]) or is_run_together_verb(words[0]))
    if text.isalpha() and text[0].islower():  # listLegacyOrganizations
        return words[0] in SUBRESOURCES or all(map(is_known_word, words))
    known = all(map(is_known_word, words)) and not names_company(words)
    return known and is_compound(words, hyphens="-" in text)
