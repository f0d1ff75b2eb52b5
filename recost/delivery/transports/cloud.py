"""The cloud transport: one POST per window to the recost API, or to a self-hosted deployment.

What is reported, printed or shown never contains the key, a header or a body. It consists of statuses, sizes,
the request id and fixed texts.
"""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Final, Optional, Protocol
from urllib.parse import quote, urlsplit

from recost._late import importing
from recost._pacing import rest
from recost.delivery.transports.base import Disposition, RetryPolicy, SendError, encode
from recost.errors import RecostAuthError, RecostError, RecostFatalAuthError, RecostRateLimitError
from recost.events import WindowSummary

if TYPE_CHECKING:
    from email.message import Message

    from recost.delivery.transports._http import Poster, Response

__all__ = ["CloudTransport"]

_DEFAULT_DEFERRAL_S: Final = 60.0
_SHORTEST_DEFERRAL_S: Final = 1.0
_LONGEST_DEFERRAL_S: Final = 3600.0
_REFUSING: Final = frozenset({400, 413, 422})
"""Statuses that refuse this payload: for its size, or for one of its metrics."""
_GATEWAYS: Final = frozenset({502, 504, *range(520, 528)})
"""Statuses of a gateway that does not know what became of the request behind it."""
_HINTS: Final = {
    400: "the payload was not understood",
    403: "check the project id",
    404: "check the project id",
    407: "check the proxy's credentials",
    413: "the payload is too large",
    422: "the payload is not valid",
}


class _Lines(Protocol):
    def write(self, text: str, /) -> Any: ...

    def flush(self) -> None: ...


