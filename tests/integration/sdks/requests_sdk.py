"""requests: sessions, redirects, streams and retries; redirects are calls of their own, retries are not."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.integration.sdks import _web, on_threads, refuses
from tests.integration.sdks._chat import REPLY, prompt
from tests.integration.sdks._web import CHAT, LARGE, TEXT, url, use_streams_of_requests

PACKAGE = "requests"
DISTRIBUTION = "requests"
REQUIRES = ("requests>=2.28",)
TRANSPORT = "urllib3 (requests)"
HOSTS = _web.HOSTS
EXPECTED = {
    ("openai", "chat_completions", "POST"): (43, 0),
    ("unknown", "/plain", "GET"): (3, 0),
    ("unknown", "/plain", "HEAD"): (1, 0),
    ("unknown", "/gzip", "GET"): (1, 0),
    ("unknown", "/gzip-in-pieces", "GET"): (2, 0),
    ("unknown", "/large", "GET"): (1, 0),
    ("unknown", "/pieces", "GET"): (1, 0),
    ("unknown", "/left", "GET"): (2, 0),
    ("unknown", "/upload", "PUT"): (2, 0),
    ("unknown", "/nothing", "DELETE"): (1, 0),
    ("unknown", "/moved", "GET"): (2, 0),
    ("unknown", "/stall", "GET"): (1, 1),
    ("unknown", "/missing", "GET"): (1, 1),
}
LEFT = _web.LEFT
answer = _web.answer


def _session() -> Any:
    requests: Any = import_module("requests")
    retry_class: Any = import_module("urllib3.util.retry").Retry
    session = requests.Session()
    retry = retry_class(3, status_forcelist=(429, 500), allowed_methods=None, backoff_factor=0)
    session.mount("https://api.", requests.adapters.HTTPAdapter(max_retries=retry))
    return session


def use() -> None:
    """Make every call."""
    requests: Any = import_module("requests")
    with _session() as session:
        assert session.get(url("plain")).content == TEXT
        assert session.head(url("plain")).content == b""
        assert session.get(url("gzip")).content == TEXT * 10
        assert session.get(url("gzip-in-pieces")).content == TEXT * 10
        assert session.get(url("large")).content == LARGE
        use_streams_of_requests(session)
        assert session.put(url("upload"), data=LARGE).json() == {"size": len(LARGE)}
        assert session.put(url("upload"), data=_web.halves()).json() == {"size": len(LARGE)}
        assert session.delete(url("nothing")).status_code == 204
        moved = session.get(url("moved"))
        assert [hop.status_code for hop in moved.history] == [302]
        assert requests.get(url("moved"), timeout=10).content == TEXT
        assert session.get(url("missing")).status_code == 404
        refuses(lambda: session.get(url("stall"), timeout=0.2), requests.exceptions.ReadTimeout)
        for text in ("hello", "busy", "broken"):
            found = session.post(CHAT, json=prompt(text)).json()
            assert found["choices"][0]["message"]["content"] == REPLY
        on_threads(lambda: session.post(CHAT, json=prompt("hello")).json()["choices"][0]["message"])
