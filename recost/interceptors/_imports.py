"""Knowing when a client has been imported, without importing it.

wrapt has such hooks, too; importing wrapt takes longer than all of recost does, and `recost.init` would pay
for it in every process.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Final, Optional

__all__ = ["when_imported"]

Hook = Callable[[ModuleType], None]


def when_imported(module: str, hook: Hook) -> None:
    """Call ``hook`` with the module each time it has been imported; now, where it already is.

    A hook can't be taken back, and what it raises fails the user's import: it must check whether it is still
    wanted, and contain its errors.
    """
    if _finder not in sys.meta_path:
        finder: Any = _finder
        sys.meta_path.insert(0, finder)
    _finder.hooks.setdefault(module, []).append(hook)
    imported = sys.modules.get(module)
    if imported is not None:  # None there forbids the import
        hook(imported)


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
