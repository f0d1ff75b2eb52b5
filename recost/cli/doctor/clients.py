"""A check of the installed HTTP clients: whether their calls are recorded."""

from __future__ import annotations

import importlib
import platform
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from recost.cli._shared.tables import Column, Table, wrap
from recost.cli.doctor.findings import CheckLines
from recost.interceptors import CLIENTS, interception

if TYPE_CHECKING:
    from recost.cli._shared.terminal import Style
    from recost.interceptors.exchange import Exchange

__all__ = ["check_clients"]

_SINK: Final = "doctor"
_THROUGH: Final = {"requests": "urllib3", "niquests": "urllib3_future", "urllib.request": "http.client"}
"""Clients that are recorded because they are built on another client."""


def check_clients(style: Style) -> CheckLines:
    """Patch every installed client, check the patches, and remove them."""
    found = CheckLines()
    table = Table((Column("client"), Column("version"), Column("recorded")))
    missing = []
    interception.add(_SINK, _forget)
    try:
        for module in [*CLIENTS, *_THROUGH]:
            if not _installed(module):
                missing.append(module)
                continue
            verdict = _verdict(module)
            table.rows.append((module, _version(module), verdict or "no"))
            if not verdict.startswith("yes"):
                found.problems.append(f"{module}: {_reason(module)}: its calls are not recorded")
    finally:
        interception.remove(_SINK)
    found.lines = table.render(style).splitlines()
    if missing:
        found.lines.append(wrap("not installed: ", ", ".join(missing)))
    return found


def _forget(exchange: Exchange) -> None:
    """Record nothing, because the doctor makes no calls through the clients."""


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _verdict(module: str) -> str:
    try:
        importlib.import_module(module)
    except Exception:  # noqa: BLE001 - another package may raise anything at import
        return ""
    base = _THROUGH.get(module)
    if base is not None:
        return f"yes, through {base}" if _verdict(base) else ""
    methods = sum(name.startswith(f"{module}.") for name in interception.patches.names())
    if not methods or module in interception.broken:
        return ""
    return f"yes ({methods} {'methods' if methods > 1 else 'method'} patched)"


def _reason(module: str) -> str:
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - as above
        return f"it cannot be imported ({type(error).__name__}: {error})"
    base = _THROUGH.get(module, module)
    return f"{base} could not be patched ({interception.broken.get(base, 'no method was patched')})"


def _version(module: str) -> str:
    try:
        return metadata.version(module)
    except metadata.PackageNotFoundError:
        return platform.python_version() if "." in module else "unknown"
