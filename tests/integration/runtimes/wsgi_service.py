"""A WSGI application that calls ``recost.init()`` when it is imported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import recost
from tests.integration.runtimes._calls import blocking_calls, blocking_clients, call

recost.init()
blocking_clients()
call("/at-import")


def app(_environ: Any, start_response: Any) -> Iterable[bytes]:
    blocking_calls()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
    return [b"done"]
