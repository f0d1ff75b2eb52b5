"""The HTTP client of the ledgers: one host, no redirects, bounded responses, retries."""

from __future__ import annotations

import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any, Callable, Final, Optional, Union
from urllib.parse import quote, urlencode, urlsplit

from recost._documents import parse_json
from recost._opener import opener
from recost._text import printable
from recost._validate import InvalidError
from recost._version import __version__
from recost.checks import base_url, is_readable_on_the_way
from recost.ledger.model import LedgerError

__all__ = ["Client", "Params", "quoted"]

Params = Mapping[str, Union[str, int, Iterable[str]]]
"""Parameters of a query. A list is sent once an item, under its name as it is."""

_MAX_BYTES: Final = 64 << 20
_MAX_VALUES: Final = 3_000_000
"""In one response. A value takes up to 200 bytes of memory, however short it is written."""
_MAX_REQUESTS: Final = 20_000
_MAX_TOTAL_BYTES: Final = 1 << 30
_STALLED_S: Final = 60.0
_TIMEOUT_S: Final = 300.0
_PIECE: Final = 64 << 10
_ATTEMPTS: Final = 6
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 120.0
_MAX_DETAIL: Final = 200
_TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})


class Client:
    """Sends requests to one provider, with its credential.

    Args:
        url: The URL that all paths begin with. It is ``https://``, or on this machine.
        headers: The headers of each request, with the credential.
        sleep: For tests.

    Raises:
        LedgerError: The URL is not valid, or the credential could be read in transit.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            self._url = base_url(url)
        except InvalidError as error:
            raise LedgerError(f"invalid URL: expected {error.expected}") from None
        if is_readable_on_the_way(url):
            raise LedgerError("invalid URL: expected https:// (http:// on this machine only)")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": f"recost/{__version__}",
            **headers,
        }
        self._sleep = sleep
        self._monotonic = monotonic
        self._requests = 0
        self._received = 0
        """Bytes of all responses."""
        self._opener = opener()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {urlsplit(self._url).hostname}>"

    def get(
        self, path: str, params: Optional[Params] = None, headers: Optional[Mapping[str, str]] = None
    ) -> Any:
        """Return the JSON of a response.

        Raises:
            LedgerError: The request failed for good.
        """
        query = urlencode(params or {}, doseq=True, quote_via=quote)
        return self._ask("GET", f"{path}?{query}" if query else path, None, headers or {})

    def post(self, path: str, content: Mapping[str, Any]) -> Any:
        """Return the JSON of the response to a query that is sent as JSON.

        Raises:
            LedgerError: The request failed for good.
        """
        body = json.dumps(content).encode()
        return self._ask("POST", path, body, {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str]) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            self._count()
            try:
                return _parsed(self._attempt(method, path, body, headers))
            except _TransientError as error:
                if attempt == _ATTEMPTS:
                    raise LedgerError(f"{error} ({_ATTEMPTS} attempts)", status=error.status) from None
                self._sleep(_wait_s(error.retry_after_s, attempt))
        raise AssertionError("unreachable")

    def _count(self) -> None:
        self._requests += 1
        if self._requests > _MAX_REQUESTS:
            raise LedgerError(f"more than {_MAX_REQUESTS:,} requests: ask for fewer days")

    def _attempt(self, method: str, path: str, body: Optional[bytes], headers: Mapping[str, str]) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - only http and https get here
            self._url + path, body, {**self._headers, **headers}, method=method
        )
        try:
            with self._opener.open(request, timeout=_STALLED_S) as response:
                return self._read(response)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error) from None
        except urllib.error.URLError as error:
            raise _unreachable(error.reason) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unreachable(error) from None

    def _read(self, response: Any) -> bytes:
        until = self._monotonic() + _TIMEOUT_S
        data = bytearray()
        while piece := response.read1(_PIECE):
            data += piece
            if len(data) > _MAX_BYTES:
                raise LedgerError(f"the response is larger than {_MAX_BYTES >> 20} MB")
            self._received += len(piece)
            if self._received > _MAX_TOTAL_BYTES:
                raise LedgerError(
                    f"the responses are larger than {_MAX_TOTAL_BYTES >> 30} GB: ask for fewer days"
                )
            if self._monotonic() > until:
                raise LedgerError(f"the response took more than {_TIMEOUT_S:g} s")
        if response.length:  # bytes missing of Content-Length
            raise _TransientError("the connection was closed before the end of the response")
        return bytes(data)


def quoted(identifier: str) -> str:
    """Return an identifier for a path."""
    return quote(identifier, safe="")


class _TransientError(Exception):
    """The failure of an attempt that may succeed later."""

    def __init__(
        self, reason: str, *, status: Optional[int] = None, retry_after_s: Optional[float] = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after_s = retry_after_s


def _parsed(data: bytes) -> Any:
    if data.count(b",") > _MAX_VALUES:
        raise LedgerError(f"malformed response: it has more than {_MAX_VALUES:,} values")
    try:
        return parse_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise LedgerError("malformed response: it is not UTF-8") from None
    except (ValueError, ArithmeticError) as error:
        raise LedgerError(f"malformed response: {printable(str(error))}") from None


def _refusal(error: urllib.error.HTTPError) -> Exception:
    """Return the error to raise for a status of 300 and more."""
    if error.code in _TRANSIENT:
        after = error.headers.get("Retry-After", "")
        return _TransientError(
            f"status {error.code}",
            status=error.code,
            retry_after_s=float(after) if after.isascii() and after.isdigit() and len(after) < 6 else None,
        )
    if error.code < 400:
        return LedgerError(f"status {error.code}: redirects are not followed", status=error.code)
    return LedgerError(f"status {error.code}{_detail(error)}", status=error.code)


def _detail(error: urllib.error.HTTPError) -> str:
    """Return the message of an error response, if it has one in the usual place."""
    try:
        content = parse_json(error.read1(_PIECE).decode("utf-8", "replace"))
        told = content.get("error", content)
        message = told if isinstance(told, str) else told.get("message", "")
    except (OSError, http.client.HTTPException, ValueError, ArithmeticError, AttributeError):
        return ""
    return f": {printable(message[:_MAX_DETAIL])}" if isinstance(message, str) and message else ""


def _unreachable(reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return LedgerError(f"the certificate is not trusted (TLS): {reason.verify_message}")
    if isinstance(reason, ValueError):  # a header that cannot be sent: do not quote it
        return LedgerError("the request cannot be sent: is the credential one line of ASCII?")
    what = (reason.strerror or str(reason)) if isinstance(reason, OSError) else str(reason)
    return _TransientError(printable(f"no connection: {what[:_MAX_DETAIL] or type(reason).__name__}"))


def _wait_s(asked: Optional[float], attempt: int) -> float:
    if asked is not None:
        return min(asked, _LONGEST_WAIT_S)
    wait_s: float = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _LONGEST_WAIT_S)
    return wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
