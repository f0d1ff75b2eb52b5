"""Tells names from identifiers in the segments of a path.

A segment stays when it reads like a name that a programmer gave: words, versions, model names, file
suffixes. Everything else becomes ``{id}``: numbers, UUIDs, hex, tokens, prefixed ids, e-mail addresses, text
in any other alphabet. Where it is not clear, it is an identifier: a merged endpoint is a smaller loss than a
leaked secret.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Callable, Final, Optional

__all__ = ["ID", "template_segment"]

ID: Final = "{id}"

_PLACEHOLDERS: Final = frozenset({"", ID, "bot{id}", "{bucket}", "{key}", "{object}", "{rest}"})
_MAX_LENGTH: Final = 64
_MAX_WORD: Final = 24
_JUDGED: Final = 10
"""Letters that a word must have before it is judged by which letters follow each other."""
_LEAST_HUMP: Final = 2.6
_GOOD_HUMP: Final = 4.0
"""Average letters of ``One``, ``Word``, ``After``, ``Another``; random letters have fewer."""
_MOST_ODD: Final = 0.2


class _Pattern:
    """A regular expression that is compiled at its first use: on recost's own thread, and not at import."""

    match: Callable[[str], Optional[re.Match[str]]]
    fullmatch: Callable[[str], Optional[re.Match[str]]]

    def __init__(self, source: str) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source)
        self.match, self.fullmatch = compiled.match, compiled.fullmatch
        return getattr(compiled, name)


_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})")
_BOT_TOKEN: Final = re.compile(r"bot[0-9]+:")
_LEADING_VERSION: Final = re.compile(
    r"20[0-9]{2}-(?:0[1-9]|1[0-2])(?:-[0-3][0-9])?(?:-preview)?|[0-9]\.[0-9]{1,2}"
)
_DIGITS: Final = frozenset("0123456789")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VERSION: Final = re.compile(
    r"v[0-9]{1,2}(?:[._][0-9]{1,3}){0,2}(?:(?:alpha|beta|preview|rc|p)[0-9]{0,2}){0,2}"
)
_PIECE: Final = re.compile("[a-z0-9]+")
_PUNCTUATED: Final = re.compile(r"\$?[a-z0-9._~-]*")
_NAME: Final = re.compile(
    "[a-z]+|[a-z]{2,8}[0-9]|v[0-9]{1,2}"
    "|b2b|b2c|base64|e164|e2e|ec2|h264|i18n|k8s|l10n|mp[34]|oauth10|p2p|route53|s3"
    "|sha1|sha256|sha512|utf16|x509"
)
"""Pieces of names: words, with one digit at most as in ``oauth2`` and ``web3``, and some well-known names."""
_HEX: Final = re.compile("[a-f]{12,}", re.IGNORECASE)
_WORD: Final = re.compile("[A-Za-z]+")
_HUMP: Final = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_MODEL: Final = _Pattern(
    r"(?:(?:us|eu|apac|jp|au|global)\.)?"
    r"(?:(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|mistral|openai|qwen|stability|xai)\.)?"
    r"(?:chatgpt|chirp|claude|codestral|command|dall-e|deepseek|devstral|eleven|embed|flux|gemini|gemma|glm|gpt"
    r"|grok|imagen|jamba|kimi|llama|magistral|ministral|mistral|mixtral|nova|o[1-9]|omni|phi|pixtral|qwen|qwq|rerank"
    r"|sonar|stable|text-(?:bison|davinci|embedding|moderation)|titan|tts|veo|voxtral|voyage|whisper)"
    r"(?=[0-9._-]|\Z)"
)
"""Models carry sizes, versions and dates in their names, and their names are what costs depend on."""
_MODEL_PART: Final = re.compile(
    "[a-z]{0,2}[0-9]{1,2}|[a-z]{1,14}[0-9]{0,2}|[0-9]{1,4}[bkmo]?|20[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]"
    "|[0-9]{1,3}x[0-9]{1,3}b?|[ae][0-9]{1,3}b"
)
_EXTENSION: Final = _Pattern(
    "asmx|aspx|atom|avi|css|csv|gif|gz|html|ico|ics|jpe?g|js|jsonl?|jsonp|jsp|md|mov|mp[34]|ogg|parquet|pdf|php"
    "|png|rss|svg|tar|tgz|txt|wav|webm|webp|xlsx?|xml|ya?ml|zip"
)
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
def template_segment(segment: str, first: bool) -> str:
    """Return a segment of a path with identifiers replaced; what comes out is not changed by a second pass.

    Args:
        segment: What stands between two slashes, at most a few kilobytes.
        first: It is the path's first, where dates and decimal numbers are versions of an API.
    """
    if segment in _PLACEHOLDERS or (first and _LEADING_VERSION.fullmatch(segment)):
        return segment
    if len(segment) > _MAX_LENGTH or segment.isdigit():
        return ID
    if "%" in segment:
        segment = _ESCAPE.sub(_unescape, segment)
    if _BOT_TOKEN.match(segment):
        return "bot{id}"
    result = _part(segment) if ":" not in segment else _joined(segment.split(":"))
    return result if len(result) <= _MAX_LENGTH else ID


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _joined(parts: list[str]) -> str:
    """Return ``gemini-2.5-flash:generateContent`` as it is, ``8d3f…:cancel`` as ``{id}:cancel``."""
    head, *rest = parts
    if len(rest) == 1 and rest[0] in _DIGITS and _MODEL.match(head.lower()) and _is_name(head):
        return f"{head}:{rest[0]}"  # anthropic.claude-3-5-sonnet-20241022-v2:0
    return ":".join(map(_part, parts))


def _part(part: str) -> str:
    stem, dot, extension = part.rpartition(".")
    if dot and stem and _EXTENSION.fullmatch(extension.lower()):
        return f"{stem if stem == ID or _is_name(stem) else ID}.{extension}"
    return part if part in {"", ID} or _is_name(part) else ID


def _is_name(text: str) -> bool:
    if not text.isascii():
        return False
    lower = text.lower()
    if _VERSION.fullmatch(lower):
        return True
    if not _PUNCTUATED.fullmatch(lower):
        return False
    pieces = _PIECE.findall(lower)  # one by one: a pattern of several could try all ways to divide them
    if not all(map(_NAME.fullmatch, pieces)) and not (
        _MODEL.match(lower) and all(map(_MODEL_PART.fullmatch, pieces))
    ):
        return False
    if text.startswith("eyJ") or _UUID.search(lower):
        return False
    return _reads_like_words(text)


def _reads_like_words(text: str) -> bool:
    """Tell by the letters: those of a token switch between cases, and follow each other as in no word."""
    words = _WORD.findall(text)
    if text == text.lower():
        return all(map(_reads_like_a_word, words))
    humps = _HUMP.findall(text)
    letters, capitals = sum(map(len, words)), sum(map(str.isupper, text))
    if letters >= _JUDGED and len(humps) > len(words) and letters < _LEAST_HUMP * len(humps):
        return False
    good = letters >= _GOOD_HUMP * max(len(humps), capitals)
    return all(map(_reads_like_a_word, humps if good else words))


def _reads_like_a_word(word: str) -> bool:
    if len(word) < _JUDGED:
        return True
    if _HEX.fullmatch(word) or (len(word) > _MAX_WORD and (word.islower() or word.isupper())):
        return False
    lower = word.lower()
    odd = sum(after not in _PAIRS[letter] for letter, after in zip(lower, lower[1:]))
    return odd <= _MOST_ODD * (len(word) - 1)
