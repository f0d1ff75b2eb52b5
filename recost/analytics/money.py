"""US dollars that people can read, from a millionth to millions."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

__all__ = ["format_change", "format_usd"]

_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_LEAST: Final = Decimal("0.000001")


def format_usd(dollars: Decimal) -> str:
    """Return an amount: whole dollars from 10,000 up, cents from one dollar, four or six places below.

    ``$12,345``, ``$31.07``, ``$0.0214``, ``$0.000012``, ``<$0.000001``.
    """
    if dollars < 0:
        return f"-{format_usd(-dollars)}"
    if dollars == 0:
        return "$0"
    if dollars < _LEAST:
        return f"<${_LEAST}"
    for below, step in ((Decimal("0.01"), "0.000001"), (Decimal(1), "0.0001"), (Decimal(10_000), "0.01")):
        shown = dollars.quantize(Decimal(step), context=_WIDE)
        if shown < below:
            return f"${_without_zeros(f'{shown:,f}')}"
    return f"${dollars.quantize(Decimal(1), context=_WIDE):,f}"


def _without_zeros(amount: str) -> str:
    """Leave out what says nothing: the fifth and the sixth place when they are zero."""
    whole, _, places = amount.partition(".")
    return f"{whole}.{places[:4]}{places[4:].rstrip('0')}"


def format_change(now: Decimal, before: Decimal) -> str:
    """Return a change in per cent: ``+12%``, ``-3.4%``, ``=``; ``new`` where there was nothing before."""
    if now == before:
        return "="
    if before == 0:
        return "new"
    share = (now - before) / before * 100
    if abs(share) >= 1000:
        return f"x{(now / before).quantize(Decimal(1), context=_WIDE):,f}" if now > 0 else f"{share:.0f}%"
    return f"{share:+.1f}%" if abs(share) < Decimal("9.95") else f"{share:+.0f}%"
