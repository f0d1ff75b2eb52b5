"""The responses of the server: the page, its files, the figures, and events for new data."""

from __future__ import annotations

import argparse
import asyncio
import mimetypes
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Callable, Final, Optional

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from recost._validate import suggest
from recost._version import __version__
from recost.analytics import engine
from recost.analytics.periods import PeriodError
from recost.cli._shared.arguments import question_of, right_now, tag_filter
from recost.cli.dashboard.budgets import budgets_of
from recost.cli.dashboard.desk import Desk, StoppedError
from recost.cli.dashboard.guard import Access, Guard
from recost.cli.dashboard.view import SPLITS, TABLES, ViewState, view_of
from recost.errors import RecostError

__all__ = ["application", "look_of", "pages"]

_STATIC: Final = Path(__file__).with_name("static")
_NO_STORE: Final = {"Cache-Control": "no-store"}
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLL_S: Final = 0.5
_ALIVE_S: Final = 15.0
"""Seconds between keep-alive comments, which detect closed connections."""
_MANY: Final = ("provider", "endpoint", "model", "env", "project", "tag")
_ONCE: Final = ("since", "until", "by", "tagname")


def application(desk: Desk, access: Access, zone: str, stopping: Callable[[], bool]) -> Guard:
    """Return the ASGI application."""
    return Guard(pages(desk, access.view, zone, stopping), access)


def pages(
    desk: Desk, view: str, zone: str, stopping: Callable[[], bool], leave: Optional[str] = None
) -> Starlette:
    """Return the application below a path, for those who have access.

    Args:
        desk: The queries on the files.
        view: The path, with a slash at both ends.
        zone: Time zone, as for `parse_zone`.
        stopping: Returns whether streams of events end.
        leave: The path below ``view`` that ends the session, if there are sessions.
    """
    for suffix, kind in _TYPES.items():  # on Windows, other programs change these types
        mimetypes.add_type(kind, suffix)
    api = _Api(desk, zone, stopping, leave)
    inside = [
        Route("/", _page),
        Route("/api/view", api.view),
        Route("/api/events", api.events),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    return Starlette(routes=[Mount(view.rstrip("/"), routes=inside)])


async def _page(_request: Request) -> Response:
    return FileResponse(_STATIC / "index.html", headers=_NO_STORE)


def look_of(query: QueryParams, zone: str) -> ViewState:
    """Return the view that the parameters of a URL ask for. They are named as the options of `recost report`.

    Raises:
        ValueError: A parameter is unknown or not valid.
    """
    for name in query:
        if name not in {*_MANY, *_ONCE, "whole"}:
            raise ValueError(f"unknown parameter {name!r}: {suggest(name, (*_MANY, *_ONCE, 'whole'))}")
    asked: dict[str, Any] = {name: query.getlist(name) for name in _MANY}
    try:
        asked["tag"] = [tag_filter(each) for each in asked["tag"]]
    except argparse.ArgumentTypeError as error:
        raise ValueError(str(error)) from None
    period = {name: query.get(name) or None for name in ("since", "until")}
    try:
        question = question_of(argparse.Namespace(**asked, **period, tz=zone), (), right_now())
    except PeriodError as error:
        raise PeriodError(str(error).removeprefix("--")) from None  # a field of the page, not an option
    split = _one_of(query.get("by", SPLITS[0]), SPLITS, "by")
    whole = tuple(_one_of(name, TABLES, "whole") for name in query.getlist("whole"))
    return ViewState(question, split, query.get("tagname") or None, whole)


def _one_of(value: str, known: Sequence[str], name: str) -> str:
    if value not in known:
        raise ValueError(f"invalid {name} {value!r}: {suggest(value, known)}")
    return value


class _Api:
    def __init__(self, desk: Desk, zone: str, stopping: Callable[[], bool], leave: Optional[str]) -> None:
        self._desk = desk
        self._leave = leave
        self._zone = zone
        self._stopping = stopping

    async def view(self, request: Request) -> Response:
        """Return all figures of the page."""
        try:
            look = look_of(request.query_params, self._zone)
            content = await run_in_threadpool(self._view, look)
        except StoppedError:
            return _error("the dashboard is stopping", 503)
        except (RecostError, ValueError) as error:
            return _error(str(error), 400)
        except OverflowError:
            return _error("invalid time: out of range", 400)
        except OSError as error:
            return _error(str(error), 500)
        except engine.errors() as error:
            return _error(f"DuckDB: {str(error).splitlines()[0]}", 500)
        return JSONResponse(content, headers=_NO_STORE)

    def _view(self, look: ViewState) -> dict[str, Any]:
        state = self._desk.state()  # before the files are read, so that later changes are events
        about = {"state": state, "version": __version__, "folder": self._desk.place}
        if self._leave is not None:  # people at other machines, who sign in
            about = {"state": state, "version": __version__, "leave": self._leave}
        if self._desk.is_empty():
            return {**about, "empty": True}
        content = self._desk.ask(lambda found: view_of(found, look, right_now()))
        folder = self._desk.budgets_folder
        content["budgets"] = None if folder is None else budgets_of(folder, right_now())
        return {**about, "empty": False, **content}

    async def events(self, request: Request) -> Response:
        """Stream an event for each change of the files."""
        seen = request.headers.get("last-event-id") or request.query_params.get("seen", "")
        headers = {**_NO_STORE, "X-Accel-Buffering": "no"}
        return StreamingResponse(self._changes(seen), media_type="text/event-stream", headers=headers)

    async def _changes(self, seen: str) -> AsyncIterator[str]:
        yield "retry: 2000\n\n"
        sent = time.monotonic()
        while not self._stopping():
            state = await run_in_threadpool(self._state, seen)
            if state != seen:
                yield f"id: {state}\nevent: change\ndata: {state}\n\n"
            elif time.monotonic() - sent > _ALIVE_S:
                yield ": still here\n\n"
            if state != seen or time.monotonic() - sent > _ALIVE_S:
                seen, sent = state, time.monotonic()
            await asyncio.sleep(_POLL_S)

    def _state(self, seen: str) -> str:
        try:
            return self._desk.state()
        except (RecostError, OSError):  # missing at this moment, which the next view reports
            return seen


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text.removeprefix("recost: ")}, status, headers=_NO_STORE)
