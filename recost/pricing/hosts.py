"""Canonical form of host names, in which they are compared."""

from __future__ import annotations

import re
from typing import Final, Optional

__all__ = ["canonical_host", "parse_host"]

_MAX_LENGTH: Final = 253
_NAME: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\Z")


def parse_host(host: str) -> str:
    """Return a host in lower case and ASCII, without the brackets of IPv6 and the dot at its end.

    Unicode names become what the ``idna`` codec (RFC 3490) makes of them.

    Raises:
        ValueError: The text is not a host name or an address, or has a scheme, port, path or userinfo.
    """
    if not host or len(host) > _MAX_LENGTH + 2:
        raise ValueError("empty, or longer than a host name can be")
    if ":" in host or host[0] == "[":
        return _parse_ipv6(host)
    name = host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()
    name = name.removesuffix(".")
    if len(name) > _MAX_LENGTH or _NAME.match(name) is None:
        raise ValueError("not a host name")
    return name


def canonical_host(host: str) -> Optional[str]:
    """Return the result of `parse_host`, or None if the host is invalid."""
    try:
        return parse_host(host)
    except ValueError:
        return None


def _parse_ipv6(host: str) -> str:
    from ipaddress import IPv6Address  # noqa: PLC0415 - rare, and slow to import

    bracketed = host[0] == "[" and host[-1] == "]"
    return str(IPv6Address(host[1:-1] if bracketed else host)).lower()
