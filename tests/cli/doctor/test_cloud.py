from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from recost.cli.doctor.cloud import check_cloud
from recost.config import resolve


@pytest.fixture
def dripping() -> Iterator[int]:
    """A server whose answer never ends, and never pauses for long."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not stopped.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        stopped.set()
        thread.join()


def test_an_answer_that_drips_in_does_not_hold_the_doctor_up(dripping: int) -> None:
    options = {"api_key": "rc-test-key", "project_id": "shop", "base_url": f"http://127.0.0.1:{dripping}"}
    found = check_cloud(resolve(None, options), timeout_s=0.5)
    assert found.problems == [f"http://127.0.0.1:{dripping}: no response within 0.5 s"]
