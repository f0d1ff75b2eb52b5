"""Labels of the API keys that calls are made with.

A key is hashed while its call begins, and the label of the hash becomes the tag ``key`` of the call. Neither
the key nor the hash is kept. What is a key:

- the value of a header whose name ends with ``api-key``, ``api_key`` or ``apikey``, or is one of `_NAMES`
- ``Authorization``: the only word (AssemblyAI), or the one word behind the scheme (``Bearer``, ``Token`` of
  Deepgram, ``DeepL-Auth-Key``). Signatures have parameters (AWS, Digest, OAuth 1), and are not keys
- with the scheme ``Basic``: the user name (Stripe, Twilio), the password (Mailgun), or the word as it is

https://docs.stripe.com/api/authentication
https://www.twilio.com/docs/usage/requests-to-twilio
https://developers.deepgram.com/reference/authentication
https://api-dashboard.search.brave.com/documentation/guides/authentication
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Optional

from recost._key_labels import LONGEST, NAME
from recost.interceptors.context import CostScope
from recost.interceptors.exchange import Exchange

__all__ = ["KeyLabels", "merged"]

_OTHER: Final = "other"
_ENDINGS: Final = ("api-key", "api_key", "apikey")
_NAMES: Final = frozenset({"authorization", "ocp-apim-subscription-key", "x-subscription-token"})
"""Names of other headers: all APIs, Azure, Brave."""
_MOST_NAMES: Final = 512
"""Names of headers that are remembered."""
_SCHEMES: Final = frozenset({b"basic", b"bearer", b"token"})
_UNLISTED: Final = (b"",)
"""Stands for a key that is too long. `check_labels` refuses the hash of an empty key."""


class KeyLabels:
    """Labels by the hash of a key.

    Args:
        labels: Labels by ``sha256:`` and the hex digits of the hash.
    """

    __slots__ = ("_labels", "_scopes", "given")

    def __init__(self, labels: Mapping[str, str]) -> None:
        self.given = labels
        self._labels = {bytes.fromhex(name.partition(":")[2]): label for name, label in labels.items()}
        self._scopes: dict[str, CostScope] = {}

    def tag(self, exchange: Exchange, headers: Any) -> bool:
        """Add the tag ``key`` to a call whose headers have a key. A tag that it has already stays.

        Args:
            exchange: A call whose scope is known.
            headers: A mapping, pairs of name and value, or None.

        Returns:
            False if the call still has no such tag.
        """
        scope = exchange.scope
        if scope is not None and NAME in dict(scope.tags):
            return True
        label = self._label_of(headers)
        if label is None:
            return False
        exchange.scope = self._scope_of(label) if scope is None else scope.with_tags({NAME: label})
        return True

    def tag_sent(self, exchange: Exchange, head: bytes) -> None:
        """Do the same with a request line and headers as they are sent."""
        parts = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
        self.tag(exchange, [(name, value) for name, _, value in parts if value])

    def _scope_of(self, label: str) -> CostScope:
        scope = self._scopes.get(label)
        if scope is None:
            self._scopes[label] = scope = CostScope(((NAME, label),))
        return scope

    def _label_of(self, headers: Any) -> Optional[str]:
        """Return the label of the first key that is listed, else ``other``. Return None without a key."""
        found = None
        try:
            named = hasattr(headers, "keys")
            for item in headers or ():
                if _holds_key(item if named else item[0]):
                    for key in _keys_in(headers[item] if named else item[1]):
                        label = self._labels.get(sha256(key).digest())
                        if label is not None:
                            return label
                        found = _OTHER
        except Exception:  # noqa: BLE001 - an application's object may raise, and its text quote a key
            return found
        return found


def merged(labels: Sequence[KeyLabels]) -> KeyLabels:
    """Return the labels of several listeners. Of two labels of a key, the later one wins."""
    found: dict[str, str] = {}
    for each in labels:
        found.update(each.given)
    return KeyLabels(found)


@lru_cache(maxsize=_MOST_NAMES)
def _holds_key(name: Any) -> bool:
    """Return whether a header of this name has a key."""
    text: str = (name.decode("latin-1") if isinstance(name, bytes) else name).lower()
    return text in _NAMES or text.endswith(_ENDINGS)


def _keys_in(value: Any) -> tuple[bytes, ...]:
    """Return what may be the key in the value of a header: several with ``Basic``, nothing in a signature."""
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    if len(data) > LONGEST:
        return _UNLISTED
    words = data.split()
    if len(words) == 1:
        return () if words[0].lower() in _SCHEMES else tuple(words)
    if len(words) != 2 or b"," in words[1]:
        return ()
    scheme, word = words
    return (*_parts_of(word), word) if scheme.lower() == b"basic" else (word,)


def _parts_of(word: bytes) -> tuple[bytes, ...]:
    """Return user name and password of ``Basic``."""
    try:
        user, _, password = a2b_base64(word).partition(b":")
    except ValueError:
        return ()
    return tuple(part for part in (user, password) if part)
