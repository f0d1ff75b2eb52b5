"""What the doctor's checks find."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Findings"]


@dataclass
class Findings:
    """The lines of one part of the examination, and what is wrong there."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """What keeps recost from working, a sentence each."""
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no failure."""
