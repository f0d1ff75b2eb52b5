"""The work at the start: torn lines are mended, and the ids of lines that the index lacks are added."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from typing import Final, Optional

from recost import _files
from recost.analytics.ingest.sources import Source
from recost.collector.stores.appending import Position, mended, position_at
from recost.collector.stores.ids import WindowIds, key_of
from recost.collector.windows import window_id_of
from recost.wire.parsing import MAX_LINE_BYTES

__all__ = ["recover"]

_LOCK_WITHIN_S: Final = 30.0
_AT_ONCE: Final = 10_000
_NOT_OURS: Final = frozenset({errno.ELOOP, errno.EMLINK, errno.EACCES, errno.EPERM})


def recover(sources: Sequence[Source], ids: WindowIds) -> None:
    """Mend the files, and complete the ids.

    Args:
        sources: The files of windows. Compressed ones, and those of other users, are left alone.
        ids: The index.

    Raises:
        OSError: A file cannot be read or mended, or another process holds its lock.
        sqlite3.Error: The index cannot be written.
    """
    present = []
    for source in sources:
        if not source.compressed:
            inode = _recover(source, ids)
            present += [] if inode is None else [inode]
    ids.forget_files(present)


def _recover(source: Source, ids: WindowIds) -> Optional[int]:
    """Return the inode of a file whose ids are complete, or None for one that a collector does not write."""
    deadline = time.monotonic() + _LOCK_WITHIN_S
    try:
        file = _files.hold(source.path, os.O_RDWR | os.O_APPEND, deadline)
    except (FileNotFoundError, _files.UnusableFileError):
        return None
    except OSError as error:
        if error.errno in _NOT_OURS:
            return None
        raise
    with file:
        if file.acquired is False:
            raise OSError(errno.EAGAIN, "another process holds its lock", str(source.path))
        size = mended(file.fd)
        inode = os.fstat(file.fd).st_ino
        _index(source.project, file.fd, _known_until(file.fd, ids.position_in(inode), size), ids)
        return inode


def _known_until(fd: int, known: Optional[Position], size: int) -> int:
    if known is None or known.offset > size or position_at(fd, known.offset) != known:
        return 0
    return known.offset


def _index(project: str, fd: int, offset: int, ids: WindowIds) -> None:
    """Add the ids of the lines after an offset."""
    keys: list[bytes] = []
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(offset)
        while line := file.readline(MAX_LINE_BYTES + 1):
            offset += len(line)
            window_id = window_id_of(line)
            if window_id is not None:
                keys.append(key_of(project, window_id))
            if len(keys) >= _AT_ONCE:
                ids.add(keys, [position_at(fd, offset)])
                keys.clear()
                file.seek(offset)  # the two descriptors share their position
    ids.add(keys, [position_at(fd, offset)])
