"""Running programs as a user would, in processes of their own, and reading what they left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from tests.schemas import check_frame

ROOT = Path(__file__).resolve().parent.parent


def environment(**extra: str) -> dict[str, str]:
    """Return the environment for a program under test: none of recost's own variables, and no proxy."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RECOST_") and not name.lower().endswith("_proxy")
    }
    path = [str(ROOT), clean.get("PYTHONPATH", "")]
    return {**clean, "PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONUNBUFFERED": "1", **extra}


NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""For programs that can write no whole file: CPython keeps a module's bytecode though half of it was written,
and each process after that fails at its import."""


def run_script(
    code: str,
    *arguments: object,
    timeout_s: float = 60,
    env: Optional[dict[str, str]] = None,
    file: Optional[Path] = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program: from ``file`` (multiprocessing's spawn imports it again), else with ``-c``."""
    program = textwrap.dedent(code)
    if file is not None:
        file.write_text(program)
    command = [sys.executable, *(["-c", program] if file is None else [str(file)]), *map(str, arguments)]
    return subprocess.run(
        command, env=env or environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def complaints(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what a program has said on stderr, but what may be said here.

    That is that genai-prices is missing, and the warning of Python 3.12 at a fork while calls are being sent.
    """
    found: list[str] = []
    lines = iter(done.stderr.splitlines())
    for line in lines:
        if "is multi-threaded, use of fork()" in line:
            next(lines, "")  # the line of the program
        elif "genai-prices is not installed" not in line:
            found.append(line)
    return found


def windows(folder: Path) -> list[dict[str, Any]]:
    """Return every window of the files in a folder; each line must be one, as the schema says."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]
    return [check_frame(json.loads(line)) for line in lines]


def calls(found: Iterable[dict[str, Any]]) -> Counter[str]:
    """Return how often each endpoint was called."""
    total: Counter[str] = Counter()
    for window in found:
        for metric in window["metrics"]:
            total[metric["endpoint"]] += metric["requestCount"]
    return total
