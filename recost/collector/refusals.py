"""Requests that get an error as their response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Optional

from recost.collector.keys import Key, KeyFileError, Keys

__all__ = ["NO_STORE", "RefusedError", "known_key", "unavailable"]

NO_STORE: Final = {"cache-control": "no-store"}
_KEYS_AFTER_S: Final = 10


class RefusedError(Exception):
    """A request that gets an error as its response. The message quotes nothing of the request.

    Attributes:
        status: The status code.
        headers: Further headers of the response.
    """

    def __init__(self, status: int, message: str, headers: Optional[Mapping[str, str]] = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers: Mapping[str, str] = headers or {}


def unavailable(message: str, retry_after_s: int) -> RefusedError:
    """Return the error of a request that may succeed later."""
    return RefusedError(503, message, {"retry-after": str(retry_after_s)})


def known_key(keys: Keys, authorization: str, project: Optional[str] = None) -> Key:
    """Return the key of a request.

    Args:
        keys: The valid keys.
        authorization: The value of the header.
        project: The project that the request is about, or None if it is about all.

    Raises:
        RefusedError: The key is missing, unknown, or for another project.
    """
    scheme, _, text = authorization.partition(" ")
    try:
        key = keys.find(text.strip()) if scheme.lower() == "bearer" else None
    except KeyFileError:
        raise unavailable("keys cannot be read", _KEYS_AFTER_S) from None
    if key is None:
        raise RefusedError(401, "unknown key", {"www-authenticate": "Bearer"})
    if project is not None and (key.metrics or key.project != project):
        raise RefusedError(404, "unknown project, or another key's")
    return key
