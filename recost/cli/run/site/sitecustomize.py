"""The start of recost in an interpreter below ``recost run``, without other effects.

An existing ``sitecustomize`` also runs, and runs first.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path


def _leave_the_path() -> None:
    """Remove this folder from ``sys.path``. Child processes find it through ``PYTHONPATH``."""
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry.rstrip(os.sep) != here]


def _run_the_next() -> None:
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _start() -> None:
    try:
        from recost.cli.run.start import start  # noqa: PLC0415 - recost may be missing
    except ImportError:
        if importlib.util.find_spec("recost") is None:
            print(f"recost: not installed for {sys.executable}: its calls are not recorded", file=sys.stderr)
            return
        raise
    start()


_leave_the_path()
try:
    _run_the_next()
finally:
    _start()
