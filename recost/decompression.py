"""Decompression of content codings in pieces of bounded size.

A few hundred bytes may decompress to gigabytes. So decoders are asked for a limited output. Those that can't
limit it get so little input at once that the output stays small.
"""

from __future__ import annotations

from collections import deque
from importlib import import_module
from typing import Any, Callable, Final

__all__ = ["Decompressor", "UndecodableError"]

_OUTPUT: Final = 64 * 1024
"""Bytes requested from a decoder at once."""
_WORTHWHILE: Final = 16 * 1024
"""Bytes of small pieces that are collected before they are returned."""
_MOST_CODINGS: Final = 4
_PER_MEMBER: Final = 1024
"""Bytes of work that another member of a gzip file or frame of Zstandard counts as."""
_ZSTD_WINDOW: Final = 8 * 1024 * 1024
"""Maximum bytes of a frame's window, as on the web: https://www.rfc-editor.org/rfc/rfc9659"""
_ZSTD_STEPS: Final = (4, 32)
"""Bytes of Zstandard decoded at once, at least and at most."""
_CALM: Final = 8
"""Steps after which the next ones may be longer. A frame's header takes five of the shortest."""


class UndecodableError(Exception):
    """The coding is unknown, its library is missing, or the data are damaged."""


class Decompressor:
    """Decoder of one body up to a limit of work. Not thread-safe.

    Args:
        encoding: The value of Content-Encoding, such as ``gzip`` or ``gzip, br``, in lower case.
        limit: Maximum bytes of output, including intermediate output of several codings.

    Raises:
        UndecodableError: A coding is unknown, or its library is not installed.
    """

    def __init__(self, encoding: str, limit: int) -> None:
        names = [name for part in encoding.split(",", 2 * _MOST_CODINGS) if (name := part.strip()) != ""]
        names = [name for name in reversed(names) if name != "identity"]
        if len(names) > _MOST_CODINGS:
            raise UndecodableError
        self._stages = [_stage(name) for name in names] or [_Stage()]
        self._left = limit

    @property
    def exhausted(self) -> bool:
        """True if the limit of work is reached."""
        return self._left <= 0

    @property
    def pending(self) -> int:
        """Bytes that were fed and not yet decoded."""
        return self._stages[0].pending

    @property
    def ended(self) -> bool:
        """True if the data so far are complete."""
        return all(stage.ended and not stage.pending for stage in self._stages)

    def feed(self, data: Any) -> None:
        """Add bytes of the body."""
        self._stages[0].feed(data)

    def detach(self) -> None:
        """Copy the pending bytes, and release the objects that were fed."""
        self._stages[0].detach()

    def read(self) -> bytes:
        """Return some decoded bytes, or ``b""`` if more input is needed or the limit is reached.

        Raises:
            UndecodableError: The data are damaged.
        """
        return self._read(len(self._stages) - 1)

    def _read(self, number: int) -> bytes:
        stage = self._stages[number]
        while self._left > 0:
            data = stage.read()
            self._left -= len(data) + stage.taken_extra()
            if data or number == 0:
                return data
            inner = self._read(number - 1)
            if not inner:
                return b""
            stage.feed(inner)
        return b""


class _Stage:
    """Decoder of one coding. This class is the identity."""

    step = _OUTPUT
    """Bytes of input that the decoder gets at once."""

    def __init__(self) -> None:
        self._input: Any = b""
        self._at = 0
        self._later: deque[Any] = deque()
        """Pieces after the input. They may be long, so they are not joined to it."""
        self._later_size = 0
        self.ended = True
        """True unless a member or frame is unfinished."""
        self._extra = 0
        self._damaged = False

    @property
    def pending(self) -> int:
        return len(self._input) - self._at + self._later_size

    def feed(self, data: Any) -> None:
        self._later.append(data)
        self._later_size += len(data)

    def detach(self) -> None:
        self._input = b"".join((self._input[self._at :], *self._later))
        self._at = self._later_size = 0
        self._later.clear()

    def taken_extra(self) -> int:
        extra, self._extra = self._extra, 0
        return extra

    def read(self) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while size + self._extra < _WORTHWHILE:
            data = self._some_or_nothing(collected=bool(pieces))
            if not data:
                break
            pieces.append(data)
            size += len(data)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _some_or_nothing(self, *, collected: bool) -> bytes:
        """Return some decoded bytes. Bytes before damaged data are returned before the error is raised."""
        if self._damaged:
            raise UndecodableError
        try:
            return self._some()
        except UndecodableError:
            if not collected:
                raise
            self._damaged = True
            return b""

    def _some(self) -> bytes:
        """Return some decoded bytes, or ``b""`` if more input is needed."""
        return self._next()

    def _next(self) -> bytes:
        while self._at >= len(self._input) and self._later:
            self._input, self._at = self._later.popleft(), 0
            self._later_size -= len(self._input)
        piece = bytes(self._input[self._at : self._at + self.step])
        self._at += len(piece)
        return piece

    def _drop(self) -> None:
        """Drop all input."""
        self._input, self._at, self._later_size = b"", 0, 0
        self._later.clear()

    def _member_ended(self, unused: bytes) -> None:
        """Go back to the end of a member or frame."""
        self._at -= len(unused)
        self._extra += _PER_MEMBER


