"""A check of the local file and the local WebSocket."""

from __future__ import annotations

import secrets
import socket
import stat
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from recost._text import printable
from recost._version import __version__
from recost.cli.doctor.findings import CheckLines
from recost.delivery.transports.base import SendError
from recost.delivery.transports.file import FileTransport
from recost.events import MetricEntry, WindowSummary

if TYPE_CHECKING:
    from recost.config import Settings

__all__ = ["check_file", "check_websocket"]

_WAIT_S = 2.0


def check_file(settings: Settings) -> CheckLines:
    """Write a test summary beside the local file, and remove it."""
    folder = Path(settings.local_dir)
    path = folder / f"{settings.project_id or 'default'}.jsonl"
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    found = CheckLines(
        [
            printable(f"file    {path}"),
            f"folder  {_rights(folder) or 'created by the first write, mode 0700'}",
        ]
    )
    found.problems += _what_is_there(path)
    trial = FileTransport(folder, f"doctor-{secrets.token_hex(8)}", max_bytes=settings.local_max_bytes)
    try:
        trial.send(_summary(), _WAIT_S)
        if trial.path.read_bytes().count(b"\n") != 1:
            found.problems.append(f"the test summary in {folder} differs from what was written")
    except (SendError, OSError) as error:
        found.problems.append(str(error.error if isinstance(error, SendError) else error))
    finally:
        with suppress(OSError):
            trial.path.unlink()
        for made in missing:
            with suppress(OSError):
                made.rmdir()
    if not found.problems:
        found.lines.append("write   a test summary was written, read and removed")
    return found


def check_websocket(settings: Settings) -> CheckLines:
    """Check whether a server listens at the local WebSocket."""
    address = f"ws://127.0.0.1:{settings.local_port}"
    found = CheckLines([f"socket  {address}"])
    if find_spec("websockets") is None:
        found.problems.append(
            "local_transport='ws' needs the websockets package: pip install 'recost[local]'"
        )
    try:
        socket.create_connection(("127.0.0.1", settings.local_port), _WAIT_S).close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        found.problems.append(
            f"nothing listens at {address} ({reason}): start a server, or set local_transport='file'"
        )
    else:
        found.lines.append("listen  a server listens")
    return found


def _rights(folder: Path) -> str:
    try:
        status = folder.stat()
    except OSError:
        return ""
    rights = f"{stat.filemode(status.st_mode)} ({stat.S_IMODE(status.st_mode):04o})"
    others = ", other users can read it" if status.st_mode & 0o077 else ""
    return f"{rights}{others}"


def _what_is_there(path: Path) -> list[str]:
    """Return why an existing file cannot be written."""
    try:
        mode = path.lstat().st_mode
    except OSError:  # missing, which is fine, or out of reach, which the test write reports
        return []
    if stat.S_ISLNK(mode):
        return [f"{path} is a symbolic link, which recost does not write through"]
    if not stat.S_ISREG(mode):
        return [f"{path} is not a file"]
    try:
        with path.open("ab"):
            return []
    except OSError as error:
        return [f"{path} cannot be written: {error.strerror}"]


def _summary() -> WindowSummary:
    now = time.time() * 1000
    metric = MetricEntry("recost", "doctor", "GET", 1, 0, 1.0, 1.0, 1.0, 0, 0, 0.0)
    return WindowSummary("", "doctor", "python", __version__, now, now + 1, (metric,))
