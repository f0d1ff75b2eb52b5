"""Calls in many greenlets: ``gevent`` or ``eventlet``, patched before or after ``recost.init()``.

Nothing is imported before the first argument has been looked at: that is what monkey-patching asks for.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Callable

sys.modules["trio"] = None  # type: ignore[assignment]  # httpcore tries it, which eventlet's sockets don't allow


def _patch(library: str) -> None:
    if library == "gevent":
        from gevent import monkey

        monkey.patch_all()
    else:
        import eventlet

        eventlet.monkey_patch()


def _spawn_and_wait(library: str, function: Callable[[], None], count: int) -> None:
    if library == "gevent":
        import gevent

        gevent.joinall([gevent.spawn(function) for _ in range(count)], raise_error=True)
    else:
        import eventlet

        for greenlet in [eventlet.spawn(function) for _ in range(count)]:
            greenlet.wait()


def _real_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _start(library: str, *, patched_first: bool) -> Any:
    """Patch and start recost in the order that is asked for: it starts no thread."""
    if patched_first:
        _patch(library)
    before = _real_threads()
    import recost

    handle = recost.init()
    assert _real_threads() == before
    if not patched_first:
        _patch(library)
    return handle


def main(library: str, order: str) -> None:
    handle = _start(library, patched_first=order == "patched-first")
    import subprocess

    from tests.integration.runtimes import _calls

    under_way: list[object] = []
    most: list[int] = []

    def calls() -> None:
        under_way.append(None)
        _calls.blocking_calls()
        most.append(len(under_way))
        under_way.pop()

    _calls.blocking_clients()
    _spawn_and_wait(library, calls, 15)
    assert max(most) > 1, "the greenlets have waited for each other"
    subprocess.run(["true"], check=True)  # a fork of Python's own, under gevent
    _spawn_and_wait(library, calls, 15)
    assert handle.flush_blocking()
    _spawn_and_wait(library, calls, 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
