"""Replace methods of other people's classes, and put them back: the only importer of wrapt.

A patch is known by the class that it is on and the name of the method, so that a class reached by two module
names is patched once. It is taken off only where our wrapper is still on top; otherwise somebody has wrapped
on top of it, and it stays in place and does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Callable, Final

import wrapt

__all__ = ["Patches", "Wrapper", "when_imported"]

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""``wrapper(wrapped, instance, args, kwargs)``; it calls ``wrapped(*args, **kwargs)`` exactly once."""

_MAX_CHAIN: Final = 64


@dataclass
class _Patch:
    owner: type
    name: str
    wrapper: Wrapper
    inherited: bool
    """The class had no such method of its own."""
    active: bool = True
    function: Any = field(default=None)

    def __call__(self, wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
        if not self.active:
            return wrapped(*args, **kwargs)
        return self.wrapper(wrapped, instance, args, kwargs)


class Patches:
    """The patches that are in place, in one process."""

    def __init__(self) -> None:
        self._patches: list[_Patch] = []

    def wrap(self, owner: type, name: str, wrapper: Wrapper) -> None:
        """Put ``wrapper`` around the method ``name`` of the class ``owner``; once, however often it is asked for.

        Raises:
            AttributeError: The class has no such method.
        """
        existing = self._in_place(owner, name)
        if existing is not None:
            existing.active = True
            existing.wrapper = wrapper
            return
        original = owner.__dict__.get(name)
        patch = _Patch(owner, name, wrapper, inherited=original is None)
        patch.function = wrapt.FunctionWrapper(getattr(owner, name) if original is None else original, patch)
        setattr(owner, name, patch.function)
        self._patches.append(patch)

    def remove_all(self) -> None:
        """Restore every method whose wrapper is still on top; make the others do nothing."""
        remaining: list[_Patch] = []
        for patch in reversed(self._patches):
            patch.active = False
            if patch.owner.__dict__.get(patch.name) is not patch.function:
                remaining.append(patch)
            elif patch.inherited:
                delattr(patch.owner, patch.name)
            else:
                setattr(patch.owner, patch.name, patch.function.__wrapped__)
        self._patches = [patch for patch in reversed(remaining) if _reachable(patch)]

    def names(self) -> list[str]:
        """Return the patched methods that are at work, as ``module.Class.method``."""
        return [f"{p.owner.__module__}.{p.owner.__qualname__}.{p.name}" for p in self._patches if p.active]

    def _in_place(self, owner: type, name: str) -> _Patch | None:
        for patch in self._patches:
            if patch.owner is owner and patch.name == name and _reachable(patch):
                return patch
        return None


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


def when_imported(module: str, hook: Callable[[ModuleType], None]) -> None:
    """Call ``hook`` with the module once it has been imported; now, where it already is.

    A hook can't be taken back, and what it raises fails the user's import: it must check whether it is still
    wanted, and contain its errors.
    """
    wrapt.register_post_import_hook(hook, module)
