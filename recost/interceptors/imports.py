"""Knowing when a client has been imported, without importing it.

wrapt has such hooks, too; importing wrapt takes longer than all of recost does, and `recost.init` would pay
for it in every process.
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
    """Call ``hook`` with the module each time it has been imported; now, where it already is.

    Where another thread imports it at this moment, the hook is called on that thread, at the end of it.

    A hook can't be taken back, and what it raises fails the user's import: it must check whether it is still
    wanted, and contain its errors.
    """
    if _finder not in sys.meta_path:
        finder: Any = _finder
        sys.meta_path.insert(0, finder)
    _finder.hooks.setdefault(module, []).append(hook)
    imported = sys.modules.get(module) or _being_found(module)
    if imported is not None and not _watch_import(imported, hook):  # None there forbids the import
        hook(imported)


_LONGEST_SEARCH_S: Final = 1.0
"""For another thread that searches the path for the module; then its loading can be seen."""


def _being_found(module: str) -> Optional[ModuleType]:
    """Wait for a module that another thread searches for, with the finders that were there before ours."""
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
    """Tell whether a thread is loading the module."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _watch_import(module: ModuleType, hook: Hook) -> bool:
    """Have a hook called when a module that is half loaded is loaded; False for one that is loaded.

    The import system tells that a module is being loaded by an attribute of its spec, which it sets to False
    in the end, while it holds the module's lock. So no thread sees the module before the hook has run.
    """
    spec: Any = getattr(module, "__spec__", None)
    if type(spec) not in (ModuleSpec, _SpecOfHalfLoaded) or not is_half_loaded(module):
        return False
    if isinstance(module.__loader__, _Loader) or isinstance(spec.loader, _Loader):
        return True  # ours, and it calls the hook
    if type(spec) is ModuleSpec:
        spec.__class__ = _SpecOfHalfLoaded
        spec.__dict__["_hooks"] = []
    spec.__dict__["_hooks"].append((module, hook))
    if spec.__dict__.get("_initializing"):
        return True
    spec.loaded()  # meanwhile
    return True


class _SpecOfHalfLoaded(ModuleSpec):
    """The spec of a module that a thread is loading; an ordinary one again when it has."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "_initializing" and not value:
            self.loaded()

    def loaded(self) -> None:
        """Call the hooks, unless the loading has failed."""
        hooks = self.__dict__.pop("_hooks", ())
        self.__class__ = ModuleSpec  # type: ignore[assignment]
        for module, hook in hooks:
            if sys.modules.get(self.name) is module:
                hook(module)


class _Finder:
    """Lets the other finders find a module, and puts a loader around theirs that calls the hooks.

    The base classes of ``importlib.abc`` are left out: importing them takes longer than the rest of this.
    """

    def __init__(self) -> None:
        self.hooks: dict[str, list[Hook]] = {}
        self._asking = threading.local()

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        if fullname not in self.hooks or fullname == getattr(self._asking, "name", None):
            return None  # ours to ignore, or another finder that asks all finders again
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
    """The module's own loader, with hooks after it; it is gone once the module has been loaded."""

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
