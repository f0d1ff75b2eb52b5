from __future__ import annotations

import gc
import logging
import sys
import threading
import time
import urllib.request
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

import recost
from recost.interceptors import interception
from recost.lifecycle import current_handle
from tests.loopback import Loopback, refused_port, wait_until
from tests.scripts import calls, run_script, windows


@pytest.fixture(autouse=True)
def _dispose() -> Iterator[None]:
    assert wait_until(lambda: not recost_threads()), "of an earlier test"
    yield
    handle = current_handle()
    if handle is not None:
        handle.dispose()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        body: bytes = response.read()
    return body


def recost_threads() -> list[str]:
    return sorted(t.name for t in threading.enumerate() if t.name.startswith("recost"))


def test_flush_sends_what_is_pending_and_goes_on(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    get(server.url + "/first")
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == {"/first": 1}
    get(server.url + "/second")
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == {"/first": 1, "/second": 1}
    status = handle.last_flush_status
    assert status is not None
    assert (status.status, status.window_size) == ("ok", 1)


def test_nothing_to_flush_is_settled(tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    assert handle.flush_blocking()
    assert handle.last_flush_status is None
    assert not list(tmp_path.iterdir())


def test_init_starts_no_thread_and_the_first_call_starts_two(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    assert recost_threads() == []
    get(server.url + "/plain")
    assert wait_until(lambda: recost_threads() == ["recost-delivery", "recost-worker"])
    handle.dispose()
    assert recost_threads() == []


def test_dispose_is_idempotent_restores_the_clients_and_keeps_the_file(
    server: Loopback, tmp_path: Path
) -> None:
    import http.client

    before = http.client.HTTPConnection.__dict__["putrequest"]
    handle = recost.init(local_dir=str(tmp_path))
    assert recost.is_installed()
    assert http.client.HTTPConnection.__dict__["putrequest"] is not before
    get(server.url + "/plain")
    handle.dispose()
    handle.dispose()
    assert not recost.is_installed()
    assert http.client.HTTPConnection.__dict__["putrequest"] is before
    get(server.url + "/afterwards")
    assert handle.flush_blocking()
    assert calls(windows(tmp_path)) == {"/plain": 1}
    assert "disposed" in repr(handle)


def test_a_second_init_disposes_the_first_handle(server: Loopback, tmp_path: Path) -> None:
    first = recost.init(local_dir=str(tmp_path), project_id="one")
    get(server.url + "/one")
    second = recost.init(local_dir=str(tmp_path), project_id="two")
    assert first.disposed
    get(server.url + "/two")
    second.dispose()
    found = {path.name: calls(windows_of(path)) for path in tmp_path.glob("*.jsonl")}
    assert found == {"one.jsonl": {"/one": 1}, "two.jsonl": {"/two": 1}}


def windows_of(path: Path) -> list[dict[str, object]]:
    import json

    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_second_init_with_a_mistake_leaves_the_first_running(server: Loopback, tmp_path: Path) -> None:
    first = recost.init(local_dir=str(tmp_path))
    with pytest.raises(ValueError, match="max_batch_size"):
        recost.init(max_batch_size=-1)
    assert not first.disposed
    get(server.url + "/plain")
    first.dispose()
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_disabled_does_nothing(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path), enabled=False)
    assert not recost.is_installed()
    get(server.url + "/plain")
    assert handle.flush_blocking()
    assert handle.last_flush_status is None
    handle.reinit_after_fork()
    handle.dispose()
    assert recost_threads() == []
    assert not list(tmp_path.iterdir())


def test_many_calls_flush_early(server: Loopback, tmp_path: Path) -> None:
    recost.init(local_dir=str(tmp_path), max_batch_size=10)
    for _ in range(10):
        get(server.url + "/plain")
    assert wait_until(lambda: sum(calls(windows(tmp_path)).values()) == 10)


def test_the_interval_flushes(server: Loopback, tmp_path: Path) -> None:
    recost.init(local_dir=str(tmp_path), flush_interval_ms=50)
    get(server.url + "/plain")
    assert wait_until(lambda: calls(windows(tmp_path)) == {"/plain": 1})


def test_a_response_that_is_open_at_dispose_counts_once(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    response = urllib.request.urlopen(server.url + "/chunked?n=200000&k=20")
    handle.dispose()
    assert len(response.read()) == 200_000
    response.close()
    assert calls(windows(tmp_path)) == {"/chunked": 1}


def test_install_and_init_see_the_same_calls(server: Loopback, tmp_path: Path) -> None:
    seen: list[recost.RawEvent] = []
    recost.install(seen.append)
    handle = recost.init(local_dir=str(tmp_path))
    get(server.url + "/both")
    handle.dispose()
    assert recost.is_installed()
    get(server.url + "/callback-only")
    recost.uninstall()
    assert not recost.is_installed()
    assert [event.path for event in seen] == ["/both", "/callback-only"]
    assert calls(windows(tmp_path)) == {"/both": 1}


def test_on_error_receives_recosts_errors_and_what_it_raises_is_contained(
    server: Loopback, tmp_path: Path
) -> None:
    (tmp_path / "default.jsonl").mkdir()
    errors: list[Exception] = []

    def on_error(error: Exception) -> None:
        errors.append(error)
        raise LookupError("the application's own")

    handle = recost.init(local_dir=str(tmp_path), on_error=on_error)
    get(server.url + "/plain")
    assert handle.flush_blocking() is False
    assert isinstance(errors[0], recost.RecostError)
    assert "default.jsonl" in str(errors[0])
    handle.dispose()


def test_calls_made_by_on_error_are_the_applications(server: Loopback, tmp_path: Path) -> None:
    port = refused_port()
    events: list[recost.RawEvent] = []
    recost.install(events.append)
    handle = recost.init(
        api_key="rc-0123456789",
        project_id="p",
        base_url=f"http://127.0.0.1:{port}",
        max_retries=0,
        on_error=lambda error: get(server.url + "/alert"),
        shutdown_flush_timeout_ms=200,
    )
    get(server.url + "/plain")
    handle.flush_blocking()
    assert wait_until(lambda: "/alert" in [event.path for event in events])
    handle.dispose()
    recost.uninstall()
    assert "telemetry" not in "".join(event.path for event in events)


def test_debug_logs_each_capture_and_flush(
    server: Loopback, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "recost"):
        handle = recost.init(local_dir=str(tmp_path), debug=True)
        get(server.url + "/plain?secret=hunter2")
        assert handle.flush_blocking()
        handle.dispose()
    text = caplog.text
    assert "captured GET 127.0.0.1/plain -> 200" in text
    assert "flushed a window of 1 calls in 1 metrics" in text
    assert "hunter2" not in text


def test_debug_goes_to_stderr_in_a_program_without_logging(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        """
        import sys, urllib.request, recost
        recost.init(local_dir=sys.argv[2], debug=True)
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        """,
        server.url,
        tmp_path,
    )
    assert result.returncode == 0
    assert "captured GET 127.0.0.1/plain -> 200" in result.stderr
    assert "flushed a window" in result.stderr
    assert result.stdout == ""


def test_the_environment_configures(server: Loopback, tmp_path: Path) -> None:
    from tests.scripts import environment

    result = run_script(
        """
        import sys, urllib.request, recost
        recost.init()
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        """,
        server.url,
        env=environment(
            RECOST_LOCAL_DIR=str(tmp_path / "made"), RECOST_ENVIRONMENT="staging", RECOST_PROJECT_ID="shop"
        ),
    )
    assert (result.returncode, result.stderr) == (0, "")
    (window,) = windows_of(tmp_path / "made" / "shop.jsonl")
    assert window["environment"] == "staging"


def test_a_disposed_handle_can_be_collected(tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    gone = weakref.ref(handle)
    handle.dispose()
    recost.init(enabled=False)
    del handle
    gc.collect()
    assert gone() is None


def test_importing_recost_is_cheap() -> None:
    result = run_script(
        """
        import sys, threading
        before = set(sys.modules)
        import recost
        new = set(sys.modules) - before
        clients = {"httpx", "httpx2", "urllib3", "requests", "aiohttp", "http.client", "urllib.request"}
        clients |= {"websockets", "asyncio", "multiprocessing", "ssl", "socket"}
        assert not new & clients, new & clients
        assert threading.active_count() == 1
        recost.init(local_dir=sys.argv[1])
        new = set(sys.modules) - before
        assert not new & clients, new & clients
        assert threading.active_count() == 1
        """,
        "/nonexistent/never-written",
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_client_imported_after_init_is_patched(server: Loopback, tmp_path: Path) -> None:
    result = run_script(
        """
        import sys, recost
        recost.init(local_dir=sys.argv[2])
        import urllib.request
        urllib.request.urlopen(sys.argv[1] + "/late").read()
        """,
        server.url,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/late": 1}


@pytest.mark.parametrize("missing", [("fcntl",), ("fcntl", "msvcrt")])
def test_nothing_that_other_platforms_lack_is_needed(
    missing: tuple[str, ...], server: Loopback, tmp_path: Path
) -> None:
    result = run_script(
        f"""
        import os, sys
        for name in {missing!r}:
            sys.modules[name] = None
        for name in ("fork", "register_at_fork", "fchmod", "O_NOFOLLOW", "getuid", "geteuid"):
            if hasattr(os, name):
                delattr(os, name)
        import urllib.request, recost
        handle = recost.init(local_dir=sys.argv[2])
        urllib.request.urlopen(sys.argv[1] + "/plain").read()
        assert handle.flush_blocking()
        """,
        server.url,
        tmp_path,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert calls(windows(tmp_path)) == {"/plain": 1}


def test_flush_from_many_threads_while_calling(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path), max_batch_size=5)

    def work() -> None:
        for _ in range(20):
            get(server.url + "/plain")
            handle.flush_blocking(10)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    handle.dispose()
    assert calls(windows(tmp_path)) == {"/plain": 120}


def test_init_and_dispose_from_many_threads(server: Loopback, tmp_path: Path) -> None:
    def work() -> None:
        for _ in range(10):
            recost.init(local_dir=str(tmp_path)).flush_blocking()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    handle = recost.init(enabled=False)
    assert not interception.sink
    assert recost_threads() == []
    handle.dispose()


def test_deprecated_seconds_still_work(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        handle = recost.init(local_dir=str(tmp_path), flush_interval=60)
    handle.dispose()
    assert [w.category for w in caught] == [DeprecationWarning]
    assert caught[0].filename == __file__


def test_a_handle_is_a_context_manager(server: Loopback, tmp_path: Path) -> None:
    with recost.init(local_dir=str(tmp_path)):
        get(server.url + "/plain")
    assert calls(windows(tmp_path)) == {"/plain": 1}
    assert not recost.is_installed()


def test_dispose_inside_on_error_does_not_wait_for_itself(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "default.jsonl").mkdir()
    done = threading.Event()

    def on_error(error: Exception) -> None:
        handle.dispose()
        done.set()

    handle = recost.init(local_dir=str(tmp_path), on_error=on_error, max_batch_size=1)
    began = time.monotonic()
    get(server.url + "/plain")
    assert done.wait(10)
    assert time.monotonic() - began < 10
    assert sys.exc_info() == (None, None, None)


def test_two_threads_that_dispose_both_return_once_all_is_sent(server: Loopback, tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        handle = recost.init(local_dir=str(folder))
        get(server.url + "/plain")
        barrier = threading.Barrier(2)
        found: list[dict[str, int]] = []

        def end(
            handle: recost.RecostHandle = handle,
            barrier: threading.Barrier = barrier,
            found: list[dict[str, int]] = found,
            folder: Path = folder,
        ) -> None:
            barrier.wait()
            handle.dispose()
            found.append(calls(windows(folder)))

        threads = [threading.Thread(target=end) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert found == [{"/plain": 1}, {"/plain": 1}]
