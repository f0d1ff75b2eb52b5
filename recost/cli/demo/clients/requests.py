"""requests, on top of urllib3."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from recost.cli.demo.clients.urllib3 import routed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recost.cli.demo.calls import Call
    from recost.cli.demo.clients import Fetch
    from recost.cli.demo.routing import Routing

__all__ = ["session"]


@contextmanager
def session(_library: Any, routing: Routing) -> Iterator[Fetch]:
    """Yield a function that makes one call and returns its status."""
    with requests.Session() as client:
        client.trust_env = False  # no proxies, no .netrc
        adapter = HTTPAdapter()
        routed(adapter.poolmanager, routing)
        client.adapters.clear()
        client.mount("http://", adapter)
        yield partial(_fetch, client)


def _fetch(client: requests.Session, call: Call) -> int:
    with client.request(
        call.method, call.url, data=call.body or None, headers=call.headers, stream=call.streamed, timeout=10
    ) as response:
        if call.streamed:
            for _line in response.iter_lines():
                pass
        return response.status_code
