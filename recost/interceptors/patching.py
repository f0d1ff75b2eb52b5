"""Replace methods of other people's classes, and put them back: the only importer of wrapt.

A patch is known by the class that it is on and the name of the method, so that a class reached by two module
names is patched once.

Tracing tools take off whatever is on top of a method, taking it for theirs. So our wrapper goes beneath the
wrapt proxies of others: to them it is part of the original, in whatever order they and we come and go. It is
taken out from beneath such proxies, too. Where a plain function has been put on top of it, which can't be
told to call another one, it stays and does nothing.
"""

from __future__ import annotations

import functools
import threading
from types import FunctionType
from typing import Any, Callable, Final

from recost.interceptors import _calls_importlib_bootstrap as calls

__all__ = ["Maker", "Patches", "Wrapper"]

Maker = Callable[[Callable[..., Any], list[bool]], Callable[..., Any]]
"""``make(original, switch)`` returns the function that stands in the method's place.

It takes the instance and the arguments, calls ``original`` with them exactly once, and does nothing else
while ``switch`` is empty.
"""

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""``wrapper(wrapped, instance, args, kwargs)``; it calls ``wrapped(*args, **kwargs)`` exactly once."""

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
        """What stands in the method's place."""
        self.inherited = inherited
        """The class had no such method of its own."""
        self.switch = switch
        """Not empty while the wrapper is to be called."""
        self.make = make
        self.original = original
        """What the function calls."""
        self.spare: Any = None
        """Stands in the function's place when somebody has taken that off, and meant what is beneath."""


class Patches:
    """The patches that are in place, in one process."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []
        self._lock = threading.RLock()

    def replace(self, owner: type, name: str, make: Maker) -> None:
        """Put what ``make`` returns in the place of the method ``name`` of the class ``owner``.

        A method that is replaced already keeps the replacement that it has, at work again.

        Raises:
            AttributeError: The class has no such method.
        """
        with self._lock:
            if not self._resume(owner, name):
                self._add(owner, name, make)

    def wrap(self, owner: type, name: str, wrapper: Wrapper) -> None:
        """Put ``wrapper`` around the method, as `replace` does: easier to write, and a call slower.

        Raises:
            AttributeError: The class has no such method.
        """
        self.replace(owner, name, functools.partial(calls.calling, wrapper))

    def cover(self, owner: type, name: str) -> None:
        """Have the wrapper of a patched method called first by what has taken the method's place, too."""
        with self._lock:
            found = self._of(owner, name)
            if found and owner.__dict__.get(name) is not found[-1].function:
                for patch in found:
                    patch.switch.clear()
                self._add(owner, name, found[-1].make)

    def uncover(self, owner: type, name: str) -> None:
        """Take off what `cover` has put on top: what took the method's place is about to give it back."""
        with self._lock:
            found = self._of(owner, name)
            if len(found) > 1:
                found[-1].switch.clear()
                _take_out(found[-1])
                self._patches.remove(found[-1])

    def settle(self, owner: type, name: str) -> None:
        """Have the wrapper that is on the method now at work, after others have come and gone on top."""
        with self._lock:
            found = self._of(owner, name)
            if found and not self._resume(owner, name):
                self._add(owner, name, found[-1].make)

    def _add(self, owner: type, name: str, make: Maker) -> None:
        patch = _put(owner, name, make)
        # Not in one line: what interrupts `_put` on this very thread may have made another list.
        self._patches.append(patch)
        if len(self._of(owner, name)) > 1:
            self._resume(owner, name)

    def _of(self, owner: type, name: str) -> list[_Patch]:
        return [patch for patch in self._patches if patch.owner is owner and patch.name == name]

    def _resume(self, owner: type, name: str) -> bool:
        """Have one wrapper of the method at work, the uppermost; False when none is in place."""
        found = self._of(owner, name)
        for patch in found:
            # Taken off by somebody, or hidden under a function that doesn't tell: not twice.
            patch.switch.clear()
        for patch in reversed(found):
            if _reachable(patch):
                patch.switch[:] = [True]
                return True
        return False

    def remove_all(self) -> None:
        """Restore every method whose wrapper can be reached; make the others do nothing."""
        with self._lock:
            for patch in reversed(self._patches):
                patch.switch.clear()
                _take_out(patch)
            self._patches = [patch for patch in self._patches if _reachable(patch)]

    def after_fork_in_child(self) -> None:
        """Forget a lock that another thread of the parent may have held."""
        self._lock = threading.RLock()

    def names(self) -> list[str]:
        """Return the patched methods that are at work, as ``module.Class.method``."""
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
    """Let the function answer for the one that somebody else has put there: it is taken off in its stead.

    Who sets the method to its ``__wrapped__`` gets what he would get without us, with our wrapper around it.
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
    """Return the lowest of the proxies that lie on a plain function, and the function; else None and top."""
    above, layer = None, top
    while _is_proxy(layer):
        above, layer = layer, layer.__wrapped__
    return (above, layer) if type(layer) is FunctionType else (None, top)


def _package(function: FunctionType) -> str:
    """Return where a function was written, whatever it says of itself."""
    return str(function.__globals__.get("__name__")).partition(".")[0]


def _let_call(proxy: Any, function: Any) -> None:
    """Have a proxy call this; and the one that it was bound from, which is asked when it is bound again."""
    while proxy is not None:
        proxy.__wrapped__ = function
        proxy = getattr(proxy, "_self_parent", None)


def _is_proxy(layer: Any) -> bool:
    """Tell whether this is a wrapt ``FunctionWrapper``, of any copy of wrapt: what it calls can be set."""
    return hasattr(layer, "_self_wrapper") and hasattr(layer, "__wrapped__")


def _proxy_around(original: Any, make: Maker, switch: list[bool]) -> Any:
    """Put a proxy around what is no plain function: another tool's wrapper, a descriptor, compiled code."""
    import wrapt  # noqa: PLC0415 - importing it takes longer than all of recost does

    function = make(calls.calling_bound(original), switch)
    # A builtin is the switch: a Python function in its place would add a tenth to the cost of every call.
    enabled: Any = switch.__len__
    return wrapt.FunctionWrapper(original, calls.unbound(function), enabled=enabled)


def _reachable(patch: _Patch) -> bool:
    """Tell whether the patch's wrapper is on the method, under whatever others have put on top of it."""
    layer: Any = patch.owner.__dict__.get(patch.name)
    for _ in range(_MAX_CHAIN):
        if layer is patch.function or (layer is patch.spare and layer is not None):
            return True
        layer = getattr(layer, "__wrapped__", None)
        if layer is None:
            return False
    return False
