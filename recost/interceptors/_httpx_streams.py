"""The streams that stand in for a body's in httpx and httpx2: they count what passes, and end the call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from types import ModuleType
from typing import Any

from recost.interceptors.exchange import Exchange

__all__ = ["counting_streams"]


def counting_streams(module: ModuleType) -> tuple[Any, Any]:
    """Return the sync and the async stream class for one of the two modules: clients check ``isinstance``."""

    class CountingStream(_CountingBase, module.SyncByteStream):  # type: ignore[misc, name-defined]
        kind = module.SyncByteStream

        def __iter__(self) -> Iterator[bytes]:
            self._begins()
            try:
                for chunk in self._stream:
                    self._count(chunk)
                    yield chunk
                self._completed()
            finally:
                self._ended()

        def close(self) -> None:
            try:
                self._stream.close()
            finally:
                self._ended()

    class AsyncCountingStream(_CountingBase, module.AsyncByteStream):  # type: ignore[misc, name-defined]
        kind = module.AsyncByteStream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            self._begins()
            chunks = self._stream.__aiter__()
            try:
                async for chunk in chunks:
                    self._count(chunk)
                    yield chunk
                self._completed()
            finally:
                # As httpx2 does for the stream that it sees, which is this one.
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                self._ended()

        async def aclose(self) -> None:
            try:
                await self._stream.aclose()
            finally:
                self._ended()

    return CountingStream, AsyncCountingStream


class _CountingBase:
    """Counts the bytes of a body as they pass; the end of a response's body ends its exchange."""

    def __init__(self, stream: Any, exchange: Exchange, *, upload: bool = False) -> None:
        self._stream = stream
        self._exchange = exchange
        self._upload = upload

    def __getattr__(self, name: str) -> Any:
        if name == "_stream":  # not yet set, or already gone: don't look it up on itself
            raise AttributeError(name)
        return getattr(self._stream, name)

    def __del__(self) -> None:
        try:
            self._ended()
        except AttributeError:  # __init__ did not run to its end
            return

    def _begins(self) -> None:
        # Perhaps again, after a redirect: what counts is the body, not how often it was sent.
        if self._upload:
            self._exchange.request_bytes = 0

    def _count(self, chunk: bytes) -> None:
        exchange = self._exchange
        if self._upload:
            exchange.request_bytes += len(chunk)
            return
        exchange.response_bytes += len(chunk)
        if exchange.capture is not None:
            exchange.capture.feed(chunk)

    def _completed(self) -> None:
        if self._exchange.capture is not None and not self._upload:
            self._exchange.capture.complete = True

    def _ended(self) -> None:
        if not self._upload:
            self._exchange.finish()
