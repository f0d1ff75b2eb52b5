"""The page is right: its quick start runs word for word, and its units and images start what they say."""

from __future__ import annotations

import argparse
import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recost.cli import collector as command
from recost.collector import windows
from recost.collector.limits import POSTS_PER_HOUR
from recost.collector.stores import ids
from tests.loopback import Loopback, free_port
from tests.scripts import ROOT, environment

PAGE = (ROOT / "recost" / "collector" / "README.md").read_text(encoding="utf-8")


def block(kind: str) -> str:
    (found,) = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("bash") is None, reason="needs bash and curl"
)
def test_the_quick_start(tmp_path: Path, server: Loopback) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "app.py").write_text(
        "import urllib.request\n"
        f"for _ in range(7): urllib.request.urlopen({server.url + '/plain'!r}).read()\n"
    )
    (tmp_path / "bin").mkdir()
    for name, module in (("recost", "-m recost"), ("python", "")):
        file = tmp_path / "bin" / name
        file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        file.chmod(0o755)
    script = block("sh").replace("9849", str(free_port()))
    assert script.count("recost report telemetry") == 1
    script = script.replace("recost report telemetry", "recost report --json telemetry > report.json")
    env = environment(HOME=str(tmp_path))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-mc", script],
        cwd=tmp_path,
        env={**env, "PATH": f"{tmp_path / 'bin'}:{env['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())["total"]["calls"] == 7
    assert len(server.log) == 7


def parsed(line: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert line[:2][-1] == "collector"
    return parser.parse_args(line[2:])


def test_the_unit_starts_a_collector() -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini"))
    asked = parsed(shlex.split(unit["Service"]["ExecStart"]))
    assert (asked.dir, asked.listen) == (f"/var/lib/{unit['Service']['StateDirectory']}", "127.0.0.1:9849")


def test_the_image_starts_a_collector() -> None:
    (line,) = re.findall(r"^CMD (.*)$", block("dockerfile"), re.MULTILINE)
    asked = parsed(json.loads(line))
    assert asked.behind_proxy
    assert asked.dir == "/data"


def test_its_limits_are_those_of_the_code() -> None:
    assert f"{POSTS_PER_HOUR:,} in any hour" in PAGE
    assert f"{windows.MAX_BODY_BYTES >> 20} MB as sent" in PAGE
    assert f"{windows.MAX_METRICS:,}. The SDKs split larger ones" in PAGE
    assert f"for {ids.IDS_KEPT_S // 86400} days, {ids.MAX_IDS // 10**6} million at most" in PAGE
