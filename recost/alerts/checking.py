"""One check: evaluate the alerts, queue what is new, and send what waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Callable, Final, Optional

from recost._files import reason_of
from recost.alerts.config import Alert, AlertConfig
from recost.alerts.digest import compose, due
from recost.alerts.model import Message
from recost.alerts.rules import RuleData, RuleError, find
from recost.alerts.state import Queued, State, opened
from recost.alerts.targets import target_kind
from recost.alerts.targets.base import SendError
from recost.analytics.ingest.sources import SourceError
from recost.analytics.periods import parse_zone
from recost.analytics.store import Readings, consult
from recost.ledger.store import files_of

__all__ = ["Outcome", "check"]

_DIGEST: Final = "digest"


@dataclass
class Outcome:
    """The result of a check."""

    queued: int = 0
    """New messages."""
    sent: int = 0
    waiting: int = 0
    """Messages that could not be sent, or wait for the end of quiet hours."""
    dropped: int = 0
    """Messages that were given up, because too many waited."""
    failures: list[str] = field(default_factory=list)
    """One line for each alert and target that failed."""


def check(
    config: AlertConfig,
    folder: Path,
    now: datetime,
    *,
    send: Optional[Callable[[str, Message], None]] = None,
) -> Outcome:
    """Evaluate all alerts once, and send what waits.

    Args:
        config: The alerts and targets.
        folder: The telemetry folder.
        now: The time, in UTC.
        send: Sends a message to a target by name. For tests.

    Raises:
        StateError: The state cannot be used.
        OSError: Files cannot be read or written.
        EngineMissingError: DuckDB is not installed.
    """
    outcome = Outcome()
    with opened(folder) as (state, save):
        before, dropped = len(state.queue), state.dropped
        _evaluate(config, folder, now, state, outcome)
        outcome.dropped = state.dropped - dropped
        outcome.queued = len(state.queue) - before + outcome.dropped
        save()  # before anything is sent: it is not found again
        _send(config, now, state, save, outcome, send or _sender(config))
        outcome.waiting = len(state.queue)
    return outcome


def _evaluate(config: AlertConfig, folder: Path, now: datetime, state: State, outcome: Outcome) -> None:
    def use(readings: Readings) -> None:
        facts = RuleData(readings, files_of(folder), now)
        failures = (_failure(alert, facts, state) for alert in config.alerts)
        outcome.failures += [failure for failure in failures if failure is not None]

    try:
        consult([], folder, use)
    except SourceError as error:
        outcome.failures.append(str(error).removeprefix("recost: "))


def _failure(alert: Alert, facts: RuleData, state: State) -> Optional[str]:
    """Evaluate an alert. Return why it could not be evaluated: then all stays as it was."""
    try:
        _apply(alert, facts, state)
    except (RuleError, OSError) as error:
        return f"alert {alert.name}: {reason_of(error)}"
    return None


def _apply(alert: Alert, facts: RuleData, state: State) -> None:
    if alert.on != _DIGEST:
        state.note(alert.name, alert.to, find(alert, facts), facts.now)
        return
    day = due(alert, facts.now)
    if day is None or state.digests.get(alert.name, "") >= day:
        return
    if alert.name not in state.digests:  # the first check: the next digest is sent, not one of the past
        state.digests[alert.name] = day
        return
    state.digest(alert.name, alert.to, day, compose(alert, facts, day), facts.now)


def _sender(config: AlertConfig) -> Callable[[str, Message], None]:
    def send(name: str, message: Message) -> None:
        target = config.targets[name]
        target_kind(target.kind).send(target.settings, message)

    return send


def _send(
    config: AlertConfig,
    now: datetime,
    state: State,
    save: Callable[[], None],
    outcome: Outcome,
    send: Callable[[str, Message], None],
) -> None:
    """Send what waits, in order. A target that fails keeps its messages, and holds up no other."""
    alerts = {alert.name: alert for alert in config.alerts}
    down: set[str] = set()
    for queued in list(state.queue):
        if queued.target in down:
            continue
        if queued.target not in config.targets:  # it was removed from the file
            state.queue.remove(queued)
            continue
        if queued.alert in alerts and _is_quiet(alerts[queued.alert], now):
            continue
        failure = _failure_of(send, queued)
        if failure is not None:
            down.add(queued.target)
            outcome.failures.append(f"notify {queued.target}: {failure}")
            continue
        state.queue.remove(queued)
        outcome.sent += 1
        save()


def _failure_of(send: Callable[[str, Message], None], queued: Queued) -> Optional[str]:
    """Send a message. Return why it could not be sent."""
    try:
        send(queued.target, queued.message)
    except SendError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - of a library of the target: it holds up no other target
        return f"internal error, {type(error).__name__}"
    return None


def _is_quiet(alert: Alert, now: datetime) -> bool:
    if alert.quiet is None:
        return False
    start, end = alert.quiet
    clock: time = now.astimezone(parse_zone(alert.options["timezone"])).time()
    return start <= clock < end if start < end else clock >= start or clock < end
