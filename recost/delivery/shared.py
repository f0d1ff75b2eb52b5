"""A closed window that several destinations have: one may merge it, and the others keep theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from recost.delivery.outbox import PendingWindow

if TYPE_CHECKING:
    from recost.events import WindowSummary

__all__ = ["ClosedWindow", "SharedWindow"]


class ClosedWindow(PendingWindow, Protocol):
    """The interface of a closed window that can be shared."""

    def freeze(self) -> None:
        """Finish its sums: from now on, reading changes nothing in it."""
        ...

    def copy(self) -> Any:
        """Return a window with the same calls, which has nothing in common with this one."""
        ...


class SharedWindow:
    """The window as one destination has it. The calls are copied when it is merged, and not before.

    Args:
        window: A window after `ClosedWindow.freeze`. Other threads read it, too.
        window_id: The id that every destination sends it with.
    """

    __slots__ = ("_own", "_window", "window_id")

    def __init__(self, window: ClosedWindow, window_id: str) -> None:
        self._window: Any = window
        self._own = False
        """True for a copy, which nobody else has."""
        self.window_id = window_id
        """Empty once its content is not that of the other destinations any more: it gets an id of its own."""

    @property
    def bucket_count(self) -> int:
        """Number of metrics that its summary will have."""
        count: int = self._window.bucket_count
        return count

    @property
    def call_count(self) -> int:
        """Number of calls in it."""
        count: int = self._window.call_count
        return count

    @property
    def nbytes(self) -> int:
        """Approximate size in memory, as if no other destination had it."""
        size: int = self._window.nbytes
        return size

    def merge(self, other: SharedWindow) -> None:
        """Absorb another window."""
        window = self._copied()
        window.merge(other._copied())
        self._window, self._own, self.window_id = window, True, ""

    def split(self, limit: int) -> list[SharedWindow]:
        """Return windows of at most ``limit`` metrics that add up to this one."""
        parts = self._window.split(limit)
        return [self] if len(parts) == 1 else [SharedWindow(part, "") for part in parts]

    def summary(self) -> WindowSummary:
        """Return the window as it is sent."""
        summary: WindowSummary = self._window.summary()
        return summary

    def _copied(self) -> Any:
        return self._window if self._own else self._window.copy()
