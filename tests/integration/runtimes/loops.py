"""Asynchronous calls on the event loop that the first argument names."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any, Callable

import recost
from tests.integration.runtimes._calls import aiohttp_calls, blocking_calls, httpx_calls


def _clients() -> list[Any]:
    names = ["httpx", "httpx2"] if sys.version_info >= (3, 10) else ["httpx"]
    return [importlib.import_module(name) for name in names]


async def _on_any_loop() -> None:
    for client in _clients():
        await httpx_calls(client)


async def _on_asyncio() -> None:
    await asyncio.gather(_on_any_loop(), aiohttp_calls())


def on_asyncio_in_debug_mode() -> None:
    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is not what is tested
        await _on_asyncio()

    asyncio.run(main(), debug=True)


def on_uvloop() -> None:
    import uvloop

    async def main() -> None:
        assert isinstance(asyncio.get_running_loop(), uvloop.Loop)
        await _on_asyncio()

    uvloop.run(main())


def on_trio() -> None:
    import trio

    trio.run(_on_any_loop)


def on_anyio() -> None:
    import anyio

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_on_any_loop)
            for _ in range(5):
                group.start_soon(anyio.to_thread.run_sync, blocking_calls)

    anyio.run(main, backend="asyncio")
    anyio.run(main, backend="trio")


PROGRAMS: dict[str, Callable[[], None]] = {
    "asyncio-debug": on_asyncio_in_debug_mode,
    "uvloop": on_uvloop,
    "trio": on_trio,
    "anyio": on_anyio,
}

if __name__ == "__main__":
    recost.init()
    PROGRAMS[sys.argv[1]]()
