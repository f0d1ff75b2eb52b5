"""The state of alerts in one locked file: what was sent, and what waits.

A finding is sent once, again when it has grown, and once when it is over.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Optional

from recost import _files, _folders
from recost._documents import parse_decimal, parse_json, read_document
from recost.alerts.model import KINDS, Finding, Kind, Message

__all__ = ["FOLDER", "Queued", "State", "StateError", "opened", "read_state"]

FOLDER: Final = "alerts"
"""The folder within the telemetry folder."""
_WAIT_S: Final = 60.0
_MOST_QUEUED: Final = 1000
"""Messages that wait for one target. Beyond, the oldest are dropped and counted."""
_MOST_OPEN: Final = 10_000
_TWICE: Final = 2
_SEPARATOR: Final = "\x1f"


class StateError(Exception):
    """The reason why the state cannot be used."""


@dataclass
class Queued:
    """A message that waits for a target."""

    target: str
    alert: str
    message: Message


@dataclass
class _OpenFinding:
    """A finding that people know of."""

    size: Decimal
    level: int
    title: str


@dataclass
class State:
    """The content of the file."""

    open: dict[str, _OpenFinding] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    """The day of the latest digest of each alert."""
    queue: list[Queued] = field(default_factory=list)
    dropped: int = 0

    def note(self, alert: str, targets: Iterable[str], findings: Iterable[Finding], now: datetime) -> None:
        """Queue what is new of an alert's findings: begun, grown or over."""
        subjects = set()
        for finding in findings:
            subject = _SEPARATOR.join((alert, finding.group, finding.period))
            subjects.add(subject)
            known = self.open.get(subject)
            if known is None:
                kind: Kind = "firing"
            elif finding.level > known.level or finding.size >= known.size * _TWICE > 0:
                kind = "doubled"
            else:
                continue
            self.open[subject] = _OpenFinding(finding.size, finding.level, finding.title)
            self.enqueue(alert, targets, _message(subject, kind, finding.title, now, finding.facts))
        gone = [subject for subject in self.open if subject.partition(_SEPARATOR)[0] == alert]
        for subject in gone:
            if subject not in subjects:
                title = self.open.pop(subject).title
                self.enqueue(alert, targets, _message(subject, "over", title, now))
        while len(self.open) > _MOST_OPEN:
            del self.open[next(iter(self.open))]

    def enqueue(self, alert: str, targets: Iterable[str], message: Message) -> None:
        """Let a message wait for each target."""
        for target in targets:
            waiting = [each for each in self.queue if each.target == target]
            if len(waiting) >= _MOST_QUEUED:
                self.queue.remove(waiting[0])
                self.dropped += 1
            self.queue.append(Queued(target, alert, message))

    def digest(self, alert: str, targets: Iterable[str], day: str, content: Any, now: datetime) -> None:
        """Queue the digest of a day."""
        title, facts, sections = content
        self.digests[alert] = day
        subject = _SEPARATOR.join((alert, "", day))
        self.enqueue(alert, targets, _message(subject, "digest", title, now, facts, sections))


def _message(
    subject: str, kind: Kind, title: str, now: datetime, facts: Any = (), sections: Any = ()
) -> Message:
    return Message(
        id=str(uuid.uuid4()),
        subject=subject.replace(_SEPARATOR, " / "),
        kind=kind,
        title=title,
        facts=tuple(facts),
        sections=tuple(sections),
        created=f"{now.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
    )


@contextmanager
def opened(folder: Path) -> Iterator[tuple[State, Any]]:
    """Yield the state and a function that saves it, while no other process has it.

    Raises:
        StateError: Another process keeps it, or it is damaged.
        OSError: It cannot be read or written.
    """
    home = folder / FOLDER
    _folders.make_folder(home, own=True)
    path = home / "state.json"
    with _files.locked(home / "state.lock", _WAIT_S) as acquired:
        if not acquired:
            raise StateError("another check is running")
        state = read_state(path)

        def save() -> None:
            with _files.replaced(path) as fd:
                _files.write_all(fd, json.dumps(_written(state)).encode())

        yield state, save


def read_state(path: Path) -> State:
    """Return the content of the file. An empty state if it is missing.

    Raises:
        StateError: It is damaged.
        OSError: It cannot be read.
    """
    try:
        text = read_document(path)
    except FileNotFoundError:
        return State()
    except ValueError as error:
        raise StateError(f"{path} is damaged ({error}): remove it to begin anew") from None
    try:
        return _parsed(parse_json(text))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise StateError(f"{path} is damaged ({type(error).__name__}): remove it to begin anew") from None


def _written(state: State) -> dict[str, Any]:
    return {
        "version": 1,
        "open": {subject: {**asdict(each), "size": str(each.size)} for subject, each in state.open.items()},
        "digests": state.digests,
        "queue": [asdict(each) for each in state.queue],
        "dropped": state.dropped,
    }


def _parsed(content: Mapping[str, Any]) -> State:
    if content["version"] != 1:
        raise ValueError("another version")
    return State(
        open={
            _text(subject): _OpenFinding(
                parse_decimal(each["size"]), int(each["level"]), _text(each["title"])
            )
            for subject, each in content["open"].items()
        },
        digests={_text(alert): _text(day) for alert, day in content["digests"].items()},
        queue=[_queued(each) for each in content["queue"]],
        dropped=int(content["dropped"]),
    )


def _queued(item: Mapping[str, Any]) -> Queued:
    found = item["message"]
    texts = {name: _text(found[name]) for name in ("id", "subject", "title", "created")}
    kind: Optional[Kind] = next((each for each in KINDS if each == found["kind"]), None)
    if kind is None:
        raise ValueError("unknown kind")
    sections = tuple((_text(title), _rows(rows)) for title, rows in found["sections"])
    message = Message(**texts, kind=kind, facts=_rows(found["facts"]), sections=sections)
    return Queued(_text(item["target"]), _text(item["alert"]), message)


def _rows(rows: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_text(label), _text(value)) for label, value in rows)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
