"""The download of one document, bounded in time and size, with short error messages."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from typing import Any, Final, Union
from urllib.parse import urljoin

from recost._text import printable
from recost._validate import InvalidError
from recost._version import __version__
from recost.checks import base_url, is_readable_on_the_way

__all__ = ["FetchError", "fetch", "refuse_url"]

_TIMEOUT_S: Final = 60.0
_STALLED_S: Final = 20.0
_PIECE: Final = 64 << 10


class FetchError(Exception):
    """The reason for a failed download."""


def refuse_url(url: str) -> None:
    """Refuse a URL whose response could be changed in transit.

    Raises:
        FetchError: The URL is neither ``https://`` nor on this machine.
    """
    try:
        base_url(url)
    except InvalidError as refused:
        raise FetchError(f"invalid URL {printable(url)!r}: expected {refused.expected}") from None
    if is_readable_on_the_way(url):
        raise FetchError(f"invalid URL {printable(url)!r}: expected https:// (http:// on this machine only)")


def fetch(url: str, most_bytes: int, timeout_s: float = _TIMEOUT_S) -> str:
    """Return the text at a URL. ``timeout_s`` bounds the whole download, with its redirects.

    Raises:
        FetchError: The download failed.
    """
    refuse_url(url)
    found: list[Union[str, FetchError]] = []
    # A daemon, because a socket's timeout restarts with every byte, and resolving a name has no timeout.
    fetching = threading.Thread(target=lambda: found.append(_attempt(url, most_bytes)), daemon=True)
    fetching.start()
    fetching.join(timeout_s)
    outcome = found[0] if found else FetchError(f"no response within {timeout_s:g} s")
    if isinstance(outcome, FetchError):
        raise outcome
    return outcome


def _attempt(url: str, most_bytes: int) -> Union[str, FetchError]:
    request = urllib.request.Request(  # noqa: S310 - only http and https get here
        url, headers={"User-Agent": f"recost/{__version__}", "Accept": "application/json"}
    )
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=_STALLED_S) as response:
            return _read(response, most_bytes)
    except FetchError as error:
        return error
    except urllib.error.HTTPError as error:
        with error:
            return FetchError(f"status {error.code}")
    except urllib.error.URLError as error:
        return FetchError(_reason(error.reason))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return FetchError(_reason(error))


def _read(response: Any, most_bytes: int) -> str:
    data = bytearray()
    while piece := response.read1(_PIECE):
        data += piece
        if len(data) > most_bytes:
            raise FetchError(f"the response is larger than {most_bytes >> 20} MB")
    if response.length:  # bytes missing of Content-Length
        raise FetchError("the connection was closed before the end of the response")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FetchError("the response is not UTF-8") from None


def _reason(reason: object) -> str:
    if isinstance(reason, socket.gaierror):
        return "the host's name cannot be resolved (DNS): is this machine offline?"
    if isinstance(reason, (TimeoutError, socket.timeout)):  # two classes up to Python 3.9
        return f"no data for {_STALLED_S:g} s"
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted (TLS): {reason.verify_message}"
    if isinstance(reason, OSError):
        return printable(f"no connection: {reason.strerror or reason}")
    return printable(f"invalid response: {reason}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """A handler that follows a redirect only to a URL that could be fetched directly."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        try:
            refuse_url(urljoin(req.full_url, newurl).partition("?")[0])
        except FetchError as error:
            fp.close()
            raise FetchError(f"status {code}, a redirect that is not followed: {error}") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)
