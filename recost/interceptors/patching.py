"""Replacement and restoring of methods of other libraries' classes: the only importer of wrapt.

A patch is identified by its class and the method's name, so a class with two module names is patched once.

Tracing tools remove whatever is on top of a method, assuming that it is theirs. So our wrapper goes beneath
the wrapt proxies of others, to whom it is part of the original. It is removed from beneath them, too. Beneath
a plain function, which can't be redirected, it stays and does nothing.
"""

from __future__ import annotations

import functools
import threading
from types import FunctionType
from typing import Any, Callable, Final

from recost.interceptors import _calls_importlib_bootstrap as calls

__all__ = ["Maker", "Patches", "Wrapper"]

Maker = Callable[[Callable[..., Any], list[bool]], Callable[..., Any]]
"""``make(original, switch)`` returns the function that replaces the method.

The function receives the instance and the arguments, and calls ``original`` with them exactly once. While
``switch`` is empty it does nothing else.
"""

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""``wrapper(wrapped, instance, args, kwargs)`` calls ``wrapped(*args, **kwargs)`` exactly once."""

_MAX_CHAIN: Final = 64


class _Patch:
    __slots__ = ("function", "inherited", "make", "name", "original", "owner", "spare", "switch")

    def __init__(
        self,
        owner: type,
        name: str,
        function: Any,
        *,
        inherited: bool,
        switch: list[bool],
        make: Maker,
        original: Any,
    ) -> None:
        self.owner = owner
        self.name = name
        self.function = function
        """The replacement of the method."""
        self.inherited = inherited
        """True if the class inherited the method."""
        self.switch = switch
        """Not empty while the wrapper is active."""
        self.make = make
        self.original = original
        """The function or descriptor that the replacement calls."""
        self.spare: Any = None
        """Replacement of what remains after another tool has removed the function as its own."""


class Patches:
    """The patches in place in one process."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []
        self._lock = threading.RLock()

    def replace(self, owner: type, name: str, make: Maker) -> None:
        """Replace the method ``name`` of the class ``owner`` by what ``make`` returns.

        A method that is already replaced keeps its replacement, which becomes active again.

        Raises:
            AttributeError: The class has no such method.
        """
        with self._lock:
            if not self._resume(owner, name):
                self._add(owner, name, make)

    def wrap(self, owner: type, name: str, wrapper: Wrapper) -> None:
        """Put ``wrapper`` around the method. Easier to write than `replace`, but one Python call slower.

        Raises:
            AttributeError: The class has no such method.
        """
        self.replace(owner, name, functools.partial(calls.calling, wrapper))

    def cover(self, owner: type, name: str) -> None:
        """Put the wrapper of a patched method on top of whatever has replaced the method meanwhile."""
        with self._lock:
            found = self._of(owner, name)
            if found and owner.__dict__.get(name) is not found[-1].function:
                for patch in found:
                    patch.switch.clear()
                self._add(owner, name, found[-1].make)

    def uncover(self, owner: type, name: str) -> None:
        """Remove what `cover` has put on top, before the method is restored."""
        with self._lock:
            found = self._of(owner, name)
            if len(found) > 1:
                found[-1].switch.clear()
                _take_out(found[-1])
                self._patches.remove(found[-1])

    def reactivate(self, owner: type, name: str) -> None:
        """Activate the wrapper that is on the method after others have come and gone on top of it."""
        with self._lock:
            found = self._of(owner, name)
            if found and not self._resume(owner, name):
                self._add(owner, name, found[-1].make)

    def _add(self, owner: type, name: str, make: Maker) -> None:
        patch = _put(owner, name, make)
        # Not in one line: a signal handler during `_put` may have replaced the list.
        self._patches.append(patch)
        if len(self._of(owner, name)) > 1:
            self._resume(owner, name)

    def _of(self, owner: type, name: str) -> list[_Patch]:
        return [patch for patch in self._patches if patch.owner is owner and patch.name == name]

    def _resume(self, owner: type, name: str) -> bool:
        """Activate the uppermost wrapper of the method only. Return False if it has no wrapper."""
        found = self._of(owner, name)
        uppermost = next((patch for patch in reversed(found) if _reachable(patch)), None)
        for patch in found:
            # A wrapper that was removed, or is hidden under another function, must not count calls twice.
            if patch is not uppermost:  # which other threads may be calling
                patch.switch.clear()
        if uppermost is None:
            return False
        uppermost.switch[:] = [True]
        return True

    def remove_all(self) -> None:
        """Restore every method whose wrapper can be reached, and deactivate the other wrappers."""
        with self._lock:
            for patch in reversed(self._patches):
                patch.switch.clear()
                _take_out(patch)
            self._patches = [patch for patch in self._patches if _reachable(patch)]

    def after_fork_in_child(self) -> None:
        """Replace a lock that a thread of the parent may hold."""
        self._lock = threading.RLock()

    def names(self) -> list[str]:
        """Return the actively patched methods as ``module.Class.method``."""
        return [f"{p.owner.__module__}.{p.owner.__qualname__}.{p.name}" for p in self._patches if p.switch]


