"""Pieces of long bodies that wait, as they came, for recost's thread to skim them.

Skimming takes 1 to 8 ms for each megabyte. So the caller's thread only refers to the pieces, while there is
room for them. All calls of a process share `ROOM` bytes. One call may have `_ROOM_OF_CALL` of them. Without
room, the oldest pieces of the call are skimmed on the caller's thread, as many as new ones come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import repeat, starmap
from typing import Any, Final, Optional

__all__ = ["ROOM", "Backlog", "Reservation", "reserve"]

ROOM: Final = 4 * 1024 * 1024
"""Bytes of long bodies that may wait in one process."""
_ROOM_OF_CALL: Final = 1536 * 1024
_UNIT: Final = 16 * 1024
"""Bytes by which room is counted."""

_free: Final = deque([None] * (ROOM // _UNIT))
"""One entry for each unit of free room. Taking and returning one is atomic, and waits for nothing."""


class Reservation:
    """Room that is reserved until this object is freed, whatever happens to its call."""

    __slots__ = ("units",)

    def __init__(self) -> None:
        self.units: list[None] = []
        """One entry for each reserved unit."""

    def __del__(self, _give_back: Any = _free.extend) -> None:
        _give_back(self.units)


def reserve(size: int) -> Optional[Reservation]:
    """Reserve room for a number of bytes. Return None if there is not enough."""
    wanted = -(-size // _UNIT)
    if size > _ROOM_OF_CALL or wanted > len(_free):
        return None
    reservation = Reservation()
    try:
        reservation.units.extend(starmap(_free.pop, repeat((), wanted)))
    except IndexError:  # another thread was faster: the units so far are given back
        return None
    return reservation


class Backlog:
    """The waiting pieces of one body, in order."""

    __slots__ = ("_pieces", "nbytes")

    def __init__(self) -> None:
        self._pieces: deque[tuple[Any, Reservation]] = deque()
        self.nbytes = 0
        """Bytes in memory."""

    def add(self, pieces: list[Any]) -> Iterable[Any]:
        """Add pieces. Return those to be skimmed now, oldest first."""
        size = sum(map(len, pieces))
        displaced: list[Any] = []
        while True:
            reserved = reserve(size) if self.nbytes + size <= _ROOM_OF_CALL else None
            if reserved is not None:
                joined = pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else b"".join(pieces)
                self._pieces.append((joined, reserved))
                self.nbytes += size
                return displaced
            if not self._pieces:
                return [*displaced, *pieces]
            displaced.append(self.pop())

    def pop(self) -> Any:
        """Remove and return the oldest piece, which frees its room."""
        piece, _ = self._pieces.popleft()
        self.nbytes -= len(piece)
        return piece

    def __len__(self) -> int:
        return len(self._pieces)
