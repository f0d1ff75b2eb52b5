"""The lines of windows in a database, as they were sent."""

from __future__ import annotations

import zlib
from typing import Any, Optional

from recost.analytics.store import Readings

__all__ = ["latest"]


def latest(readings: Readings, project: str, limit: int, environment: Optional[str] = None) -> list[bytes]:
    """Return the lines of the latest windows of a project, without line feeds, the latest first."""
    dialect = readings.dialect
    parameters: list[Any] = []
    where = f"project = {dialect.bind(parameters, project)}"
    if environment is not None:
        where += f" AND environment = {dialect.bind(parameters, environment)}"
    rows = readings.connection.execute(
        f"SELECT line FROM {dialect.windows} JOIN {dialect.projects} USING (source) WHERE {where} "
        f"ORDER BY number DESC LIMIT {limit}",
        parameters,
    )
    return [zlib.decompress(line) for (line,) in rows.fetchall()]
