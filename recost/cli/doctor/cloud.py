"""A check of the cloud API: whether it responds, and accepts the key and the project."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from recost._text import printable
from recost._version import __version__
from recost.checks import is_readable_on_the_way
from recost.cli._shared.tables import shorten
from recost.cli.doctor.findings import CheckLines

if TYPE_CHECKING:
    from recost.config import Settings

__all__ = ["check_cloud"]

_TIMEOUT_S: Final = 10.0
_HINTS: Final = {
    401: "the API does not know this api_key",
    403: "check project_id: it must belong to the key",
    404: "the API does not know this project_id, or it does not belong to the key",
    407: "the proxy requires a user name and a password",
}


def check_cloud(settings: Settings, timeout_s: float = _TIMEOUT_S) -> CheckLines:
    """Request the latest window once, without redirects. ``timeout_s`` bounds the whole check."""
    project = quote(settings.project_id or "", safe="")
    url = f"{settings.base_url}/projects/{project}/telemetry/recent?limit=1"
    found = CheckLines([f"API     {settings.base_url}", f"key     {(settings.api_key or '')[:8]}..."])
    proxy = _proxy(settings.base_url)
    if proxy:
        found.lines.append(printable(f"proxy   {proxy}"))
    if is_readable_on_the_way(settings.base_url):
        found.notes.append("base_url is http://: the key can be read in transit")
    problem = _ask_in_time(url, settings.api_key or "", timeout_s)
    if problem:
        found.problems.append(f"{settings.base_url}: {problem}")
    else:
        found.lines.append("status  200: key and project are known")
    return found


def _ask_in_time(url: str, api_key: str, timeout_s: float) -> str:
    """Send the request, and stop waiting after the timeout. A socket's timeout restarts with every byte."""
    problems: list[str] = []
    # A daemon, because a request without a response must not keep the command from ending.
    asking = threading.Thread(target=lambda: problems.append(_ask(url, api_key, timeout_s)), daemon=True)
    asking.start()
    asking.join(timeout_s)
    problem = problems[0] if problems else _TOO_LATE
    return f"no response within {timeout_s:g} s" if problem == _TOO_LATE else problem


def _ask(url: str, api_key: str, timeout_s: float) -> str:
    """Return the problem with the response, or an empty string."""
    request = urllib.request.Request(  # noqa: S310 - the configuration accepts http and https only
        url, headers={"Authorization": f"Bearer {api_key}", "User-Agent": f"recost-doctor/{__version__}"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s) as response:
            return _look_at(response.status, response.headers, response.read(1))
    except urllib.error.HTTPError as error:
        with error:
            return _look_at(error.code, error.headers, b"")
    except urllib.error.URLError as error:
        return _unreachable(error.reason)
    except (OSError, http.client.HTTPException) as error:
        return _unreachable(error)
    except ValueError:  # its text may contain the key
        return "base_url and api_key do not make a valid request"


def _look_at(status: int, headers: Any, first: bytes) -> str:
    request_id = headers.get("x-request-id")
    tail = f" (request {shorten(request_id, 64)})" if request_id else ""
    if 300 <= status < 400:
        target = urlsplit(headers.get("location", ""))
        where = f" to {target.scheme}://{target.hostname}" if target.hostname else ""
        return f"status {status}, a redirect{where}, which is not followed: correct base_url{tail}"
    kind = headers.get_content_type()
    if kind == "text/html":
        return f"status {status} with a web page: this is not the API, correct base_url{tail}"
    if status == 200:
        return "" if first == b"{" else f"status 200 without the API's JSON{tail}"
    hint = _HINTS.get(status, "the API has a problem, try again later" if status >= 500 else "")
    return f"status {status}{f': {hint}' if hint else ''}{tail}"


_TOO_LATE: Final = "too late"
_UNREACHABLE: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (socket.gaierror, "the host's name cannot be resolved (DNS): check base_url and the network"),
    (ConnectionRefusedError, "the connection was refused: nothing listens there"),
    (TimeoutError, _TOO_LATE),
    (socket.timeout, _TOO_LATE),  # a class of its own up to Python 3.9
    (http.client.RemoteDisconnected, "the connection was closed without a response"),
    (http.client.HTTPException, "the response is not HTTP"),
)


def _unreachable(reason: object) -> str:
    """Return the reason for a missing response, without private data."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted (TLS): {reason.verify_message}"
    if isinstance(reason, ssl.SSLError):
        return f"no TLS connection: {reason.reason or 'the server does not speak TLS'}"
    for kind, words in _UNREACHABLE:
        if isinstance(reason, kind):
            return words
    system = reason.strerror if isinstance(reason, OSError) else None
    return f"no connection: {system or type(reason).__name__}"


def _proxy(base_url: str) -> str:
    """Return host and port of the proxy that the environment sets for a URL."""
    parts = urlsplit(base_url)
    if urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    proxy = urllib.request.getproxies().get(parts.scheme, "")
    target = urlsplit(proxy if "://" in proxy else f"//{proxy}")
    return f"{target.hostname}:{target.port}" if target.hostname else ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A handler that follows no redirect: the key is for one host."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None
