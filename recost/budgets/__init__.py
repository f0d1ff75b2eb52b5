"""Limits on what calls may cost, and what happens when they are reached."""

from __future__ import annotations

from recost.budgets.model import Budget

__all__ = ["Budget"]
