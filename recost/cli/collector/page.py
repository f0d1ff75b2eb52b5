"""The dashboard of a collector, for people who have a key.

A form takes the key of a project and exchanges it for a cookie: HttpOnly, SameSite=Strict, and Secure where
there is TLS. It lasts 12 hours at most, and ends with the key. The page shows the files of that project.

Browsers send the cookies of 127.0.0.1 to all of its ports, so there the cookie's path is random. Requests
from pages of other servers are refused, and so is a form that was sent from one. Nobody may keep a response.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Optional
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recost.analytics.ingest.sources import Source
from recost.cli.collector.form import form
from recost.cli.dashboard.desk import Desk
from recost.cli.dashboard.guard import ELSEWHERE, HEADERS
from recost.collector.keys import Key, KeyFileError
from recost.collector.server import UNBOUNDED
from recost.collector.sessions import SESSION_S, Sessions

__all__ = ["CollectorPage"]

_NO_STORE: Final = {"cache-control": "no-store"}
_MAX_FORM_BYTES: Final = 4096
_MAX_STREAMS: Final = 200
_OLDEST: Final = (3, 11)


class _ProjectDesk(Desk):
    """Queries on the files of one project."""

    def __init__(self, folder: Path, project: str) -> None:
        super().__init__([], folder)
        self._project = project

    def sources(self) -> Sequence[Source]:
        return [source for source in super().sources() if source.project == self._project]

    def arguments(self) -> Sequence[str]:
        # Without a path, the whole folder would be read.
        return [str(source.path) for source in self.sources()] or [
            str(self.folder / f"{self._project}.jsonl")
        ]


class CollectorPage:
    """The dashboard of a collector.

    Args:
        folder: The folder of the files.
        secure: Whether browsers reach it over TLS.
    """

    def __init__(self, folder: Path, *, secure: bool) -> None:
        self._folder = folder
        self._secure = secure
        self._stopping = False
        self._desks: dict[str, _ProjectDesk] = {}

    def application(self, sessions: Sessions) -> ASGIApp:
        """Return the ASGI application of what is not a route of the API."""
        return _Page(self, sessions, secure=self._secure)

    def of_project(self, project: str, view: str) -> ASGIApp:
        """Return the application of one project, below a path."""
        from recost.cli.dashboard.application import pages  # noqa: PLC0415 - takes long to import

        desk = self._desks[project] = _ProjectDesk(self._folder, project)
        return pages(desk, view, "local", lambda: self._stopping, leave="logout")

    def stop(self) -> None:
        """End queries and streams."""
        self._stopping = True
        for desk in list(self._desks.values()):
            desk.stop()


class _Page:
    """The form, the sessions, and the dashboards behind them."""

    def __init__(self, page: CollectorPage, sessions: Sessions, *, secure: bool) -> None:
        self._page = page
        self._sessions = sessions
        self._secure = secure
        self._cookie = "__Secure-recost" if secure else "recost_collector"
        self._view = "/dashboard/" if secure else f"/dashboard-{secrets.token_hex(8)}/"
        self._apps: dict[str, ASGIApp] = {}
        self._streams = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            key = self._key(request) if request.url.path.startswith(self._view) else None
            response = self._refusal(request) or await self._respond(request, key)
        except KeyFileError:
            response = PlainTextResponse(
                "keys cannot be read\n", 503, headers={"retry-after": "10", **_NO_STORE}
            )
        guarded = _guarded(send)
        if response is not None:
            await response(scope, receive, guarded)
        elif key is not None:
            await self._show(request, key, guarded)

    def _refusal(self, request: Request) -> Optional[Response]:
        """Return the response to a page of another server, or to a method that nothing has."""
        origin = request.headers.get("origin")
        if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
            return _plain("request from another origin", 403)
        if request.method != "GET" and request.headers.get("sec-fetch-site", "") in ELSEWHERE:
            return _plain("request from another origin", 403)
        if request.method not in {"GET", "HEAD", "POST"}:
            return PlainTextResponse(
                "invalid method\n", 405, headers={"allow": "GET, HEAD, POST", **_NO_STORE}
            )
        return None

    async def _respond(self, request: Request, key: Optional[Key]) -> Optional[Response]:
        """Return a response, or None to show the dashboard of the key."""
        path = request.url.path
        if request.method == "POST":
            if path == "/login":
                return await self._login(request)
            return self._logout(request) if path == f"{self._view}logout" else _plain("unknown path", 404)
        if path == "/":
            missing = _missing()
            return form(self._view) if missing is None else HTMLResponse(missing, 501, headers=_NO_STORE)
        return self._seen(request, key)

    def _seen(self, request: Request, key: Optional[Key]) -> Optional[Response]:
        """Return the response to a request for the dashboard that is not allowed, otherwise None."""
        path = request.url.path
        if not path.startswith(self._view):
            return _plain("unknown path", 404)
        if key is None and path == self._view:
            return RedirectResponse("/", 303, headers=_NO_STORE)
        if key is None:
            return _plain("session ended: open / and sign in", 403)
        if request.headers.get("sec-fetch-site", "") in ELSEWHERE and path != self._view:
            return _plain("request from another origin", 403)
        return None

    async def _login(self, request: Request) -> Response:
        """Exchange a key for a cookie."""
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > _MAX_FORM_BYTES:
                return _plain("form too large", 413)
        given = parse_qs(body.decode("latin-1"), max_num_fields=4).get("key", [""])
        token = self._sessions.open(given[0].strip())
        if token is None:
            return form(self._view, problem="This is not the key of a project. It may have been revoked.")
        response = RedirectResponse(self._view, 303, headers=_NO_STORE)
        response.set_cookie(
            self._cookie,
            token,
            SESSION_S,
            path=self._view,
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )
        return response

    def _logout(self, request: Request) -> Response:
        self._sessions.close(request.cookies.get(self._cookie, ""))
        response = RedirectResponse("/", 303, headers=_NO_STORE)
        response.delete_cookie(
            self._cookie, self._view, secure=self._secure, httponly=True, samesite="strict"
        )
        return response

    def _key(self, request: Request) -> Optional[Key]:
        return self._sessions.find(request.cookies.get(self._cookie, ""))

    async def _show(self, request: Request, key: Key, send: Send) -> None:
        """Show the dashboard of a project, for as long as the session lasts."""
        app = self._apps.get(key.project)
        if app is None:
            app = self._apps[key.project] = self._page.of_project(key.project, self._view)
        streams = request.url.path == f"{self._view}api/events"
        if streams and self._streams >= _MAX_STREAMS:
            await _plain("too many open pages", 503)(request.scope, request.receive, send)
            return

        async def while_known(message: Message) -> None:
            if message["type"] == "http.response.body" and self._key(request) is None:
                message = {"type": "http.response.body", "body": b"", "more_body": False}
                await send(message)
                raise _EndedError
            await send(message)

        request.scope[UNBOUNDED] = True
        self._streams += streams
        try:
            await app(request.scope, request.receive, while_known if streams else send)
        except _EndedError:
            pass
        finally:
            self._streams -= streams


class _EndedError(Exception):
    """The end of a stream whose session has ended."""


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["cache-control"] = "no-store"
        await send(message)

    return guarded


def _plain(text: str, status: int) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers=_NO_STORE)


def _missing() -> Optional[str]:
    """Return a page that says what the dashboard needs, or None if it is there."""
    if sys.version_info >= _OLDEST and find_spec("duckdb") is not None:
        return None
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>recost collector</title>"
        "<p>The dashboard needs Python 3.11 or later, and "
        "<code>pip install 'recost[collector,dashboard]'</code>."
    )
