"""Machine instructions per call of each client: bare, and under each observer.

``valgrind`` runs each (client, observer) in a process of its own, on the network in memory, and counts from
the first warm call on. A figure is the difference of two rounds of different lengths, so that what a round
costs by itself is in none. It is the same on a busy machine and on a quiet one.

What depends on where objects happen to lie is left out, as it differs between two programs, or two versions
of one, by more than recost takes. The C library's allocator is called as often by each program. A call of
the interpreter's own counts as much as its mean. A name that is looked up in a class and not in the
interpreter's cache, where another one has taken its place, counts as if it were.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Optional

from programs import one_line, start

__all__ = ["OBSERVERS", "Figures", "count_calls", "measure", "missing_program", "table"]

OBSERVERS: Final = ("bare", "recost", "otel", "sentry", "wrapt")
"""``wrapt`` wraps the client's method in a function that does nothing."""
_PROGRAMS: Final = ("valgrind", "vgdb")
_VGDB_S: Final = 120
_COSTS: Final = "0123456789+-*"
"""First characters of the lines of a dump that have a position and its cost."""
_ALLOCATOR: Final = (
    "malloc", "calloc", "realloc", "free", "_int_malloc", "_int_free", "_int_realloc", "_int_memalign",
    "unlink_chunk", "sysmalloc", "systrim", "tcache",
)  # fmt: skip
"""Beginnings of the names of the allocator's functions."""
_BY_CALL: Final = {"_PyObject_Malloc": 21, "_PyObject_Free": 40}
"""Functions of the interpreter's allocator, with the mean instructions of a call in the bare programs."""
_UNCACHED: Final = "find_name_in_mro"
"""Function that finds a name in a class if it is not in the cache."""


@dataclass(frozen=True)
class Figures:
    """Instructions per call."""

    caller: float
    """On the calling thread."""
    whole: float
    """With what the calls cause on other threads, up to the end of a flush."""
    seen: float
    """Share of the calls that the observer has seen."""


def missing_program() -> Optional[str]:
    """Return a program that is needed and not installed."""
    return next((program for program in _PROGRAMS if shutil.which(program) is None), None)


def measure(
    chosen: Sequence[str], observers: Sequence[str], lengths: tuple[int, int], tree: Optional[Path]
) -> list[dict[str, Any]]:
    """Return the instructions of each client, by observer.

    Args:
        chosen: Clients.
        observers: Of `OBSERVERS`. All are compared with ``bare``, which is always measured.
        lengths: Calls of the two rounds.
        tree: A checkout whose recost is measured instead of this one's.
    """
    results = []
    for client in chosen:
        figures = {}
        for observer in dict.fromkeys(("bare", *observers)):
            figures[observer] = vars(count_calls(client, observer, lengths, tree))
            print(".", end="", file=sys.stderr, flush=True)
        results.append({"client": client, "instructions": figures})
    print(file=sys.stderr)
    return results


def count_calls(
    client: str, observer: str, lengths: tuple[int, int], tree: Optional[Path], *arguments: str
) -> Figures:
    """Return the instructions of a client under one observer.

    Args:
        client: The client.
        observer: A name of `instructions_caller`.
        lengths: Calls of the two rounds.
        tree: A checkout whose recost is measured instead of this one's.
        arguments: Further arguments of `instructions_caller`.
    """
    short, long = lengths
    with _counted(client, observer, tree, arguments) as program:
        program.count(f"{long} flush")  # the first count has valgrind's own beginning in it
        caller = []
        for length in lengths:
            caller.append(program.count(str(length))[0])
            program.run("0 flush")
        whole = [program.count(f"{length} flush")[1] for length in lengths]
        made, seen = program.last_line()
    calls = long - short
    share = 1.0 if observer in {"bare", "wrapt"} else seen / made
    return Figures((caller[1] - caller[0]) / calls, (whole[1] - whole[0]) / calls, share)


