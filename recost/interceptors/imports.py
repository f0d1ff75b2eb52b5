"""Hooks that run when a module has been imported.

wrapt has such hooks, but importing wrapt takes longer than importing recost.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Final, Optional

__all__ = ["is_half_loaded", "when_imported"]

Hook = Callable[[ModuleType], None]


def when_imported(module: str, hook: Hook) -> None:
    """Call ``hook`` with the module each time it has been imported, and now if it already is.

    If another thread is importing the module, the hook is called on that thread when the import ends.

    A hook can't be removed, and its errors fail the user's import. It must contain its errors, and check
    whether it is still wanted.
    """
    if _finder not in sys.meta_path:
        finder: Any = _finder
        sys.meta_path.insert(0, finder)
    _finder.hooks.setdefault(module, []).append(hook)
    imported = sys.modules.get(module) or _being_found(module)
    if imported is not None and not _watch_import(imported, hook):  # None there forbids the import
        hook(imported)


_LONGEST_SEARCH_S: Final = 1.0
"""Seconds to wait for another thread that is searching for the module. Its loading can be observed."""


def _being_found(module: str) -> Optional[ModuleType]:
    """Wait for a module that another thread is searching for, and return it."""
    lock = getattr(sys.modules.get("_frozen_importlib"), "_module_locks", {}).get(module, _no_lock)()
    deadline = time.monotonic() + _LONGEST_SEARCH_S
    while getattr(lock, "owner", None) not in (None, threading.get_ident()) and time.monotonic() < deadline:
        if sys.modules.get(module) is not None:
            return sys.modules[module]
        time.sleep(0.001)
    return sys.modules.get(module)


def _no_lock() -> None:
    return None


def is_half_loaded(module: ModuleType) -> bool:
    """Return True while a thread is loading the module."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _watch_import(module: ModuleType, hook: Hook) -> bool:
    """Call a hook when a half-loaded module has been loaded. Return False for a loaded one.

    The import system marks a module that is being loaded by an attribute of its spec. It sets the attribute
    to False at the end, under the module's lock, so no thread sees the module before the hook has run.
    """
    spec: Any = getattr(module, "__spec__", None)
    if type(spec) not in (ModuleSpec, _SpecOfHalfLoaded) or not is_half_loaded(module):
        return False
    if isinstance(module.__loader__, _Loader) or isinstance(spec.loader, _Loader):
        return True  # our loader will call the hook
    if type(spec) is ModuleSpec:
        spec.__class__ = _SpecOfHalfLoaded
        spec.__dict__["_hooks"] = []
    spec.__dict__["_hooks"].append((module, hook))
    if spec.__dict__.get("_initializing"):
        return True
    spec.loaded()  # the module was loaded meanwhile
    return True


class _SpecOfHalfLoaded(ModuleSpec):
    """The spec of a half-loaded module. It becomes an ordinary spec when the module is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            self.loaded()

    def loaded(self) -> None:
        """Call the hooks, unless loading has failed."""
        hooks = self.__dict__.pop("_hooks", ())
        self.__class__ = ModuleSpec  # type: ignore[assignment]
        for module, hook in hooks:
            if sys.modules.get(self.name) is module:
                hook(module)


class _Finder:
    """A finder that asks the other finders, and wraps their loader in one that calls the hooks.

    It doesn't inherit from ``importlib.abc``, because importing that takes longer than the rest of this.
    """

    def __init__(self) -> None:
        self.hooks: dict[str, list[Hook]] = {}
        self._asking = threading.local()

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        if fullname not in self.hooks or fullname == getattr(self._asking, "name", None):
            return None  # not hooked, or another finder is asking all finders again
        self._asking.name = fullname
        try:
            spec = _ask_others(fullname, path, target)
        finally:
            self._asking.name = None
        if spec is not None and hasattr(spec.loader, "exec_module"):
            loader: Any = _Loader(spec.loader, tuple(self.hooks[fullname]))
            spec.loader = loader
        return spec


class _Loader:
    """The module's own loader, followed by the hooks. Removed once the module has been loaded."""

    def __init__(self, loader: Any, hooks: tuple[Hook, ...]) -> None:
        self._loader = loader
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        module: Optional[ModuleType] = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        for hook in self._hooks:
            hook(module)


def _ask_others(fullname: str, path: Any, target: Any) -> Optional[ModuleSpec]:
    for finder in list(sys.meta_path):
        find_spec = None if finder is _finder else getattr(finder, "find_spec", None)
        spec = None if find_spec is None else find_spec(fullname, path, target)
        if spec is not None:
            return spec  # type: ignore[no-any-return]
    return None


_finder: Final = _Finder()
