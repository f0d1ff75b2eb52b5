"""The HTTP clients of the demo: one file per library, named in `CLIENTS`.

Such a module has ``session(library, routing)``, ``async_session(library, routing)``, or both: context
managers that yield a function which makes one call, reads the whole response, and returns the status.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Callable, Final, Optional

if TYPE_CHECKING:
    from recost.cli.demo.calls import Call
    from recost.cli.demo.routing import Routing

__all__ = ["CLIENTS", "AsyncFetch", "Client", "Fetch"]

Fetch = Callable[["Call"], int]
AsyncFetch = Callable[["Call"], Awaitable[int]]


@dataclass(frozen=True)
class Client:
    """One way to make a call."""

    label: str
    library: str
    """The module to import."""
    module: str
    """The module of this package that uses it."""
    asynchronous: bool = False

    def load(self) -> Optional[Any]:
        """Return the library, or None if it is missing or broken. ``recost doctor`` reports the reason."""
        try:
            return importlib.import_module(self.library)
        except Exception:  # noqa: BLE001 - somebody else's package may raise anything
            return None

    @property
    def version(self) -> str:
        """The installed version of the library, or an empty string for the standard library."""
        try:
            return metadata.version(self.library)
        except metadata.PackageNotFoundError:
            return ""

    def session(self, routing: Routing) -> Any:
        """Return the context manager that yields the function which makes a call."""
        module = importlib.import_module(f"{__name__}.{self.module}")
        open_session = module.async_session if self.asynchronous else module.session
        return open_session(self.load(), routing)


CLIENTS: Final = (
    Client("urllib.request", "urllib.request", "stdlib"),
    Client("urllib3", "urllib3", "urllib3"),
    Client("requests", "requests", "requests"),
    Client("httpx", "httpx", "httpx"),
    Client("httpx async", "httpx", "httpx", asynchronous=True),
    Client("httpx2", "httpx2", "httpx"),
    Client("httpx2 async", "httpx2", "httpx", asynchronous=True),
    Client("aiohttp", "aiohttp", "aiohttp", asynchronous=True),
)
"""Clients in the order of their turns."""
