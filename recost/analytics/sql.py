"""Translation of questions into SQL over the columnar copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final, Optional, Union

from recost.analytics.dialect import DUCKDB, Dialect
from recost.analytics.engine import literal
from recost.analytics.ingest.tables import MEASURES, QUARTER, Parts
from recost.analytics.periods import Period
from recost.analytics.query import TIMES, Question, tag_of
from recost.analytics.store import Selection
from recost.analytics.zones import has_whole_quarters, into_quarter, local_time, microseconds
from recost.globs import ANYTHING, Glob, Wild

__all__ = ["OTHER", "Statement", "is_like"]

OTHER: Final = "(other)"
"""The value of each tag for tag sets beyond the limit of the SDK."""

_ZERO: Final = timedelta(0)
_PARTS: Final = re.compile(r"\\[*\\]|\*|[^*\\]+|\\")
"""The parts of a filter: escaped stars and backslashes, wildcards, and other text."""
_OF_QUARTERS: Final = ("source", "started", "environment", "provider")
_IN_NO_QUARTER: Final = frozenset({"endpoint", "method", "minute"})
"""The dimensions that the sums by quarters of an hour do not have."""
_PLAIN: Final = ("source", "started", "environment", "provider", "endpoint", "method")


class Statement:
    """The SQL of a question, and its parameters."""

    def __init__(self, question: Question, selection: Selection, dialect: Dialect = DUCKDB) -> None:
        self._question = question
        self._selection = selection
        self._dialect = dialect
        self._parameters: list[Any] = []

    def groups(self, extra: str = "") -> tuple[str, list[Any]]:
        """Return SQL with one row per group: names, whether it is in the compared period, and sums."""
        self._parameters = []
        relation = (None if extra else self._quarters()) or self._rows(_PLAIN, self._dialect.metrics)
        keys = [f"{self._key(name)} AS k{index}" for index, name in enumerate(self._question.by)]
        where = self._where()
        sums = ", ".join(f"{self._dialect.total(f'found.{name}')} AS {name}" for name in MEASURES)
        keys.append(f"{self._earlier()} AS earlier")
        if extra:
            keys.append(extra)
        text = f"SELECT {', '.join(keys)}, {sums} FROM ({relation}) AS found {self._join()} {where}"
        return f"{text} GROUP BY {', '.join(str(index + 1) for index in range(len(keys)))}", self._parameters

    def _join(self) -> str:
        return f"JOIN {self._dialect.projects} USING (source)" if "project" in self._question.by else ""

    def conditions(self) -> tuple[str, list[Any]]:
        """Return the ``WHERE`` of the period and the filters."""
        self._parameters = []
        return self._where(), self._parameters

    def _rows(self, columns: Sequence[str], table: str) -> str:
        """Return SQL for rows, or for the parts of a breakdown and one row for the rest, without a name."""
        kind = self._question.breakdown
        whole = table == self._dialect.metrics
        measures = _measured() if whole else list(MEASURES)
        if kind is None:
            return f"SELECT {', '.join((*columns, *measures))} FROM {table}"
        parts = self._dialect.parts[kind]
        nameless = [f"{self._dialect.absent(name)} AS {name}" for name in parts.names]
        return " UNION ALL ".join(
            (
                _of_parts(columns, parts, None, whole=whole),
                f"SELECT {', '.join((*columns, *nameless, *measures))} FROM {table}",
                _of_parts(columns, parts, nameless, whole=whole),
            )
        )

    def _quarters(self) -> Optional[str]:
        """Return SQL for sums by quarters of an hour, and for metrics in quarters that a period cuts.

        None if the question needs more detail.
        """
        question = self._question
        if not self._dialect.has_quarters or question.endpoints or _IN_NO_QUARTER.intersection(question.by):
            return None
        if any(name in TIMES for name in question.by) and (
            self._moved() % QUARTER
            or not has_whole_quarters(question.zone, self._selection.first, self._last())
        ):
            return None
        before = question.compare or Period()
        cuts = []
        for at in (before.since, before.until, question.period.since, question.period.until):
            after = _ZERO if at is None else into_quarter(at)
            if at is not None and after:
                begins = at.astimezone(timezone.utc) - after
                first, last = (self._dialect.moment(each) for each in (begins, begins + QUARTER))
                cuts.append(f"started >= {first} AND started < {last}")
        sums = self._rows(_OF_QUARTERS, "quarters")
        if not cuts:
            return sums
        metrics = self._rows(_OF_QUARTERS, self._dialect.metrics)
        cut = " OR ".join(cuts)
        return f"SELECT * FROM ({sums}) WHERE NOT ({cut}) UNION ALL SELECT * FROM ({metrics}) WHERE {cut}"

    def _key(self, name: str) -> str:
        tag = tag_of(name)
        if tag is not None:
            value = self._dialect.tag("tagged", self._dialect.bind(self._parameters, tag))
            return f"CASE WHEN other THEN {literal(OTHER)} ELSE {value} END"
        if name in TIMES:
            return self._dialect.start_of(name, self._local())
        return name

    def _local(self) -> str:
        """Return SQL for the local start of a window, shifted from the compared period into this one."""
        started = "started"
        if self._question.shift() is not None:
            moved = f"CASE WHEN {self._earlier()} THEN {microseconds(self._moved())} ELSE 0 END"
            started = self._dialect.later(started, moved)
        return local_time(started, self._question.zone, self._selection.first, self._last(), self._dialect)

    def _last(self) -> datetime:
        return max(self._selection.last, self._question.period.until or self._selection.last)

    def _moved(self) -> timedelta:
        """Return by how much the compared period is earlier."""
        shift = self._question.shift()
        if shift is None:
            return _ZERO
        before, since = (at.astimezone(timezone.utc) for at in shift)
        return since - before

    def _earlier(self) -> str:
        shift = self._question.shift()
        return "false" if shift is None else f"started < {self._dialect.moment(shift[1])}"

    def _where(self) -> str:
        question = self._question
        start = question.period.since if question.compare is None else question.compare.since
        bounds = ((start, ">="), (question.period.until, "<"))
        conditions = [
            f"started {comparison} {self._dialect.moment(at)}" for at, comparison in bounds if at is not None
        ]
        conditions += self._gap()
        for column, wanted in (
            ("provider", question.providers),
            ("endpoint", question.endpoints),
            ("environment", question.environments),
            ("model", question.models),
        ):
            conditions += self._any_of(column, wanted)
        for name in dict.fromkeys(name for name, _ in question.tags):
            values = [value for other, value in question.tags if other == name]
            conditions += self._any_of("tagged", values, name)
        conditions += self._of_sources()
        return f"WHERE {' AND '.join(conditions)}" if conditions else ""

    def _gap(self) -> list[str]:
        """Return the condition that excludes the time between the compared period and this one."""
        before, since = self._question.compare, self._question.period.since
        if before is None or before.until is None or since is None or before.until >= since:
            return []
        first, last = (self._dialect.moment(each) for each in (before.until, since))
        return [f"NOT (started >= {first} AND started < {last})"]

    def _of_sources(self) -> list[str]:
        wanted = self._question.projects
        if not wanted and self._selection.everything:
            return []
        sources = [
            source
            for source, project in self._selection.projects.items()
            if not wanted or any(is_like(project, each) for each in wanted)
        ]
        listed = [self._dialect.source(source, self._parameters) for source in sources]
        return [f"source IN ({', '.join(listed) or 'NULL'})"]

    def _any_of(self, column: str, wanted: Sequence[str], name: Optional[str] = None) -> list[str]:
        if not wanted:
            return []
        tests = []
        for each in wanted:
            tested = column
            if name is not None:
                tested = self._dialect.tag(column, self._dialect.bind(self._parameters, name))
            parts = list(_parts(each))
            if any(isinstance(part, Wild) for part in parts):
                tests.append(self._dialect.matches(tested, parts, self._parameters))
            else:
                tests.append(f"{tested} = {self._dialect.bind(self._parameters, ''.join(map(str, parts)))}")
        return [f"({' OR '.join(tests)})"]


def _of_parts(columns: Sequence[str], parts: Parts, nameless: Optional[Sequence[str]], *, whole: bool) -> str:
    """Return SQL for the sums of the parts by name or, without names, for their deduction from the rest.

    ``whole`` reads metrics, not the sums by quarters of an hour.
    """
    if whole:
        rows, known = parts.rows.format(where=""), parts.measures
        named = [f"{what} AS {name}" for name, what in parts.names.items()]
    else:
        rows, known = parts.table, {name: name for name in parts.measures}
        named = list(parts.names)
    names, sign = (named, "+") if nameless is None else (nameless, "-")
    measures = [f"{sign}{known[name]} AS {name}" if name in known else f"NULL AS {name}" for name in MEASURES]
    return f"SELECT {', '.join((*columns, *names, *measures))} FROM {rows}"


def _measured() -> list[str]:
    return [f"{what} AS {name}" for name, what in MEASURES.items()]


def is_like(text: str, pattern: str) -> bool:
    """Return True if a name matches a filter of a question."""
    return Glob(_parts(pattern)).matches(text)


def _parts(pattern: str) -> Iterator[Union[str, Wild]]:
    """Yield the literal texts and wildcards of a filter. Wildcards never follow each other."""
    last: Union[str, Wild] = ""
    for part in _PARTS.findall(pattern):
        found = ANYTHING if part == "*" else part[1:] if part in {"\\*", "\\\\"} else part
        if found is not ANYTHING or last is not ANYTHING:
            yield found
        last = found
