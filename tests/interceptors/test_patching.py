"""Patches on classes made for the purpose: what is put on comes off, and is harmless in between."""

from __future__ import annotations

import inspect
import sys
import threading
from typing import Any, Callable

import pytest
import wrapt
from hypothesis import given
from hypothesis import strategies as st

from recost.interceptors.patching import Patches


class Ledger:
    """Counts the calls that pass the wrapper."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []

    def __call__(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        self.calls.append((instance, args, kwargs))
        return wrapped(*args, **kwargs)


def make() -> Any:
    class Base:
        def send(self, value: int, *, twice: bool = False) -> int:
            """Return the value."""
            return value * 2 if twice else value

    class Derived(Base):
        pass

    return Base, Derived


def test_a_wrapper_sees_the_instance_and_the_arguments_and_the_result_is_the_originals() -> None:
    base, _ = make()
    patches, ledger = Patches(), Ledger()
    patches.wrap(base, "send", ledger)
    instance = base()
    assert instance.send(3, twice=True) == 6
    assert ledger.calls == [(instance, (3,), {"twice": True})]


def test_an_instance_and_a_bound_method_from_before_and_a_subclass() -> None:
    base, derived = make()
    early, bound = derived(), derived().send
    patches, ledger = Patches(), Ledger()
    patches.wrap(base, "send", ledger)
    assert early.send(1) == bound(2) - 1 == 1
    assert len(ledger.calls) == 1


def test_the_method_looks_as_it_did() -> None:
    base, _ = make()
    original = base.__dict__["send"]
    signature = inspect.signature(original)
    Patches().wrap(base, "send", Ledger())
    assert base.send.__name__ == "send"
    assert base.send.__doc__ == original.__doc__
    assert inspect.signature(base.send) == signature
    assert base.send.__wrapped__.__code__ is original.__code__


def test_the_original_function_comes_back() -> None:
    base, _ = make()
    original = base.__dict__["send"]
    patches, ledger = Patches(), Ledger()
    patches.wrap(base, "send", ledger)
    bound = base().send
    patches.remove_all()
    assert base.__dict__["send"] is original
    assert patches.names() == []
    assert bound(5) == 5


def test_an_inherited_method_is_inherited_again() -> None:
    base, derived = make()
    patches, ledger = Patches(), Ledger()
    patches.wrap(derived, "send", ledger)
    assert (derived().send(1), base().send(1)) == (1, 1)
    assert len(ledger.calls) == 1
    patches.remove_all()
    assert "send" not in derived.__dict__
    assert derived().send(1) == 1


def test_a_method_is_wrapped_once_however_often_it_is_asked_for() -> None:
    base, _ = make()
    patches, first, second = Patches(), Ledger(), Ledger()
    patches.wrap(base, "send", first)
    patches.wrap(base, "send", second)
    base().send(1)
    assert (len(first.calls), len(second.calls)) == (1, 0)
    assert patches.names() == [f"{base.__module__}.{base.__qualname__}.send"]


def test_a_method_that_is_missing() -> None:
    base, _ = make()
    patches = Patches()
    with pytest.raises(AttributeError):
        patches.wrap(base, "missing", Ledger())
    assert patches.names() == []


def test_what_the_method_raises_is_the_same_object() -> None:
    error = LookupError("inside")

    class Fails:
        def send(self) -> None:
            raise error

    Patches().wrap(Fails, "send", Ledger())
    with pytest.raises(LookupError) as caught:
        Fails().send()
    assert caught.value is error


def _with_wrapt(base: type, calls: list[str]) -> None:
    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        calls.append("theirs")
        return wrapped(*args, **kwargs)

    wrapt.wrap_function_wrapper(base, "send", wrapper)


def _with_setattr(base: type, calls: list[str]) -> None:
    below = base.send  # type: ignore[attr-defined]

    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append("theirs")
        return below(self, *args, **kwargs)

    base.send = send  # type: ignore[attr-defined]


@pytest.mark.parametrize("on_top", [_with_wrapt, _with_setattr])
def test_somebody_wraps_on_top(on_top: Callable[[type, list[str]], None]) -> None:
    base, _ = make()
    patches, ledger = Patches(), Ledger()
    calls: list[str] = []
    patches.wrap(base, "send", ledger)
    on_top(base, calls)
    top = base.__dict__["send"]
    base().send(1)
    assert (len(ledger.calls), len(calls)) == (1, 1)

    patches.remove_all()
    assert base.__dict__["send"] is top
    assert base().send(1) == 1
    assert (len(ledger.calls), len(calls)) == (1, 2)

    patches.wrap(base, "send", ledger)
    assert base().send(1) == 1
    assert (len(ledger.calls), len(calls)) == (2, 3)

    patches.wrap(base, "send", ledger)
    base().send(1)
    assert (len(ledger.calls), len(calls)) == (3, 4)

    patches.remove_all()
    base().send(1)
    assert (len(ledger.calls), len(calls)) == (3, 5)


def test_somebody_takes_our_wrapper_off() -> None:
    base, _ = make()
    original = base.__dict__["send"]
    patches, ledger = Patches(), Ledger()
    patches.wrap(base, "send", ledger)
    base.send = original
    base().send(1)
    assert not ledger.calls
    patches.wrap(base, "send", ledger)
    base().send(1)
    assert len(ledger.calls) == 1
    patches.remove_all()
    assert base.__dict__["send"] is original


def test_somebody_below_takes_theirs_off_by_restoring_what_they_found() -> None:
    base, _ = make()
    original = base.__dict__["send"]
    calls: list[str] = []
    _with_setattr(base, calls)
    patches, ledger = Patches(), Ledger()
    patches.wrap(base, "send", ledger)
    base.send = original
    patches.remove_all()
    assert base.__dict__["send"] is original
    base().send(1)
    assert not ledger.calls


@given(st.lists(st.sampled_from(["on", "off", "wrapt", "setattr"]), max_size=12))
def test_one_call_passes_the_wrapper_once_when_on_and_never_when_off(steps: list[str]) -> None:
    base, _ = make()
    patches, ledger = Patches(), Ledger()
    theirs: list[str] = []
    on, others = False, 0
    for step in steps:
        if step == "on":
            patches.wrap(base, "send", ledger)
        elif step == "off":
            patches.remove_all()
        else:
            (_with_wrapt if step == "wrapt" else _with_setattr)(base, theirs)
        on = step == "on" or (on and step != "off")
        others += step in ("wrapt", "setattr")
        ledger.calls.clear()
        theirs.clear()
        assert base().send(7) == 7
        assert (len(ledger.calls), len(theirs)) == (on, others)


def test_two_threads_that_patch_at_once_patch_once() -> None:
    for _ in range(20):
        base, _ = make()
        patches, ledger = Patches(), Ledger()
        barrier = threading.Barrier(4)

        def wrap(
            base: Any = base, patches: Patches = patches, ledger: Ledger = ledger, gate: Any = barrier
        ) -> None:
            gate.wait()
            patches.wrap(base, "send", ledger)

        threads = [threading.Thread(target=wrap) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        base().send(1)
        assert len(ledger.calls) == 1


def test_a_call_while_a_method_is_replaced_again_is_seen() -> None:
    class Owner:
        def method(self) -> int:
            return 1

    seen, calls = [], 0

    def make(original: Any, switch: list[bool]) -> Any:
        def method(owner: Owner) -> Any:
            if switch:
                seen.append(1)
            return original(owner)

        return method

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal calls
        if frame.f_code.co_name != "_resume":
            return None
        if event == "line":
            calls += 1
            Owner().method()  # as another thread would
        return trace

    patches = Patches()
    patches.replace(Owner, "method", make)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        patches.replace(Owner, "method", make)
    finally:
        sys.settrace(before)
    patches.remove_all()
    assert len(seen) == calls > 3
