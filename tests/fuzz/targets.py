"""All targets of the modules of this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import NamedTuple

import tests.fuzz

Run = Callable[[bytes], None]


class Target(NamedTuple):
    name: str
    run: Run
    seeds: Sequence[bytes]


def targets() -> dict[str, Target]:
    """Import every module of the folder; return the targets by name."""
    found: dict[str, Target] = {}
    for module in pkgutil.iter_modules(tests.fuzz.__path__):
        if module.name.startswith(("test_", "__")) or module.name == "targets":
            continue
        content = vars(importlib.import_module(f"tests.fuzz.{module.name}"))
        for name, run in content.get("TARGETS", {}).items():
            assert name not in found, f"two targets are called {name}"
            found[name] = Target(name, run, content.get("SEEDS", {}).get(name, (b"",)))
    return found
