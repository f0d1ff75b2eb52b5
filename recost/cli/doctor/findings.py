"""The result of a check of the doctor."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["CheckLines"]


@dataclass
class CheckLines:
    """Lines to show of one check, with its problems and notes."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    """Reasons why recost cannot work, a sentence each."""
    notes: list[str] = field(default_factory=list)
    """Remarks that are not failures."""
