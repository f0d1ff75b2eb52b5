"""A PostgreSQL of its own in a temporary folder, for the tests of one process."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Optional

import pytest

__all__ = ["Cluster", "cluster", "new_database"]

_FOLDERS: Final = ("/usr/lib/postgresql", "/usr/local/lib/postgresql")
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "fsync": "off",
    "timezone": "Asia/Kathmandu",  # no answer may depend on it
    "lc_messages": "C",
    "unix_socket_directories": "",
}
PASSWORD: Final = "s3cr3t/with:odd@signs"


def _programs() -> Optional[Path]:
    """Return the folder of the newest server, or None if there is none."""
    found = [path.parent for folder in _FOLDERS for path in Path(folder).glob("*/bin/postgres")]
    alone = shutil.which("postgres")
    return max(found, default=None, key=lambda path: int(path.parent.name)) or (
        Path(alone).parent if alone else None
    )


class Cluster:
    """A running server. It refuses to run as root, so it runs as a user of its own then."""

    def __init__(self, programs: Path, folder: Path, **settings: str) -> None:
        self.folder = folder
        self._programs = programs
        self._as: Sequence[str] = ()
        if os.geteuid() == 0:
            self._as = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups")
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", str(self.data), "-U", "recost", "--auth=scram-sha-256", "-E", "UTF8",
                  f"--pwfile={secret}", "--locale=C", "--no-sync")  # fmt: skip
        lines = (
            f"{name} = '{value}'\n"
            for name, value in {**_SETTINGS, **settings, "port": str(self.port)}.items()
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(lines)
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.folder / "log"), "-w", "-t", "60", "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", how, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, str(self._programs / program), *arguments],
            check=True, capture_output=True, cwd="/", timeout=120,
        )  # fmt: skip

    def url(self, database: str, *, user: str = "recost", password: Optional[str] = PASSWORD) -> str:
        from urllib.parse import quote

        login = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"


def started(**settings: str) -> Cluster:
    """Return a new cluster that ends with this process. Skip the test if there is no PostgreSQL here."""
    pytest.importorskip("psycopg")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="recost-postgresql-"))
    folder.chmod(0o755)
    found = Cluster(programs, folder, **settings)

    def end() -> None:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return found


@functools.lru_cache(maxsize=1)
def cluster() -> Cluster:
    """Return the cluster of this process."""
    return started()


@functools.lru_cache(maxsize=1)
def _numbers() -> list[int]:
    return []


def new_database(on: Optional[Cluster] = None) -> str:
    """Return the URL of a new empty database."""
    import psycopg

    here = on or cluster()
    numbers = _numbers()
    numbers.append(len(numbers))
    name = f"test_{len(numbers)}_{time.monotonic_ns()}"
    with psycopg.connect(here.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return here.url(name)