class CloudTransport:
    """A transport that posts to ``{base_url}/projects/{project_id}/telemetry``.

    Proxies come from the environment, trusted certificates from the system. Redirects are not followed.
    Userinfo in ``base_url`` is neither used nor shown.

    Args:
        base_url: Scheme, host, port and, for a deployment below one, path.
        project_id: As the API knows it.
        api_key: ``rc-…``.
        max_retries: Retries of one window within one flush.
        max_consecutive_auth_failures: Consecutive 401 responses that suspend the transport.
        max_metrics: Maximum number of metrics in one request.
        stderr: Receives the two lines on a refused key. None: ``sys.stderr`` of that moment.
        clock: Seconds since the epoch.

    Raises:
        ValueError: The URL has no http(s) scheme or no host, or the key cannot stand in a header.
    """

    def __init__(
        self,
        base_url: str,
        project_id: str,
        api_key: str,
        *,
        max_retries: int = 3,
        max_consecutive_auth_failures: int = 5,
        max_metrics: int = 2000,
        stderr: Optional[_Lines] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", api_key):
            raise ValueError("recost: api_key has characters that cannot stand in an HTTP header")
        self.retry = RetryPolicy(retries=max_retries, first_s=0.5, longest_s=10.0)
        self.spacing_s = 5.0
        self.max_metrics: Optional[int] = max_metrics
        self._base_url = _clean_base(base_url)
        self._endpoint = f"{self._base_url}/projects/{quote(project_id, safe='')}/telemetry"
        self._api_key = api_key
        self._max_auth_failures = max_consecutive_auth_failures
        self._auth_failures = 0
        self._warned = False
        self._suspended = False
        self._stderr = stderr
        self._clock = clock
        self._poster: Optional[Poster] = None
        self.posts_per_hour: Optional[float] = None
        """Limit that the latest response has given. None if it has not given any."""

    def __repr__(self) -> str:
        shown = self._api_key[: min(8, len(self._api_key) // 2)]
        return f"CloudTransport({self._endpoint!r}, api_key='{shown}…')"

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Post one window.

        Raises:
            SendError: It was not accepted.
        """
        if self._suspended:
            raise SendError(None, Disposition.SUSPEND)
        body = encode(summary)
        report = _Report(self._api_key, summary)
        rest()
        failure = self._post(body, report, summary.sdk_version, timeout_s)
        if failure is not None:
            raise failure

    def gave_up(self) -> Optional[Exception]:
        """Return None: windows wait for the next flush."""
        return None

    def close(self) -> None:
        """Close the connection that is kept between windows."""
        if self._poster is not None:
            self._poster.close()

    def _post(self, body: bytes, report: _Report, version: str, timeout_s: float) -> Optional[SendError]:
        with importing():
            from recost.delivery.transports import _http  # noqa: PLC0415 - the HTTP client, when it is needed

        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": f"recost-python/{version}",
        }
        try:
            if self._poster is None:
                self._poster = _http.Poster()
            response = _http.post(self._endpoint, body, headers, timeout_s, self._poster)
        except _http.RequestFailed as failure:
            self._auth_failures = 0
            error = report.error(f"{self._base_url}: {failure}")
            return SendError(error, Disposition.RETRY, uncertain=failure.sent)
        self.posts_per_hour = _hourly_limit(str(response.headers.get("RateLimit-Policy") or ""))
        report.request_id = response.headers.get("x-request-id") or ""
        refused = response.status == 401
        self._auth_failures = self._auth_failures if refused else 0
        failed = self._refused(report) if refused else self._judge(response, report)
        if failed is not None and response.sent_before:
            failed.uncertain = True
        return failed

    def _judge(self, response: Response, report: _Report) -> Optional[SendError]:
        """Return None when the window was accepted, else the failure with the window's fate."""
        status = response.status
        if status == 202 or (200 <= status < 300 and _says_accepted(response.body)):
            return None
        message = f"{self._base_url} responded with {status}"
        retry_after = response.headers.get("Retry-After")
        if status == 429:
            after_s = self._deferral_s(response.headers)
            error = RecostRateLimitError(round(after_s * 1000), self._endpoint)
            return SendError(report.complete(error), Disposition.DEFER, retry_after_s=after_s)
        if status == 503 and retry_after:
            after_s = self._deferral_s(response.headers)
            return SendError(report.error(message), Disposition.DEFER, retry_after_s=after_s)
        if status == 408 or status >= 500:
            uncertain = status in _GATEWAYS
            return SendError(report.error(message), Disposition.RETRY, responded=True, uncertain=uncertain)
        disposition = Disposition.SPLIT if status in _REFUSING else Disposition.WAIT
        return SendError(report.error(f"{message}: {_hint(response)}"), disposition)

    def _refused(self, report: _Report) -> SendError:
        self._auth_failures += 1
        if self._auth_failures >= self._max_auth_failures:
            self._suspended = True
            fatal = report.complete(RecostFatalAuthError(401, self._auth_failures))
            self._print(str(fatal))
            return SendError(fatal, Disposition.SUSPEND)
        error = report.complete(RecostAuthError(401, self._auth_failures))
        if not self._warned:
            self._warned = True
            self._print(str(error))
        return SendError(error, Disposition.WAIT)

    def _print(self, line: str) -> None:
        stream = self._stderr or sys.stderr
        try:
            stream.write(f"{line}\n")
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or None in a program without a console
            return

    def _deferral_s(self, headers: Message) -> float:
        """Return how long to wait, in seconds: ``Retry-After`` within bounds, else a minute."""
        value = str(headers.get("Retry-After") or "").strip()
        if value.isascii() and value.isdigit():
            wanted = float(value[:12])
        else:
            until = _timestamp(value)
            if until is None:
                return _DEFAULT_DEFERRAL_S
            # By the server's clock if it sends the time, because ours may be wrong.
            now = _timestamp(str(headers.get("Date") or ""))
            wanted = until - (self._clock() if now is None else now)
        return min(max(wanted, _SHORTEST_DEFERRAL_S), _LONGEST_DEFERRAL_S)


class _Report:
    """Error messages for one window: with its size and the request id, without a key that a server echoes."""

    def __init__(self, api_key: str, summary: WindowSummary) -> None:
        self._api_key = api_key
        self._size = f"{len(summary.metrics)} metrics, {sum(m.request_count for m in summary.metrics)} calls"
        self.request_id = ""

    def error(self, message: str) -> RecostError:
        return self.complete(RecostError(f"recost: {message}"))

    def complete(self, error: RecostError) -> RecostError:
        """Return the error with the particulars in its message."""
        request_id = re.sub(r"[^A-Za-z0-9._:-]", "", self.request_id[:256].replace(self._api_key, ""))[:64]
        particulars = self._size + (f", request id {request_id}" if request_id else "")
        error.args = (f"{error.args[0]} ({particulars})".replace(self._api_key, "rc-…"),)
        return error


def _clean_base(base_url: str) -> str:
    """Return scheme, host, port and path, without userinfo, query and fragment."""
    wrong = ValueError("recost: base_url must be an http:// or https:// URL with a host")
    try:
        parts = urlsplit(base_url.strip())
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        raise wrong from None
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\x00-\x20\x7f]", host):
        raise wrong
    if (
        "%" in host.partition(":")[0]
    ):  # an escape, which urllib.request decodes. Behind ":" it is an IPv6 zone
        raise wrong
    place = f"[{host}]" if ":" in host else host
    path = quote(parts.path.rstrip("/"), safe="/%~:@!$&'()*+,;=")
    return f"{parts.scheme}://{place}{'' if port is None else f':{port}'}{path}"


def _hint(response: Response) -> str:
    status = response.status
    if status in _HINTS:
        return _HINTS[status]
    if 300 <= status < 400:
        try:
            host = urlsplit(response.headers.get("Location") or "").hostname or "the same host"
        except ValueError:
            host = "an invalid URL"
        host = re.sub(r"[^A-Za-z0-9.:-]", "", host)[:255]
        return f"a redirect to {host}, which is not followed; check base_url"
    if status < 300:
        return "that is not the recost API; check base_url"
    return "check base_url"


def _says_accepted(body: bytes) -> bool:
    """Return whether a body is JSON with the status "accepted", whatever its charset and its other fields.

    A window that was accepted must not be sent again.
    """
    try:
        document = json.loads(body.decode(json.detect_encoding(body), "replace"), parse_int=str)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("status") == "accepted"


def _hourly_limit(value: str) -> Optional[float]:
    """Return the requests an hour that a ``RateLimit-Policy`` permits, by the strictest of its policies.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/: ``"name";q=QUOTA;w=SECONDS``.
    """
    found = []
    for policy in value[:1000].split(","):
        fields = dict(re.findall(r";\s*([qw])=([0-9]{1,10})(?![0-9.])", policy))
        quota, window_s = int(fields.get("q", 0)), int(fields.get("w", 0))
        if quota and window_s:
            found.append(quota * 3600 / window_s)
    return min(found, default=None)


def _timestamp(value: str) -> Optional[float]:
    """Return an HTTP date in seconds since the epoch. None when it is not valid."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - not light, and http.client has it anyway

    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
