"""Counters of stored windows, with labels: cost, calls, errors, unpriced calls and tokens.

Sums are exact. Their number is bounded: what has no series of its own is added to one that is labelled
``other``, so that the total stays right.

Prometheus's ``increase`` ignores the first value of a series. A new series is therefore shown as 0 until each
scraper can have seen that, and with its value from then on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Callable, Final, NamedTuple, Optional, Union

from recost._money import EXACT
from recost._text import printable
from recost.collector.amounts import Labels, amounts_of

__all__ = [
    "FAMILIES",
    "LEAST_SERIES",
    "MAX_SERIES",
    "OTHER",
    "SCRAPED_WITHIN_S",
    "Change",
    "Family",
    "Labels",
    "Series",
    "Spend",
]

MAX_SERIES: Final = 10_000
LEAST_SERIES: Final = 100
SCRAPED_WITHIN_S: Final = 60
OTHER: Final = "other"
_LONGEST: Final = 200
_CONTROL: Final = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), "�")
_LAST: Final = 32
"""Series that are kept free for what has no series even by project: one for each family and last label."""


@dataclass(frozen=True)
class Family:
    """The counters of one name."""

    name: str
    help: str
    labels: tuple[str, ...]
    """Names by place. Those without a name are not shown."""


_LABELS: Final = ("project", "provider", "model", "endpoint", "environment")
FAMILIES: Final = {
    "cost": Family("recost_cost_usd_total", "US dollars of calls whose cost is known.", (*_LABELS, "source")),
    "calls": Family("recost_calls_total", "Calls.", (*_LABELS, "")),
    "errors": Family(
        "recost_errors_total",
        "Calls that failed.",
        ("project", "provider", "", "endpoint", "environment", ""),
    ),
    "unpriced": Family("recost_unpriced_calls_total", "Calls whose cost is not known.", (*_LABELS, "")),
    "tokens": Family(
        "recost_tokens_total",
        "Tokens by kind. Input has those that were read from a cache.",
        (*_LABELS, "kind"),
    ),
}


class Series:
    """One counter. It has lasted since the first window with its labels."""

    __slots__ = ("changed", "family", "first_s", "labels", "shown", "value")

    def __init__(self, family: str, labels: Labels, *, shown: bool) -> None:
        self.family = family
        self.labels = labels
        self.value: Union[int, Decimal] = 0
        """A count, or exact US cents."""
        self.shown = shown
        """True if it is shown with its value, False if as 0."""
        self.first_s: Optional[float] = None
        """The time at which it was first shown as 0. None if it was not."""
        self.changed = False
        """True if `Spend.changes` will return it."""

    def add(self, value: Union[int, Decimal]) -> None:
        """Add a count, or cents."""
        if type(value) is int:
            self.value += value
        else:
            self.value = EXACT.add(self.value, value)


class Change(NamedTuple):
    """A series that has changed, with its value at that moment."""

    series: Series
    value: Union[int, Decimal]
    due: bool
    """True if it can be shown when this is written."""


class Spend:
    """The counters of all projects. Thread-safe.

    Args:
        most: Maximum number of series.
        hold_s: The time for which a new series is shown as 0, at least that between two scrapes.
        monotonic: Seconds, for tests.
    """

    def __init__(
        self,
        most: int = MAX_SERIES,
        *,
        hold_s: float = SCRAPED_WITHIN_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most: Final = max(most, LEAST_SERIES)
        self.kept = False
        """True if a file keeps the counters. `show` then says which series are shown."""
        self.hold_s: Final = hold_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._families: dict[str, dict[Labels, Series]] = {name: {} for name in FAMILIES}
        self._count = 0
        self._changed: list[Series] = []

    def __len__(self) -> int:
        """Return the number of series."""
        return self._count

    def add(self, project: str, content: dict[str, Any], *, shown: bool = False) -> None:
        """Add a window.

        Args:
            project: Its project.
            content: The window, whose metrics are valid.
            shown: Whether new series are shown with their values at once.
        """
        environment = content.get("environment")
        environment = environment if isinstance(environment, str) else ""
        found = [amounts_of(project, environment, entry) for entry in content["metrics"]]
        with self._lock:
            for amounts in found:
                for family, labels, value in amounts:
                    of_family = self._families[family]
                    series = of_family.get(labels) or self._place(of_family, labels, shown=shown)
                    series.add(value)
                    if not series.changed:
                        self._change(series)

    def _change(self, series: Series) -> None:
        series.changed = True
        self._changed.append(series)

    def _place(self, of_family: dict[Labels, Series], labels: Labels, *, shown: bool) -> Series:
        """Return the series for new labels: a new one, or one for several of their kind."""
        project, provider, model, endpoint, environment, own = map(_clean, labels)
        least = self.most - _LAST
        for most, candidate in (
            (least * 7 // 10, (project, provider, model, endpoint, environment, own)),
            (least * 9 // 10, (project, provider, model and OTHER, OTHER, environment, own)),
            (least, (project, OTHER, model and OTHER, OTHER, OTHER, own)),
            (self.most, (OTHER, OTHER, model and OTHER, OTHER, OTHER, own)),
        ):
            series = of_family.get(candidate)
            if series is None and self._count < most:
                family = next(name for name, each in self._families.items() if each is of_family)
                series = of_family[candidate] = Series(family, candidate, shown=shown)
                self._count += 1
            if series is not None:
                return series
        raise AssertionError("unreachable: there is always room for the last one")

    def restore(self, rows: Iterable[tuple[str, Labels, Union[int, Decimal], bool]]) -> bool:
        """Add series that `changes` returned once: family, labels, value, and whether it is shown.

        Returns:
            Whether each has its own place. Otherwise all series are changed ones.
        """
        whole = True
        with self._lock:
            for family, labels, value, shown in rows:
                series = self._place(self._families[family], labels, shown=shown)
                series.add(value)
                whole = whole and series.labels == labels
            if not whole:
                for found in self._families.values():
                    for series in found.values():
                        self._change(series)
        return whole

    def changes(self) -> list[Change]:
        """Return the series that have changed since the last time. `show` or `keep` follows."""
        now = self._monotonic()
        with self._lock:
            changed, self._changed = self._changed, []
            for series in changed:
                series.changed = False
            return [Change(series, series.value, self._is_due(series, now)) for series in changed]

    def show(self, changes: Iterable[Change]) -> None:
        """Show the values of the series that can be, after they are kept. Others are looked at again."""
        with self._lock:
            for series, _, due in changes:
                if due:
                    series.shown = True
                elif series.first_s is not None and not series.changed:
                    self._change(series)

    def keep(self, changes: Iterable[Change]) -> None:
        """Return changes again next time, as they could not be written."""
        with self._lock:
            for series, _, _ in changes:
                if not series.changed:
                    self._change(series)

    def _is_due(self, series: Series, now: float) -> bool:
        return series.shown or (series.first_s is not None and now - series.first_s >= self.hold_s)

    def values(
        self, project: Optional[str] = None
    ) -> Iterator[tuple[Family, list[tuple[Labels, Union[int, Decimal]]]]]:
        """Yield the counters to be shown, by family. Costs are US dollars.

        Args:
            project: Only those of one project.
        """
        now = self._monotonic()
        for name, family in FAMILIES.items():
            found = []
            with self._lock:
                for labels, series in self._families[name].items():
                    if project is None or labels[0] == project:
                        found.append((labels, self._shown(series, now)))
            yield (
                family,
                [(labels, EXACT.scaleb(value, -2) if name == "cost" else value) for labels, value in found],
            )

    def _shown(self, series: Series, now: float) -> Union[int, Decimal]:
        """Return the value to show of a series: 0 while it is new."""
        if series.shown:
            return series.value
        if series.first_s is None:
            series.first_s = now
            if not series.changed:
                self._change(series)  # to be looked at until it can be shown
        if self.kept or not self._is_due(series, now):
            return 0
        series.shown = True
        return series.value


def _clean(text: str) -> str:
    """Return a value of a label: bounded, and without control characters."""
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return text if text.isprintable() else printable(text)
