"""Make the calls of one SDK in a process of its own, and compare what was served with what was recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from tests.integration.matrix.compare import Difference, Recorded, compare_calls, compare_windows
from tests.integration.named_hosts import NamedHosts, named_hosts, trust
from tests.integration.sdks import load
from tests.scripts import ROOT, environment, windows

TIMEOUT_S = 100
SHOWN_LINES = 30
"""Of what a program that fails says: a traceback's end."""
ORDERS = ("before", "after")
"""When the SDK is imported: before recost starts, or after."""


@dataclass
class Outcome:
    """How one run went."""

    name: str
    version: str = "?"
    python: str = "?"
    transport: str = ""
    served: int = 0
    recorded: int = 0
    http2: int = 0
    """Connections that spoke HTTP/2."""
    streamed: int = 0
    """Answers that came in pieces."""
    provider_right: bool = False
    streaming_right: Optional[bool] = None
    """None where nothing was streamed."""
    differences: list[str] = field(default_factory=list)


def run(name: str, when: str, folder: Path, python: str = sys.executable) -> Outcome:
    """Make the calls with a Python that has the SDK; ``folder`` is empty, and keeps what the run left."""
    sdk = load(name)
    folder.mkdir(parents=True, exist_ok=True)
    with named_hosts(sdk.HOSTS, sdk.answer, folder) as (server, bundle):
        failure = _child(
            [python, "-m", "tests.integration.sdks", name, str(server.port), str(folder), when], bundle
        )
    recorded = _left_behind(folder)
    outcome = Outcome(name, transport=sdk.TRANSPORT, served=len(server.log), recorded=recorded.attempts)
    outcome.http2 = server.http2
    outcome.differences += [failure] if failure else []
    outcome.differences += [f"answer() raised {problem!r}" for problem in server.problems]
    about = folder / "sdk.json"
    if about.exists():
        vars(outcome).update(json.loads(about.read_text()))
    if "HTTP/2" in sdk.TRANSPORT and not server.http2:
        outcome.differences.append("no connection spoke HTTP/2")
    _judge(outcome, sdk, server, recorded)
    return outcome


def _child(command: list[str], bundle: Path) -> str:
    """Run the program; return what went wrong with it."""
    options: Mapping[str, Any] = {"cwd": ROOT, "env": environment(**trust(bundle)), "timeout": TIMEOUT_S}
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"").decode(errors="replace")
        return f"the calls were not done after {TIMEOUT_S} s\n{_end_of(said)}"
    return (
        f"the program failed with {result.returncode}\n{_end_of(result.stderr)}" if result.returncode else ""
    )


def _end_of(stderr: str) -> str:
    return "\n".join(stderr.rstrip().splitlines()[-SHOWN_LINES:])


def _left_behind(folder: Path) -> Recorded:
    file = folder / "events.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return Recorded([json.loads(line) for line in lines], windows(folder / "telemetry"))


def _judge(outcome: Outcome, sdk: Any, server: NamedHosts, recorded: Recorded) -> None:
    left = frozenset().union(*sdk.LEFT.values())
    calls = list(compare_calls(server.log, recorded, left))
    rows = list(compare_windows(recorded, sdk.EXPECTED))
    streamed = {entry.path for entry in server.log if entry.streamed}
    outcome.streamed = sum(entry.streamed for entry in server.log)
    outcome.provider_right = bool(recorded.windows) and not rows
    if streamed:
        outcome.streaming_right = not any(difference.path in streamed for difference in calls)
    outcome.differences += _texts([*calls, *rows])


def _texts(differences: list[Difference]) -> Iterator[str]:
    return (difference.text for difference in differences)
