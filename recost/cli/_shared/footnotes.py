"""The notes below figures: sources of the cost, and what the figures do not include."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final, NamedTuple, Optional

from recost._money import EXACT, format_usd
from recost.analytics.report import EXACT_COSTS, Figures, Report
from recost.cli._shared.formats import counted, format_cost, format_share
from recost.cli._shared.tables import wrap
from recost.cli._shared.terminal import Style

__all__ = [
    "FLAT",
    "NO_CALLS",
    "Note",
    "flat_note",
    "not_compared",
    "notes_of",
    "rendered",
    "skipped_note",
    "sources_of",
    "unpriced_note",
]

NO_CALLS: Final = "no calls in this period with these filters"
FLAT: Final = f"flat estimates: {EXACT_COSTS}"
"""The description of estimates made without reading responses."""
_HEADING: Final = 11
"""Columns of a heading, with the space after it."""


class Note(NamedTuple):
    """A footnote. Its text is a sentence without a capital letter and a full stop."""

    heading: str
    text: str
    warns: bool = True

    def sentence(self) -> str:
        """Return the text as a sentence, in bold Markdown for a warning."""
        text = f"{self.text[:1].upper()}{self.text[1:]}."
        return f"**{text}**" if self.warns else text


def rendered(notes: Iterable[Note], style: Style, width: int) -> str:
    """Return notes for a terminal, one below the other, warnings in yellow."""
    texts = ((wrap(f"{note.heading:<{_HEADING}}", note.text, width), note.warns) for note in notes)
    return "\n".join(style(text, "yellow") if warns else text for text, warns in texts)


def notes_of(total: Figures, bad_lines: int, bad_metrics: int) -> Iterator[Note]:
    """Yield the notes that every report of costs has."""
    if total.calls or total.cost_usd:
        yield Note("cost", sources_of(total), warns=False)
    yield from unpriced_note(total.unpriced, total.calls)
    yield from skipped_note(bad_lines, bad_metrics)


def unpriced_note(unpriced: int, calls: int = 0) -> Iterator[Note]:
    """Yield a note on calls without a known price, with their share of ``calls`` where that is given."""
    if unpriced:
        share = f" ({format_share(unpriced, calls)})" if calls else ""
        yield Note(
            "unpriced", f"{counted(unpriced, 'call')}{share} without a known price, not included in the cost"
        )


def skipped_note(bad_lines: int, bad_metrics: int, hint: str = "-v lists them") -> Iterator[Note]:
    """Yield a note on malformed input."""
    bad = ((bad_lines, "line"), (bad_metrics, "metric"))
    text = " and ".join(counted(count, what) for count, what in bad if count)
    if text:
        yield Note("skipped", f"{text} could not be read{f' ({hint})' if hint else ''}")


def flat_note(flat_usd: Optional[Decimal]) -> Iterator[Note]:
    """Yield a note on the part of a cost that is flat estimates."""
    if flat_usd:
        yield Note("cost", f"{format_usd(flat_usd)} are {FLAT}")


def not_compared(result: Report) -> Iterator[Note]:
    """Yield a note on a missing comparison: the period before is earlier than the first window."""
    first = result.recorded_since
    if first is not None:
        moment = first.astimezone(result.question.zone)
        yield Note("change", f"no change is shown, because the first window is from {moment:%Y-%m-%d %H:%M}")


def sources_of(total: Figures) -> str:
    """Return the cost by source, in words."""
    if total.reported_usd is None:
        return "sources are not recorded by model or tag"
    other_estimates = EXACT.subtract(total.estimated_usd or Decimal(0), total.flat_usd or Decimal(0))
    parts = [
        (total.reported_usd, "reported by the API"),
        (total.computed_usd, "computed from usage"),
        (total.flat_usd, f"estimated ({FLAT})"),
        (other_estimates, "estimated (at least, or from sizes)"),
        (total.unstated_usd, "source unknown"),
    ]
    known = ", ".join(f"{format_usd(amount)} {what}" for amount, what in parts if amount)
    return known or format_cost(total)