class _Program:
    """A process under valgrind that makes calls when it is told to."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._dumps = 0

    def run(self, order: str) -> None:
        """Make calls."""
        one_line(self._process, order)

    def count(self, order: str) -> tuple[int, int]:
        """Make calls, and return the instructions of the calling thread and of all threads."""
        self.tell("zero")
        self.run(order)
        self.tell("dump")
        self._dumps += 1
        by_thread = {dump.name.rpartition("-")[2]: dump for dump in self._folder.glob(f"*.{self._dumps}-*")}
        totals = {thread: _counted_in(dump) for thread, dump in by_thread.items()}
        return totals["01"], sum(totals.values())

    def tell(self, *words: str) -> None:
        """Say something to valgrind.

        Raises:
            subprocess.SubprocessError: It can't be reached.
        """
        command = ["vgdb", f"--pid={self._process.pid}", *words]
        subprocess.run(command, check=True, capture_output=True, timeout=_VGDB_S)

    def last_line(self) -> tuple[int, int]:
        """End the process and return the number of calls that it made, and that the observer saw."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        made, seen = map(int, one_line(self._process).split())
        return made, seen


def _counted_in(dump: Path) -> int:
    """Return the instructions in a dump, without those that depend on where objects happen to lie."""
    total, names, inside, callee, of_callee = 0, dict[str, str](), "", "", False
    with dump.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith(("fn=", "cfn=")):
                number, _, name = line.partition("=")[2].strip().partition(" ")
                name = names.setdefault(number, name)
                if line[0] == "f":
                    inside = name
                else:
                    callee = name
            elif line.startswith("calls="):
                of_callee = True  # the next line has the cost of the function that is called
                total += int(line[6:].split()[0]) * _BY_CALL.get(callee, 0)
            elif line[0] in _COSTS:
                if of_callee:
                    total -= int(line.split()[1]) if callee == _UNCACHED else 0
                elif inside not in _BY_CALL and not inside.startswith(_ALLOCATOR):
                    total += int(line.split()[1])
                of_callee = False
    return total


@contextlib.contextmanager
def _counted(
    client: str, observer: str, tree: Optional[Path], arguments: Sequence[str]
) -> Iterator[_Program]:
    with tempfile.TemporaryDirectory(prefix="recost-instructions-") as folder:
        counter = [
            "valgrind",
            "--tool=callgrind",
            "--instr-atstart=no",
            "--separate-threads=yes",
            f"--callgrind-out-file={folder}/counts",
            f"--log-file={folder}/log",
        ]
        process = start("instructions_caller", client, observer, *arguments, under=counter, tree=tree)
        try:
            one_line(process)
            program = _Program(process, Path(folder))
            program.run("20 flush")
            program.tell("instrumentation", "on")
            yield program
        finally:
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()
            process.wait()


def table(results: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the table, headings first; figures in thousands."""
    names = list(dict.fromkeys(name for result in results for name in result["instructions"]))
    columns: list[tuple[str, str]] = []
    for name in names[1:]:
        columns += [(name, "caller"), (name, "whole")] if name == "recost" else [(name, "whole")]
    headings = [f"{name} {part} +k" if name == "recost" else f"{name} +k" for name, part in columns]
    rows = [["client", "bare k", *headings, "recost caller/otel"]]
    for result in results:
        figures = result["instructions"]
        cells = [_added(figures, name, part) for name, part in columns]
        rows.append([result["client"], f"{figures['bare']['caller'] / 1000:.1f}", *cells, _ratio(figures)])
    return rows


def _added(figures: dict[str, dict[str, float]], name: str, part: str) -> str:
    found = figures.get(name)
    if found is None:
        return "-"
    added = f"{(found[part] - figures['bare'][part]) / 1000:+.1f}"
    return added if found["seen"] == 1.0 else f"{added} (saw {found['seen']:.0%})"


def _ratio(figures: dict[str, dict[str, float]]) -> str:
    if "recost" not in figures or "otel" not in figures:
        return "-"
    ours, otel = (figures[name]["caller"] - figures["bare"]["caller"] for name in ("recost", "otel"))
    return f"1/{otel / ours:.1f}" if ours > 0 else "-"
