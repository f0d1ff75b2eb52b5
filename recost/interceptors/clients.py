"""The table of HTTP clients and mocks, and their instrumentation when they are imported."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Final

from recost.interceptors.imports import is_half_loaded, when_imported

if TYPE_CHECKING:
    from recost.interceptors.hub import Interception

__all__ = ["CLIENTS", "MOCKS", "Clients"]

CLIENTS: Final = {
    "httpx": "recost.interceptors.httpx",
    "httpx2": "recost.interceptors.httpx",
    "urllib3": "recost.interceptors.urllib3",
    "urllib3_future": "recost.interceptors.urllib3_future",
    "aiohttp": "recost.interceptors.aiohttp",
    "http.client": "recost.interceptors.stdlib",
}
"""Name of a client's module, and the interceptor's: a module with ``instrument(module, interception)``."""

MOCKS: Final = dict.fromkeys(
    ("aioresponses", "requests_mock", "responses", "vcr"), "recost.interceptors.mocks"
)
"""Libraries that respond in a client's place, in the same form."""


class Clients:
    """The clients of this process, which are patched but never imported here."""

    def __init__(self, interception: Interception) -> None:
        self.broken: dict[str, str] = {}
        """Reason by client, for each client that could not be instrumented."""
        self._interception = interception
        self._watched: set[str] = set()

    def watch(self) -> None:
        """Instrument the clients that are imported, and the others as soon as they are."""
        for name in (*CLIENTS, *MOCKS):
            if name not in self._watched:
                self._watched.add(name)
                when_imported(name, self._instrument)
                continue
            imported = sys.modules.get(name)  # None there forbids the import
            if imported is not None and not is_half_loaded(imported):  # else its hook will be called
                self._instrument(imported)

    def _instrument(self, module: ModuleType) -> None:
        if self._interception.sink is None:
            return  # nothing listens any more
        name = module.__name__
        try:
            client = importlib.import_module(CLIENTS.get(name) or MOCKS.get(name) or CLIENTS["httpx"])
            client.instrument(module, self._interception)
            self.broken.pop(name, None)
        except Exception as error:  # noqa: BLE001 - an unknown version must not fail the user's import
            self.broken[name] = f"{type(error).__name__}: {error}"
            self._interception.report(error)
