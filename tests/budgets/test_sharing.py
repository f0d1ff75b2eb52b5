"""Budgets that the processes of a project spend together: real processes, and a server that counts."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.loopback import Loopback
from tests.scripts import environment, run_script

pytestmark = pytest.mark.usefixtures("one_day")
WORKER = """
import os, sys, urllib.request
import recost, recost.budgets.live_sums

url, folder, project = sys.argv[1:4]
recost.budgets.live_sums._WITHIN_S = 30.0  # a busy machine may hold up whoever has the file
rule = recost.ProviderDef("127.0.0.1", "acme", endpoint_category="all", cost_per_request_cents=10)
more = {"project_id": project, "custom_providers": [rule]}

def start(**options):
    budget = recost.Budget(1, on_exceed="raise", **options)
    return recost.init(local_dir=folder, budgets=[budget], **more)

def until_refused(most=50):
    for number in range(most):
        try:
            with urllib.request.urlopen(url + "/plain") as response:
                response.read()
        except recost.RecostBudgetExceededError:
            return number
    return most

def wait():
    print("ready", flush=True)
    sys.stdin.readline()
"""
SPENDING = WORKER + "start()\nwait()\nprint(until_refused(), flush=True)\n"
FORKING = (
    WORKER
    + """
start()
wait()
children = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        until_refused()
        sys.exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
print(until_refused())
"""
)


class Workers:
    """Processes that begin to call at the same moment."""

    def __init__(self, code: str, server: Loopback, folder: Path, *projects: str) -> None:
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-c", code, server.url, str(folder), project],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            for project in projects
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()

    def run(self) -> list[tuple[int, str]]:
        """Return how many calls each could make, and what it wrote to stderr."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = []
        for process in self._processes:
            output, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
            found.append((int(output), errors))
        return found


def spent(folder: Path, project: str = "shop") -> Decimal:
    """Return what the file says."""
    kept = json.loads((folder / f"{project}.budgets.json").read_text())
    return Decimal(kept["budgets"]["per day"]["spent_usd"])


def test_four_workers_spend_the_budget_and_the_calls_under_way(server: Loopback, tmp_path: Path) -> None:
    workers = Workers(SPENDING, server, tmp_path, *["shop"] * 4)
    found = workers.run()
    assert [errors for _, errors in found] == [""] * 4
    assert 10 <= len(server.log) <= 10 + 3
    assert spent(tmp_path) == Decimal("0.1") * len(server.log)
    restarted = run_script(WORKER + "start()\nprint(until_refused())", server.url, tmp_path, "shop")
    assert (restarted.stdout, restarted.stderr) == ("0\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_forked_workers_do_so_too(server: Loopback, tmp_path: Path) -> None:
    assert Workers(FORKING, server, tmp_path, "shop").run() == [(0, "")]
    assert 10 <= len(server.log) <= 10 + 3
    assert spent(tmp_path) == Decimal("0.1") * len(server.log)


def test_projects_in_one_folder_have_a_budget_each(server: Loopback, tmp_path: Path) -> None:
    Workers(SPENDING, server, tmp_path, "shop", "shop", "bakery", "bakery").run()
    for project in ("shop", "bakery"):
        assert Decimal(1) <= spent(tmp_path, project) <= Decimal("1.1")
    assert spent(tmp_path) + spent(tmp_path, "bakery") == Decimal("0.1") * len(server.log)


def test_a_folder_that_cannot_be_written_is_a_warning_and_each_process_counts_alone(
    server: Loopback, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    code = "handle = start()\nuntil_refused(1)\nhandle.flush_blocking()\nwait()\nprint(until_refused())\n"
    found = Workers(WORKER + code, server, tmp_path / "file" / "telemetry", "shop", "shop").run()
    assert [count for count, _ in found] == [9, 9]
    for _, errors in found:
        warnings = [line for line in errors.splitlines() if "where budgets are kept" in line]
        assert len(warnings) == 1
        assert warnings[0].endswith("meanwhile each process counts what it spends itself")


def test_what_they_show_each_other_names_nothing(server: Loopback, tmp_path: Path) -> None:
    code = WORKER + "start(name='secret plans')\nprint(until_refused(3))"
    assert run_script(code, server.url, tmp_path, "secret-project").stdout == "3\n"
    (file,) = tmp_path.glob("*.live")
    text = file.read_text() + file.name
    assert "secret" not in text
    assert any(Decimal(amount) == Decimal("0.3") for _, amount in json.loads(file.read_text()).values())
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [b"{", b"\0" * 99_999, b'{"a": [1e9, "999999999999"]}'],
    ids=["cut off", "zeros", "of another time"],
)
def test_what_is_damaged_holds_up_nobody(text: bytes, server: Loopback, tmp_path: Path) -> None:
    assert (
        run_script(WORKER + "start()\nprint(until_refused(1))", server.url, tmp_path, "shop").stdout == "1\n"
    )
    (file,) = tmp_path.glob("*.live")
    file.write_bytes(text)
    workers = Workers(SPENDING, server, tmp_path, "shop", "shop")
    assert [errors for _, errors in workers.run()] == ["", ""]
    assert 10 <= len(server.log) <= 10 + 1


def test_an_api_key_and_a_file_that_is_named_are_shared_the_same_way(
    server: Loopback, tmp_path: Path
) -> None:
    code = WORKER + (
        "more['api_key'] = 'rc-key'\nmore['base_url'] = url\n"
        "start(file=f'{folder}/spent.json')\nwait()\nprint(until_refused(), flush=True)\n"
    )
    Workers(code, server, tmp_path, *["shop"] * 4).run()
    kept = json.loads((tmp_path / "spent.json").read_text())["budgets"]["per day"]["spent_usd"]
    assert Decimal(1) <= Decimal(kept) <= Decimal("1.3")
    assert len(list(tmp_path.glob("*.live"))) == 1
