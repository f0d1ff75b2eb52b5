"""Bodies of HTTP/1.1 messages, counted as they pass without the framing of chunks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final, Optional

from recost.interceptors._containment import contain
from recost.interceptors.capture import LIMIT, Capture
from recost.interceptors.exchange import Exchange

__all__ = ["BodyFile", "Dechunker", "MeteredBodyFile", "follow_body"]

_LONGEST_LINE: Final = 65_536
_DESCRIBING: Final = frozenset({"content-type", "content-encoding"})
"""Headers that describe the body."""


def follow_body(exchange: Exchange, response: Any) -> None:
    """End the exchange with the body of an ``http.client.HTTPResponse``, or now if it is complete."""
    file, wanted = getattr(response, "fp", None), exchange.wanted
    length = response.length if file is not None else 0
    if wanted is not None and file is not None:
        headers = response.headers
        exchange.capture = Capture(wanted.headers, headers, *_type_and_encoding(headers))
        exchange.capture.complete = length == 0
    if length == 0:
        exchange.finish()
        return
    chunked = response.chunked
    if type(file) is io.BufferedReader:
        follower = BodyFile() if wanted is None else MeteredBodyFile()
    else:
        follower = _AnyBodyFile() if wanted is None else _AnyMeteredBodyFile()
    follower._file = file  # noqa: SLF001
    follower._exchange = exchange  # noqa: SLF001
    follower._left = 0 if chunked else length  # noqa: SLF001
    follower._chunked = chunked  # noqa: SLF001
    response.fp = follower
    exchange.body_follows()


def _type_and_encoding(headers: Any) -> tuple[Any, Any]:
    """Return two headers' values or None in one pass. ``http.client`` searches all headers for each."""
    try:
        pairs = headers._headers  # noqa: SLF001
    except AttributeError:  # a mock's
        return headers.get("content-type"), headers.get("content-encoding")
    content_type = encoding = None
    for name, value in pairs:
        lowered = name.lower()
        if lowered in _DESCRIBING:
            if lowered == "content-type":
                content_type = content_type or value
            else:
                encoding = encoding or value
    return content_type, encoding


class BodyFile:
    """The file of a response, which counts the body and ends the exchange.

    The end is the last byte if the length is known. Else it is the closing of the file, which http.client
    does at the end of the body, and when a response is closed or collected.

    It has the attributes of an `io.BufferedReader`, one by one: a class with ``__getattr__`` takes a multiple
    of the time to find its own.
    """

    __slots__ = ("_chunked", "_exchange", "_file", "_left")

    # Set by `follow_body`: an ``__init__`` would be another Python call per call of the application.
    _file: Any
    _exchange: Optional[Exchange]
    _left: Optional[int]
    """Bytes left of the body or the current chunk. None if only closing the connection ends the body."""
    _chunked: bool

    def read(self, size: Any = -1) -> Any:
        data = self._file.read(size)
        if data:
            try:
                exchange, left, size = self._exchange, self._left, len(data)
                if exchange is None:
                    pass
                elif left is None:  # from here on the same as `_passed`, without its call
                    exchange.response_bytes += size
                elif size < left:
                    exchange.response_bytes += size
                    self._left = left - size
                else:
                    exchange.response_bytes += left
                    self._left = 0
                    if not self._chunked:
                        exchange.finish()
                        self._exchange = None
            except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
                contain(error)
        return data

    def read1(self, *args: Any) -> Any:
        data = self._file.read1(*args)
        if data:
            try:
                self._passed(len(data))
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return data

    def readinto(self, buffer: Any) -> Any:
        size = self._file.readinto(buffer)
        if size:
            try:
                self._passed(size)
            except BaseException as error:  # noqa: BLE001
                contain(error)
        return size

    def peek(self, *args: Any) -> Any:
        return self._file.peek(*args)  # not by __getattr__: it is called before every line

    def readline(self, *args: Any) -> Any:
        line = self._file.readline(*args)
        try:
            if not self._chunked:
                self._passed(len(line))
            elif not self._left:
                self._chunk_begins(line)
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return line

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            if self._exchange is not None:
                try:
                    self._ended()
                except BaseException as error:  # noqa: BLE001
                    contain(error)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.readline, b"")

    def __del__(self) -> None:
        try:
            if self._exchange is not None:
                self._ended()
        except BaseException as error:  # noqa: BLE001
            contain(error)

    def _passed(self, size: int) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        left = self._left
        if left is None:
            exchange.response_bytes += size
            return
        if size > left:  # noqa: PLR1730 - min() takes twice the time
            size = left  # the line break after a chunk is not part of the body
        self._left = left = left - size
        exchange.response_bytes += size
        if not left and not self._chunked:
            self._ended()

    def _ended(self) -> None:
        exchange = self._exchange
        if exchange is not None:
            exchange.finish()  # first: after Ctrl-C in here, closing the file tries again
            self._exchange = None

    def _chunk_begins(self, line: bytes) -> None:
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:  # a trailer, or an invalid line that the client will refuse
            return
        if size >= 0:
            self._left = size


