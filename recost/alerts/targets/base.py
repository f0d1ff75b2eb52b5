"""The description of a kind of target, and what targets share."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Callable, Final, Optional

from recost._opener import opener
from recost._text import printable
from recost._validate import InvalidError
from recost._version import __version__
from recost.alerts.model import Kind, Message
from recost.checks import base_url, is_readable_on_the_way

__all__ = ["SendError", "Settings", "TargetKind", "checked_url", "heading", "post", "shortened"]

Settings = Mapping[str, Any]
"""The settings of one target, with its secrets."""
_TIMEOUT_S: Final = 15.0
_MAX_RESPONSE: Final = 64 << 10
_MAX_DETAIL: Final = 120
_MARKS: Final[Mapping[Kind, str]] = {
    "firing": "Alert",
    "doubled": "Alert, twice as large",
    "over": "Over",
    "digest": "Digest",
    "test": "Test",
}


class SendError(Exception):
    """The reason why a message did not arrive. It names no secret."""


@dataclass(frozen=True)
class TargetKind:
    """A kind of target."""

    send: Callable[[Settings, Message], None]
    """Sends one message. It returns when the message has arrived, and raises `SendError` otherwise."""
    required: tuple[str, ...] = ()
    """Settings that must be given."""
    optional: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    """Settings that may be given as ``NAME_env``, ``NAME_file`` or ``NAME_command`` instead."""
    check: Optional[Callable[[Settings], None]] = None
    """Raises a `ValueError` that begins with the name of an invalid setting."""


def heading(message: Message) -> str:
    """Return the title behind the kind of the message."""
    return f"{_MARKS[message.kind]}: {message.title}"


def shortened(text: str, most: int) -> str:
    """Return printable text of at most ``most`` characters."""
    shown = printable(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def checked_url(settings: Settings, name: str = "url") -> None:
    """Check that a URL can be posted to without showing its content on the way.

    Raises:
        ValueError: It cannot.
    """
    url = settings[name] if isinstance(settings[name], str) else ""
    try:
        base_url(url.partition("?")[0])
    except InvalidError:
        raise ValueError(f"{name}: expected an https:// URL, without user name and fragment") from None
    if is_readable_on_the_way(url):
        raise ValueError(f"{name}: expected https:// (http:// on this machine only)")


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post a body. Any status of 200 to 299 is success. Redirects are not followed.

    Raises:
        SendError: It did not arrive.
    """
    request = urllib.request.Request(  # noqa: S310 - checked with the configuration
        url, body, {"User-Agent": f"recost/{__version__}", "Content-Type": "application/json", **headers}
    )
    try:
        with opener().open(request, timeout=_TIMEOUT_S) as response:
            response.read(_MAX_RESPONSE)
    except urllib.error.HTTPError as error:
        with error:
            raise SendError(f"status {error.code}") from None
    except urllib.error.URLError as error:
        raise SendError(_reason(error.reason)) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SendError(_reason(error)) from None


def _reason(error: object) -> str:
    if isinstance(error, ValueError):  # it may quote the URL
        return "the request cannot be sent"
    text = (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:_MAX_DETAIL]
    return printable(f"no connection: {text}")
