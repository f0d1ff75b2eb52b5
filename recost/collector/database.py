"""The latest windows of a project, and sums over a period, read from a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone
from decimal import Decimal
from typing import Any, Optional

from recost._money import EXACT
from recost.analytics.databases.reading import database
from recost.analytics.databases.url import StoreUrl
from recost.analytics.databases.windows import latest
from recost.analytics.ingest.tables import MEASURES
from recost.analytics.periods import Period, PeriodError
from recost.analytics.query import Question, exactly
from recost.analytics.sql import Statement
from recost.analytics.store import select_files
from recost.collector.reading import MAX_GROUPS, TooSlowError, WindowFilter
from recost.wire import format_timestamp

__all__ = ["DatabaseReader"]


class DatabaseReader:
    """A database of windows.

    Args:
        url: The database.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._url = url

    def recent(self, project: str, limit: int, environment: Optional[str]) -> list[bytes]:
        """Return the JSON of the latest windows, the latest first.

        Raises:
            DatabaseError: The database cannot be read.
        """
        with database(self._url) as found:
            return latest(found, project, limit, environment)

    def analytics(self, project: str, interval: str, period: WindowFilter) -> list[dict[str, Any]]:
        """Return the sums by day (UTC) or by start of the windows, in their order.

        Raises:
            DatabaseError: The database cannot be read.
            TooSlowError: There are more than 100,000 intervals.
        """
        try:
            span = Period(period.since, period.until)
        except PeriodError:  # it ends before it begins
            return []
        question = Question(
            by=(),
            period=span,
            providers=() if period.provider is None else (exactly(period.provider),),
            environments=() if period.environment is None else (exactly(period.environment),),
            projects=(exactly(project),),
        )
        with database(self._url) as found:
            selection = select_files(found)
            if selection is None:
                return []
            dialect = found.dialect
            start = dialect.start_of("day", "started") if interval == "day" else "started"
            text, parameters = Statement(question, selection, dialect).groups(start)
            result = found.connection.execute(f"{text} LIMIT {MAX_GROUPS + 1}", parameters)
            rows = result.fetchall()
        if len(rows) > MAX_GROUPS:
            raise TooSlowError
        return [_sums(row, interval) for row in sorted(rows, key=lambda row: row[1])]


def _sums(row: Sequence[Any], interval: str) -> dict[str, Any]:
    _, start, *values = row
    sums = dict(zip(MEASURES, values))
    at = format_timestamp(start.replace(tzinfo=timezone.utc).timestamp() * 1000)
    return {
        "interval": at[:10] if interval == "day" else at,
        "requestCount": int(sums["calls"]),
        "errorCount": int(sums["errors"]),
        "totalRequestBytes": int(sums["bytes_up"]),
        "totalResponseBytes": int(sums["bytes_down"]),
        "estimatedCostCents": float(EXACT.create_decimal(sums["cost"] or Decimal(0))),
        "unpricedCount": int(sums["unpriced"]),
    }
