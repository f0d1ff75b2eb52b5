"""Access to the dashboard: a token, and protection against pages of other origins.

The printed URL has a random token. It is exchanged for a cookie, HttpOnly and SameSite=Strict, so that it
doesn't stay in the address bar and no script can read it. EventSource, reload, back and bookmarks work with
the cookie. Browsers send the cookies of 127.0.0.1 to all of its ports. The path of this cookie is therefore
random, so that other servers never see it. The exchange is a page that leads on. After a redirect from a link
on another site, the browser would withhold a strict cookie.

A browser is started with another URL, whose token is valid once, because other users of the machine can read
the arguments of a process.

Requests from other pages are refused: a Host of another server (DNS rebinding), an Origin of another server,
and requests that the browser marks as cross-site. So is every method that could change something.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field
from html import escape
from typing import Final, Optional

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ELSEWHERE", "HEADERS", "Access", "Guard", "is_loopback"]

_COOKIE: Final = "recost_dashboard"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")
ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
"""Values of Sec-Fetch-Site of requests from pages of other servers."""
_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound to


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Access:
    """The address of the dashboard, and its secrets."""

    host: str
    port: int
    token: str = field(default_factory=_random, repr=False)
    """The token of the printed URL."""
    once: str = field(default_factory=_random, repr=False)
    """The token of the URL that the browser is started with."""
    session: str = field(default_factory=_random, repr=False)
    """The value of the cookie."""
    view: str = field(default_factory=lambda: f"/view-{secrets.token_hex(8)}/")
    """The path of everything that needs the cookie."""

    def url(self, query: str = "", *, once: bool = False) -> str:
        """Return the URL of the first view. With ``once``, it is valid once."""
        host = "127.0.0.1" if self.host in _ANY else self.host
        host = f"[{host}]" if ":" in host else host
        token = self.once if once else self.token
        return f"http://{host}:{self.port}/?token={token}{'&' if query else ''}{query}"

    def knows(self, host: str) -> bool:
        """Return True if a Host header names this server."""
        name, _, port = host.lower().rpartition(":") if not host.endswith("]") else (host.lower(), "", "")
        if not name:
            name, port = host.lower(), ""
        if (port or "80") != str(self.port):
            return False
        bare = name.strip("[]")
        if self.host in _ANY:  # DNS rebinding needs a name, not an address
            return _is_address(bare) or name in {*_LOCAL, socket.gethostname().lower()}
        return name in _LOCAL or bare == self.host.lower()


def is_loopback(host: str) -> bool:
    """Return True if a host is a loopback address."""
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware that requires the token or the cookie, and adds security headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to the request, or pass it on if it has access."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        response = self._respond(Request(scope))
        await (self._app if response is None else response)(scope, receive, guarded)

    def _respond(self, request: Request) -> Optional[Response]:
        """Return the guard's own response, or None to pass the request on."""
        refusal = self._foreign(request)
        if refusal is not None:
            return _refused(refusal)
        if request.method not in {"GET", "HEAD"}:
            return PlainTextResponse(
                "recost dashboard: GET only\n",
                405,
                headers={"Allow": "GET, HEAD", "Cache-Control": "no-store"},
            )
        if request.url.path == "/":
            return self._entrance(request)
        if not request.url.path.startswith(self._access.view) or not self._is_known(request):
            return _refused("no access: open the URL that `recost dashboard` printed")
        if request.headers.get("sec-fetch-site", "") in ELSEWHERE:
            return _refused("request from another origin: open the URL that `recost dashboard` printed")
        return None

    def _foreign(self, request: HTTPConnection) -> Optional[str]:
        host = request.headers.get("host", "")
        if not self._access.knows(host):
            return f"the Host {host!r} is not this server's; open the URL that `recost dashboard` printed"
        origin = request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return f"the Origin {origin!r} is not this server's"
        return None

    def _is_known(self, request: Request) -> bool:
        return _same(request.cookies.get(_COOKIE, ""), self._access.session)

    def _opens(self, token: str) -> bool:
        once = not self._started and _same(token, self._access.once)
        return once or _same(token, self._access.token)

    def _entrance(self, request: Request) -> Response:
        """Exchange the token for the cookie, for GET only, and not for a prefetched page."""
        asked = request.query_params.multi_items()
        tokens = [value for name, value in asked if name == "token"]
        token = "".join(tokens)
        if not self._opens(token):
            return _refused("wrong or no token: open the URL that `recost dashboard` printed last")
        if _is_ahead(request):
            return _refused("prefetch: open the URL in a tab")
        if request.method != "GET":
            return HTMLResponse("", headers={"Cache-Control": "no-store"})
        self._started |= _same(token, self._access.once)
        query = request.url.remove_query_params("token").query
        target = escape(self._access.view.lstrip("/") + (f"?{query}" if query else ""))
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>recost</title>'
            f'<link rel="icon" href="{escape(self._access.view.lstrip("/"))}static/icon.svg">'
            f'<meta http-equiv="refresh" content="0; url={target}">'
            f'<p><a href="{target}">Open the dashboard</a></p></html>'
        )
        response = HTMLResponse(page, headers={"Cache-Control": "no-store"})
        response.set_cookie(
            _COOKIE, self._access.session, path=self._access.view, httponly=True, samesite="strict"
        )
        return response


def _is_ahead(request: Request) -> bool:
    """Return True if a browser prefetches the page."""
    purposes = (request.headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz"))
    return any(
        word in purpose.lower() for purpose in purposes for word in ("prefetch", "prerender", "preview")
    )


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(), wanted.encode())


def _refused(why: str) -> Response:
    return PlainTextResponse(f"recost dashboard: {why}\n", 403, headers={"Cache-Control": "no-store"})