def _put(owner: type, name: str, make: Maker) -> _Patch:
    inherited = name not in owner.__dict__
    top: Any = getattr(owner, name) if inherited else owner.__dict__[name]
    above, original = (None, top) if inherited else _beneath_proxies(top)
    switch = [True]
    function = _function(original, make, switch)
    if above is None:
        setattr(owner, name, function)
    else:
        _let_call(above, function)
    patch = _Patch(owner, name, function, inherited=inherited, switch=switch, make=make, original=original)
    if type(original) is FunctionType and _package(original) != owner.__module__.partition(".")[0]:
        _pass_for_foreign(patch)
    return patch


def _pass_for_foreign(patch: _Patch) -> None:
    """Make the function look like another tool's, which may remove it in place of its own.

    The tool restores ``__wrapped__``. That is what it would restore without us, with our wrapper around it.
    """
    beneath = patch.original.__dict__.get("__wrapped__")
    if beneath is None:
        import inspect  # noqa: PLC0415 - seldom needed, and not light

        patch.function.__signature__ = inspect.signature(patch.function)
        del patch.function.__wrapped__
        return
    patch.spare = patch.function.__wrapped__ = _function(beneath, patch.make, patch.switch)


def _function(original: Any, make: Maker, switch: list[bool]) -> Any:
    if type(original) is FunctionType:  # a plain function: half the cost of a wrapt proxy per call
        return functools.wraps(original)(make(original, switch))
    return _proxy_around(original, make, switch)


def _take_out(patch: _Patch) -> None:
    layer: Any = patch.owner.__dict__.get(patch.name)
    if layer is patch.function:
        if patch.inherited:
            delattr(patch.owner, patch.name)
        else:
            setattr(patch.owner, patch.name, patch.original)
        return
    if patch.spare is not None and layer is patch.spare:
        setattr(patch.owner, patch.name, patch.spare.__wrapped__)
        return
    while _is_proxy(layer):
        if layer.__wrapped__ is patch.function:
            _let_call(layer, patch.original)
            return
        layer = layer.__wrapped__


def _beneath_proxies(top: Any) -> tuple[Any, Any]:
    """Return the lowest proxy and the plain function beneath it, or None and ``top``."""
    above, layer = None, top
    while _is_proxy(layer):
        above, layer = layer, layer.__wrapped__
    return (above, layer) if type(layer) is FunctionType else (None, top)


def _package(function: FunctionType) -> str:
    """Return the package that a function was defined in, whatever its ``__module__``."""
    return str(function.__globals__.get("__name__")).partition(".")[0]


def _let_call(proxy: Any, function: Any) -> None:
    """Make a proxy, and the one that it was bound from, call this function."""
    while proxy is not None:
        proxy.__wrapped__ = function
        proxy = getattr(proxy, "_self_parent", None)


def _is_proxy(layer: Any) -> bool:
    """Return True for a ``FunctionWrapper`` of any copy of wrapt: its target can be set."""
    return hasattr(layer, "_self_wrapper") and hasattr(layer, "__wrapped__")


def _proxy_around(original: Any, make: Maker, switch: list[bool]) -> Any:
    """Return a proxy around another tool's wrapper, a descriptor or compiled code."""
    import wrapt  # noqa: PLC0415 - importing it takes longer than all of recost does

    function = make(calls.calling_bound(original), switch)
    # The switch is a builtin: a Python function would add a tenth to the cost of every call.
    enabled: Any = switch.__len__
    return wrapt.FunctionWrapper(original, calls.unbound(function), enabled=enabled)


def _reachable(patch: _Patch) -> bool:
    """Return True if the patch's wrapper is on the method, possibly under other wrappers."""
    layer: Any = patch.owner.__dict__.get(patch.name)
    for _ in range(_MAX_CHAIN):
        if layer is patch.function or (layer is patch.spare and layer is not None):
            return True
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return False
    return False
