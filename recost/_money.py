"""Exact amounts of money: decimal contexts for computation, and formats for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final, Optional, Union

__all__ = [
    "EXACT",
    "LENIENT",
    "PRICING",
    "as_amount",
    "as_written",
    "format_change",
    "format_column",
    "format_exact_usd",
    "format_unit_price",
    "format_usd",
]

# Contexts of our own: the application may have changed the precision and the traps of its threads.
EXACT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN)
"""Context for sums, with more digits than all amounts have together."""
LENIENT: Final = Context(prec=80, rounding=ROUND_HALF_EVEN, traps=[])
"""The same context without exceptions, for numbers from responses."""
PRICING: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
"""Context for the price of one call."""

_LEAST: Final = Decimal("0.000001")
_STEPS: Final = ((Decimal("0.01"), _LEAST), (Decimal(1), Decimal("0.0001")))
_CENT: Final = Decimal("0.01")
_WHOLE_FROM: Final = 10_000
_LEAST_UNIT: Final = Decimal("0.001")


def as_written(number: Union[Decimal, float, str]) -> Decimal:
    """Return the decimal number that was written. A float becomes the shortest one that rounds to it.

    Raises:
        InvalidOperation: A string is not a number.
    """
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def as_amount(text: str) -> Optional[Decimal]:
    """Return a finite number of at least 0, or None for any other text."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None


def format_usd(dollars: Decimal) -> str:
    """Return US dollars as ``$12,345``, ``$31.07``, ``$0.0214``, ``$0.000012`` or ``<$0.000001``."""
    if dollars < 0:
        return f"-{format_usd(-dollars)}"
    if dollars == 0:
        return "$0"
    if dollars < _LEAST:
        return f"<${_LEAST}"
    for below, step in (*_STEPS, (_WHOLE_FROM, _CENT)):
        shown = dollars.quantize(step, context=EXACT)
        if shown < below:
            whole, _, places = f"{shown:,f}".partition(".")
            # A fifth and a sixth place of zero are dropped.
            return f"${whole}.{places[:4]}{places[4:].rstrip('0')}"
    return f"${dollars.quantize(Decimal(1), context=EXACT):,f}"


def format_column(amounts: Sequence[Decimal]) -> list[str]:
    """Format the amounts of one column with the same number of decimals, which suits the largest."""
    largest = max(map(abs, amounts), default=Decimal(0))
    steps = ((_WHOLE_FROM, Decimal(1)), (1, _CENT), (_CENT, _STEPS[1][1]))
    step = next((step for least, step in steps if largest >= least), _LEAST) if largest else Decimal(1)
    if step < _STEPS[1][1] <= largest and all(_is_multiple(each, _STEPS[1][1]) for each in amounts):
        step = _STEPS[1][1]
    shown = [abs(each).quantize(step, context=EXACT) for each in amounts]
    return [
        f"<${step:f}" if each > 0 and not text else f"{'-' * (each < 0)}${text:,f}"
        for each, text in zip(amounts, shown)
    ]


def _is_multiple(amount: Decimal, step: Decimal) -> bool:
    return amount.quantize(_LEAST, context=EXACT) == amount.quantize(step, context=EXACT)


def format_exact_usd(dollars: Decimal) -> str:
    """Return an amount with all its digits: ``$1,234.5``."""
    return f"${dollars:,f}"


def format_unit_price(usd: Decimal) -> str:
    """Return the price of one unit, or of a thousand or a million where it is small: ``$0.4/1M``."""
    if usd == 0:
        return "$0"
    for count, name in ((1, ""), (1_000, "/1k"), (1_000_000, "/1M")):
        if usd * count >= _LEAST_UNIT:
            amount = format(round(usd * count, 6), "f")
            return f"${amount.rstrip('0').rstrip('.') if '.' in amount else amount}{name}"
    return f"${usd:.3E}"


def format_change(now: Decimal, before: Decimal) -> str:
    """Return a change as ``+12%``, ``-3.4%``, ``x50``, ``=``, or ``new`` from zero."""
    if now == before:
        return "="
    if before == 0:
        return "new"
    share = (now - before) / before * 100
    if abs(share) >= 1000:
        return f"x{(now / before).quantize(Decimal(1), context=EXACT):,f}" if now > 0 else f"{share:.0f}%"
    return f"{share:+.1f}%" if abs(share) < Decimal("9.95") else f"{share:+.0f}%"
