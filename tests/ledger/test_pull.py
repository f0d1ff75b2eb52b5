"""``recost ledger`` as a user runs it, against providers on loopback."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recost.ledger.store import LedgerFile, files_of
from tests.ledger import bills
from tests.ledger.bills import DAY, bill
from tests.ledger.fakes import Answer, Api, Asked, serving
from tests.scripts import environment

SECRET = "sk-admin-canary-5f1e"
TODAY = datetime.now(timezone.utc).date()
FIRST = TODAY - 9 * DAY


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(bills.openai(bill(10, FIRST))) as found:
        yield found


def variables(api: Api, folder: Path, **extra: str) -> dict[str, str]:
    names = {"RECOST_LEDGER_OPENAI_URL": api.url + "/v1", "RECOST_LOCAL_DIR": str(folder)}
    clean = {name: value for name, value in environment().items() if "KEY" not in name}
    return {**clean, **names, "RECOST_LEDGER_OPENAI_KEY": SECRET, **extra}


def ledger(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recost", "ledger", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def stored(folder: Path) -> dict[Any, Any]:
    (file,) = files_of(folder)
    return {day: file.rows(day) for day in file.days()}


def test_a_pull_and_its_status(api: Api, tmp_path: Path) -> None:
    env = variables(api, tmp_path)
    done = ledger("pull", "openai", "--since", "10d", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("openai: 11 days asked for, 11 new, 0 changed")
    again = ledger("pull", "openai", "--since", "10d", env=env)
    assert again.stdout == "openai: 4 days asked for, 0 new, 0 changed\n"
    status = ledger("status", env=env)
    assert status.returncode == 0
    assert len(max(status.stdout.splitlines(), key=len)) <= 80
    (found,) = json.loads(ledger("status", "--json", env=env).stdout)
    assert (found["days"], found["final"], found["restated"], found["bad_lines"]) == (11, 7, 0, 0)
    total = sum(row.amount or Decimal() for rows in stored(tmp_path).values() for row in rows)
    assert abs(total - sum(line.usd for line in bill(10, FIRST))) < Decimal("1e-12")
    assert {asked.headers["authorization"] for asked in api.asked} == {f"Bearer {SECRET}"}


def test_a_restated_day_counts_with_its_new_amount(tmp_path: Path) -> None:
    lines = bill(10, FIRST)
    with serving(bills.openai(lines)) as api:
        env = variables(api, tmp_path)
        ledger("pull", "--since", "10d", env=env)
        lines[-1] = lines[-1]._replace(usd=Decimal(5))
        done = ledger("pull", "--since", "10d", env=env)
    assert "0 new, 1 changed" in done.stdout
    (found,) = json.loads(ledger("status", "--json", env=env).stdout)
    assert found["restated_days"] == [TODAY.isoformat()]
    assert Decimal(5) in {row.amount for row in stored(tmp_path)[TODAY]}


def test_a_pull_that_is_killed_anywhere_is_completed_by_the_next(tmp_path: Path) -> None:
    lines = bill(60, TODAY - 59 * DAY)

    def slow(asked: Asked) -> Any:
        time.sleep(0.01)
        return route(asked)

    route = bills.openai(lines)
    with serving(slow) as api:
        undisturbed = tmp_path / "undisturbed"
        assert ledger("pull", "--since", "60d", env=variables(api, undisturbed)).returncode == 0
        folder = tmp_path / "killed"
        command = [sys.executable, "-m", "recost", "ledger", "pull", "--since", "60d"]
        kills = random.Random(17)
        ended = 0
        for _ in range(20):
            running = subprocess.Popen(command, env=variables(api, folder), stdout=subprocess.DEVNULL)
            try:
                running.wait(0.2 + kills.random() * 1.5)
                ended += 1
            except subprocess.TimeoutExpired:
                running.send_signal(signal.SIGKILL)
                running.wait()
        assert ledger("pull", "--since", "60d", env=variables(api, folder)).returncode == 0
    assert ended < 20
    assert stored(folder) == stored(undisturbed)
    (file,) = files_of(folder)
    assert file.path.read_bytes().endswith(b"\n")
    assert all(json.loads(line) for line in file.path.read_text().splitlines())


def test_two_pulls_at_once(api: Api, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "recost", "ledger", "pull"]
    running = [
        subprocess.Popen(command, env=variables(api, tmp_path), stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    assert [each.wait(60) for each in running] == [0, 0]
    (file,) = files_of(tmp_path)
    starts = [json.loads(line)["start"] for line in file.path.read_text().splitlines()]
    assert len(starts) == len(set(starts)) == 36


def test_what_was_pulled_before_a_failure_is_kept(tmp_path: Path) -> None:
    route = bills.openai(bill(60, TODAY - 59 * DAY))
    second = int((datetime.now(timezone.utc) - timedelta(days=32)).timestamp())

    def failing(asked: Asked) -> Any:
        late = int(asked.one("start_time") or 0) > second
        return Answer({"error": {"message": "you may not"}}, 403) if late else route(asked)

    with serving(failing) as api:
        env = variables(api, tmp_path, RECOST_LEDGER_TOGETHER_KEY="x", RECOST_LEDGER_TOGETHER_URL=api.url)
        done = ledger("pull", "openai", "--since", "60d", env=env)
    assert (done.returncode, done.stderr) == (1, "recost: openai: status 403: you may not\n")
    assert len(stored(tmp_path)) == 31


def test_one_provider_that_fails_holds_up_no_other(tmp_path: Path) -> None:
    with serving(bills.openai(bill(10, FIRST))) as api, serving(lambda _: Answer({}, 404)) as broken:
        env = variables(api, tmp_path, RECOST_LEDGER_TOGETHER_KEY="x", RECOST_LEDGER_TOGETHER_URL=broken.url)
        done = ledger("pull", env=env)
    assert done.returncode == 1
    assert "recost: together: status 404" in done.stderr
    assert len(stored(tmp_path)) == 36


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["pull", "opnai"], "did you mean 'openai'?"),
        (["pull", "deepgram"], "set RECOST_LEDGER_DEEPGRAM_KEY"),
        (["pull", "--since", "yesteryear"], "--since"),
        (["pull", "--since", "900d"], "at most 400 days"),
        (["pull", "--since", "2100-01-01"], "--since"),
        ([], "expected pull or status"),
    ],
)
def test_wrong_usage(api: Api, tmp_path: Path, arguments: list[str], expected: str) -> None:
    done = ledger(*arguments, env=variables(api, tmp_path))
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stdout == ""


def test_without_any_credential(api: Api, tmp_path: Path) -> None:
    env = variables(api, tmp_path)
    del env["RECOST_LEDGER_OPENAI_KEY"]
    done = ledger("pull", env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no credential" in done.stderr


# Where the credential comes from, and where it never goes.


def test_a_credential_of_a_file_a_command_or_the_vendors_variable(api: Api, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    link = tmp_path / "link"  # as Kubernetes mounts secrets
    link.symlink_to(secret)
    for name, value in (
        ("RECOST_LEDGER_OPENAI_KEY_FILE", str(link)),
        ("RECOST_LEDGER_OPENAI_KEY_COMMAND", f"{sys.executable} -c 'print(\"{SECRET}\")'"),
        ("OPENAI_ADMIN_KEY", SECRET),
    ):
        env = {**variables(api, tmp_path / name), name: value}
        del env["RECOST_LEDGER_OPENAI_KEY"]
        api.asked.clear()
        done = ledger("pull", env=env)
        assert (done.returncode, done.stderr) == (0, "")
        assert {asked.headers["authorization"] for asked in api.asked} == {f"Bearer {SECRET}"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("KEY", f"{SECRET} and more", "one line of ASCII"),
        ("KEY", f"{SECRET}é", "one line of ASCII"),
        ("KEY_FILE", "/nowhere/at/all", "No such file"),
        ("KEY_FILE", "/dev/zero", "not a regular file"),
        ("KEY_COMMAND", "false", "exit code 1"),
        ("KEY_COMMAND", "no-such-program-here", "cannot run"),
        ("KEY_COMMAND", "true", "one line of ASCII"),
        ("KEY_COMMAND", "'", "cannot run"),
    ],
)
def test_a_credential_that_cannot_be_used(
    api: Api, tmp_path: Path, name: str, value: str, expected: str
) -> None:
    env = variables(api, tmp_path)
    del env["RECOST_LEDGER_OPENAI_KEY"]
    done = ledger("pull", "openai", env={**env, f"RECOST_LEDGER_OPENAI_{name}": value})
    assert (done.returncode, done.stdout) == (1, "")
    assert expected in done.stderr
    assert SECRET not in done.stderr
    assert not api.asked


def test_no_credential_anywhere(api: Api, tmp_path: Path) -> None:
    """Neither in files, output, process list nor at the target of a redirect."""
    elsewhere: list[Asked] = []

    def other(asked: Asked) -> Any:
        elsewhere.append(asked)
        return {"data": []}

    env = variables(api, tmp_path)
    outputs = [ledger("pull", env=env), ledger("status", env=env), ledger("status", "--json", env=env)]
    with (
        serving(other) as target,
        serving(lambda _: Answer({}, 307, {"Location": target.url})) as redirecting,
    ):
        outputs.append(ledger("pull", env=variables(redirecting, tmp_path / "2")))
    with serving(lambda asked: Answer({"error": {"message": "no"}}, 401)) as refusing:
        outputs.append(ledger("pull", env=variables(refusing, tmp_path / "3")))
    assert [done.returncode for done in outputs] == [0, 0, 0, 1, 1]
    assert elsewhere == []
    assert all(SECRET not in done.stdout + done.stderr for done in outputs)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_credential_in_the_process_list(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def watching(asked: Asked) -> Any:
        seen.extend(path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
        return route(asked)

    route = bills.openai([])
    with serving(watching) as api:
        assert ledger("pull", "--since", "1d", env=variables(api, tmp_path)).returncode == 0
    assert any(b"ledger" in line for line in seen)
    assert not any(SECRET.encode() in line for line in seen)


@pytest.mark.parametrize(
    "url", ["http://api.example.com/v1", "ftp://x", "https://user:pw@x", "https://x?key=1"]
)
def test_a_url_that_could_leak_the_credential(api: Api, tmp_path: Path, url: str) -> None:
    done = ledger("pull", "openai", env=variables(api, tmp_path, RECOST_LEDGER_OPENAI_URL=url))
    assert (done.returncode, done.stdout) == (1, "")
    assert "invalid URL" in done.stderr
    assert "pw" not in done.stderr


def test_names_of_the_provider_reach_no_terminal(tmp_path: Path) -> None:
    (line, *_) = bill(1, TODAY)
    with serving(bills.openai([line._replace(model="\x1b]0;owned\x07" + "m\n")])) as api:
        env = variables(api, tmp_path)
        outputs = [ledger("pull", env=env), ledger("status", env=env)]
    assert all(done.returncode == 0 and "\x1b" not in done.stdout + done.stderr for done in outputs)


def test_days_that_the_provider_no_longer_has(tmp_path: Path) -> None:
    with serving(bills.openrouter(bill(40, TODAY - 40 * DAY))) as api:
        env = variables(api, tmp_path, RECOST_LEDGER_OPENROUTER_KEY="x", RECOST_LEDGER_OPENROUTER_URL=api.url)
        done = ledger("pull", "openrouter", "--since", "40d", env=env)
    assert done.returncode == 0
    assert "30 days asked for, 30 new" in done.stdout
    assert "10 days too old" in done.stdout
    assert LedgerFile(tmp_path, "openrouter", "default").days().keys() == {
        TODAY - n * DAY for n in range(1, 31)
    }


def test_a_full_folder_is_a_clear_error(api: Api, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "ledger").write_text("not a folder")
    else:
        tmp_path.chmod(0o500)
    done = ledger("pull", env=variables(api, tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("recost: openai: cannot write")
