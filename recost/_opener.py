"""Requests of commands that carry a secret: over TLS that verifies, and to one host."""

from __future__ import annotations

import ssl
import urllib.request
from typing import Any

__all__ = ["opener"]


def opener() -> urllib.request.OpenerDirector:
    """Return an opener that follows no redirect: what a request carries is for one host."""
    return urllib.request.build_opener(
        _NoRedirects, urllib.request.HTTPSHandler(context=ssl.create_default_context())
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
