"""Which rows of the columnar copy are asked for, by file; when the first and the last began."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Optional

from recost.analytics.cache import Readings

__all__ = ["Scope", "scope_of"]


@dataclass(frozen=True)
class Scope:
    """The files that were asked for, as the columnar copy has them."""

    projects: dict[int, str]
    """By the number of the source."""
    everything: bool
    """There is nothing else in the copy."""
    first: datetime
    """When the first window began, in UTC."""
    last: datetime


def scope_of(readings: Readings) -> Optional[Scope]:
    """Return what was asked for; None when there are no rows.

    The table ``selected`` has the numbers and projects of the files from then on.
    """
    projects = {readings.known[source.path].source: source.project for source in readings.sources}
    connection = readings.connection
    connection.execute("CREATE OR REPLACE TEMP TABLE selected (source INTEGER, project VARCHAR)")
    if projects:
        connection.executemany("INSERT INTO selected VALUES (?, ?)", list(projects.items()))
    first, last = connection.execute("SELECT min(started), max(started) FROM metrics").fetchone()
    if first is None:
        return None
    known = {source for (source,) in connection.execute("SELECT source FROM sources").fetchall()}
    bounds = (moment.replace(tzinfo=timezone.utc) for moment in (first, last))
    return Scope(projects, known <= projects.keys(), *bounds)
