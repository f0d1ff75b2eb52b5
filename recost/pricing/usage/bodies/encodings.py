"""Content-encodings: decodes what there is of a body, in bounded memory and time."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final, Optional

from recost.pricing.usage.bodies.window import Window
from recost.pricing.usage.content import Content

__all__ = ["decode"]

_STEP: Final = 64 * 1024
_MOST: Final = 64 * 1024 * 1024
"""Bytes of output beyond which a body is given up: 64 KB of gzip have no more."""
_INPUT_STEP: Final = 512


class _UndecodableError(Exception):
    """What was decoded so far is all there is."""


def decode(content: Content) -> Optional[Content]:
    """Return the content without its encoding, as far as it can be decoded; None where it can't."""
    names = [name.strip().lower() for name in content.encoding.split(",")]
    for name in reversed([name for name in names if name not in {"", "identity"}]):
        decoded = None if content.gap else _decode_one(name, content)
        if decoded is None:
            return None
        content = decoded
    return content._replace(encoding="")


def _decode_one(name: str, content: Content) -> Optional[Content]:
    window = Window()
    whole = True
    total = 0
    try:
        for piece in _pieces(name, content.head):
            window.feed(piece)
            total += len(piece)
            whole = total <= _MOST
            if not whole:
                break
    except _UndecodableError:
        whole = False
    if not window.head:
        return None
    return content._replace(
        head=window.head, tail=window.tail, gap=window.gap, complete=content.complete and whole
    )


def _pieces(name: str, data: bytes) -> Iterator[bytes]:
    if name in {"gzip", "x-gzip"}:
        return _inflate(data, 31)
    if name == "deflate":
        return _inflate(data, 15 if data[:1] and data[0] & 0x0F == 8 else -15)
    if name == "br":
        return _unbrotli(data)
    if name in {"zstd", "x-zstd"}:
        return _unzstd(data)
    raise _UndecodableError


def _inflate(data: bytes, wbits: int) -> Iterator[bytes]:
    import zlib  # noqa: PLC0415 - only where a body is compressed

    while data:
        inflater = zlib.decompressobj(wbits)
        while not inflater.eof:
            try:
                piece = inflater.decompress(data, _STEP)
            except zlib.error:
                raise _UndecodableError from None
            data = inflater.unconsumed_tail
            if piece:
                yield piece
            elif not data and not inflater.eof:
                raise _UndecodableError
        data = (
            inflater.unused_data.lstrip(b"\0") if wbits == 31 else b""
        )  # a gzip file may have several members


def _unbrotli(data: bytes) -> Iterator[bytes]:
    library = _import_first("brotli", "brotlicffi")
    decompressor = library.Decompressor()
    for at in range(0, len(data), _INPUT_STEP):
        try:
            piece = decompressor.process(data[at : at + _INPUT_STEP])
        except library.error:
            raise _UndecodableError from None
        if piece:
            yield piece
    if not decompressor.is_finished():
        raise _UndecodableError


def _unzstd(data: bytes) -> Iterator[bytes]:
    library = _import_first("zstandard", "compression.zstd", "backports.zstd")
    error = library.ZstdError
    while data:
        decompressor: Any = library.ZstdDecompressor()
        if hasattr(decompressor, "decompressobj"):  # zstandard; the standard library's is one itself
            decompressor = decompressor.decompressobj()
        for at in range(0, len(data), _INPUT_STEP):
            try:
                piece = decompressor.decompress(data[at : at + _INPUT_STEP])
            except (error, EOFError):
                raise _UndecodableError from None
            if piece:
                yield piece
            if decompressor.eof:
                data = decompressor.unused_data + data[at + _INPUT_STEP :]
                break
        else:
            raise _UndecodableError


def _import_first(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:  # noqa: PERF203 - there are three at most
            continue
    raise _UndecodableError
