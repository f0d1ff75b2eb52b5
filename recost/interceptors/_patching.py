"""Replace methods of other people's classes, and put them back: the only importer of wrapt.

A patch is known by the class that it is on and the name of the method, so that a class reached by two module
names is patched once. It is taken off only where our wrapper is still on top; otherwise somebody has wrapped
on top of it, and it stays in place and does nothing.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, Callable, Final

__all__ = ["Maker", "Patches", "Wrapper"]

Maker = Callable[[Callable[..., Any], list[bool]], Callable[..., Any]]
"""``make(original, switch)`` returns the function that stands in the method's place.

It takes the instance and the arguments, calls ``original`` with them exactly once, and does nothing else
while ``switch`` is empty.
"""

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""``wrapper(wrapped, instance, args, kwargs)``; it calls ``wrapped(*args, **kwargs)`` exactly once."""

_MAX_CHAIN: Final = 64


@dataclass(eq=False)
class _Patch:
    owner: type
    name: str
    function: Any
    """What stands in the method's place."""
    inherited: bool
    """The class had no such method of its own."""
    switch: list[bool]
    """Not empty while the wrapper is to be called."""

    @property
    def original(self) -> Any:
        return self.function.__wrapped__


class Patches:
    """The patches that are in place, in one process."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []
        self._lock = threading.Lock()

    def replace(self, owner: type, name: str, make: Maker) -> None:
        """Put what ``make`` returns in the place of the method ``name`` of the class ``owner``.

        A method that is replaced already keeps the replacement that it has, at work again.

        Raises:
            AttributeError: The class has no such method.
        """
        with self._lock:
            for patch in self._patches:
                if patch.owner is owner and patch.name == name:
                    if _reachable(patch):
                        patch.switch[:] = [True]
                        return
                    # Taken off by somebody, or hidden under a function that doesn't tell: not twice.
                    patch.switch.clear()
            self._patches.append(_put(owner, name, make))

    def wrap(self, owner: type, name: str, wrapper: Wrapper) -> None:
        """Put ``wrapper`` around the method, as `replace` does: easier to write, and a call slower.

        Raises:
            AttributeError: The class has no such method.
        """
        self.replace(owner, name, functools.partial(_calling, wrapper))

    def remove_all(self) -> None:
        """Restore every method whose wrapper is still on top; make the others do nothing."""
        with self._lock:
            for patch in reversed(self._patches):
                patch.switch.clear()
                if patch.owner.__dict__.get(patch.name) is not patch.function:
                    continue
                if patch.inherited:
                    delattr(patch.owner, patch.name)
                else:
                    setattr(patch.owner, patch.name, patch.original)
            self._patches = [patch for patch in self._patches if _reachable(patch)]

    def after_fork_in_child(self) -> None:
        """Forget a lock that another thread of the parent may have held."""
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the patched methods that are at work, as ``module.Class.method``."""
        return [f"{p.owner.__module__}.{p.owner.__qualname__}.{p.name}" for p in self._patches if p.switch]


def _put(owner: type, name: str, make: Maker) -> _Patch:
    inherited = name not in owner.__dict__
    original: Any = getattr(owner, name) if inherited else owner.__dict__[name]
    switch = [True]
    if type(original) is FunctionType:  # a plain function: half the cost of a wrapt proxy per call
        function: Any = functools.wraps(original)(make(original, switch))
    else:
        function = _proxy_around(original, make, switch)
    setattr(owner, name, function)
    return _Patch(owner, name, function, inherited, switch)


def _calling(wrapper: Wrapper, original: Callable[..., Any], switch: list[bool]) -> Callable[..., Any]:
    def method(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        if switch:
            return wrapper(MethodType(original, instance), instance, args, kwargs)
        return original(instance, *args, **kwargs)

    return method


def _proxy_around(original: Any, make: Maker, switch: list[bool]) -> Any:
    """Put a proxy around what is no plain function: another tool's wrapper, a descriptor, compiled code."""
    import wrapt  # noqa: PLC0415 - importing it takes longer than all of recost does

    def call_original(instance: Any, /, *args: Any, **kwargs: Any) -> Any:
        return original.__get__(instance, type(instance))(*args, **kwargs)

    function = make(call_original, switch)

    def wrapper(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:  # noqa: ARG001 - as wrapt calls it
        return function(instance, *args, **kwargs)

    # A builtin is the switch: a Python function in its place would add a tenth to the cost of every call.
    enabled: Any = switch.__len__
    return wrapt.FunctionWrapper(original, wrapper, enabled=enabled)


def _reachable(patch: _Patch) -> bool:
    """Tell whether the patch's wrapper is on the method, under whatever others have put on top of it."""
    layer: Any = patch.owner.__dict__.get(patch.name)
    for _ in range(_MAX_CHAIN):
        if layer is patch.function:
            return True
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return False
    return False
