"""SQL that differs between engines, one method for each difference. DuckDB's, from which others derive.

Arguments and results are SQL texts. User input is never part of them. It is bound as parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, ClassVar, Final, Union

from recost.analytics.ingest.tables import PARTS, Parts
from recost.globs import Wild

__all__ = ["DUCKDB", "Dialect"]

Pattern = Sequence[Union[str, Wild]]
"""The literal texts and wildcards of a filter."""


class Dialect:
    """DuckDB's SQL over the columnar copy."""

    parts: ClassVar[Mapping[str, Parts]] = PARTS
    """The breakdowns by kind."""
    metrics = "metrics"
    """The rows of the metrics, each once, as a table."""
    windows = ""
    """The lines of windows. None if the engine does not store them."""
    projects = "selected"
    """The table with the project of each ``source``."""
    real = "DOUBLE"
    """The type of floats."""
    whole = "{}"
    """A regular expression around another one, for `full_match`."""
    has_quarters = True
    """True if there are sums by quarters of an hour."""
    knows_zones = True
    """True if it has ``timezone(name, instant)``."""

    def source(self, source: Any, parameters: list[Any]) -> str:  # noqa: ARG002 - of others
        """Return a value of ``source``."""
        return str(source)

    def absent(self, name: str) -> str:  # noqa: ARG002 - of others
        """Return the name of calls that belong to no part of a breakdown."""
        return "NULL"

    def line(self, stored: Any) -> bytes:
        """Return a line of a window as it was sent."""
        raise NotImplementedError

    def arrived_within(self, seconds: int) -> str:
        """Return the condition that a window arrived in the last seconds."""
        return f"arrived >= now() - INTERVAL '{seconds} seconds'"

    def bind(self, parameters: list[Any], value: Any) -> str:
        """Add a parameter, and return its place in the statement."""
        parameters.append(value)
        return "?"

    def moment(self, at: datetime) -> str:
        """Return an instant, in UTC."""
        return f"TIMESTAMP '{at.astimezone(timezone.utc).replace(tzinfo=None).isoformat(' ')}'"

    def later(self, started: str, microseconds: str) -> str:
        """Return an instant that is some microseconds later."""
        return f"({started} + to_microseconds({microseconds}))"

    def microseconds(self, started: str) -> str:
        """Return the microseconds since the epoch."""
        return f"epoch_us({started})"

    def divided(self, number: str, by: int) -> str:
        """Return an integer that is not negative, divided and rounded down."""
        return f"{number} // {by}"

    def start_of(self, unit: str, local: str) -> str:
        """Return the start of the minute, hour, day, week or month of a local time."""
        return f"date_trunc('{unit}', {local})"

    def matches(self, column: str, pattern: Pattern, parameters: list[Any]) -> str:
        """Return the condition that a column matches a filter, in linear time. ``LIKE`` takes longer."""
        parts = (".*" if isinstance(part, Wild) else self.quoted(part) for part in pattern)
        return self.full_match(column, self.bind(parameters, self.whole.format("".join(parts))))

    def full_match(self, column: str, expression: str) -> str:
        """Return the condition that a regular expression matches all of a column."""
        return f"regexp_full_match({column}, {expression}, 's')"

    def quoted(self, text: str) -> str:
        """Return a regular expression that matches a text."""
        return re.sub(r"[^A-Za-z0-9]", lambda found: f"\\x{{{ord(found[0]):x}}}", text)

    def tag(self, tags: str, name: str) -> str:
        """Return the value of a tag, or NULL."""
        return f"map_extract({tags}, {name})[1]"

    def tag_names(self, tags: str) -> str:
        """Return a row for the name of each tag."""
        return f"unnest(map_keys({tags}))"

    def total(self, values: str) -> str:
        """Return a sum that neither rounds nor overflows."""
        return f"sum({values})"


DUCKDB: Final = Dialect()
