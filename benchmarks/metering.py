"""What metering (``capture_usage=True``) adds on the caller's thread.

Each (client, mode) has a process of its own, and several one after the other, as one may be slower than
another of the same program; rounds take turns, and the lowest of each counts.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

from payload import EVENTS
from programs import one_line, start

__all__ = ["measure", "table"]

_MODES: Final = ("bare", "off", "on")
_CALLS: Final = {"2 KB": 100, "events": 10}
"""How many make a round: no more than recost's thread takes at once by default (``max_batch_size``)."""
_ROUNDS: Final = 12
"""Of one process, at least."""
_PER: Final = {"2 KB": 1, "events": EVENTS}


def measure(chosen: list[str], rounds: int) -> list[dict[str, Any]]:
    """Return CPU time of the caller's thread, in microseconds a call of 2 KB, and an event of a stream."""
    return [_measured(client, response, rounds) for client in chosen for response in _CALLS]


def _measured(client: str, response: str, rounds: int) -> dict[str, Any]:
    lowest = dict.fromkeys(_MODES, float("inf"))
    processes = max(rounds // _ROUNDS, 1)
    for _ in range(processes):
        for mode, took_us in _lowest(client, response, rounds // processes).items():
            lowest[mode] = min(lowest[mode], took_us)
    return {"client": client, "response": response, **{f"{mode}_us": took for mode, took in lowest.items()}}


def _lowest(client: str, response: str, rounds: int) -> dict[str, float]:
    """Return the lowest round of each mode, in microseconds a call or an event."""
    lowest = dict.fromkeys(_MODES, float("inf"))
    count = _CALLS[response]
    with ExitStack() as stack:
        callers = {
            mode: stack.enter_context(start("metering_caller", client, mode, response)) for mode in _MODES
        }
        for caller in callers.values():
            one_line(caller)
        for _ in range(rounds):
            for mode, caller in callers.items():
                took_us = int(one_line(caller, str(count))) / 1000 / count / _PER[response]
                lowest[mode] = min(lowest[mode], took_us)
        for caller in callers.values():
            assert caller.stdin is not None
            caller.stdin.close()
    return lowest


def table(results: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, the head first."""
    head = ["client", "response", "bare", "recost adds", "metering adds"]
    unit = {"2 KB": "a call", "events": "an event"}
    return [
        head,
        *(
            [
                found["client"],
                f"{found['response']}, {unit[found['response']]}",
                f"{found['bare_us']:.1f} us",
                f"{found['off_us'] - found['bare_us']:+.2f} us",
                f"{found['on_us'] - found['off_us']:+.2f} us",
            ]
            for found in results
        ),
    ]
