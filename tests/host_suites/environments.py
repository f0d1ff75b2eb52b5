"""The source distribution of a suite, and the environment that its tests run in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final, Optional

from tests.host_suites.suites import Suite

__all__ = ["Environment", "prepare", "stage"]

_HERE: Final = Path(__file__).parent
_NEEDED_HERE: Final = ("wrapt", "pytest-timeout")
"""By recost, and by the runs."""


@dataclass(frozen=True)
class Environment:
    """Where a suite's tests are, and what runs them."""

    version: str
    sources: Path
    python: Path


def prepare(suite: Suite, folder: Path, version: Optional[str]) -> Environment:
    """Get the sources, make the environment; what is there from an earlier time is used as it is.

    Raises:
        RuntimeError: One of the tools failed; what it said is in the message.
    """
    wanted = version or _installed(suite.name)
    home = folder / f"{suite.name}-{wanted or 'newest'}"
    python = _make(home / "environment")
    sources = _sources(suite.name, wanted, home, python)
    version = sources.name.rpartition("-")[2]
    done = home / "installed"
    if suite.has_tests and not done.exists():
        names = {"version": version, "sdist": str(sources)}
        _install(python, [argument.format(**names) for argument in suite.requires])
        _install(python, list(_NEEDED_HERE))
        done.touch()
    return Environment(version, sources, python)


def stage(folder: Path) -> Path:
    """Return a folder with a copy of recost and of the two plugins, for ``PYTHONPATH``.

    A copy, because the root of this project would bring its own ``tests`` along; and because nobody should
    edit what is being run.
    """
    folder.mkdir(parents=True)
    root = _HERE.parent.parent
    shutil.copytree(root / "recost", folder / "recost", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_HERE / "plugin.py", folder / "host_suite_recost.py")
    shutil.copy(_HERE / "outcomes.py", folder / "host_suite_outcomes.py")
    return folder


def _installed(name: str) -> Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _make(environment: Path) -> Path:
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        uv = _uv()
        if uv is None:
            _run(sys.executable, "-m", "venv", environment)
        else:
            _run(uv, "venv", "--quiet", "--seed", "--python", sys.executable, environment)
    return python


def _uv() -> Optional[str]:
    beside = Path(sys.executable).parent
    return shutil.which("uv", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))


def _install(python: Path, requirements: list[str]) -> None:
    uv = _uv()
    if uv is None:
        _run(python, "-m", "pip", "install", "--quiet", *requirements)
    else:
        # Published packages only, also where a project's settings for uv name a branch.
        _run(uv, "pip", "install", "--quiet", "--no-sources", "--python", python, *requirements)


def _sources(name: str, version: Optional[str], home: Path, python: Path) -> Path:
    unpacked = home / "sources"
    if not unpacked.exists():
        requirement = name if version is None else f"{name}=={version}"
        options = ("--quiet", "--no-deps", "--no-binary", name, "--dest", home / "download")
        _run(python, "-m", "pip", "download", *options, requirement)
        (archive,) = (home / "download").iterdir()
        with tarfile.open(archive) as tar:
            if hasattr(tarfile, "data_filter"):
                tar.extractall(unpacked, filter="data")
            else:
                tar.extractall(unpacked)
    (sources,) = unpacked.iterdir()
    return sources


def _run(*command: object) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