class _Inflate(_Stage):
    """Decoder of gzip and deflate, with and without a zlib header."""

    step = 4096

    def __init__(self, bits: int) -> None:
        import zlib  # noqa: PLC0415 - seldom needed

        super().__init__()
        self._bits = bits
        self._make, self._error = zlib.decompressobj, zlib.error
        self._stream: Any = None
        self._unconsumed = b""
        self._more = False
        """True if the output was limited, and the decoder may have more."""
        self._followed = False
        """True after the end of a member, when only padding may follow."""

    @property
    def pending(self) -> int:
        return super().pending + len(self._unconsumed)

    def _some(self) -> bytes:
        if self._followed and self._bits != 31:  # only gzip has several members
            self._drop()
        while True:
            data = self._unconsumed or (b"" if self._more else self._next())
            if not data and not self._more:
                return b""
            if self._stream is None and not self._begin(data):
                continue
            try:
                decoded: bytes = self._stream.decompress(data, _OUTPUT)
            except self._error:
                raise UndecodableError from None
            self._unconsumed = b"" if self._stream.eof else self._stream.unconsumed_tail
            self._more = len(decoded) >= _OUTPUT and not self._stream.eof
            if self._stream.eof:
                unused, self._stream, self.ended = self._stream.unused_data, None, True
                self._member_ended(unused)
            if decoded:
                return decoded

    def _begin(self, data: bytes) -> bool:
        """Begin a member, or return False if only padding is left."""
        if self._followed and not data.strip(b"\0"):
            return False
        bits = self._bits
        if not bits:  # "deflate" with its header, or without it as some servers send it
            bits = 15 if data[0] & 0x0F == 8 and data[0] < 0x80 else -15
        self._stream, self.ended = self._make(bits), False
        return True

    def _member_ended(self, unused: bytes) -> None:
        super()._member_ended(unused)
        self._followed = True


class _Brotli(_Stage):
    """Decoder of Brotli. A library without a limit gets single bytes, which make 16 MB at most."""

    step = 4096

    def __init__(self) -> None:
        super().__init__()
        library = _import_first("brotli", "brotlicffi")
        self._error = library.error
        self._decoder = library.Decompressor()
        self._limited = hasattr(self._decoder, "can_accept_more_data")
        if not self._limited:
            self.step = 1
        self._more = False
        """True if the output was limited, and the decoder may have more."""
        self.ended = False

    def _some(self) -> bytes:
        while not self.ended:
            waiting = self._limited and (self._more or not self._decoder.can_accept_more_data())
            data = b"" if waiting else self._next()
            if not data and not waiting:
                return b""
            try:
                decoded = self._process(data)
            except self._error:
                raise UndecodableError from None
            self.ended, self._more = self._decoder.is_finished(), len(decoded) >= _OUTPUT
            if decoded:
                return decoded
        self._drop()
        return b""

    def _process(self, data: bytes) -> bytes:
        process: Callable[..., bytes] = getattr(self._decoder, "process", None) or self._decoder.decompress
        return process(data, output_buffer_limit=_OUTPUT) if self._limited else process(data)


class _Zstd(_Stage):
    """Decoder of Zstandard. Four bytes make 128 KB at most, so a library without a limit gets 4 to 32."""

    def __init__(self) -> None:
        super().__init__()
        library = _import_first("zstandard", "compression.zstd", "backports.zstd")
        self._error = library.ZstdError
        self._limited = not hasattr(library, "DECOMPRESSION_RECOMMENDED_INPUT_SIZE")
        if self._limited:
            options = {library.DecompressionParameter.window_log_max: _ZSTD_WINDOW.bit_length() - 1}
            self._make: Callable[[], Any] = lambda: library.ZstdDecompressor(options=options)
        else:
            self._make = library.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj
        self.step = 4096 if self._limited else _ZSTD_STEPS[0]
        self._frame: Any = None
        self._calm = 0
        """Steps since data swelled, or since the step grew."""

    def _some(self) -> bytes:
        while True:
            waiting = self._limited and self._frame is not None and not self._frame.needs_input
            data = b"" if waiting else self._next()
            if not data and not waiting:
                return b""
            if self._frame is None:
                self._frame, self.ended = self._make(), False
            try:
                decoded: bytes = self._frame.decompress(data, *(_OUTPUT,) * self._limited)
            except (self._error, EOFError, MemoryError):
                raise UndecodableError from None
            if self._frame.eof:
                unused, self._frame, self.ended = self._frame.unused_data, None, True
                self._member_ended(unused)
            if not self._limited:
                self._adapt_step(len(decoded))
            if decoded:
                return decoded

    def _adapt_step(self, size: int) -> None:
        """Go on with short steps where data swell, and charge for them, because each takes time."""
        least, most = _ZSTD_STEPS
        self._calm += 1
        if size > _OUTPUT:
            self.step, self._calm = least, 0
            self._extra += _PER_MEMBER
        elif self._calm > _CALM and self.step < most:
            self.step, self._calm = 2 * self.step, 0


def _stage(name: str) -> _Stage:
    if name in {"gzip", "x-gzip"}:
        return _Inflate(31)
    if name == "deflate":
        return _Inflate(0)
    if name == "br":
        return _Brotli()
    if name in {"zstd", "x-zstd"}:
        return _Zstd()
    raise UndecodableError


def _import_first(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:  # noqa: PERF203 - there are three at most
            continue
    raise UndecodableError
