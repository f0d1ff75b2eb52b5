"""Amounts and numbers that are given as arguments."""

from __future__ import annotations

import argparse
import math
from decimal import Decimal, InvalidOperation
from typing import Callable, Optional

__all__ = ["decimal", "number", "usd", "whole"]


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
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def whole(what: str, least: int = 0, most: Optional[int] = None) -> Callable[[str], int]:
    """Return what makes a whole number of an argument.

    Args:
        what: What an argument that is refused is not, with an example: ``number of rows: 8``.
        least: The smallest that there may be.
        most: The largest; None: without bound.
    """

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return int(text)

    return parse


def number(what: str, least: float, most: float) -> Callable[[str], float]:
    """Return what makes a number of an argument; as `whole`, with a largest always."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no {what}")
        return value

    return parse