class MeteredBodyFile(BodyFile):
    """A file of a response that also feeds the exchange's capture."""

    __slots__ = ()

    def read(self, *args: Any) -> Any:
        data = self._file.read(*args)
        try:
            if data:
                self._keep(data)
            if self._left is None and (not data or not args or args[0] is None or args[0] < 0):
                self._complete()  # the end of the connection ends the body
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return data

    def read1(self, *args: Any) -> Any:
        data = self._file.read1(*args)
        try:
            if data:
                self._keep(data)
            elif self._left is None:
                self._complete()
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return data

    def readinto(self, buffer: Any) -> Any:
        size = self._file.readinto(buffer)
        try:
            if size:
                piece = memoryview(buffer)[:size]
                self._keep(bytes(piece) if size <= LIMIT else piece)
            elif self._left is None:
                self._complete()
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return size

    def readline(self, *args: Any) -> Any:
        line = self._file.readline(*args)
        try:
            if self._chunked:
                if not self._left:
                    self._chunk_begins(line)
                    if not self._left and line[:1] == b"0":  # the last chunk
                        self._complete()
            elif line:
                self._keep(line)
            elif self._left is None:
                self._complete()
        except BaseException as error:  # noqa: BLE001
            contain(error)
        return line

    def _keep(self, data: Any) -> None:
        """Count a piece as `_passed` does, and feed it to the capture."""
        exchange, left = self._exchange, self._left
        if exchange is None or left == 0:  # the line break after a chunk is not part of the body
            return
        size, capture = len(data), exchange.capture
        if left is not None:
            if size > left:
                data, size = data[:left], left
            self._left = left = left - size
        exchange.response_bytes += size
        if capture is not None:
            capture.feed(data)
        if left == 0 and not self._chunked:
            if capture is not None:
                capture.complete = True
            self._ended()

    def _complete(self) -> None:
        exchange = self._exchange
        if exchange is not None and exchange.capture is not None:
            exchange.capture.complete = True


for _name in set(dir(io.BufferedReader)).difference(dir(BodyFile)):
    if not _name.startswith("__"):
        setattr(BodyFile, _name, property(attrgetter(f"_file.{_name}")))


class _AnyFile:
    """The attributes of another file than an `io.BufferedReader`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name == "_file":  # not yet set, or already deleted: avoid recursion
            raise AttributeError(name)
        return getattr(self._file, name)


class _AnyBodyFile(_AnyFile, BodyFile):
    __slots__ = ()


class _AnyMeteredBodyFile(_AnyFile, MeteredBodyFile):
    __slots__ = ()


def _chunk_size(line: bytes) -> int:
    """Return the size of the chunk that a line begins.

    Raises:
        ValueError: The size is missing or negative.
    """
    size = int(line.partition(b";")[0], 16)
    if size < 0:
        raise ValueError(f"invalid chunk size {size}: expected 0 or more")
    return size


class Dechunker:
    """Parser of a body sent with ``Transfer-Encoding: chunked`` that separates data from framing."""

    def __init__(self) -> None:
        self._left = 0
        """Bytes left of the current chunk, including its closing line break."""
        self._line = b""

    def feed(self, sent: bytes) -> int:
        """Return the number of these bytes that are data.

        Raises:
            ValueError: The framing is invalid.
        """
        size = at = 0
        while at < len(sent):
            if self._left:
                step = min(self._left, len(sent) - at)
                size += max(min(step, self._left - 2), 0)
                self._left -= step
                at += step
                continue
            end = sent.find(b"\n", at, at + _LONGEST_LINE + 1)
            line = sent[at : at + _LONGEST_LINE + 1 if end < 0 else end]
            at += len(line) + (end >= 0)
            self._line += line
            if len(self._line) > _LONGEST_LINE:
                raise ValueError(f"invalid chunk: the line of its size has more than {_LONGEST_LINE} bytes")
            if end >= 0:
                self._left = _chunk_size(self._line) + 2
                self._line = b""
        return size
