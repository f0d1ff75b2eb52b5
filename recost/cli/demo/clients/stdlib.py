"""``urllib.request``, and http.client under it."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import Fetch
    from recost.cli.demo.routing import Routing

__all__ = ["session"]


@contextmanager
def session(_library: Any, routing: Routing) -> Iterator[Fetch]:
    """Yield a function that makes one call and returns its status."""
    opener = urllib.request.OpenerDirector()  # without handlers of proxies and other schemes
    opener.add_handler(_Handler(routing))
    opener.add_handler(urllib.request.HTTPErrorProcessor())
    opener.add_handler(urllib.request.HTTPDefaultErrorHandler())
    yield partial(_fetch, opener)


def _fetch(opener: urllib.request.OpenerDirector, call: Call) -> int:
    request = urllib.request.Request(  # noqa: S310 - http, to loopback
        call.url, data=call.body or None, headers=call.headers, method=call.method
    )
    try:
        with opener.open(request, timeout=10) as response:
            if call.streamed:
                for _line in response:
                    pass
            response.read()
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()
        return error.code


class _Handler(urllib.request.HTTPHandler):
    def __init__(self, routing: Routing) -> None:
        super().__init__()
        self._routing = routing

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_Connection, routing=self._routing), req)


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, *, routing: Routing, **options: Any) -> None:
        super().__init__(host, **options)
        self._routing = routing

    def connect(self) -> None:
        self.sock = self._routing.connect(self.host)
