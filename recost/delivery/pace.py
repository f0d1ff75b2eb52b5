"""The pace of POSTs: how long a process waits, so that all of a project stay below the limit together.

The destination limits the POSTs of a project in an hour, whatever process makes them. The processes of a
host share their allowance through a file in the local folder. Where it can't be used, each keeps a pace of
its own. While there is enough, nobody waits. When it gets scarce, processes take turns, and windows that wait
are merged.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Callable, Final, Optional, TypeVar

from recost import _files
from recost._late import importing
from recost.delivery.pace_state import PaceState
from recost.errors import RecostError

if TYPE_CHECKING:
    from random import Random

    from recost.delivery.pace_file import PaceFile

__all__ = ["Pace"]

_AT_LEAST_S: Final = 60.0
"""Seconds for which a process counts as one that sends."""
_GRACE_S: Final = 60.0
_SPAN_S: Final = 3600.0
"""Windows are merged up to this length, so that reports by the hour stay right."""
_HELD_BEFORE_REPORT: Final = 3
"""Times in a row that the lock is held until that is reported: a busy machine is nothing to report."""
_NEWCOMERS: Final = 0.125
"""Part of the burst down to which a process that has just begun waits for no turn."""
_Result = TypeVar("_Result")


class Pace:
    """The pace of one process. One thread at a time.

    Args:
        folder: Where the shared file is. Made when it is missing.
        project: Project id, safe as a file name.
        destination: What the windows are meant for. Each has an allowance of its own.
        report: Receives what keeps the file from being used, once.
        own_folder: The folder is recost's own: it must be this user's, and gets mode 0700.
        clock: Seconds since the epoch.
        monotonic: Seconds of a clock that is never set back.
    """

    def __init__(
        self,
        folder: str,
        project: str,
        destination: str,
        *,
        report: Callable[[BaseException], None],
        own_folder: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Optional[Random] = None,
    ) -> None:
        self._folder = folder
        self._project = project
        self._destination = destination
        self._report = report
        self._own_folder = own_folder
        self._clock = clock
        self._monotonic = monotonic
        self._random = random
        self._file: Optional[PaceFile] = None
        self._path = ""
        self._me = os.urandom(8)
        self._shared: Optional[PaceState] = None
        """The shared state at the last change that this process made."""
        self._own: Optional[PaceState] = None
        """The state of this process while it goes on by itself."""
        self._own_at = 0.0
        self._uncounted = 0
        """POSTs that the file does not know of."""
        self._allowed_at = 0.0
        """Time of the latest token that was taken, on the clock of the state."""
        self._last_turn: Optional[float] = None
        self._jitter = 1.0
        self._held = 0
        self._reported: set[str] = set()
        self._limit: Optional[float] = None
        self.apart = 1
        """Number of waiting windows that needn't be merged: POSTs that this process may soon make."""
        self.span_s = _SPAN_S
        """Longest time, in seconds, that a window covers after windows were merged."""

    def take(self, *, urgent: bool = False) -> float:
        """Take a token for a POST. Return 0 if there was one, or the seconds to wait before the next try.

        Args:
            urgent: Don't wait for this process's turn, only for a token. Where the file can't be used, don't
                wait at all.
        """
        return self._changed(lambda state: self._asked(state, urgent=urgent))

    def accepted(self) -> None:
        """Note that a POST was accepted."""
        seen = self._own or self._shared
        if seen is not None and seen.factor > 1:
            self._changed(PaceState.accept)

    def refused(self, rest_s: float) -> None:
        """Note that a POST got a 429, and the seconds in which the destination wants no other."""
        self._changed(lambda state: state.refuse(self._allowed_at, rest_s))

    def learn(self, limit: Optional[float]) -> None:
        """Use a limit on POSTs an hour that the destination has given. None if it has not given any."""
        if limit is not None:
            self._limit = limit

    def _asked(self, state: PaceState, *, urgent: bool) -> float:
        wait_s = self._wait_s(state, urgent=urgent)
        spacing_s = state.spacing_s
        state.meet(self._me, max(_AT_LEAST_S, 2 * spacing_s) if wait_s <= 0 else wait_s + _GRACE_S)
        number = max(len(state.members), 1)
        self.apart = max(int(state.tokens / number), 1)
        self.span_s = max(_SPAN_S, 1.5 * state.turn_s)
        if wait_s > 0:
            return wait_s
        state.tokens -= 1
        self._uncounted += state is self._own
        self._allowed_at = state.now
        self._last_turn, self._jitter = self._monotonic(), self._draw(0.85, 1.15)
        return 0.0

    def _wait_s(self, state: PaceState, *, urgent: bool) -> float:
        """Return the seconds to wait. Waits differ from process to process, so that not all come at once."""
        state.meet(self._me, _GRACE_S)
        if urgent and state is self._own:
            return 0.0
        spacing_s = state.spacing_s
        if state.rest_s > 0:
            return state.rest_s + self._draw(0.0, max(state.turn_s, 1.0))
        if not urgent:
            turn_s = self._turn_s(state, spacing_s)
            if turn_s > 0:
                return turn_s
        if state.tokens >= 1:
            return 0.0
        return (1 - state.tokens) * state.interval_s + self._draw(0.0, max(spacing_s / 2, 1.0))

    def _turn_s(self, state: PaceState, spacing_s: float) -> float:
        """Return the seconds until it is this process's turn."""
        now = self._monotonic()
        if spacing_s <= 0:
            return 0.0
        if self._last_turn is None:
            if state.tokens >= max(state.burst * _NEWCOMERS, 1.0):
                return 0.0
            self._last_turn = now - self._draw(0.0, spacing_s)
        return min(self._last_turn + spacing_s * self._jitter - now, spacing_s * 1.15)

    def _changed(self, step: Callable[[PaceState], _Result]) -> _Result:
        """Apply a step to the shared state, or to this process's own where that is impossible."""

        def counted(state: PaceState) -> _Result:
            state.tokens -= self._uncounted
            if self._limit is not None:
                state.learn(self._limit)
            result = step(state)
            self._shared = state
            return result

        lost = PaceState() if self._shared is None else self._shared.copy()
        try:
            result = self._opened().change(counted, lost=lost)
        except (OSError, ValueError) as error:
            self._cannot(error)
        else:
            self._held, self._uncounted, self._own = 0, 0, None
            return result
        return step(self._alone())

    def _alone(self) -> PaceState:
        """Return this process's own state, as it is now."""
        now = self._monotonic()
        if self._own is None:
            self._own = PaceState() if self._shared is None else self._shared.share()
            self._own_at = now
        self._own.advance(now - self._own_at)
        self._own_at = now
        if self._limit is not None:
            self._own.learn(self._limit)
        return self._own

    def _opened(self) -> PaceFile:
        if self._file is None:
            with importing():
                import hashlib  # noqa: PLC0415 - when something is sent
                from pathlib import Path  # noqa: PLC0415 - the same

                from recost.delivery.pace_file import PaceFile  # noqa: PLC0415 - the same

            digest = hashlib.sha256(self._destination.encode("utf-8", "surrogateescape")).hexdigest()
            path = Path(self._folder, f"{self._project}.{digest[:8]}.pace")
            self._path = os.fspath(path)
            self._file = PaceFile(
                path, own_folder=self._own_folder, clock=self._clock, monotonic=self._monotonic
            )
        return self._file

    def _cannot(self, error: Exception) -> None:
        from recost.delivery.pace_file import HeldError  # noqa: PLC0415 - imported already

        reason = _files.reason_of(error)
        if isinstance(error, HeldError):
            self._held += 1
            if self._held < _HELD_BEFORE_REPORT:
                return
        if reason not in self._reported:
            self._reported.add(reason)
            message = f"cannot share the pace of POSTs through {self._path}: {reason}"
            self._report(RecostError(f"recost: {message}. This process keeps a pace of its own"))

    def _draw(self, least: float, most: float) -> float:
        if self._random is None:
            with importing():
                from random import Random  # noqa: PLC0415 - slow to import

            self._random = Random()  # noqa: S311 - jitter, not a secret
        return self._random.uniform(least, most)
