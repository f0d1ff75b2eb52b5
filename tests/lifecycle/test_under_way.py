"""Calls that are under way while recost ends, or begins anew: each is counted, and once."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

import recost
from tests.loopback import Loopback, wait_until


def counted(folder: Path) -> Counter[str]:
    """Return how many calls the windows of a folder have, by endpoint."""
    found: Counter[str] = Counter()
    for path in folder.glob("*.jsonl"):
        for line in path.read_text().splitlines():
            for metric in json.loads(line)["metrics"]:
                found[metric["endpoint"]] += metric["requestCount"]
    return found


def begin_call(server: Loopback) -> threading.Thread:
    def call() -> None:
        with urllib.request.urlopen(server.url + "/hang") as response:
            response.read()

    thread = threading.Thread(target=call)
    thread.start()
    assert wait_until(lambda: server.log and server.log[-1].path == "/hang")
    return thread


def test_a_call_under_way_at_dispose_is_counted_without_a_response(server: Loopback, tmp_path: Path) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    thread = begin_call(server)
    handle.dispose()
    assert counted(tmp_path) == {"/hang": 1}
    server.release.set()
    thread.join()
    assert counted(tmp_path) == {"/hang": 1}


def test_a_call_under_way_at_a_second_init_is_the_second_ones(server: Loopback, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    recost.init(local_dir=str(first))
    thread = begin_call(server)
    with httpx.stream("GET", server.url + "/plain?n=90000", trust_env=False) as response:
        handle = recost.init(local_dir=str(second))
        assert len(response.read()) == 90000
    server.release.set()
    thread.join()
    handle.dispose()
    assert counted(first) == {}
    assert counted(second) == {"/hang": 1, "/plain": 1}


def test_calls_that_are_made_while_init_replaces_init(server: Loopback, tmp_path: Path) -> None:
    events: list[Any] = []
    recost.install(events.append)
    handle = recost.init(local_dir=str(tmp_path))
    over, made = threading.Event(), []

    def call() -> None:
        while not over.is_set():
            made.append(httpx.get(server.url + "/plain", trust_env=False).status_code)

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            handle = recost.init(local_dir=str(tmp_path))
    finally:
        over.set()
        for thread in threads:
            thread.join()
        recost.uninstall()
        handle.dispose()
    assert len(made) == len(server.log) == len(events)
    assert counted(tmp_path) == {"/plain": len(made)}


def test_a_second_init_that_is_refused_ends_the_first(server: Loopback, tmp_path: Path) -> None:
    errors: list[Exception] = []
    recost.init(local_dir=str(tmp_path), on_error=errors.append)
    thread = begin_call(server)
    with pytest.raises(ValueError, match="providers_file"):
        recost.init(local_dir=str(tmp_path), providers_file=str(tmp_path / "missing.json"))
    server.release.set()
    thread.join()
    assert not recost.is_installed()
    assert wait_until(lambda: errors)
    assert "1 calls ended after" in str(errors[0])
    assert wait_until(lambda: not any(thread.name == "recost-notifier" for thread in threading.enumerate()))


@pytest.mark.parametrize("how", ["closed", "dropped", "kept"])
def test_an_answer_that_nobody_asks_for(server: Loopback, tmp_path: Path, how: str) -> None:
    handle = recost.init(local_dir=str(tmp_path))
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/plain")
    sock = connection.sock
    if how == "closed":
        connection.close()
    elif how == "dropped":
        del connection
    assert wait_until(lambda: server.log)
    handle.dispose()
    sock.close()
    assert counted(tmp_path) == {"/plain": 1}
