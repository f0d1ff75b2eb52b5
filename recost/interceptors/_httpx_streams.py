"""Streams of httpx and httpx2 that count the bytes of a body, and end the call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from types import ModuleType
from typing import Any, NamedTuple, Optional

from recost.interceptors._containment import contain
from recost.interceptors.context import current
from recost.interceptors.exchange import Exchange

__all__ = ["Streams", "counting_streams"]


class Streams(NamedTuple):
    """The sync or the async stream classes of one module."""

    kind: Any
    """Base class that clients check bodies against."""
    response: Any
    upload: Any


def counting_streams(module: ModuleType) -> tuple[Streams, Streams]:  # noqa: C901 - classes, not branches
    """Return the sync and the async stream classes for one of the two modules."""

    class CountingStream(_Response, module.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            counting = True
            try:
                for chunk in self._stream:
                    if counting:
                        try:
                            self._count(chunk)
                        except BaseException as error:  # noqa: BLE001 - contain() raises what is not ours
                            counting = False
                            contain(error)
                    yield chunk
                self._complete = True
            finally:
                try:
                    self._ended()
                except BaseException as error:  # noqa: BLE001
                    contain(error)

        def close(self) -> None:
            try:
                self._stream.close()
            finally:
                try:
                    self._ended()
                except BaseException as error:  # noqa: BLE001
                    contain(error)

    class AsyncCountingStream(_Response, module.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            counting, chunks = True, self._stream.__aiter__()
            try:
                async for chunk in chunks:
                    if counting:
                        try:
                            self._count(chunk)
                        except BaseException as error:  # noqa: BLE001
                            counting = False
                            contain(error)
                    yield chunk
                self._complete = True
            finally:
                # httpx2 does this for the stream that it sees, which is this one.
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                try:
                    self._ended()
                except BaseException as error:  # noqa: BLE001
                    contain(error)

        async def aclose(self) -> None:
            try:
                await self._stream.aclose()
            finally:
                try:
                    self._ended()
                except BaseException as error:  # noqa: BLE001
                    contain(error)

    sync = Streams(module.SyncByteStream, CountingStream, _upload_stream(module))
    return sync, Streams(module.AsyncByteStream, AsyncCountingStream, _async_upload_stream(module))


def _upload_stream(module: ModuleType) -> Any:
    class UploadStream(_Upload, module.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            counting, chunks = True, iter(self._stream)
            try:
                self._begins()
            except BaseException as error:  # noqa: BLE001
                counting = False
                contain(error)
            while True:
                exchange = current.get()
                current.set(None)
                try:
                    chunk = next(chunks)
                except StopIteration:
                    return
                finally:
                    current.set(exchange)
                if counting:
                    try:
                        self._count(chunk)
                    except BaseException as error:  # noqa: BLE001
                        counting = False
                        contain(error)
                yield chunk

        def close(self) -> None:
            self._stream.close()

    return UploadStream


def _async_upload_stream(module: ModuleType) -> Any:
    class AsyncUploadStream(_Upload, module.AsyncByteStream):  # type: ignore[misc, name-defined]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            counting, chunks = True, self._stream.__aiter__()
            try:
                self._begins()
            except BaseException as error:  # noqa: BLE001
                counting = False
                contain(error)
            try:
                while True:
                    exchange = current.get()
                    current.set(None)
                    try:
                        chunk = await chunks.__anext__()
                    except StopAsyncIteration:
                        return
                    finally:
                        current.set(exchange)
                    if counting:
                        try:
                            self._count(chunk)
                        except BaseException as error:  # noqa: BLE001
                            counting = False
                            contain(error)
                    yield chunk
            finally:
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()

        async def aclose(self) -> None:
            await self._stream.aclose()

    return AsyncUploadStream


class _StandIn:
    """Wrapper of a stream, with the attributes of the stream."""

    _stream: Any

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # not yet set, or already deleted: avoid recursion
            raise AttributeError(name)
        return getattr(self._stream, name)


class _Response(_StandIn):
    """Stream of a response's body that counts its bytes, and finishes the exchange at its end."""

    _exchange: Optional[Exchange] = None

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange
        self._complete = False

    def __del__(self) -> None:
        try:
            self._ended()
        except BaseException as error:  # noqa: BLE001
            contain(error)

    def _count(self, chunk: bytes) -> None:
        exchange: Any = self._exchange
        exchange.response_bytes += len(chunk)
        if exchange.capture is not None:
            exchange.capture.feed(chunk)

    def _ended(self) -> None:
        exchange = self._exchange
        if exchange is not None:
            if self._complete and exchange.capture is not None:
                exchange.capture.complete = True
            exchange.finish()


class _Upload(_StandIn):
    """Stream of a request's body that counts its bytes. Calls made to generate it are calls of their own."""

    def __init__(self, stream: Any, exchange: Exchange, *, counted: bool) -> None:
        self._stream = stream
        self._exchange = exchange
        self._counted = counted

    def _begins(self) -> None:
        # A redirect may send the body again, which counts once.
        if self._counted:
            self._exchange.request_bytes = 0

    def _count(self, chunk: bytes) -> None:
        if self._counted:
            self._exchange.request_bytes += len(chunk)
