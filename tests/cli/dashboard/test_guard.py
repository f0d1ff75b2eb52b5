"""Which requests open the dashboard, and how often."""

from __future__ import annotations

import threading
from typing import Any

import pytest

pytest.importorskip("starlette")

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from recost.cli.dashboard.guard import Access, Guard


async def figures(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("figures")(scope, receive, send)


@pytest.fixture
def access() -> Access:
    return Access("127.0.0.1", 9848)


@pytest.fixture
def guard(access: Access) -> Guard:
    return Guard(figures, access)


def visitor(guard: Guard) -> TestClient:
    return TestClient(guard, base_url="http://127.0.0.1:9848")


def opened(response: Any) -> bool:
    return "set-cookie" in response.headers or "view-" in response.text


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY"])
def test_no_method_but_get_opens_anything(access: Access, guard: Guard, method: str, once: bool) -> None:
    path = f"/?token={access.once if once else access.token}"
    for _ in range(3):
        assert not opened(visitor(guard).request(method, path))
    assert opened(visitor(guard).get(path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Sec-Purpose", "prefetch"), ("Sec-Purpose", "prefetch;prerender"), ("Purpose", "prefetch"),
        ("X-Moz", "prefetch"), ("X-Purpose", "preview"), ("sec-purpose", "Prefetch"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("once", [True, False])
def test_what_a_browser_loads_ahead_opens_nothing(
    access: Access, guard: Guard, name: str, value: str, once: bool
) -> None:
    path = f"/?token={access.once if once else access.token}"
    response = visitor(guard).get(path, headers={name: value})
    assert (response.status_code, opened(response)) == (403, False)
    assert opened(visitor(guard).get(path))


@pytest.mark.parametrize("headers", [{"Host": "evil.example:9848"}, {"Origin": "http://evil.example"}])
def test_what_is_refused_uses_nothing_up(access: Access, guard: Guard, headers: dict[str, str]) -> None:
    assert visitor(guard).get(f"/?token={access.once}", headers=headers).status_code == 403
    assert opened(visitor(guard).get(f"/?token={access.once}"))


def test_of_many_at_once_one_gets_in(access: Access, guard: Guard) -> None:
    found: list[bool] = []
    barrier = threading.Barrier(8)

    def visit() -> None:
        client = visitor(guard)
        barrier.wait()
        found.append(opened(client.get(f"/?token={access.once}")))

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 7 + [True]


def test_the_address_that_is_printed_opens_as_often_as_it_is_asked_for(access: Access, guard: Guard) -> None:
    for _ in range(3):
        client = visitor(guard)
        assert opened(client.get(f"/?token={access.token}"))
        assert client.get(access.view).text == "figures"
        assert client.head(access.view).status_code == 200
    assert visitor(guard).get(access.view).status_code == 403
