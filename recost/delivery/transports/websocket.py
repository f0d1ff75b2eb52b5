"""One text frame per window, to a collector on this machine, over a connection that is kept open.

The protocol has no acknowledgement of a window. So a ping is sent behind every frame, and the window counts
as delivered when its pong is back: the peer replies in order, hence it has read the frame. A frame that was
written to a dead connection is sent again. In rare cases the peer has read it and died before the pong.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import struct
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Final, Optional

from recost.delivery.transports.base import Disposition, RetryPolicy, SendError, encode
from recost.errors import RecostError
from recost.events import WindowSummary

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__all__ = ["WebSocketTransport"]

_CLOSE_TIMEOUT_S: Final = 0.5
_POLL_S: Final = 0.01
_LINGER: Final = "ii" if os.name == "posix" else "hh"
_MAX_INCOMING_BYTES: Final = 1024 * 1024
"""Limit on one message from the peer, which is discarded. A larger one ends the connection."""


class WebSocketTransport:
    """A transport to ``ws://{host}:{port}``. Needs the extra ``local`` (websockets 13 or later)."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.retry = RetryPolicy(retries=10, first_s=0.5, longest_s=30.0, exhausted=Disposition.SUSPEND)
        self.spacing_s = 1.0
        self.max_metrics: Optional[int] = None
        self._address = (host, port)
        self._url = f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"
        self._link: Optional[_Link] = None

    def __repr__(self) -> str:
        return f"WebSocketTransport({self._url!r})"

    def send(self, summary: WindowSummary, timeout_s: float) -> None:
        """Send one window and wait until the peer has read it.

        Raises:
            SendError: A peer is missing or did not reply in time, or the library is missing.
        """
        text = encode(summary).decode("utf-8")
        failure = _missing_library() or self._deliver(text, time.monotonic() + timeout_s)
        if failure is not None:
            raise failure

    def gave_up(self) -> Optional[Exception]:
        """Return the error to report when no collector could be reached for a long time."""
        return RecostError(
            f"recost: no collector at {self._url} after {self.retry.retries} attempts to reconnect: "
            'sending has stopped. local_transport="file" needs no collector'
        )

    def close(self) -> None:
        """Close the connection. A later `send` opens another one."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _deliver(self, text: str, deadline: float) -> Optional[SendError]:
        """Send over the open connection, or over a new one when that is dead."""
        if self._link is not None and self._try(text, deadline) is None:
            return None
        reason = self._try(text, deadline)
        if reason is None:
            return None
        error = RecostError(f"recost: no collector accepted the window at {self._url}: {reason}")
        return SendError(error, Disposition.RETRY)

    def _try(self, text: str, deadline: float) -> Optional[str]:
        """Send once. Return the reason when that failed."""
        from websockets.exceptions import WebSocketException  # noqa: PLC0415 - an extra, and not light

        try:
            if self._link is None or not self._link.is_ours:
                self.close()
                self._link = _Link(self._url, self._address, deadline)
            self._link.send(text, deadline)
        # RuntimeError: no thread can be started while the interpreter ends (Python 3.12.0 and 3.12.1).
        except (OSError, EOFError, RuntimeError, ValueError, WebSocketException) as error:
            reason = _describe(error)
        else:
            return None
        link, self._link = self._link, None
        if link is not None:
            link.abort()
        return reason


class _Link:
    """One open connection, in the process that opened it.

    The library reads in a daemon thread of its own, which ends with the connection. Messages of the peer are
    discarded there.
    """

    def __init__(self, url: str, address: tuple[str, int], deadline: float) -> None:
        from websockets.sync.client import connect  # noqa: PLC0415 - an extra, and not light

        # A socket of our own goes past any proxy, and its writes can be bounded.
        sock = socket.create_connection(address, _remaining(deadline))
        sock.settimeout(None)
        _bound_writes(sock, _remaining(deadline))
        options: dict[str, Any] = {}
        if "ping_interval" in inspect.signature(connect).parameters:  # websockets 15
            options["ping_interval"] = None  # no thread for it: every window brings its own ping
        self._pid = os.getpid()
        self._stack = ExitStack()
        # Entered as a context manager, because that alone means the same in websockets 13 to 17.
        self._connection: ClientConnection = self._stack.enter_context(
            connect(
                url,
                sock=sock,
                compression=None,
                open_timeout=_remaining(deadline),
                close_timeout=_CLOSE_TIMEOUT_S,
                max_size=_MAX_INCOMING_BYTES,
                logger=_silent_logger(),
                create_connection=_deaf_connection(),
                **options,
            )
        )

    @property
    def is_ours(self) -> bool:
        """False in a child that was forked after the connection was opened."""
        return self._pid == os.getpid()

    def send(self, text: str, deadline: float) -> None:
        """Write one frame and a ping behind it. Return when the pong has come."""
        from websockets.protocol import State  # noqa: PLC0415 - as above

        _bound_writes(self._connection.socket, _remaining(deadline))
        self._connection.send(text)
        pong = self._connection.ping()
        while not pong.wait(_POLL_S):
            _remaining(deadline)
            if self._connection.protocol.state is not State.OPEN:
                raise EOFError

    def abort(self) -> None:
        """Close by a reset: the peer must not read the rest, because it is sent again."""
        if self.is_ours:
            with suppress(OSError):
                sock = self._connection.socket
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
                sock.shutdown(socket.SHUT_RDWR)  # wakes the reading thread
        self.close()

    def close(self) -> None:
        """Close. A forked child closes only its copy of the descriptor, without a message to the peer."""
        with suppress(OSError, RuntimeError):
            if self.is_ours:
                self._stack.close()
            else:
                self._connection.socket.close()


def _deaf_connection() -> type[ClientConnection]:
    """Return a connection that discards messages: unread ones would block the reading of pongs."""
    from websockets.frames import DATA_OPCODES  # noqa: PLC0415 - as above
    from websockets.sync.client import ClientConnection  # noqa: PLC0415

    class DeafConnection(ClientConnection):
        def process_event(self, event: Any) -> None:
            if getattr(event, "opcode", None) not in DATA_OPCODES:
                super().process_event(event)

    return DeafConnection


def _missing_library() -> Optional[SendError]:
    try:
        import websockets.sync.client  # noqa: F401, PLC0415 - as above
    except ImportError:
        error = RecostError(
            'recost: local_transport="ws" needs websockets 13 or later: pip install "recost[local]"'
        )
        return SendError(error, Disposition.SUSPEND)
    return None


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError("no response in time")
    return remaining


def _bound_writes(sock: socket.socket, timeout_s: float) -> None:
    """Limit how long a write waits for a peer that does not read.

    ``settimeout`` would also end the reading thread's wait in websockets before 17.
    """
    if os.name == "posix":
        micros = max(int(timeout_s * 1e6), 1)
        value = struct.pack("ll", micros // 1_000_000, micros % 1_000_000)
    else:
        value = struct.pack("L", max(int(timeout_s * 1e3), 1))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)


def _silent_logger() -> logging.Logger:
    """Return a logger that is not configured and prints nothing: errors are reported to ``on_error``."""
    logger = logging.Logger("recost.websockets", logging.CRITICAL + 1)  # noqa: LOG001 - unregistered on purpose
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger


def _describe(error: Exception) -> str:
    """Describe a failure without quoting the peer."""
    if isinstance(error, OSError):
        late = isinstance(error, (TimeoutError, socket.timeout))
        return "no response in time" if late else error.strerror or type(error).__name__
    if isinstance(error, RuntimeError):
        return "no thread can be started to read its replies"
    if isinstance(error, EOFError):
        return "the connection was closed"
    received = getattr(error, "rcvd", None)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if received is not None:
        return f"it closed the connection with code {received.code}"
    if status is not None:
        return f"it responded with HTTP {status}"
    return type(error).__name__
