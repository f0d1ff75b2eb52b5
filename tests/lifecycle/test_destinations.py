"""Several destinations at once: each gets every window once, and none holds up another."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.delivery.kinds import KINDS
from recost.lifecycle.destinations import DESTINATIONS
from tests.api import Api
from tests.lifecycle.started import api, dispose, started
from tests.loopback import Loopback, wait_until
from tests.scripts import calls, complaints, run_script, windows

__all__ = ["api", "dispose"]  # fixtures


def start(api: Api, folder: Path, **options: Any) -> recost.RecostHandle:
    given = {
        "transports": ["cloud", "file"],
        "exclude_patterns": [f":{api.port}"],
        **options,
    }
    return started(api, folder, **given)


def get(url: str) -> None:
    with urllib.request.urlopen(url) as response:
        response.read()


def served(server: Loopback) -> Counter[str]:
    return Counter(request.path for request in server.log)


def test_every_kind_is_in_both_tables() -> None:
    assert list(DESTINATIONS) == list(KINDS)


def test_each_gets_every_window_once_and_as_the_others_do(api: Api, server: Loopback, tmp_path: Path) -> None:
    handle = start(api, tmp_path)
    for path in ("/plain", "/first", "/plain"):
        get(server.url + path)
        assert handle.flush_blocking(20)
    found = windows(tmp_path)
    assert len(found) == 3
    assert len({window["windowId"] for window in found}) == 3
    assert api.windows == found
    assert calls(found) == served(server)
    status = handle.last_flush_status
    assert status is not None
    assert status.status == "ok"


def test_each_has_a_thread_of_its_own(api: Api, server: Loopback, tmp_path: Path) -> None:
    handle = start(api, tmp_path)
    get(server.url + "/plain")
    names = {"recost-delivery-cloud", "recost-delivery-file", "recost-worker"}
    assert wait_until(lambda: names <= {thread.name for thread in threading.enumerate()})
    handle.dispose()
    assert not any(thread.name.startswith("recost-") for thread in threading.enumerate())


def test_one_that_hangs_holds_up_no_other(api: Api, server: Loopback, tmp_path: Path) -> None:
    api.script("hang")
    handle = start(api, tmp_path)
    for number in range(1, 4):
        get(server.url + "/plain")
        assert not handle.flush_blocking(0.3)
        assert wait_until(lambda: sum(calls(windows(tmp_path)).values()) == number)  # noqa: B023
    assert api.windows == []
    api.release.set()
    assert wait_until(lambda: handle.flush_blocking(20))
    assert calls(api.windows) == calls(windows(tmp_path)) == served(server)


def test_one_that_fails_or_is_suspended_holds_up_no_other(api: Api, server: Loopback, tmp_path: Path) -> None:
    api.script(500, 429, *[401] * 2)
    errors: list[Exception] = []
    handle = start(api, tmp_path, max_consecutive_auth_failures=2, on_error=errors.append)
    for number in range(1, 8):
        get(server.url + "/plain")
        assert not handle.flush_blocking(20)
        assert wait_until(lambda: sum(calls(windows(tmp_path)).values()) == number)  # noqa: B023
        status = handle.last_flush_status
        assert status is not None
        assert status.status == "error"
    handle.dispose()
    assert calls(windows(tmp_path)) == served(server)


def test_a_backlog_of_one_is_merged_and_the_other_has_each_window(
    api: Api, server: Loopback, tmp_path: Path
) -> None:
    api.script(*["close"] * 500)
    handle = start(api, tmp_path, on_error=lambda error: None)
    for number in range(1, 64):
        get(server.url + ("/plain" if number % 2 else "/first"))
        assert not handle.flush_blocking(20)
        assert wait_until(lambda: len(windows(tmp_path)) == number)  # noqa: B023
    assert api.forget_steps() > 0
    assert handle.flush_blocking(20)
    assert calls(api.windows) == calls(windows(tmp_path)) == served(server)
    assert len(api.windows) < len(windows(tmp_path)) == 63
    ids = Counter(window["windowId"] for window in [*windows(tmp_path), *api.windows])
    both = [window for window in api.windows if ids[window["windowId"]] == 2]
    assert both
    assert all(window in windows(tmp_path) for window in both)


PROGRAM = """
import os, sys, urllib.request
import recost

url, collector, folder, ending = sys.argv[1:5]

def call(path="/plain"):
    urllib.request.urlopen(url + path).read()

handle = recost.init(
    transports=["file", "cloud"], api_key="rc-0123456789abcdef", project_id="proj-1", base_url=collector,
    local_dir=folder, max_retries=0, shutdown_flush_timeout_ms=2000, on_error=lambda error: None,
    exclude_patterns=[collector],
)
call("/first")
if ending == "fork":
    for _ in range(2):
        if os.fork() == 0:
            call("/child")
            sys.exit(0)
    for _ in range(2):
        os.wait()
elif ending == "dispose":
    handle.dispose()
    os._exit(0)
call("/last")
"""


@pytest.mark.skipif(os.name != "posix", reason="forks")
@pytest.mark.parametrize("ending", ["end", "fork", "dispose"])
@pytest.mark.parametrize("hanging", [False, True])
def test_at_the_end_each_has_it_or_spools_it(
    ending: str, hanging: bool, api: Api, server: Loopback, tmp_path: Path
) -> None:
    if hanging:
        api.script(*["hang"] * 9)
    done = run_script(PROGRAM, server.url, api.url, tmp_path, ending)
    assert (done.returncode, complaints(done)) == (0, [])
    assert calls(windows(tmp_path)) == served(server)
    spooled = [path for path in tmp_path.iterdir() if path.suffix == ".spool"]
    if hanging:
        assert api.windows == []
        assert spooled
        api.release.set()
        api.forget_steps()
        assert run_script(PROGRAM, server.url, api.url, tmp_path, "end").returncode == 0
        again = [path for path in tmp_path.iterdir() if path.suffix == ".spool"]
        assert len(again) < len(spooled) or calls(api.windows) == served(server)
    else:
        assert spooled == []
        assert calls(api.windows) == served(server)
