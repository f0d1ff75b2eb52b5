"""An environment for each SDK, so that SDKs whose requirements exclude each other are tested all the same."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration.sdks import load
from tests.scripts import ROOT

_READY = "ready"
_TIMEOUT_S = 900


class NoEnvironmentError(Exception):
    """The environment could not be made; the text says why."""


def make(name: str, python: str, folder: Path) -> str:
    """Return the Python of an environment with recost and the SDK, made where it is not there yet.

    It is made again when the SDK's requirements or the Python have changed.
    """
    requirements = [*load(name).REQUIRES, "-e", str(ROOT)]
    place = folder / name
    interpreter = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    mark = place / _READY
    state = hashlib.sha256("\n".join([python, *requirements]).encode()).hexdigest()
    if mark.exists() and mark.read_text() == state:
        return str(interpreter)
    shutil.rmtree(place, ignore_errors=True)
    uv = _uv()
    if uv:
        _do([uv, "venv", "--quiet", "--python", python, str(place)])
        _do([uv, "pip", "install", "--quiet", "--python", str(interpreter), *requirements])
    else:
        _do([python, "-m", "venv", str(place)])
        _do([str(interpreter), "-m", "pip", "install", "--quiet", *requirements])
    mark.write_text(state)
    return str(interpreter)


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    return shutil.which("uv") or (str(beside) if beside.exists() else "")


def _do(command: Sequence[str]) -> None:
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoEnvironmentError(f"{command[0]}: {error}") from None
    if result.returncode:
        raise NoEnvironmentError(f"{' '.join(command)}\n{result.stderr or result.stdout}")
