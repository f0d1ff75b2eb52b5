"""The HTTP session of the exporter: bounded, without redirects, and with the reason of a failure.

Importing this imports `requests`, which the exporter needs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Final, Optional

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from requests import Session
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException, SSLError, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.otlp.failures import failure

__all__ = ["BoundedSession", "NotAcceptedError"]

_MAX_BODY: Final = 65_536
_SHORTEST_DEFERRAL_S: Final = 1.0
_LONGEST_DEFERRAL_S: Final = 3600.0
_NOT_SENT: Final = "the export was not sent: check OTEL_EXPORTER_OTLP_ENDPOINT"
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_HINTS: Final = {
    400: "the data was not understood",
    401: "check OTEL_EXPORTER_OTLP_HEADERS",
    403: "check OTEL_EXPORTER_OTLP_HEADERS",
    404: "check OTEL_EXPORTER_OTLP_ENDPOINT",
    405: "check OTEL_EXPORTER_OTLP_ENDPOINT",
    413: "the request is too large",
    415: "it does not take protobuf over HTTP",
}


class NotAcceptedError(RequestException):
    """An error that the exporter doesn't retry."""


class BoundedSession(Session):
    """A session whose requests end in time, and raise unless they are accepted.

    Attributes:
        failure: The reason of the latest failure.
        rejected: Number of data points of the latest request that the receiver says it has rejected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.rejected = 0
        self.failure: SendError = failure(_NOT_SENT, Disposition.WAIT)
        self._deadline = 0.0
        self._connections = _Connections()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self._connections))
        self._before_send: Callable[[], Any] = int

    def prepare(self, timeout_s: float, before_send: Callable[[], Any]) -> None:
        """Begin an export.

        Args:
            timeout_s: Seconds that it may take.
            before_send: Called before its data is sent.
        """
        self._deadline = time.monotonic() + timeout_s
        self._before_send = before_send
        self.rejected = 0
        self.failure = failure(_NOT_SENT, Disposition.WAIT)

    def send(self, request: Any, **options: Any) -> Any:
        """Send a request and return the response, without its body.

        Raises:
            NotAcceptedError: It failed. `failure` says why.
        """
        self._before_send()
        left_s = max(self._deadline - time.monotonic(), 0.05)
        given = options.get("timeout")
        options["timeout"] = min(given, left_s) if isinstance(given, (int, float)) else left_s
        options.update(stream=True, allow_redirects=False)
        try:
            with self._connections.ended_after(left_s):
                response = super().send(request, **options)
        except Timeout:
            raise self._not_accepted("no response in time", Disposition.RETRY) from None
        except SSLError:
            hint = "TLS failed: check OTEL_EXPORTER_OTLP_CERTIFICATE"
            raise self._not_accepted(hint, Disposition.WAIT) from None
        except (RequestException, OSError, ValueError) as error:
            if time.monotonic() >= self._deadline:
                raise self._not_accepted("no response in time", Disposition.RETRY) from None
            reason = f"it could not be reached ({type(error).__name__})"
            raise self._not_accepted(reason, Disposition.RETRY) from None
        try:
            return self._judged(response)
        finally:
            response.close()

    def _judged(self, response: Any) -> Any:
        status, kind = response.status_code, str(response.headers.get("Content-Type") or "")
        if 200 <= status < 300:
            if kind.startswith("text/html"):
                reason = "it responded with a page: check OTEL_EXPORTER_OTLP_ENDPOINT"
                raise self._not_accepted(reason, Disposition.WAIT)
            self.rejected = _rejected(response, kind)
            return response
        hint = _HINTS.get(status, "a redirect is not followed" if status < 400 else "")
        reason = f"it responded with {status}" + (f": {hint}" if hint else "")
        after_s = _retry_after_s(response.headers) if status in {429, 503} else None
        if after_s is not None:
            raise self._not_accepted(reason, Disposition.DEFER, after_s)
        raise self._not_accepted(reason, Disposition.RETRY if status in _PASSING else Disposition.WAIT)

    def _not_accepted(
        self, reason: str, disposition: Disposition, after_s: Optional[float] = None
    ) -> NotAcceptedError:
        self.failure = failure(f"the OTLP receiver: {reason}", disposition, after_s)
        return NotAcceptedError(reason)


class _Connections:
    """The connections of a session, which can be ended from another thread.

    The time limit of a socket begins anew with each byte that comes.
    """

    def __init__(self) -> None:
        self._made: list[Any] = []

    def add(self, connection: Any) -> None:
        """Note a connection. Those that are closed are forgotten."""
        self._made = [*(each for each in self._made if each.sock is not None), connection]

    @contextmanager
    def ended_after(self, limit_s: float) -> Iterator[None]:
        """End all connections if the block takes longer than ``limit_s`` seconds."""
        watch = threading.Timer(limit_s, self._end)
        watch.daemon = True
        with suppress(RuntimeError):  # no thread can be started, as at the end of the interpreter
            watch.start()
        try:
            yield
        finally:
            watch.cancel()

    def _end(self) -> None:
        for connection in self._made:
            sock = connection.sock
            if sock is not None:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """An adapter whose connections are noted."""

    def __init__(self, connections: _Connections) -> None:
        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                connections.add(self)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                connections.add(self)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self._pools = {"http": PlainPool, "https": SecurePool}
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return the pools of a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _rejected(response: Any, kind: str) -> int:
    """Return the number of data points that the receiver says it has rejected."""
    length = str(response.headers.get("Content-Length") or "")
    if "protobuf" not in kind or not (length.isascii() and length.isdigit()):
        return 0
    if not 0 < int(length[:9]) <= _MAX_BODY:
        return 0
    try:
        body = response.raw.read(_MAX_BODY, decode_content=False)
        return int(ExportMetricsServiceResponse.FromString(body).partial_success.rejected_data_points)
    except Exception:  # noqa: BLE001 - garbage behind a status that says that all is well
        return 0


def _retry_after_s(headers: Mapping[str, str]) -> Optional[float]:
    """Return how many seconds to wait, within bounds. None if the receiver does not say."""
    value = str(headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        wanted = float(value[:12])
    else:
        try:
            wanted = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            return None
    return min(max(wanted, _SHORTEST_DEFERRAL_S), _LONGEST_DEFERRAL_S)
