"""Flushes before servers and pools end a process without exit hooks.

Uvicorn stops in good order, and then ends the process by raising again the signal that it received.
A ``multiprocessing.Pool`` kills its workers at the end of its block, also those that are idle.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from types import ModuleType
from typing import Any, Callable, Optional, Protocol

from recost.interceptors.imports import when_imported
from recost.interceptors.patching import Patches

__all__ = ["ExitFlushes", "aside"]


class _Handle(Protocol):
    shutdown_timeout_s: float

    def flush_blocking(self, timeout_s: float) -> bool: ...


Current = Callable[[], Optional[_Handle]]
"""A function that returns the running handle of this process, if there is one."""


class ExitFlushes:
    """Flushes before the ends that are watched. Without a running handle nothing is changed.

    Args:
        current: Returns the running handle.
        report: Receives errors.
    """

    def __init__(self, current: Current, report: Callable[[BaseException], None]) -> None:
        self._current = current
        self._report = report
        self._patches = Patches()
        self._watching = False

    def watch(self) -> None:
        """Begin. A library that is not imported yet is watched once it is."""
        if self._watching:
            return
        self._watching = True
        when_imported("uvicorn.server", self._contained(self._watch_uvicorn))
        when_imported("multiprocessing.pool", self._contained(self._watch_pools))

    def _contained(self, hook: Callable[[Any], None]) -> Callable[[ModuleType], None]:
        def imported(module: ModuleType) -> None:
            try:
                hook(module)
            except Exception as error:  # noqa: BLE001 - a library of unknown shape is left as it is
                self._report(error)

        return imported

    def _watch_uvicorn(self, module: Any) -> None:
        self._patches.wrap(module.Server, "shutdown", self._flush_after)

    async def _flush_after(self, shut_down: Any, _server: Any, args: Any, kwargs: Any) -> None:
        """Let a server and its application stop, and then flush."""
        await shut_down(*args, **kwargs)
        handle = self._current()
        if handle is not None:
            await aside(lambda: handle.flush_blocking(handle.shutdown_timeout_s))

    def _watch_pools(self, module: Any) -> None:
        pool: Any = module.Pool
        original = pool.__dict__["_terminate_pool"]
        # A public method for it does not exist.
        pool._terminate_pool = _PoolEnd(original, (module.RUN, module.CLOSE), self._current, self._report)  # noqa: SLF001


class _PoolEnd:
    """A stand-in for the class method that ends a pool, bound when the pool has made its workers.

    They record calls if a handle runs at that moment, whatever happens to it in the parent.
    """

    def __init__(
        self, original: Any, states: Any, current: Current, report: Callable[[BaseException], None]
    ) -> None:
        self._original = original
        self._states = states
        self._current = current
        self._report = report

    def __get__(self, instance: Any, owner: Any) -> Any:
        terminate: Callable[..., Any] = self._original.__get__(instance, owner)
        handle = self._current()
        return terminate if handle is None else partial(self._end, terminate, handle.shutdown_timeout_s)

    def _end(self, terminate: Callable[..., Any], timeout_s: float, *parts: Any) -> Any:
        try:
            _let_idle_workers_end(self._states, timeout_s, *parts)
        except Exception as error:  # noqa: BLE001 - the pool ends as it would have
            self._report(error)
        return terminate(*parts)


async def aside(work: Callable[[], Any]) -> None:
    """Run blocking work on another thread, or here where the loop is not asyncio's (trio)."""
    import asyncio  # noqa: PLC0415 - who awaits this has it
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only at the end

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        work()
        return
    # Not the loop's own pool: the application's threads may have filled it.
    executor = ThreadPoolExecutor(1, thread_name_prefix="recost-dispose")
    try:
        await loop.run_in_executor(executor, work)
    finally:
        executor.shutdown(wait=False)


def _let_idle_workers_end(
    states: tuple[Any, Any],
    timeout_s: float,
    _tasks: Any,
    _inqueue: Any,
    _outqueue: Any,
    workers: Any,
    change_notifier: Any,
    worker_handler: Any,
    task_handler: Any,
    result_handler: Any,
    results: Any,
) -> None:
    """Let the workers of a pool end and flush, as ``close()`` and ``join()`` do.

    Only when every result has arrived: a worker that is busy is killed, as the program wants it.
    """
    run, close = states
    inside = threading.current_thread() in (worker_handler, task_handler, result_handler)
    if results or inside or worker_handler._state != run or not hasattr(workers[0], "terminate"):  # noqa: SLF001
        return
    deadline = time.monotonic() + timeout_s
    worker_handler._state = close  # noqa: SLF001 - as Pool.close() does
    change_notifier.put(None)
    worker_handler.join(timeout_s)
    for worker in list(workers):
        worker.join(max(deadline - time.monotonic(), 0.0))
