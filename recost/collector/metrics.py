"""Figures as Prometheus reads them, in its text format."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Optional, Union

from recost.collector.spend import Spend

__all__ = ["CONTENT_TYPE", "REASONS", "Counters", "spend_text"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
REASONS: Final = (
    "key", "project", "type", "rate", "size", "coding", "values", "depth", "invalid", "store", "memory",
)  # fmt: skip
"""Reasons of refused POSTs, the values of the label ``reason``."""
_HELP: Final = {
    "windows_accepted": "Windows that were stored.",
    "windows_repeated": "Windows that were sent again and are stored once.",
    "windows_refused": "POSTs that were refused, by reason.",
    "body_bytes": "Bytes of accepted bodies, unpacked.",
    "rows": "Metrics of stored windows.",
    "calls": "Calls in stored windows.",
}


class Counters:
    """Counts since the start. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._refused: Counter[str] = Counter(dict.fromkeys(REASONS, 0))

    def accepted(self, *, size: int, rows: int, calls: int) -> None:
        """Count a new window."""
        with self._lock:
            self._counts.update(windows_accepted=1, body_bytes=size, rows=rows, calls=calls)

    def repeated(self) -> None:
        """Count a known window."""
        with self._lock:
            self._counts["windows_repeated"] += 1

    def refused(self, reason: str) -> None:
        """Count a refused POST, for one of `REASONS`."""
        with self._lock:
            self._refused[reason] += 1

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """Return the figures of the collector itself.

        Args:
            gauges: Help text and value of further figures, by name.
        """
        with self._lock:
            counts, refused = dict(self._counts), dict(self._refused)
        lines = []
        for name, help_text in _HELP.items():
            full = f"recost_collector_{name}_total"
            lines += [f"# HELP {full} {help_text}", f"# TYPE {full} counter"]
            if name == "windows_refused":
                lines += [f'{full}{{reason="{reason}"}} {count}' for reason, count in refused.items()]
            else:
                lines.append(f"{full} {counts.get(name, 0)}")
        for name, (help_text, value) in gauges.items():
            full = f"recost_collector_{name}"
            lines += [f"# HELP {full} {help_text}", f"# TYPE {full} gauge", f"{full} {value:g}"]
        return "\n".join(lines) + "\n"


_ESCAPED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def spend_text(spend: Spend, project: Optional[str] = None) -> str:
    """Return the counters of windows, of all projects or of one."""
    lines = []
    for family, found in spend.values(project):
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} counter"]
        for labels, value in found:
            named = ",".join(
                f'{name}="{label.translate(_ESCAPED)}"' for name, label in zip(family.labels, labels) if name
            )
            lines.append(f"{family.name}{{{named}}} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: Union[int, Decimal]) -> str:
    """Return all digits of a number. Costs have 26 decimals at most."""
    if isinstance(value, int):
        return str(value)
    whole, _, decimals = f"{value:.26f}".partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole
