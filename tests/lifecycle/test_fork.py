"""A forked child reports its own calls only, and reports them."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.api import Api
from tests.loopback import Loopback
from tests.scripts import calls, run_script, windows

PRELUDE = """
import os, sys, urllib.request
import recost

url, folder = sys.argv[1], sys.argv[2]

def call(path):
    with urllib.request.urlopen(url + path) as response:
        response.read()
"""


def served(server: Loopback) -> Counter[str]:
    return Counter(request.path for request in server.log)


def check(server: Loopback, folder: Path, result: object) -> None:
    assert getattr(result, "returncode", 0) == 0, result
    assert getattr(result, "stderr", "") == "", result
    assert calls(windows(folder)) == served(server)


@pytest.mark.skipif(not hasattr(sys, "platform") or sys.platform == "win32", reason="no fork")
def test_children_by_os_fork_that_call_or_do_not(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
recost.init(local_dir=folder)
call("/parent")
call("/parent")
children = []
for number in range(4):
    pid = os.fork()
    if pid == 0:
        if number % 2:
            for _ in range(number):
                call(f"/child-{'abcd'[number]}")
        sys.exit(0)
    children.append(pid)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
call("/parent")
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)
    assert calls(windows(tmp_path)) == {"/parent": 3, "/child-b": 1, "/child-d": 3}


def test_grandchildren(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
recost.init(local_dir=folder)
call("/parent")
pid = os.fork()
if pid == 0:
    call("/child")
    pid = os.fork()
    if pid == 0:
        call("/grandchild")
        sys.exit(0)
    os.waitpid(pid, 0)
    sys.exit(0)
os.waitpid(pid, 0)
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)


def test_a_response_that_is_open_while_the_process_forks_is_the_parents(
    server: Loopback, tmp_path: Path
) -> None:
    result = run_script(
        PRELUDE
        + """
recost.init(local_dir=folder)
response = urllib.request.urlopen(url + "/chunked?n=100000&k=10")
response.read(10)
pid = os.fork()
if pid == 0:
    del response
    call("/child")
    sys.exit(0)
os.waitpid(pid, 0)
response.read()
response.close()
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)


def test_a_fork_while_other_threads_call(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
import threading
recost.init(local_dir=folder, max_batch_size=3)
call("/first")  # OpenSSL's and urllib's own locks are not held any more when the process forks
threads = [threading.Thread(target=lambda: [call("/thread") for _ in range(20)]) for _ in range(4)]
for thread in threads:
    thread.start()
children = []
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        call("/child")
        recost_flushed = recost.lifecycle.current_handle().flush_blocking(10)
        os._exit(0 if recost_flushed else 3)
    children.append(pid)
statuses = [os.waitpid(pid, 0)[1] for pid in children]
for thread in threads:
    thread.join()
assert statuses == [0] * 5, statuses
""",
        server.url,
        tmp_path,
    )
    assert result.returncode == 0, result
    assert calls(windows(tmp_path)) == served(server) == {"/first": 1, "/thread": 80, "/child": 5}


def test_a_fork_that_bypasses_pythons_hooks_is_noticed_at_the_next_call(
    server: Loopback, tmp_path: Path
) -> None:
    result = run_script(
        PRELUDE
        + """
import ctypes
recost.init(local_dir=folder)
call("/parent")
fork = ctypes.PyDLL(None).fork
pid = fork()
if pid == 0:
    call("/child")
    ok = recost.lifecycle.current_handle().flush_blocking(10)
    os._exit(0 if ok else 3)
assert os.waitpid(pid, 0)[1] == 0
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_children(method: str, server: Loopback, tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    result = run_script(
        PRELUDE
        + f"""
import multiprocessing

def work(number):
    if multiprocessing.get_start_method() != "fork":
        recost.init(local_dir=folder)
    if number % 2:
        call("/child")

if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    recost.init(local_dir=folder)
    call("/parent")
    processes = [multiprocessing.Process(target=work, args=(number,)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, process
    call("/parent")
""",
        server.url,
        folder,
        file=tmp_path / "program.py",
    )
    check(server, folder, result)
    assert calls(windows(folder)) == {"/parent": 2, "/child": 2}


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the pool's default is no longer fork")
def test_a_process_pool(server: Loopback, tmp_path: Path) -> None:
    folder = tmp_path / "telemetry"
    result = run_script(
        PRELUDE
        + """
import multiprocessing

if __name__ == "__main__":
    recost.init(local_dir=folder)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(call, ["/pooled"] * 12)
        pool.close()
        pool.join()
""",
        server.url,
        folder,
        file=tmp_path / "program.py",
    )
    check(server, folder, result)


def test_reinit_after_fork_is_idempotent_within_a_process(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        PRELUDE
        + """
handle = recost.init(local_dir=folder)
call("/before")
handle.reinit_after_fork()
call("/after")
handle.reinit_after_fork()
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)


def test_a_callback_without_init_sees_each_call_in_its_own_process(server: Loopback) -> None:
    result = run_script(
        PRELUDE
        + """
seen = []
recost.install(lambda event: seen.append(event.path))
call("/parent")
pid = os.fork()
if pid == 0:
    call("/child")
    os._exit(0 if seen == ["/parent", "/child"] else 3)
assert os.waitpid(pid, 0)[1] == 0
assert seen == ["/parent"], seen
""",
        server.url,
        "",
    )
    assert result.returncode == 0, result


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_fork_waits_for_imports_of_recosts_thread(server: Loopback, tmp_path: Path) -> None:
    """From Python 3.12 on, the interpreter warns of a fork beside threads."""
    result = run_script(
        "import importlib.abc, sys, time\n"
        + PRELUDE
        + """
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.startswith("recost."):
            time.sleep(0.02)

sys.meta_path.insert(0, Slow())
recost.init(local_dir=folder)
call("/parent")
for pause_s in (0.6, 0.3, 0.3):
    time.sleep(pause_s)
    pid = os.fork()
    if pid == 0:
        sys.exit(0)
    assert os.waitpid(pid, 0)[1] == 0
""",
        server.url,
        tmp_path,
    )
    check(server, tmp_path, result)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_that_is_forked_while_the_http_client_is_imported_can_send(tmp_path: Path) -> None:
    """The thread that has the lock of a module is missing in the child, which could never import it."""
    program = """
        import importlib.machinery, os, sys, threading, time, urllib.request
        import recost

        begun, execute = threading.Event(), importlib.machinery.SourceFileLoader.exec_module

        def slowly(self, module):
            if module.__name__ == "recost.delivery.transports._connection":
                begun.set()
                time.sleep(1)
            return execute(self, module)

        importlib.machinery.SourceFileLoader.exec_module = slowly
        handle = recost.init(
            api_key="rc-0123456789abcdef", project_id="proj-1", base_url=sys.argv[1], local_dir=sys.argv[2]
        )

        def call():
            try:
                urllib.request.urlopen("http://127.0.0.1:9/")
            except OSError:
                pass

        call()
        threading.Thread(target=handle.flush_blocking, args=(20,), daemon=True).start()
        begun.wait(20)
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        else:
            call()
            print(handle.flush_blocking(10), flush=True)
        handle.dispose()
        os._exit(0)
        """
    with Api() as api:
        result = run_script(program, api.url, tmp_path)
        assert result.stdout == "True\n"
        assert api.total("requestCount") == 2
