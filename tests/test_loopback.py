"""The loopback server's log is whole once it says so, and its ports are nobody else's."""

from __future__ import annotations

import http.client
import socket

import pytest

from tests.loopback import Loopback, free_port, refused_port, wait_until


def send(server: Loopback, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return connection


def test_what_was_sent_by_who_has_gone_is_in_the_log(server: Loopback) -> None:
    for number in range(200):
        send(server, f"/gone/{number}").close()
        assert wait_until(server.settled)
        assert len(server.log) == number + 1


def test_a_request_without_an_answer_has_come_all_the_same(server: Loopback) -> None:
    with send(server, "/hang"), send(server, "/stall"):
        assert wait_until(server.settled)
        assert sorted(served.path for served in server.log) == ["/hang", "/stall"]
        server.release.set()


def test_connections_that_are_kept_are_at_rest(server: Loopback) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(20):
        connection.request("POST", "/plain", b"x" * 100_000)
        connection.getresponse().read()
        assert wait_until(server.settled)
        assert [served.complete for served in server.log] == [True] * (number + 1)
    connection.close()
    assert wait_until(server.settled)


def test_a_port_that_refuses_is_held() -> None:
    port = refused_port()
    assert refused_port() == port
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_free_port_can_be_had() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as listener:
        assert listener.getsockname()[1] < 32_768
