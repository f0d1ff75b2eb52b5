"""The file through which the processes of a host share their pace: a few numbers under a lock.

It holds the readings of two clocks, the system's time and a monotonic one. Of what has passed on either since
the last change, the lesser counts: a clock that is set, a restart of the host or another host that shares the
folder makes the pace slower for one step, and never faster.
"""

from __future__ import annotations

import os
import struct
import time
from binascii import crc32
from typing import TYPE_CHECKING, Callable, Final, TypeVar

from recost import _files, _folders
from recost._pacing import SLEEPS
from recost.delivery.pace_state import MAX_MEMBERS, PaceState

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MEMBER_BYTES", "DamagedError", "HeldError", "PaceFile"]

_LOCK_S: Final = 0.05 if SLEEPS else 0.0
"""Longest wait for the lock, which others hold for a fraction of a millisecond. Greenlets don't wait."""
_MAGIC: Final = b"recpace1"
_CHECKED: Final = struct.Struct("<8sI")
_NUMBERS: Final = struct.Struct("<8d")
_MEMBER: Final = struct.Struct("<8sd")
MEMBER_BYTES: Final = 8
_LONGEST: Final = _CHECKED.size + _NUMBERS.size + MAX_MEMBERS * _MEMBER.size
_Result = TypeVar("_Result")


class HeldError(_files.UnusableFileError):
    """The error of a file whose lock another process keeps."""


class DamagedError(_files.UnusableFileError):
    """The error of a file that has other content than recost writes."""


class PaceFile:
    """The shared state of a project and destination.

    Args:
        path: The file. Its folder is made when it is missing.
        own_folder: The folder is recost's own: it must be this user's, and gets mode 0700.
        clock: Seconds since the epoch.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        path: Path,
        *,
        own_folder: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._own_folder = own_folder
        self._clock = clock
        self._monotonic = monotonic

    def change(self, step: Callable[[PaceState], _Result], *, lost: PaceState) -> _Result:
        """Apply a step to the state, alone among all processes. Return its result.

        Args:
            step: Changes the state, and takes no time.
            lost: The state to begin with where the file is new. It is changed.

        Raises:
            HeldError: Another process keeps the lock. Nothing is changed.
            DamagedError: The content is invalid, and was replaced by ``lost``. The step was not applied.
            OSError: The file can't be used.
        """
        with self._hold() as file:
            if file.acquired is None:
                raise _files.UnusableFileError("files can't be locked there")
            if not file.acquired:
                raise HeldError("another process holds its lock")
            if not file.is_current():  # removed meanwhile: the next one is another file
                raise HeldError("it has just been removed")
            wall, monotonic = self._clock(), self._monotonic()
            data = os.read(file.fd, _LONGEST + 1)
            state = lost
            try:
                if data:
                    state = _decode(data, wall, monotonic)
            except (struct.error, ValueError):
                _write(file.fd, _encode(lost, wall, monotonic))
                raise DamagedError("its content is damaged, and was replaced") from None
            result = step(state)
            _write(file.fd, _encode(state, wall, monotonic))
            return result

    def _hold(self) -> _files.LockedFile:
        deadline = time.monotonic() + _LOCK_S
        try:
            return _files.hold(self._path, os.O_RDWR | os.O_CREAT, deadline)
        except FileNotFoundError:
            _folders.make_folder(self._path.parent, own=self._own_folder)
            return _files.hold(self._path, os.O_RDWR | os.O_CREAT, deadline)


def _encode(state: PaceState, wall: float, monotonic: float) -> bytes:
    numbers = _NUMBERS.pack(
        wall,
        monotonic,
        state.now,
        state.limit,
        state.factor,
        state.tokens,
        state.rest_until,
        state.raised_at,
    )
    content = numbers + b"".join(_MEMBER.pack(*each) for each in state.members.items())
    return _CHECKED.pack(_MAGIC, crc32(content)) + content


def _decode(data: bytes, wall: float, monotonic: float) -> PaceState:
    """Return the state as it is now.

    Raises:
        ValueError: Something else is in the file.
        struct.error: The same.
    """
    magic, checksum = _CHECKED.unpack_from(data)
    content = data[_CHECKED.size :]
    if magic != _MAGIC or checksum != crc32(content) or len(data) > _LONGEST:
        raise ValueError("not a state")
    state = PaceState()
    wall_before, monotonic_before, *numbers = _NUMBERS.unpack_from(content)
    state.now, state.limit, state.factor, state.tokens, state.rest_until, state.raised_at = numbers
    state.members = dict(_MEMBER.iter_unpack(content[_NUMBERS.size :]))
    if not state.is_valid():
        raise ValueError("not a state")
    elapsed_s = min(wall - wall_before, monotonic - monotonic_before)
    if elapsed_s > 0:  # not a number is not
        state.advance(elapsed_s)
    return state


def _write(fd: int, data: bytes) -> None:
    """Replace the content. If that is cut off, the next reader finds it damaged."""
    os.lseek(fd, 0, os.SEEK_SET)
    _files.write_all(fd, data)
    os.ftruncate(fd, len(data))
