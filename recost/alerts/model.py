"""Findings of alerts, and messages about them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

__all__ = ["KINDS", "Finding", "Kind", "Message"]

Kind = Literal["firing", "doubled", "over", "digest", "test"]
KINDS: tuple[Kind, ...] = ("firing", "doubled", "over", "digest", "test")


@dataclass(frozen=True)
class Finding:
    """Something that is unusual, exceeded or due now."""

    group: str
    """The provider, model, tenant … concerned. Empty for all calls."""
    period: str
    """The hour, day or month concerned. The same finding in another period is a new one."""
    size: Decimal
    """The size, in the unit of the rule. A message is sent again when it has doubled."""
    level: int
    """The number of limits that are reached. A message is sent again when it grows."""
    title: str
    """One line, with names from data."""
    facts: tuple[tuple[str, str], ...] = ()
    """Labels and values."""


@dataclass(frozen=True)
class Message:
    """A message to one target. All texts may contain names from data, and have no line breaks."""

    id: str
    """An id that does not change between attempts."""
    subject: str
    """The alert, group and period: the same in all messages on one subject."""
    kind: Kind
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """Titles with rows of labels and values, for a digest."""
    created: str
    """The time in UTC, RFC 3339."""
