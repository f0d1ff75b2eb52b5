"""`handle.stats()`: every captured call is in exactly one place, whatever happens to it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.delivery.outbox import Outbox
from recost.lifecycle import destinations
from tests.api import Api
from tests.lifecycle.started import api, dispose, started
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, complaints, run_script, windows

__all__ = ["api", "dispose"]  # fixtures


def start(api: Api, folder: Path, **options: Any) -> recost.RecostHandle:
    given = {
        "transports": ["file", "cloud"],
        "on_error": lambda error: None,
        "exclude_patterns": ["/first"],
        **options,
    }
    return started(api, folder, **given)


def get(url: str, times: int = 1) -> None:
    for _ in range(times):
        with urllib.request.urlopen(url) as response:
            response.read()


def check(stats: recost.Stats, captured: int) -> None:
    """Check that the numbers of each destination add up."""
    assert stats.captured == captured, stats
    for found in stats.destinations.values():
        parts = found.pending + found.spooled + found.sent + sum(found.dropped.values())
        assert stats.excluded + parts == captured, stats
        assert min(found.pending, found.spooled, found.sent, *found.dropped.values()) >= 0, stats


def test_what_is_excluded_waits_or_has_arrived(api: Api, server: Loopback, tmp_path: Path) -> None:
    handle = start(api, tmp_path)
    assert handle.stats() == recost.Stats(0, 0, handle.stats().destinations)
    get(server.url + "/plain", 3)
    get(server.url + "/first", 2)
    assert handle.flush_blocking(20)
    get(server.url + "/plain")
    stats = handle.stats()
    check(stats, len(server.log))
    assert (stats.captured, stats.excluded, list(stats.destinations)) == (6, 2, ["file", "cloud"])
    for kind, found in stats.destinations.items():
        assert (found.kind, found.status, found.sent, found.pending) == (kind, "ok", 3, 1)
        assert (found.last_error, found.rejected, found.spooled) == (None, 0, 0)
    handle.dispose()
    after = handle.stats()
    check(after, len(server.log))
    assert [found.sent for found in after.destinations.values()] == [4, 4]
    assert sum(calls(api.windows).values()) == 4


def test_what_is_refused_and_why_sending_failed(api: Api, server: Loopback, tmp_path: Path) -> None:
    api.script(422, *[503] * 20)
    handle = start(api, tmp_path)
    get(server.url + "/plain", 2)
    assert handle.flush_blocking(20)
    cloud = handle.stats().destinations["cloud"]
    assert (cloud.rejected, cloud.dropped["rejected"], cloud.sent, cloud.status) == (2, 2, 0, "error")
    assert cloud.last_error is not None
    assert "422" in cloud.last_error
    get(server.url + "/plain", 3)
    assert not handle.flush_blocking(20)
    stats = handle.stats()
    check(stats, len(server.log))
    assert (stats.destinations["cloud"].pending, stats.destinations["file"].sent) == (3, 5)
    assert "503" in str(stats.destinations["cloud"].last_error)
    api.forget_steps()
    assert handle.flush_blocking(20)
    check(handle.stats(), len(server.log))
    assert handle.stats().destinations["cloud"].sent == 3


def test_what_the_queue_has_no_room_for(
    api: Api, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(share: int) -> Outbox:
        return Outbox(max_windows=2, max_bytes=10**7, merge=False)

    small_one = destinations.Destination(destinations.DESTINATIONS["cloud"].make, None, small)
    monkeypatch.setitem(destinations.DESTINATIONS, "cloud", small_one)
    api.script(*["close"] * 50)
    handle = start(api, tmp_path)
    for _ in range(5):
        get(server.url + "/plain")
        handle.flush_blocking(20)
        check(handle.stats(), len(server.log))
    assert handle.stats().destinations["cloud"].dropped["unknown"] == 3  # no response came
    handle.dispose()
    check(handle.stats(), len(server.log))
    dropped = handle.stats().destinations["cloud"].dropped
    assert dropped["unknown"] + dropped["end"] == 5  # the latest one may not have been sent


def test_what_is_spooled_and_sent_by_the_next_process(api: Api, server: Loopback, tmp_path: Path) -> None:
    api.script(*["close"] * 50)
    first = start(api, tmp_path)
    get(server.url + "/plain", 3)
    first.dispose()
    check(first.stats(), 3)
    assert first.stats().destinations["cloud"].spooled == 3
    api.forget_steps()
    second = start(api, tmp_path)
    get(server.url + "/plain")
    assert second.flush_blocking(20)
    second.flush_blocking(20)
    assert wait_until(lambda: second.stats().destinations["cloud"].recovered == 3)
    stats = second.stats()
    check(stats, 1)
    assert stats.destinations["cloud"].sent == 1
    assert sum(calls(api.windows).values()) == 4


def test_what_overflows_to_the_own_spool_and_is_sent_from_there(
    api: Api, server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = destinations.DESTINATIONS["cloud"]

    def small(share: int) -> Outbox:
        return Outbox(max_windows=1, max_bytes=10**7, merge=False)

    monkeypatch.setitem(
        destinations.DESTINATIONS, "cloud", destinations.Destination(known.make, known.address, small)
    )
    api.script(*["close"] * 200)
    handle = start(api, tmp_path)
    for number in range(1, 5):
        get(server.url + "/plain", number)
        handle.flush_blocking(20)
        check(handle.stats(), len(server.log))
    assert handle.stats().destinations["cloud"].spooled > 0
    api.forget_steps()

    def all_sent() -> bool:
        handle.flush_blocking(20)
        check_later = handle.stats()
        return check_later.destinations["cloud"].sent == len(server.log)

    assert wait_until(all_sent)
    check(handle.stats(), len(server.log))
    assert handle.stats().destinations["cloud"].recovered == 0
    assert sum(calls(api.windows).values()) == len(server.log)


def test_it_may_be_asked_for_anywhere(api: Api, server: Loopback, tmp_path: Path) -> None:
    handle = start(api, tmp_path)
    found: list[recost.Stats] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            found.append(handle.stats())

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    before = signal.signal(signal.SIGALRM, lambda *_: found.append(handle.stats()))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(20):
            get(server.url + "/plain")
            assert handle.flush_blocking(20)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        done.set()
    for thread in asking:
        thread.join()
    check(handle.stats(), 20)
    # Numbers are from different moments while calls are sent: one that moves may be in both places.
    assert {each.captured for each in found} <= set(range(22))


def test_it_is_frozen_and_can_be_written_as_json(api: Api, server: Loopback, tmp_path: Path) -> None:
    handle = start(api, tmp_path)
    get(server.url + "/plain")
    stats = handle.stats()
    for thing, name in ((stats, "captured"), (stats.destinations["file"], "sent")):
        with pytest.raises(AttributeError, match=name):
            setattr(thing, name, 1)
        with pytest.raises(AttributeError, match=name):
            delattr(thing, name)
    with pytest.raises(TypeError):
        stats.destinations["file"] = stats.destinations["cloud"]  # type: ignore[index]
    with pytest.raises(TypeError):
        stats.destinations["file"].dropped["end"] = 1  # type: ignore[index]
    assert pickle.loads(pickle.dumps(stats)) == stats
    written = json.loads(json.dumps(stats.to_dict()))
    assert (written["captured"], written["destinations"]["file"]["pending"]) == (1, 1)
    assert repr(stats).startswith("Stats(captured=1, excluded=0, destinations={'file': DestinationStats(")


def test_without_recost_there_is_nothing(tmp_path: Path) -> None:
    assert recost.init(enabled=False).stats() == recost.Stats(0, 0, {})


PROGRAM = """
import json, os, sys, urllib.request
import recost

