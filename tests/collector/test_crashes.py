"""Kills at any moment: no stored window is lost, and no window is there twice."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recost.collector.stores.files import FileStore
from recost.collector.windows import read_window
from tests.collector.serving import Collector, collector, lines, make_key, window

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")


def sent_until_stored(running: list[Collector], key: str, number: int) -> dict[str, Any]:
    """Send a window, again and again, until it was accepted, and once more."""
    content = window(environment=f"client-{number}")
    left = 2
    while left:
        try:
            left -= running[0].post(key, content).status == 202
        except (OSError, http.client.HTTPException):  # noqa: PERF203 - killed at this moment
            time.sleep(0.02)
    return content


def kill_and_restart(running: list[Collector], folder: Path, done: threading.Event, seed: int) -> int:
    chance, kills = random.Random(seed), 0
    while not done.wait(chance.uniform(0.2, 0.8)):
        running[0].process.send_signal(signal.SIGKILL)
        running[0].process.communicate()
        running[0] = Collector(folder)
        kills += 1
    return kills


def survive(folder: Path, windows: int, seed: int) -> int:
    """Send windows to a collector that is killed again and again, and check what is stored."""
    key = make_key(folder, "shop", "--posts-per-hour", 1_000_000)
    running, done = [Collector(folder)], threading.Event()
    with ThreadPoolExecutor(9) as pool:
        killer = pool.submit(kill_and_restart, running, folder, done, seed)
        sent = list(pool.map(lambda number: sent_until_stored(running, key, number), range(windows)))
        done.set()
        kills = killer.result()
    running[0].stop()
    found = lines(folder)
    assert Counter(each["windowId"] for each in found) == Counter(each["windowId"] for each in sent)
    return kills


def test_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    assert survive(tmp_path, 200, 1) > 0


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [2, 3])
def test_many_kills_lose_nothing_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    assert survive(tmp_path, 1000, seed) > 2


def stored(folder: Path, *windows: dict[str, Any]) -> list[bool]:
    """Store windows in this process, and return which were new."""
    store = FileStore(folder)
    try:
        futures = [store.add("shop", read_window(json.dumps(each).encode())) for each in windows]
        return [each.result(10) for each in futures]
    finally:
        store.close()


def cuts(length: int) -> Iterator[int]:
    yield from {*range(12), *range(0, length, 37), *range(length - 12, length)}


def test_a_line_that_was_torn_at_any_byte_is_stored_once_in_the_end(tmp_path: Path) -> None:
    first, second = window(), window()
    assert stored(tmp_path, first) == [True]
    path = tmp_path / "shop.jsonl"
    whole, torn = path.read_bytes(), json.dumps(second).encode() + b"\n"
    for cut in cuts(len(torn)):
        path.write_bytes(whole + torn[:cut])
        # A line that lacks its end only is a whole window, and known.
        assert stored(tmp_path, second, first) == [cut != len(torn) - 1, False], cut
        assert lines(tmp_path) == [first, second], cut
        path.write_bytes(whole)
        (tmp_path / ".collector" / "ids.sqlite").unlink()


def test_ids_that_the_index_lacks_come_from_the_files(tmp_path: Path) -> None:
    sent = [window() for _ in range(5)]
    assert stored(tmp_path, *sent[:3]) == [True] * 3
    index = tmp_path / ".collector" / "ids.sqlite"
    behind = index.read_bytes()
    assert stored(tmp_path, *sent) == [False] * 3 + [True] * 2
    index.write_bytes(behind)  # as after a power failure
    assert stored(tmp_path, *sent) == [False] * 5
    index.write_bytes(b"damaged" * 1000)
    assert stored(tmp_path, *sent) == [False] * 5
    index.unlink()
    path = tmp_path / "shop.jsonl"
    path.rename(tmp_path / "shop.1.jsonl")
    assert stored(tmp_path, *sent) == [False] * 5
    assert not path.exists()


def test_ids_outlive_the_lines_that_were_pruned(tmp_path: Path) -> None:
    sent = [window() for _ in range(3)]
    assert stored(tmp_path, *sent) == [True] * 3
    path = tmp_path / "shop.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))
    assert stored(tmp_path, *sent, window()) == [False] * 3 + [True]


def test_the_same_window_at_once_is_stored_once(tmp_path: Path) -> None:
    key, sent = make_key(tmp_path), window()
    with collector(tmp_path) as running, ThreadPoolExecutor(16) as pool:
        got = list(pool.map(lambda _: running.post(key, sent).status, range(64)))
        assert got == [202] * 64
    assert lines(tmp_path) == [sent]


def test_the_end_waits_for_what_was_accepted(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    running = Collector(tmp_path)
    accepted: list[str] = []

    def send(_: int) -> None:
        while True:
            content = window()
            try:
                if running.post(key, content).status != 202:
                    return
            except (OSError, http.client.HTTPException):
                return
            accepted.append(content["windowId"])

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(send, number) for number in range(8)]
        while len(accepted) < 50:
            time.sleep(0.01)
        assert running.stop() == (-signal.SIGTERM, "")
        for future in futures:
            future.result()
    assert set(accepted) <= {each["windowId"] for each in lines(tmp_path)}


def test_a_file_that_was_moved_away_is_made_again(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        assert running.post(key, window()).status == 202
        (tmp_path / "shop.jsonl").rename(tmp_path / "elsewhere")
        assert running.post(key, window()).status == 202
    assert len(lines(tmp_path)) == 1
    assert ((tmp_path / "shop.jsonl").stat().st_mode & 0o777) == 0o600
