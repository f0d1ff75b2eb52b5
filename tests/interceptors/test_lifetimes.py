"""Objects that the application drops are freed as soon as without recost, not by the garbage collector."""

from __future__ import annotations

import gc
import http.client
import socket
import threading
import weakref
from collections.abc import Iterator

import pytest
import urllib3
from urllib3.util import Retry

from recost.events import RawEvent
from tests.loopback import Loopback

Events = list[RawEvent]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def breaks_once() -> Iterator[int]:
    """The port of a server that closes the first connection, and responds to the second request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in (b"", ANSWER):
                with listener.accept()[0] as connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_a_response_of_urllib3_after_a_retry(breaks_once: int, events: Events) -> None:
    # The failed attempt's traceback is kept in the response's history, and keeps the frames of its callers.
    with urllib3.HTTPConnectionPool("127.0.0.1", breaks_once, retries=Retry(read=1)) as pool:
        response = pool.urlopen("GET", "/")
    assert response.retries is not None
    assert len(response.retries.history) == 1
    gone = weakref.ref(response)
    del response
    assert gone() is None
    assert [(event.status_code, event.attempts) for event in events] == [(200, 2)]


def test_a_connection_that_is_abandoned_before_the_response(server: Loopback, events: Events) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/plain")
    gone = weakref.ref(connection)
    with connection.sock:
        del connection
        assert gone() is None
    assert [event.status_code for event in events] == [0]
