"""A ClickHouse of its own: the engine of chdb in a process, behind a small HTTP server.

chdb is 800 MB, so it has an environment of its own, whose Python is named by ``RECOST_CHDB_PYTHON``.
"""

from __future__ import annotations

import atexit
import functools
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pytest

__all__ = ["Server", "server"]

PASSWORD: Final = "s3cr3t"
_FRONT: Final = Path(__file__).with_name("clickhouse_front.py")


class Server:
    """A running server."""

    def __init__(self, python: str, folder: Path) -> None:
        self.process = subprocess.Popen(
            [python, str(_FRONT), str(folder), PASSWORD],
            stdout=subprocess.PIPE,
            text=True,
            stdin=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.url = f"clickhouse://default:{PASSWORD}@127.0.0.1:{self.port}/default"


def started() -> Server:
    """Return a new server that ends with this process. Skip the test if there is no chdb here."""
    pytest.importorskip("clickhouse_connect")
    python = os.environ.get("RECOST_CHDB_PYTHON")
    if not python:
        pytest.skip("RECOST_CHDB_PYTHON is not set to a Python with chdb")
    folder = tempfile.TemporaryDirectory(prefix="recost-clickhouse-")
    found = Server(python, Path(folder.name))

    def end() -> None:
        found.process.kill()
        found.process.wait()
        folder.cleanup()

    atexit.register(end)
    return found


@functools.lru_cache(maxsize=1)
def server() -> Server:
    """Return the server of this process."""
    return started()
