"""Machine instructions that recost's settings add to a call, and metering to an event of a stream.

Counted as in `instructions`. The cost of an event is the difference of two streams of different lengths.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Optional

from instructions import Figures, count_calls

__all__ = ["CLIENTS", "MODES", "measure", "table"]

CLIENTS: Final = ("httpx", "aiohttp")
"""Clients that are measured unless others are chosen."""
MODES: Final = ("plain", "metered", "budget", "tags")
"""``plain`` is recost with its defaults, which all others are compared with."""
_STREAMS: Final = ("plain", "metered")
"""Modes in which streams are measured, too: the others look at a call, not at its events."""


def measure(
    chosen: Sequence[str],
    modes: Sequence[str],
    lengths: tuple[int, int],
    events: tuple[int, int],
    tree: Optional[Path],
) -> list[dict[str, Any]]:
    """Return the instructions of each client by mode, of a call of 2 KB and of an event.

    Args:
        chosen: Clients.
        modes: Of `MODES`. ``plain`` is always measured.
        lengths: Calls of the two rounds of a call of 2 KB. Streams take a tenth of it.
        events: Events of the two streams.
        tree: A checkout whose recost is measured instead of this one's.
    """
    modes = tuple(dict.fromkeys(("plain", *modes)))
    streams = [mode for mode in modes if mode in _STREAMS and "metered" in modes]
    short, long = (max(length // 10, 1 + number) for number, length in enumerate(lengths))
    results = []
    for client in chosen:
        figures = {
            mode: _shown(count_calls(client, mode, lengths, tree, "--response", "2 KB")) for mode in modes
        }
        results.append({"client": client, "response": "2 KB, a call", "instructions": figures})
        by_event = {mode: _of_event(client, mode, (short, long), events, tree) for mode in streams}
        if by_event:
            results.append({"client": client, "response": "events, an event", "instructions": by_event})
    print(file=sys.stderr)
    return results


def _shown(figures: Figures) -> dict[str, float]:
    print(".", end="", file=sys.stderr, flush=True)
    return vars(figures)


def _of_event(
    client: str, mode: str, lengths: tuple[int, int], events: tuple[int, int], tree: Optional[Path]
) -> dict[str, float]:
    few, many = (
        _shown(count_calls(client, mode, lengths, tree, "--response", "events", "--events", str(number)))
        for number in events
    )
    more = events[1] - events[0]
    parts = {part: (many[part] - few[part]) / more for part in ("caller", "whole")}
    return {**parts, "seen": min(few["seen"], many["seen"])}


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first; in thousands: on the caller's thread, and whole."""
    modes = list(dict.fromkeys(mode for found in results for mode in found["instructions"]))[1:]
    rows = [["client", "response", "plain k", *(f"{mode} +k" for mode in modes)]]
    for found in results:
        figures = found["instructions"]
        plain = _pair(figures["plain"], None)
        added = [_pair(figures.get(mode), figures["plain"]) for mode in modes]
        rows.append([found["client"], found["response"], plain, *added])
    return rows


def _pair(figures: Optional[dict[str, float]], plain: Optional[dict[str, float]]) -> str:
    if figures is None:
        return "-"
    caller, whole = (
        f"{(figures[part] - (plain[part] if plain else 0)) / 1000:{'+' if plain else ''}.2f}"
        for part in ("caller", "whole")
    )
    share = "" if figures["seen"] == 1.0 else f" (saw {figures['seen']:.0%})"
    return f"{caller} / {whole}{share}"
