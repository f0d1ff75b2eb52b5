"""The whole way to the API: whatever it answers meanwhile, after recovery the totals equal the truth."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.lifecycle import current_handle
from tests.api import Api, Step, answer
from tests.loopback import Loopback, wait_until


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    with Api() as running:
        yield running
    handle = current_handle()
    if handle is not None:
        handle.dispose()


def start(api: Api, errors: list[Exception], **options: object) -> recost.RecostHandle:
    settings: dict[str, Any] = {
        "api_key": api.key,
        "project_id": api.project,
        "base_url": api.url,
        "max_retries": 1,
        **options,
    }
    return recost.init(on_error=errors.append, **settings)


def get(url: str) -> None:
    response: Any
    try:
        response = urllib.request.urlopen(url)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        response.read()


def truth(server: Loopback) -> tuple[int, int, int]:
    return (
        len(server.log),
        sum(entry.status >= 400 for entry in server.log),
        sum(entry.response_bytes for entry in server.log),
    )


def delivered(api: Api) -> tuple[int, int, int]:
    return api.total("requestCount"), api.total("errorCount"), api.total("totalResponseBytes")


OUTAGES: dict[str, list[Step]] = {
    "500s": [500] * 4,
    "resets": ["reset"] * 4,
    "429 with Retry-After": [answer(429, retry_after=1)],
    "401, fewer than suspend": [401] * 4,
    "404": [404] * 2,
    "a page": ["html"] * 2,
    "redirects": [answer(307, location="http://127.0.0.1:9/elsewhere")] * 2,
    "all in turn": [
        500,
        "reset",
        503,
        401,
        404,
        "html",
        "close",
        401,
        answer(429, retry_after=1),
        "garbage",
        500,
    ],
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_after_recovery_the_totals_equal_the_truth(outage: str, api: Api, server: Loopback) -> None:
    errors: list[Exception] = []
    handle = start(api, errors)
    api.script(*OUTAGES[outage])

    def round_of_calls() -> bool:
        get(server.url + "/plain?n=20")
        get(server.url + "/status/503")
        return handle.flush_blocking(10) and not api.steps_left

    assert wait_until(round_of_calls, 60)
    handle.dispose()
    assert delivered(api) == truth(server)
    assert not api.problems, api.problems
    assert errors
    assert all(isinstance(error, recost.RecostError) for error in errors)


def test_a_window_of_one_call_is_accepted(api: Api, server: Loopback) -> None:
    errors: list[Exception] = []
    handle = start(api, errors)
    get(server.url + "/plain")
    assert handle.flush_blocking(10)
    assert delivered(api) == truth(server)
    assert not api.problems
    assert not errors


def test_five_401s_suspend_and_the_next_init_goes_on(
    api: Api, server: Loopback, capfd: pytest.CaptureFixture[str]
) -> None:
    errors: list[Exception] = []
    handle = start(api, errors)
    api.script(*[401] * 5)
    for _ in range(7):
        get(server.url + "/plain")
        handle.flush_blocking(10)
    assert len(api.posts) == 5
    fatal = [error for error in errors if isinstance(error, recost.RecostFatalAuthError)]
    assert len(fatal) == 1
    assert fatal[0].consecutive_failures == 5
    handle.dispose()
    assert "7 calls in 7 windows could not be delivered: they are in the spool" in str(errors[-1])
    assert len([line for line in capfd.readouterr().err.splitlines() if "recost" in line]) == 2
    handle = start(api, errors)
    while len(api.metrics) < 8:  # four of the spool at a time, behind a new one
        get(server.url + "/plain")
        assert handle.flush_blocking(10)
    recost.init(enabled=False).dispose()
    assert delivered(api) == truth(server)


def test_many_calls_from_many_endpoints_are_split_and_accepted(api: Api, server: Loopback) -> None:
    errors: list[Exception] = []
    handle = start(api, errors, max_buckets=5, template_paths=False, max_batch_size=1000)
    for number in range(23):
        get(f"{server.url}/endpoint-{number}")
    assert handle.flush_blocking(10)
    handle.dispose()
    assert delivered(api) == truth(server)
    assert max(len(window["metrics"]) for window in api.windows) <= 5
    assert not api.problems
    assert not errors
