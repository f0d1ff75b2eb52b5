"""Sessions of people who look at the dashboard. They are opened with a key, and end with it or in time."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from typing import Callable, Final, NamedTuple, Optional

from recost.collector.keys import Key, Keys

__all__ = ["SESSION_S", "Sessions"]

SESSION_S: Final = 12 * 3600
"""The longest life of a session, in seconds."""
_MOST: Final = 10_000


class _Session(NamedTuple):
    """A key, and the end of its use."""

    sha256: str
    """The digest of the key that it was opened with."""
    ends: float


class Sessions:
    """The sessions of one collector, in memory. Only digests of their tokens are kept. Not thread-safe.

    Args:
        keys: The valid keys.
        monotonic: Seconds, for tests.
    """

    def __init__(self, keys: Keys, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._monotonic = monotonic
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

    def open(self, text: str) -> Optional[str]:
        """Return the token of a new session, or None for a text that is not the key of a project.

        Raises:
            KeyFileError: The keys cannot be read.
        """
        key = self._keys.find(text)
        if key is None or key.metrics:
            return None
        token = secrets.token_urlsafe(32)
        self._forget()
        self._sessions[_digest(token)] = _Session(key.sha256, self._monotonic() + SESSION_S)
        return token

    def find(self, token: str) -> Optional[Key]:
        """Return the key of a session, or None if it has ended or its key was revoked.

        Raises:
            KeyFileError: The keys cannot be read.
        """
        session = self._sessions.get(_digest(token))
        if session is None or session.ends <= self._monotonic():
            return None
        return self._keys.current(session.sha256)

    def close(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(token), None)

    def _forget(self) -> None:
        """Forget sessions that have ended, and the oldest ones beyond a number."""
        while self._sessions:  # in the order of their ends
            oldest = next(iter(self._sessions))
            if len(self._sessions) < _MOST and self._sessions[oldest].ends > self._monotonic():
                break
            del self._sessions[oldest]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
