"""Amounts that are given as arguments, exact."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from typing import Optional

__all__ = ["decimal", "usd"]


def usd(text: str) -> Decimal:
    """Return US dollars: ``5``, ``$0.25``.

    Raises:
        argparse.ArgumentTypeError: It is no amount.
    """
    amount = decimal(text.strip().replace("$", "", 1))
    if amount is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of US dollars: 5, 0.25")
    return amount


def decimal(text: str) -> Optional[Decimal]:
    """Return a number that is not below zero; None where the text is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None
