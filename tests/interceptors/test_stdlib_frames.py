"""Python calls of recost's that a plain call of http.client, or of a client on top of it, makes."""

from __future__ import annotations

import http.client
import importlib.metadata
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

import urllib3

import recost
from tests.loopback import Loopback

_OURS: Final = Path(recost.__file__).parent
_LAYER: Final = {"stdlib.py", "_http_client_importlib_bootstrap.py", "_body.py"}


def _frames(call: Callable[[], object], tmp_path: Path) -> Counter[str]:
    """Return how often each function of recost's runs on this thread, by file and name."""
    found: Counter[str] = Counter()

    def seen(frame: FrameType, event: str, _argument: Any) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and _OURS in path.parents:
            found[f"{path.name}:{frame.f_code.co_name}"] += 1

    with recost.init(local_dir=tmp_path):
        call()
        sys.setprofile(seen)
        try:
            call()
        finally:
            sys.setprofile(None)
    return found


def _of_the_layer(frames: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in frames.items() if name.partition(":")[0] in _LAYER})


def test_a_plain_call_of_urllib_request(server: Loopback, tmp_path: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{server.url}/plain", b"body")

    def call() -> None:
        with opener.open(request) as response:
            response.read()

    frames = _frames(call, tmp_path)
    assert sum(_of_the_layer(frames).values()) <= 8, frames
    assert sum(frames.values()) <= 12, frames


def test_a_plain_call_of_http_client_on_a_kept_connection(server: Loopback, tmp_path: Path) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)

    def call() -> None:
        connection.request("GET", "/plain")
        connection.getresponse().read()

    frames = _frames(call, tmp_path)
    connection.close()
    assert sum(_of_the_layer(frames).values()) <= 8, frames


def test_a_connection_of_urllib3_adds_one_call(server: Loopback, tmp_path: Path) -> None:
    with urllib3.PoolManager() as manager:
        frames = _frames(lambda: manager.request("POST", f"{server.url}/plain", body=b"body"), tmp_path)
    expected = {"_http_client_importlib_bootstrap.py:putrequest": 1}
    if importlib.metadata.version("urllib3").startswith(
        "1."
    ):  # its connection has http.client make the request
        expected["_http_client_importlib_bootstrap.py:request"] = 1
    assert _of_the_layer(frames) == expected
