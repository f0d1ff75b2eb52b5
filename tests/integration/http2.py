"""The HTTP/2 side of the server that stands for hosts of the internet: one connection, on its own thread."""

from __future__ import annotations

import ssl
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Optional

import h2.config
import h2.connection
import h2.events
import h2.exceptions

if TYPE_CHECKING:
    from tests.integration.named_hosts import Answer, NamedHosts, NamedServed


class _Stream:
    """One request and its answer, as far as they have come."""

    def __init__(self, served: NamedServed, target: str) -> None:
        self.served = served
        self.target = target
        self.received: list[bytes] = []
        self.pieces: deque[bytes] = deque()
        """What is still to be sent."""


class Connection:
    """A client's connection; its requests are answered in the order in which their bodies end."""

    def __init__(self, tls: ssl.SSLSocket, hosts: NamedHosts) -> None:
        self._tls = tls
        self._hosts = hosts
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        )
        self._streams: dict[int, _Stream] = {}

    def run(self) -> None:
        """Serve until the client goes away."""
        self._h2.initiate_connection()
        self._send()
        with suppress(OSError, h2.exceptions.ProtocolError):
            while True:
                data = self._tls.recv(65536)
                if not data:
                    return
                for event in self._h2.receive_data(data):
                    self._handle(event)
                for number in list(self._streams):
                    self._continue(number)
                self._send()

    def _handle(self, event: Any) -> None:
        if isinstance(event, h2.events.RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            method, target = headers.pop(":method"), headers.pop(":path")
            headers["host"] = headers.pop(":authority")
            served = self._hosts.begin(method, target, headers)
            self._streams[event.stream_id] = _Stream(served, target)
        elif isinstance(event, h2.events.DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.stream_id in self._streams:
                self._streams[event.stream_id].received.append(event.data)
        elif isinstance(event, h2.events.StreamEnded):
            self._answer(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self._streams.pop(event.stream_id, None)

    def _answer(self, number: int) -> None:
        stream = self._streams[number]
        body = b"".join(stream.received)
        answer = self._hosts.answer(stream.served, stream.target, body)
        if answer.stall:
            del self._streams[number]  # nothing will be said
            return
        whole = isinstance(answer.body, bytes)
        pieces = [answer.body] if isinstance(answer.body, bytes) else answer.body
        self._h2.send_headers(number, _headers(answer, len(answer.body) if whole else None))
        if stream.served.method != "HEAD":
            stream.pieces.extend(piece for piece in pieces if piece)

    def _continue(self, number: int) -> None:
        """Send as much of an answer as the client lets in now."""
        stream = self._streams[number]
        if not stream.served.status:
            return  # its request is still coming
        while stream.pieces:
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
            if room <= 0:
                return
            piece = stream.pieces.popleft()
            if len(piece) > room:
                stream.pieces.appendleft(piece[room:])
            stream.served.response_bytes += len(piece[:room])
            self._h2.send_data(number, piece[:room])
            self._send()
        stream.served.complete = True
        self._h2.end_stream(number)
        del self._streams[number]

    def _send(self) -> None:
        data = self._h2.data_to_send()
        if data:
            self._tls.sendall(data)


def _headers(answer: Answer, size: Optional[int]) -> list[tuple[str, str]]:
    found = [(":status", str(answer.status))]
    if answer.status not in {204, 304}:
        found.append(("content-type", answer.content_type))
        found += [("content-length", str(size))] if size is not None else []
    return found + [(name.lower(), value) for name, value in answer.headers.items()]
