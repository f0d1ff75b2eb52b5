"""Servers on loopback that take messages: HTTP and SMTP."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message as Mail
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Posted(NamedTuple):
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """What a server has taken, and the status that it answers with."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.status = 200
        self.posted: list[Posted] = []
        self.mails: list[Mail] = []


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """Yield an HTTP server."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.status < 300:
                headers = {name.lower(): value for name, value in self.headers.items()}
                found.posted.append(Posted(self.path, headers, body))
            self.send_response(found.status)
            if found.status in {301, 302, 307}:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    found.url = f"http://127.0.0.1:{found.port}/hook/secret-token"
    yield from _running(server, found)


@contextmanager
def smtp_receiver() -> Iterator[Receiver]:
    """Yield an SMTP server that takes mail for anybody but ``refused@``."""
    found = Receiver()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 here")
            for line in iter(self.rfile.readline, b""):
                word = line[:4].upper().strip()
                if word == b"DATA":
                    self.say("354 go on")
                    data = b"".join(iter(self.rfile.readline, b".\r\n"))
                    if found.status < 300:
                        found.mails.append(message_from_bytes(data, policy=default))
                    self.say("250 taken" if found.status < 300 else "451 later")
                elif word == b"QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("550 no" if b"refused@" in line else "250 ok")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    yield from _running(server, found)


def _running(server: socketserver.BaseServer, found: Receiver) -> Iterator[Receiver]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
