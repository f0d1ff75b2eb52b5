"""Hosts, ports and paths of calls, in the one form that an `Exchange` has them in."""

from __future__ import annotations

from typing import Final, Optional

__all__ = [
    "DEFAULT_PORTS",
    "LONGEST_HOST",
    "LONGEST_METHOD",
    "LONGEST_PATH",
    "METHODS",
    "Target",
    "absolute_target",
    "ascii_host",
    "clean_path",
    "hosts",
    "origin",
    "shortened",
    "shown_method",
]

Target = tuple[str, str, str]
"""Host, path and method of a call."""

LONGEST_PATH: Final = 4096
"""Characters of a path with its query. The rest is cut off."""
LONGEST_HOST: Final = 255
"""Characters of a host name. Longer names can't be resolved."""
_MOST_HOSTS: Final = 1024
"""Names that `hosts` holds at most."""
LONGEST_METHOD: Final = 64
"""Characters of a method. Longer ones are unknown methods, which are recorded as ``OTHER``."""
_METHODS_TEXT: Final = """
    ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE GET HEAD LABEL LINK LIST LOCK
    MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE NOTIFY OPTIONS ORDERPATCH PATCH
    POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND
    UNCHECKOUT UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL
"""
METHODS: Final = frozenset(_METHODS_TEXT.split())
"""HTTP methods of IANA's registry, of caches and of UPnP. Any other method may be data."""
_OTHER_METHOD: Final = "OTHER"
DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def clean_path(raw: str) -> str:
    """Return the path of a request target without query and fragment, or ``/`` if it is empty."""
    return raw.partition("?")[0].partition("#")[0] or "/"


def origin(scheme: str, host: str, port: int) -> str:
    """Return ``scheme://host``, with the port unless it is the scheme's default, and IPv6 in brackets."""
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == DEFAULT_PORTS.get(scheme) else f"{scheme}://{name}:{port}"


def absolute_target(url: str) -> Optional[tuple[str, str, int, str]]:
    """Return scheme, host, effective port and path of a request target, or None if it is only a path.

    Raises:
        ValueError: The authority is malformed.
    """
    if url[:1] == "/" or url[:4].lower() != "http":
        return None
    from urllib.parse import urlsplit  # noqa: PLC0415 - slow to import, and its callers' clients have it

    parts = urlsplit(url)
    if not parts.hostname:
        return None
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    return parts.scheme, ascii_host(parts.hostname), port, parts.path or "/"


def shortened(target: tuple[str, str, int, str, str]) -> tuple[str, str, int, str, str]:
    """Return scheme, host, port, path and method with texts of at most the maximum length."""
    scheme, host, port, path, method = target
    return scheme, _cut(host, LONGEST_HOST), port, _cut(path, LONGEST_PATH), _cut(method, LONGEST_METHOD)


def _cut(text: str, length: int) -> str:
    return text[:length] if isinstance(text, (str, bytes)) else text  # a mock's may be anything


def shown_method(method: str) -> str:
    """Return a method as windows show it. A mock may have no method."""
    if not isinstance(method, str) or method in METHODS:
        return method
    known = len(method) <= LONGEST_METHOD and method.upper() in METHODS
    return method if known else _OTHER_METHOD


def ascii_host(host: str) -> str:
    """Return a host name in lower-case ASCII, without userinfo, brackets and trailing dot.

    Names that are too long are cut: ``idna`` takes quadratic time on long labels. Non-ASCII characters of
    names that ``idna`` refuses become question marks. Neither kind of host can be reached.
    """
    name = hosts.get(host)
    if name is None:
        if len(host) > LONGEST_HOST:
            return _ascii_host(host.rpartition("@")[2][:LONGEST_HOST])
        name = _ascii_host(host)
        if len(name) <= LONGEST_HOST:
            if len(hosts) >= _MOST_HOSTS:
                hosts.clear()
            hosts[host] = name
    return name


hosts: Final[dict[str, str]] = {}
"""Results of `ascii_host` by the names given. All are of at most the maximum length."""


def _ascii_host(host: str) -> str:
    host = host.rpartition("@")[2]  # urllib.request leaves it in
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            host = host.encode("ascii", "replace").decode("ascii")
    return host.strip("[]").rstrip(".").lower()