url, collector, folder, how = sys.argv[1:5]

def call(times):
    for _ in range(times):
        urllib.request.urlopen(url + "/plain").read()

def show(name):
    os.write(1, (json.dumps([name, handle.stats().to_dict()]) + "\\n").encode())

handle = recost.init(
    transports=["file", "cloud"], api_key="rc-0123456789abcdef", project_id="proj-1", base_url=collector,
    local_dir=folder, max_retries=0, on_error=lambda error: None, exclude_patterns=[collector],
)
call(2)
if os.fork() == 0:
    show("at once")
    call(3)
    handle.dispose()
    show("child")
    os._exit(0)
os.wait()
call(1)
handle.dispose()
show("parent")
"""


@pytest.mark.skipif(os.name != "posix", reason="forks")
@pytest.mark.parametrize("failing", [False, True])
def test_a_child_has_its_own_numbers(failing: bool, api: Api, server: Loopback, tmp_path: Path) -> None:
    if failing:
        api.script(*["close"] * 50)
    done = run_script(PROGRAM, server.url, api.url, tmp_path, "fork")
    assert (done.returncode, complaints(done)) == (0, [])
    shown = dict(json.loads(line) for line in done.stdout.splitlines())
    assert shown["at once"]["captured"] == 0
    for name, captured in (("child", 3), ("parent", 3)):
        assert shown[name]["captured"] == captured
        for found in shown[name]["destinations"].values():
            parts = found["pending"] + found["spooled"] + found["sent"] + sum(found["dropped"].values())
            assert parts == captured
    sent = sum(shown[name]["destinations"]["cloud"]["sent"] for name in ("child", "parent"))
    assert sent == sum(calls(api.windows).values())
    assert sum(calls(windows(tmp_path)).values()) == len(server.log) == 6
