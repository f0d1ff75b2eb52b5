"""The plugin for pytest, in runs of pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.metered import Metered, metered_server
from tests.scripts import environment, run_script
from tests.unnamed import unnamed_server

TESTS = """
import os, threading, urllib.request
import recost

def call():
    with urllib.request.urlopen(os.environ["UPSTREAM"] + "/v1/chat", b"{}") as response:
        response.read()

def test_one(recost_spend):
    call()
    assert recost_spend.calls == 1
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert recost_spend.calls == 2

def test_two(recost_spend):
    assert recost_spend.calls == 0
    call()
    assert (recost_spend.calls, recost_spend.unpriced) == (1, UNPRICED)

def test_three():
    call()
"""
PRICED = """
import os, pytest, recost

@pytest.fixture(autouse=True, scope="session")
def running(tmp_path_factory):
    rule = recost.ProviderDef("127.0.0.1", "house", "/v1", "chat", cost_per_request_cents=5.0)
    with recost.init(local_dir=tmp_path_factory.mktemp("telemetry"), custom_providers=[rule]):
        yield
"""


def run(
    folder: Path, upstream: Metered, *options: str, priced: bool = True
) -> subprocess.CompletedProcess[str]:
    (folder / "test_calls.py").write_text(TESTS.replace("UNPRICED", "0" if priced else "1"))
    if priced:
        (folder / "conftest.py").write_text(PRICED)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        *options,
    ]
    env = environment(UPSTREAM=upstream.url)
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert len(upstream.log) == 4 or done.returncode == 4, done.stdout + done.stderr
    return done


def test_a_run_says_what_it_cost(tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream, "--recost")
    assert done.returncode == 0, done.stdout
    assert "recost: $0.2000 in 4 calls (house $0.2000)" in done.stdout


def test_calls_of_unknown_price_are_shown(tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream, "--recost", priced=False)
    assert "recost: $0 in 4 calls, 4 of unknown price" in done.stdout


@pytest.mark.parametrize(("limit", "code"), [("0.20", 0), ("0.19", 1), ("0", 1)])
def test_a_run_fails_over_its_limit(limit: str, code: int, tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream, "--recost-max-usd", limit)
    assert done.returncode == code, done.stdout
    assert ("of --recost-max-usd" in done.stdout) == bool(code)


@pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_the_processes_of_xdist_are_added_up(tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream, "--recost-max-usd", "0.19", "-n", "2")
    assert done.returncode == 1, done.stdout
    assert "recost: $0.2000 in 4 calls (house $0.2000)" in done.stdout


def test_a_run_that_asks_for_nothing_is_as_ever(tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream)
    assert done.returncode == 0, done.stdout
    assert "recost:" not in done.stdout


@pytest.mark.parametrize("limit", ["much", "-1", "nan"])
def test_a_limit_that_is_none(limit: str, tmp_path: Path) -> None:
    with metered_server() as upstream:
        done = run(tmp_path, upstream, f"--recost-max-usd={limit}")
    assert done.returncode == 4
    assert "--recost-max-usd" in done.stderr


def test_the_plugin_alone_imports_next_to_nothing() -> None:
    done = run_script(
        "import sys, recost.pytest_plugin; print(sorted(n for n in sys.modules if n.startswith('recost')))"
    )
    assert done.stdout.strip() == "['recost', 'recost._version', 'recost.pytest_plugin']"


APPLICATION = """
import os, sys, urllib.request
from decimal import Decimal
import recost

RULE = recost.ProviderDef(
    "127.0.0.1", "house", "/v1", "chat", cost_per_request_cents=5.0, usage="openai",
    usd_per_unit={"input_tokens": Decimal("0.001"), "output_tokens": 0},
    price_source="this test", price_date="2026-11-21",
)

def cost(folder, **options):
    with recost.init(local_dir=folder, custom_providers=[RULE], **options), recost.track() as spend:
        with urllib.request.urlopen(os.environ["UPSTREAM"] + "/v1/chat", b"{}") as response:
            response.read()
        return recost.cost_for(response).source, spend.cost

def test_what_the_application_sees(tmp_path, recost_spend):
    assert cost(tmp_path, capture_usage=True) == ("computed", Decimal("0.002"))
    assert cost(tmp_path) == ("estimated", Decimal("0.05"))
    assert recost_spend.cost == Decimal("0.002") + Decimal("0.004")
    assert recost_spend.by_provider == {"house": Decimal("0.006")}
"""


def _run_application(
    folder: Path,
    *options: str,
    program: str = APPLICATION,
    server: Any = metered_server,
    **env: str,
) -> str:
    (folder / "test_application.py").write_text(program)
    with server() as upstream:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
            cwd=folder,
            env=environment(UPSTREAM=upstream.url, **env),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    return done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("--recost",)], ids=["without", "with"])
def test_an_application_sees_what_it_sees_without_the_plugin(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    shown = _run_application(tmp_path, *options)
    assert "1 passed" in shown, shown
    if options:
        # The plugin reads responses, also where the application doesn't; by the application's rules.
        assert "recost: $0.0060 in 2 calls (house $0.0060)" in shown


CALL = """
import os, urllib.request

def test_a_call():
    with urllib.request.urlopen(os.environ["UPSTREAM"] + "/v1/chat", b"{}") as response:
        response.read()
"""
RULES = """
[[providers]]
host_pattern = "127.0.0.1"
provider = "house"
usd_per_call = 0.25
price_source = "this test"
price_date = "2026-11-21"
"""


def test_rules_and_exclusions_of_the_environment_hold(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    env = {"RECOST_PROVIDERS_FILE": str(rules), "RECOST_API_KEY": "rc-key", "RECOST_ENABLED": "0"}
    assert "recost: $0.2500 in 1 calls" in _run_application(tmp_path, "--recost", program=CALL, **env)
    env["RECOST_EXCLUDE_HOSTS"] = "127.0.0.1"
    assert "recost: $0 in 0 calls" in _run_application(tmp_path, "--recost", program=CALL, **env)


OF_A_MODEL = """
[[providers]]
host_pattern = "127.0.0.1"
provider = "house"
usage = "cohere"
usd_per_unit = { "m-1.input_tokens" = 0.001, "m-1.output_tokens" = 0 }
price_source = "this test"
price_date = "2026-11-21"
"""


def test_requests_are_read_as_the_environment_says(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(OF_A_MODEL)
    program = CALL.replace("/v1/chat", "/v2/chat").replace("{}", '{\\"model\\": \\"m-1\\"}')
    env = {"RECOST_PROVIDERS_FILE": str(rules)}
    shown = _run_application(tmp_path, "--recost", program=program, server=unnamed_server, **env)
    assert "recost: $1.00 in 1 calls (house $1.00)" in shown
    env["RECOST_READ_REQUESTS"] = "no"
    shown = _run_application(tmp_path, "--recost", program=program, server=unnamed_server, **env)
    assert "recost: $0 in 1 calls, 1 of unknown price" in shown


def test_rules_that_are_not_valid_end_the_run(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES.replace("0.25", '"dear"'))
    shown = _run_application(tmp_path, "--recost", program=CALL, RECOST_PROVIDERS_FILE=str(rules))
    assert "usd_per_call" in shown
    assert "INTERNALERROR" not in shown
