"""Checks: each finding reaches people once, in order, whatever targets and clocks do."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("duckdb")

from recost.alerts.checking import check
from recost.alerts.config import AlertConfig, load_config
from recost.alerts.model import Message
from recost.alerts.state import StateError, opened
from recost.alerts.targets.base import SendError
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests.alerts.receiving import Receiver, http_receiver
from tests.recorded import record
from tests.scripts import environment

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 29, 12, 30, tzinfo=timezone.utc)


def write(
    folder: Path, windows: Iterable[tuple[datetime, str, float]], calls: int = 10, unpriced: int = 0
) -> None:
    """Append windows of a provider and a cost in US dollars."""
    for when, provider, usd in windows:
        stamp = f"{when:%Y-%m-%dT%H:%M:%S}.000Z"
        record(folder, stamp, usd, provider=provider, calls=calls, unpriced=unpriced)


def usual(
    until: datetime, days: int = 20, provider: str = "openai", seed: int = 1
) -> Iterable[tuple[datetime, str, float]]:
    """Return hours of about a dollar, up to an hour."""
    chance = random.Random(seed)
    start = until.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    while start < until.replace(minute=0, second=0, microsecond=0):
        yield start, provider, round(1 + chance.gauss(0, 0.1), 6)
        start += HOUR


class Checked:
    """A folder with alerts, and what arrived."""

    def __init__(self, folder: Path, *alerts: str, targets: tuple[str, ...] = ("team",)) -> None:
        self.folder = folder
        names = "".join(
            f'[[notify]]\nname = "{name}"\ntype = "slack"\nurl = "https://x.example/{name}"\n'
            for name in targets
        )
        to = json.dumps(list(targets))
        path = folder / "recost.toml"
        path.write_text(names + "".join(f"[[alert]]\n{alert}\nto = {to}\n" for alert in alerts))
        self.config: AlertConfig = load_config(path, {})
        self.arrived: list[tuple[str, Message]] = []
        self.down: set[str] = set()

    def check(self, now: datetime = NOW) -> Any:
        return check(self.config, self.folder, now, send=self._send)

    def _send(self, target: str, message: Message) -> None:
        if target in self.down:
            raise SendError("status 503")
        self.arrived.append((target, message))

    def kinds(self) -> list[str]:
        return [message.kind for _, message in self.arrived]


ANOMALY = 'on = "anomaly"\nmin_usd = 1'


def test_an_anomaly_is_sent_once_again_when_doubled_and_when_over(tmp_path: Path) -> None:
    write(tmp_path, usual(NOW))
    write(tmp_path, [(NOW.replace(minute=5), "openai", 30.0)])
    checked = Checked(tmp_path, ANOMALY)
    for _ in range(100):
        assert checked.check().failures == []
    assert checked.kinds() == ["firing"]
    assert "openai: $30.00" in checked.arrived[0][1].title
    write(tmp_path, [(NOW.replace(minute=20), "openai", 40.0)])
    for _ in range(3):
        checked.check()
    assert checked.kinds() == ["firing", "doubled"]
    for hours in range(4, 8):
        checked.check(NOW + hours * HOUR)
    assert checked.kinds() == ["firing", "doubled", "over"]
    subjects = {message.subject for _, message in checked.arrived}
    assert len(subjects) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_developers_for_thirty_days_without_an_anomaly(tmp_path: Path) -> None:
    start = datetime(2026, 10, 1, tzinfo=timezone.utc)
    end = start + timedelta(days=50)
    windows = sorted(each for number in range(20) for each in usual(end, 50, f"dev{number}", number))
    checked = Checked(tmp_path, ANOMALY)
    for day in range(20, 50):
        now = start + timedelta(days=day, hours=18)
        write(tmp_path, [each for each in windows if each[0] < now])
        windows = [each for each in windows if each[0] >= now]
        checked.check(now)
    alarms = checked.kinds().count("firing")
    assert alarms <= 3
    write(tmp_path, [(now, "dev7", 10.0 * 24)])
    checked.check(now + timedelta(minutes=10))
    assert checked.kinds().count("firing") == alarms + 1


BUDGET = 'name = "day"\non = "budget"\nlimit_usd = 10\nfractions = [0.5, 1]'


def test_a_budget_is_sent_at_each_limit_and_over_the_next_day(tmp_path: Path) -> None:
    checked = Checked(tmp_path, BUDGET)
    write(tmp_path, [(NOW - HOUR, "openai", 4.0)])
    checked.check()
    assert checked.arrived == []
    for usd, kinds in ((2.0, ["firing"]), (3.0, ["firing"]), (2.0, ["firing", "doubled"])):
        write(tmp_path, [(NOW - HOUR, "openai", usd)])
        checked.check()
        assert checked.kinds() == kinds
    checked.check(NOW + timedelta(days=1))
    assert checked.kinds() == ["firing", "doubled", "over"]


@pytest.mark.parametrize("kind", ["coverage", "unpriced", "pull_failed"])
def test_other_kinds(tmp_path: Path, kind: str) -> None:
    write(tmp_path, [(NOW - timedelta(days=8), "openai", 1.0)], unpriced=3)
    file = LedgerFile(tmp_path, "openai", "default")
    day = (NOW - timedelta(days=8)).date()
    file.add(LedgerDay(day, (Row("billed", amount=Decimal(2), currency="USD"),)), final=True, now=NOW)
    checked = Checked(tmp_path, f'on = "{kind}"')
    late = {
        "pull_failed": datetime.now(timezone.utc) + timedelta(days=2),
        "unpriced": NOW - timedelta(days=8),
    }
    checked.check(late.get(kind, NOW))
    checked.check(late.get(kind, NOW))
    assert checked.kinds() == ["firing"]
    expected = {
        "coverage": "openai: 50.0% of the bill",
        "unpriced": "openai: 3 of 10",
        "pull_failed": "was last pulled",
    }
    assert expected[kind] in checked.arrived[0][1].title


def test_a_rule_that_cannot_be_evaluated_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, [(NOW - HOUR, "openai", 40.0)])
    checked = Checked(tmp_path, 'on = "coverage"', BUDGET)
    outcome = checked.check()
    assert outcome.failures == ["alert coverage-1: no ledger was pulled yet: recost ledger pull"]
    assert checked.kinds() == ["firing"]


def test_a_target_that_is_down_gets_every_message_once_in_order(tmp_path: Path) -> None:
    checked = Checked(tmp_path, BUDGET, targets=("team", "other"))
    checked.down = {"team"}
    for day in range(5):
        write(tmp_path, [(NOW + timedelta(days=day) - HOUR, "openai", 20.0)])
        outcome = checked.check(NOW + timedelta(days=day))
        assert "notify team: status 503" in outcome.failures
    others = [message for target, message in checked.arrived]
    assert {target for target, _ in checked.arrived} == {"other"}
    checked.down = set()
    checked.check(NOW + timedelta(days=4))
    team = [message for target, message in checked.arrived if target == "team"]
    assert team == others
    assert [message.kind for message in team] == ["firing", *["firing", "over"] * 4]


def test_messages_wait_in_quiet_hours(tmp_path: Path) -> None:
    write(tmp_path, [(NOW - HOUR, "openai", 40.0)])
    checked = Checked(tmp_path, BUDGET + '\nquiet = "22:00-14:00"\ntimezone = "Europe/Berlin"')
    assert checked.check().waiting == 1
    assert checked.check(NOW + timedelta(minutes=31)).sent == 1
    assert checked.kinds() == ["firing"]


def test_too_many_messages_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recost.alerts.state._MOST_QUEUED", 3)
    checked = Checked(tmp_path, BUDGET)
    checked.down = {"team"}
    dropped = 0
    for day in range(4):
        write(tmp_path, [(NOW + timedelta(days=day) - HOUR, "openai", 20.0)])
        dropped += checked.check(NOW + timedelta(days=day)).dropped
    assert dropped == 4  # of seven
    checked.down = set()
    assert checked.check(NOW + timedelta(days=3)).sent == 3


DIGEST = 'on = "digest"\nat = "08:00"\ntimezone = "{}"'


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", "2026-03-27"),
        ("Europe/Berlin", "2026-10-23"),
        ("UTC", "2026-05-01"),
    ],
)
def test_one_digest_a_day_through_both_changes_of_the_clock(tmp_path: Path, zone: str, start: str) -> None:
    now = datetime.fromisoformat(f"{start}T00:00+00:00")
    write(tmp_path, [(now + index * 6 * HOUR, "openai", 1.0) for index in range(24)])
    checked = Checked(tmp_path, DIGEST.format(zone).replace("08:00", "02:30"))
    checked.check(now)
    for half_hour in range(1, 5 * 48):
        checked.check(now + half_hour * HOUR / 2)
    days = [message.subject[-10:] for _, message in checked.arrived]
    assert len(days) == len(set(days)) == 5
    times = [datetime.fromisoformat(message.created.replace("Z", "+00:00")) for _, message in checked.arrived]
    assert all(each.astimezone(ZoneInfo(zone)).hour in {2, 3} for each in times)


def test_what_a_digest_says(tmp_path: Path) -> None:
    day = datetime(2026, 11, 28, 10, tzinfo=timezone.utc)
    write(
        tmp_path,
        [
            (day - timedelta(days=3), "openai", 9.0),
            (day - timedelta(days=1), "openai", 2.0),
            (day, "openai", 3.0),
            (day, "anthropic", 1.0),
        ],
    )
    checked = Checked(tmp_path, DIGEST.format("UTC"))
    checked.check(day - timedelta(days=2))
    checked.check(day + timedelta(days=1))
    ((_, message),) = checked.arrived
    assert message.title == "$4.00 on 28 Nov"
    assert dict(message.facts)["change against the day before"] == "+100%"
    assert dict(message.sections)["by provider"] == (("openai", "$3.00 (+50%)"), ("anthropic", "$1.00 (new)"))


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "open": 3}', b"\xff"]
)
def test_a_damaged_state_is_a_clear_error(tmp_path: Path, damage: bytes) -> None:
    write(tmp_path, [(NOW - HOUR, "openai", 40.0)])
    checked = Checked(tmp_path, BUDGET)
    checked.check()
    (tmp_path / "alerts" / "state.json").write_bytes(damage)
    with pytest.raises(StateError, match="remove it"):
        checked.check()
    assert (tmp_path / "alerts" / "state.json").read_bytes() == damage


def test_the_state_survives_writing_and_reading(tmp_path: Path) -> None:
    write(tmp_path, [(NOW - HOUR, "\x1b[31m=evil\n", 40.0)])
    checked = Checked(tmp_path, BUDGET + '\nby = "provider"', DIGEST.format("UTC"))
    checked.down = {"team"}
    checked.check()
    checked.check(NOW + timedelta(days=1))
    with opened(tmp_path) as (state, save):
        save()
        first = (dict(state.open), list(state.queue), dict(state.digests))
    with opened(tmp_path) as (state, _):
        assert (state.open, state.queue, state.digests) == first
    assert len(first[1]) == 3


# As a user runs it.


def project(folder: Path, receiver: Receiver) -> dict[str, str]:
    """Write a file of alerts with a webhook, and a day over its budget. Return the environment."""
    (folder / "recost.toml").write_text(
        '[[notify]]\nname = "hook"\ntype = "webhook"\nurl_env = "HOOK_URL"\n'
        '[[alert]]\non = "budget"\nlimit_usd = 10\nto = ["hook"]\n'
    )
    write(folder, [(datetime.now(timezone.utc), "openai", 20.0)])
    return environment(RECOST_LOCAL_DIR=str(folder), HOOK_URL=receiver.url, COLUMNS="80")


def recost(folder: Path, env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recost", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_commands(tmp_path: Path) -> None:
    with http_receiver() as receiver:
        env = project(tmp_path, receiver)
        done = recost(tmp_path, env, "check")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1 new message, 1 sent, 0 waiting\n", "")
        assert recost(tmp_path, env, "check").stdout == "0 new messages, 0 sent, 0 waiting\n"
        assert recost(tmp_path, env, "notify", "test", "hook").stdout == "sent to hook\n"
        assert [each.json()["kind"] for each in receiver.posted] == ["firing", "test"]
        receiver.status = 500
        failed = recost(tmp_path, env, "notify", "test", "hook")
        assert (failed.returncode, failed.stderr) == (1, "recost: hook: status 500\n")
        digest = recost(tmp_path, env, "digest", "--every", "week")
        assert (digest.returncode, digest.stderr) == (0, "")
        assert "change against the week before" in digest.stdout
        unit = recost(tmp_path, env, "watch", "--print-systemd")
        assert "ExecStart=" in unit.stdout
        assert receiver.url not in unit.stdout
    for arguments, expected in {
        ("check", "--config", "none.toml"): "cannot be read",
        ("notify", "test", "hok"): "did you mean 'hook'?",
        ("digest", "--tz", "Mars"): "--tz",
    }.items():
        done = recost(tmp_path, env, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert expected in done.stderr


@pytest.mark.parametrize("pairs", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_two_checks_at_once_send_once(tmp_path: Path, pairs: int) -> None:
    with http_receiver() as receiver:
        for index in range(pairs):
            folder = tmp_path / str(index)
            folder.mkdir()
            env = project(folder, receiver)
            command = [sys.executable, "-m", "recost", "check"]
            running = [
                subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL) for _ in range(2)
            ]
            assert [each.wait(120) for each in running] == [0, 0]
            assert len(receiver.posted) == index + 1


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_ends_at_a_signal(tmp_path: Path, number: int) -> None:
    with http_receiver() as receiver:
        env = project(tmp_path, receiver)
        running = subprocess.Popen(
            [sys.executable, "-m", "recost", "watch"],
            cwd=tmp_path,
            env=env,
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_for(lambda: bool(receiver.posted))
        assert running.stdout is not None
        assert running.stdout.readline() == "1 new message, 1 sent, 0 waiting\n"
        running.send_signal(number)
        assert running.wait(10) == 0
        running.stdout.close()
