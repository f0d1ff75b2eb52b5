from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recost._version import __version__
from recost.cli import COMMANDS, main
from tests.scripts import environment, run_script


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"recost {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_each_command_on_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    for name, (_, summary) in COMMANDS.items():
        assert [line for line in lines if line.split()[:1] == [name]] == [f"  {name:<10}  {summary}"]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"usage: recost {name}" in capsys.readouterr().out


def test_an_unknown_command_is_refused_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dmo"]) == 2
    assert "invalid command 'dmo': did you mean 'demo'?" in capsys.readouterr().err
    assert main(["xyz"]) == 2
    assert "expected one of anomalies, budgets, check, collector, completion" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--nonsense"], ["demo", "--nonsense"], ["demo", "extra"]])
def test_unknown_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: recost" in capsys.readouterr().err


def test_a_command_is_imported_only_when_it_is_asked_for() -> None:
    done = run_script(
        """
        import sys
        from recost.cli import main
        main(["--help"])
        heavy = {"recost.cli.demo", "recost.cli.doctor", "http.client", "http.server", "httpx", "urllib3"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "recost", "--version"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"recost {__version__}\n", "")


def test_characters_that_the_terminal_lacks_are_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "földer"
    env = environment(RECOST_LOCAL_DIR=str(folder), PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    done = subprocess.run(
        [sys.executable, "-m", "recost", "doctor"], env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert rb"f\xf6lder" in done.stdout


@pytest.mark.parametrize("arguments", [["demo"], ["doctor"], ["--help"], ["--version"]])
def test_a_reader_that_has_left_ends_the_command_quietly(tmp_path: Path, arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [sys.executable, "-m", "recost", *arguments],
        env={**environment(RECOST_LOCAL_DIR=str(tmp_path)), "PYTHONUNBUFFERED": ""},
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is another thing there")
def test_ctrl_c_ends_the_command_quietly(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "recost", "demo"],
        env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("urllib.request"):  # the first call: it is well under way
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(30) == 130
    assert errors == "\n"
