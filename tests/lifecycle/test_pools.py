"""Pools of processes: what their workers call is recorded, however the pool is left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.scripts import calls, run_script, windows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")

PROGRAM = """
import multiprocessing, multiprocessing.pool, sys, time, urllib.request
from concurrent import futures
import recost

url, folder = sys.argv[1], sys.argv[2]

def call(_=None):
    with urllib.request.urlopen(url + "/plain") as response:
        return len(response.read())

def begin():
    recost.init(local_dir=folder)

if __name__ == "__main__":
    begin()
    context = multiprocessing.get_context("fork")
"""
LEFT = {
    "with": "with context.Pool(4) as pool: pool.map(call, range(40))",
    "with, asynchronously": "with context.Pool(4) as pool: pool.map_async(call, range(40)).get()",
    "with, unordered": "with context.Pool(4) as pool: list(pool.imap_unordered(call, range(40)))",
    "terminate": "pool = context.Pool(4); pool.map(call, range(40)); pool.terminate(); pool.join()",
    "close and join": "pool = context.Pool(4); pool.map(call, range(40)); pool.close(); pool.join()",
    "at the end of the program": "pool = context.Pool(4); pool.map(call, range(40))",
    "forgotten": "pool = context.Pool(4); pool.map(call, range(40)); del pool; import gc; gc.collect()",
    "a task each": "with context.Pool(4, maxtasksperchild=1) as pool: pool.map(call, range(40), 1)",
    "spawned": "with multiprocessing.get_context('spawn').Pool(2, begin) as pool: pool.map(call, range(40))",
    "executor": "with futures.ProcessPoolExecutor(4, context) as pool: list(pool.map(call, range(40)))",
    "threads": "with multiprocessing.pool.ThreadPool(4) as pool: pool.map(call, range(40))",
    "after an exception": """
    try:
        with context.Pool(4) as pool:
            pool.map(call, range(40))
            raise LookupError
    except LookupError:
        pass
""",
}


SLOW = ("a task each", "spawned")


@pytest.mark.parametrize(
    "left", [pytest.param(left, marks=[pytest.mark.slow] if left in SLOW else []) for left in LEFT]
)
def test_all_calls_of_a_pool_are_recorded(left: str, server: Loopback, tmp_path: Path) -> None:
    code = PROGRAM + "    " + LEFT[left].strip() + "\n"
    result = run_script(code, server.url, tmp_path, file=tmp_path / "program.py")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    assert calls(windows(tmp_path)) == {"/plain": len(server.log)} == {"/plain": 40}


def test_a_pool_that_is_at_work_is_killed_as_ever(server: Loopback, tmp_path: Path) -> None:
    code = (
        PROGRAM
        + """
    begun = context.Semaphore(0)

    def work(_):
        begun.release()
        time.sleep(600)

    with context.Pool(2) as pool:
        pool.map(call, range(4))
        pool.map_async(work, range(4), 1)
        begun.acquire()
        begun.acquire()
    assert all(not worker.is_alive() for worker in pool._pool)
    print({worker.exitcode for worker in pool._pool})
"""
    )
    result = run_script(code, server.url, tmp_path, file=tmp_path / "program.py")
    assert (result.returncode, result.stdout, result.stderr) == (0, "{-15}\n", "")


def test_a_worker_that_does_not_end_is_killed_in_time(server: Loopback, tmp_path: Path) -> None:
    code = (
        PROGRAM.replace("local_dir=folder", "local_dir=folder, shutdown_flush_timeout_ms=1000")
        + """
    def hang():
        multiprocessing.util.Finalize(None, time.sleep, (600,), exitpriority=1)

    with context.Pool(2, hang) as pool:
        pool.map(call, range(4))
"""
    )
    result = run_script(code, server.url, tmp_path, file=tmp_path / "program.py")
    assert (result.returncode, result.stderr) == (0, "")


def test_without_a_running_handle_a_pool_is_left_as_it_is(server: Loopback, tmp_path: Path) -> None:
    code = (
        PROGRAM
        + """
    recost.init(local_dir=folder).dispose()
    with context.Pool(2) as pool:
        pool.map(call, range(4))
        workers = list(pool._pool)
    print({worker.exitcode for worker in workers} <= {0, -15})
"""
    )
    result = run_script(code, server.url, tmp_path, file=tmp_path / "program.py")
    assert (result.returncode, result.stdout, result.stderr) == (0, "True\n", "")
    assert windows(tmp_path) == []
