"""The POST of a window, directly on ASGI: a framework would take as long for it as all else that is done.

A POST is checked in this order: key, project, type, rate, size, content. What is refused early is not read.
"""

from __future__ import annotations

import asyncio
import json
import math
import uuid
from typing import Any, Final, NamedTuple, Optional

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope

from recost.collector.bodies import Bodies, ClientGoneError, MemoryFullError
from recost.collector.keys import Key, Keys
from recost.collector.limits import HourlyLimit
from recost.collector.metrics import Counters
from recost.collector.refusals import RefusedError, known_key, unavailable
from recost.collector.stores.base import Store, StoreError
from recost.collector.windows import InvalidWindowError, ReceivedWindow, read_window

__all__ = ["PostResponse", "Posts", "project_of"]

_BEFORE: Final = "/projects/"
_AFTER: Final = "/telemetry"
_LONG: Final = 256 << 10
"""Bytes of a body that is parsed in another thread, so that others don't wait for it."""
_BUSY_AFTER_S: Final = 1
_HEADERS: Final = frozenset({b"authorization", b"content-type", b"content-encoding", b"content-length"})


class PostResponse(NamedTuple):
    """A response."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def project_of(scope: Scope) -> Optional[str]:
    """Return the project of a POST of a window, or None for any other request."""
    path: str = scope["path"]
    if scope["method"] != "POST" or not path.startswith(_BEFORE) or not path.endswith(_AFTER):
        return None
    project = path[len(_BEFORE) : -len(_AFTER)]
    return None if not project or "/" in project else project


class Posts:
    """The windows that clients post.

    Args:
        store: Receives the windows.
        keys: The valid keys.
        counters: Counts what was accepted and refused.
    """

    def __init__(self, store: Store, keys: Keys, counters: Counters) -> None:
        self._store = store
        self._keys = keys
        self._counters = counters
        self._bodies = Bodies()
        self._limits: dict[str, HourlyLimit] = {}

    async def respond(self, project: str, scope: Scope, receive: Receive) -> PostResponse:
        """Store a window, and return the response."""
        try:
            content, headers = await self._stored(project, scope, receive)
            status = 202
        except RefusedError as refusal:
            status, content, headers = refusal.status, {"error": str(refusal)}, dict(refusal.headers)
        except ClientGoneError:
            status, content, headers = 400, {"error": "nobody reads it"}, {}
        body = json.dumps(content, separators=(",", ":")).encode()
        sent = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
        ]
        sent += [(name.encode(), value.encode()) for name, value in headers.items()]
        return PostResponse(status, sent, body)

    async def _stored(
        self, project: str, scope: Scope, receive: Receive
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Store a window, and return content and headers of the response.

        Raises:
            RefusedError: It is not stored.
            ClientGoneError: The client has gone.
        """
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _HEADERS and name not in headers:
                headers[name] = value.decode("latin-1")
        key = self._admitted(project, headers)
        window = await self._window(headers, receive)
        try:
            new = await asyncio.wrap_future(self._store.add(key.project, window))
        except StoreError as error:
            self._counters.refused("store")
            raise unavailable(str(error), error.retry_after_s) from None
        if new:
            self._counters.accepted(size=len(window.line), rows=window.metrics, calls=window.calls)
        else:
            self._counters.repeated()
        window_id = uuid.uuid4() if window.id is None else uuid.UUID(bytes=window.id)
        policy = {"ratelimit-policy": f'"key";q={key.posts_per_hour};w=3600'}
        return {"status": "accepted", "windowId": str(window_id)}, policy

    def _admitted(self, project: str, headers: dict[bytes, str]) -> Key:
        """Return the key of a POST.

        Raises:
            RefusedError: It is missing, for another project, or has reached its limit.
        """
        try:
            key = known_key(self._keys, headers.get(b"authorization", ""), project)
        except RefusedError as refusal:
            self._counters.refused({401: "key", 404: "project"}.get(refusal.status, "store"))
            raise
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() != "application/json":
            self._counters.refused("type")
            raise RefusedError(400, "invalid Content-Type: expected application/json")
        limit = self._limits.get(key.id)
        if limit is None or limit.most != key.posts_per_hour:
            limit = self._limits[key.id] = HourlyLimit(key.posts_per_hour)
        wait_s = limit.admit()
        if wait_s:
            self._counters.refused("rate")
            message = f"too many requests: expected at most {limit.most} an hour"
            raise RefusedError(429, message, {"retry-after": str(math.ceil(wait_s))})
        return key

    async def _window(self, headers: dict[bytes, str], receive: Receive) -> ReceivedWindow:
        """Return the window of a request.

        Raises:
            RefusedError: It is not valid, or the memory for bodies is full.
            ClientGoneError: The client has gone.
        """
        coding = headers.get(b"content-encoding", "")
        try:
            body = await self._bodies.read(receive, headers.get(b"content-length", ""))
        except InvalidWindowError as error:
            raise self._invalid(error) from None
        except MemoryFullError:
            self._counters.refused("memory")
            raise unavailable("too many requests at once", _BUSY_AFTER_S) from None
        try:
            if len(body) > _LONG or coding:
                return await run_in_threadpool(read_window, bytes(body), coding)
            return read_window(bytes(body))
        except InvalidWindowError as error:
            raise self._invalid(error) from None
        finally:
            self._bodies.release(body)

    def _invalid(self, error: InvalidWindowError) -> RefusedError:
        self._counters.refused(error.reason)
        return RefusedError(error.status, str(error))
