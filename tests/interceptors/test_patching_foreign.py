"""Patching what other tools have wrapped, and being taken off by them."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable

import pytest
import wrapt

from recost.interceptors.patching import Patches

Log = list[str]


def make(log: Log) -> Any:
    class Client:
        def send(self, value: int) -> int:
            log.append("original")
            return value

    return Client


def noting(log: Log, name: str) -> Callable[..., Any]:
    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        log.append(name)
        return wrapped(*args, **kwargs)

    return wrapper


def pop(owner: Any) -> None:
    """Take off what is on top, as OpenTelemetry and Datadog do."""
    owner.send = owner.send.__wrapped__


def called(owner: Any, log: Log) -> Log:
    log.clear()
    assert owner().send(3) == 3
    return list(log)


def test_ours_goes_beneath_the_proxies_of_others_and_stays_when_they_go() -> None:
    log: Log = []
    client = make(log)
    original = client.__dict__["send"]
    for name in ("otel", "datadog"):
        wrapt.wrap_function_wrapper(client, "send", noting(log, name))
    patches = Patches()
    patches.wrap(client, "send", noting(log, "ours"))
    assert called(client, log) == ["datadog", "otel", "ours", "original"]
    pop(client)
    assert called(client, log) == ["otel", "ours", "original"]
    pop(client)
    assert called(client, log) == ["ours", "original"]
    patches.remove_all()
    assert client.__dict__["send"] is original


@pytest.mark.parametrize("ours_at", [0, 1, 2])
def test_ours_is_taken_out_from_beneath_proxies(ours_at: int) -> None:
    log: Log = []
    client, patches = make(log), Patches()
    original = client.__dict__["send"]
    for index in range(3):
        if index == ours_at:
            patches.wrap(client, "send", noting(log, "ours"))
        else:
            wrapt.wrap_function_wrapper(client, "send", noting(log, str(index)))
    pop(client)  # what is left is a proxy that was bound from another
    patches.remove_all()
    assert "ours" not in called(client, log)
    pop(client)
    assert client.__dict__["send"] is original


def test_ours_on_top_of_a_function_with_wrapped() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    inner = client.__dict__["send"]

    @functools.wraps(inner)
    def sentry(self: Any, *args: Any) -> Any:
        log.append("sentry")
        return inner(self, *args)

    client.send = foreign(sentry)
    patches.wrap(client, "send", noting(log, "ours"))
    assert called(client, log) == ["ours", "sentry", "original"]
    pop(client)
    assert called(client, log) == ["ours", "original"]
    patches.wrap(client, "send", noting(log, "ours"))
    assert called(client, log) == ["ours", "original"]
    patches.remove_all()
    assert client.__dict__["send"] is inner


def test_the_function_of_the_library_itself_is_recognised() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    original = client.__dict__["send"]
    client.__module__ = __name__.partition(".")[0]  # as httpx says of its classes
    patches.wrap(client, "send", noting(log, "ours"))
    assert client.send.__wrapped__ is original


def test_ours_on_top_of_a_function_without_wrapped() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    inner = client.__dict__["send"]

    def sentry(self: Any, value: int, more: int = 1) -> Any:
        log.append("sentry")
        return inner(self, value)

    client.send = placed = foreign(sentry)
    patches.wrap(client, "send", noting(log, "ours"))
    assert called(client, log) == ["ours", "sentry", "original"]
    assert inspect.signature(client.send) == inspect.signature(placed)
    with pytest.raises(AttributeError):
        pop(client)
    patches.remove_all()
    assert client.__dict__["send"] is placed


def foreign(function: Any) -> Any:
    """Return a function as if it came from another module than its class."""
    module = {**function.__globals__, "__name__": "sentry_sdk"}
    made = type(function)(function.__code__, module, None, function.__defaults__, function.__closure__)
    made.__dict__.update(function.__dict__)
    return made


def test_a_cover_is_put_on_what_has_taken_the_method_and_goes_before_it() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    original = client.__dict__["send"]
    patches.wrap(client, "send", noting(log, "ours"))
    ours = client.__dict__["send"]

    def mock(self: Any, value: int) -> int:
        log.append("mock")
        return value

    for _ in range(2):
        client.send = mock
        assert called(client, log) == ["mock"]
        patches.cover(client, "send")
        assert called(client, log) == ["ours", "mock"]
        patches.uncover(client, "send")
        assert called(client, log) == ["mock"]
        client.send = ours
        patches.reactivate(client, "send")
        assert called(client, log) == ["ours", "original"]
    patches.remove_all()
    assert client.__dict__["send"] is original


def test_a_cover_where_nothing_is_patched_or_nothing_is_in_the_way() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    for step in (patches.cover, patches.uncover, patches.reactivate):
        step(client, "send")
    assert called(client, log) == ["original"]
    patches.wrap(client, "send", noting(log, "ours"))
    for step in (patches.cover, patches.uncover, patches.reactivate):
        step(client, "send")
        assert called(client, log) == ["ours", "original"]


def test_a_method_that_was_given_back_without_ours_is_patched_again() -> None:
    log: Log = []
    client, patches = make(log), Patches()
    original = client.__dict__["send"]
    patches.wrap(client, "send", noting(log, "ours"))
    client.send = original  # a mock that was started before us has gone
    patches.reactivate(client, "send")
    assert called(client, log) == ["ours", "original"]
