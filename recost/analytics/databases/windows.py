"""The lines of windows in a database, as they were sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Callable, Final, Optional

from recost.analytics.databases.reading import database
from recost.analytics.databases.url import StoreUrl
from recost.analytics.store import Readings

__all__ = ["ArrivalFollower", "latest", "state"]

_LATE_S: Final = 30
"""The time within which a window that arrived is committed, or never."""
_EVERY_S: Final = 1.0
_AT_ONCE: Final = 1000


def latest(readings: Readings, project: str, limit: int, environment: Optional[str] = None) -> list[bytes]:
    """Return the lines of the latest windows of a project, without line feeds, the latest first."""
    dialect = readings.dialect
    parameters: list[Any] = []
    where = f"project = {dialect.bind(parameters, project)}"
    if environment is not None:
        where += f" AND environment = {dialect.bind(parameters, environment)}"
    rows = readings.connection.execute(
        f"SELECT line FROM {dialect.windows} JOIN {dialect.projects} USING (source) WHERE {where} "
        f"ORDER BY arrived DESC, number DESC LIMIT {limit}",
        parameters,
    )
    return [dialect.line(line) for (line,) in rows.fetchall()]


def state(readings: Readings) -> str:
    """Return a text that changes when windows arrive, also those that are committed late."""
    dialect = readings.dialect
    last, late = readings.connection.execute(
        f"SELECT (SELECT max(arrived) FROM {dialect.windows}), "
        f"(SELECT count(*) FROM {dialect.windows} WHERE {dialect.arrived_within(_LATE_S)})"
    ).fetchone()
    return f"{last}-{late}"


class ArrivalFollower:
    """A reader of the windows that arrive in a database.

    Args:
        url: The database.
        over: How far back it begins.
        clock: Seconds, for tests.
    """

    def __init__(self, url: StoreUrl, over: timedelta, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._over_s = int(over.total_seconds())
        self._clock = clock
        self._read_at = 0.0
        self._seen: dict[Any, datetime] = {}
        """The arrival of each window that was returned, by number."""

    def start_after(self, old: Callable[[bytes], bool]) -> Iterator[tuple[str, bytes]]:
        """Yield project and line of the windows that arrived in the span, and follow from there."""
        return ((project, line) for project, line in self._arrived(self._over_s) if not old(line))

    def news(self) -> Iterator[tuple[str, bytes]]:
        """Yield project and line of the windows that arrived since, at most once a second.

        Raises:
            DatabaseError: The database cannot be used.
        """
        passed_s = self._clock() - self._read_at
        return self._arrived(int(passed_s) + _LATE_S) if passed_s >= _EVERY_S else iter(())

    def close(self) -> None:
        """Forget everything."""
        self._seen.clear()

    def _arrived(self, seconds: int) -> Iterator[tuple[str, bytes]]:
        self._read_at = self._clock()
        with database(self._url) as found:
            dialect = found.dialect
            result = found.connection.execute(
                f"SELECT number, arrived, project, line FROM {dialect.windows} JOIN {dialect.projects} "
                f"USING (source) WHERE {dialect.arrived_within(seconds)}"
            )
            latest: Optional[datetime] = None
            while rows := result.fetchmany(_AT_ONCE):
                for number, arrived, project, line in rows:
                    latest = arrived if latest is None else max(latest, arrived)
                    if number not in self._seen:
                        self._seen[number] = arrived
                        yield project, dialect.line(line)
        if latest is not None:
            oldest = latest - timedelta(seconds=4 * _LATE_S)
            self._seen = {number: at for number, at in self._seen.items() if at >= oldest}
