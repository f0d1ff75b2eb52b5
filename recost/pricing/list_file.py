"""The price list of a running process: read at the first need, and again when its file has changed."""

from __future__ import annotations

from datetime import date
from typing import Callable, Optional

from recost._text import printable
from recost.pricing.list_place import ListPlace
from recost.pricing.price_list import PriceList, PriceListError, is_superseded, read_list

__all__ = ["ListFile"]

_Signature = tuple[int, int, int]


class ListFile:
    """The file in which a list may be. Not locked: one thread at a time.

    Args:
        place: Where it is.
        tell: Receives what is wrong with it, once for each content.
    """

    def __init__(self, place: ListPlace, tell: Callable[[str, Exception], None]) -> None:
        self._place = place
        self._tell = tell
        self._seen: Optional[_Signature] = None

    def changed(self) -> bool:
        """Tell whether the file is another one than when it was read."""
        return self._signature() != self._seen

    def read(self, today: date) -> tuple[Optional[PriceList], bool]:
        """Return the list, None for the one that genai-prices comes with; and whether that is to be used.

        False: what is there now can't be used, so whatever was in use before stays.
        """
        signature = self._seen = self._signature()
        if signature is None and not self._place.chosen:
            return None, True
        try:
            found = read_list(self._place.path, today)
        except PriceListError as error:
            self._tell(f"price list {printable(str(self._place.path))}: {error}; it is not used", error)
            return None, False
        return (None if is_superseded(self._place, found.day, today) else found), True

    def _signature(self) -> Optional[_Signature]:
        try:
            status = self._place.path.stat()
        except (OSError, ValueError):
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino
