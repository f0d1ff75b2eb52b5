"""Programs that are shipped in one piece: frozen by PyInstaller or cx_Freeze, or as a zip archive."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipapp
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from recost.pricing.list_place import tokens_unpriced
from tests.loopback import Loopback
from tests.scripts import ROOT, calls, environment, windows

PROGRAM = """
import sys, urllib.request
import recost

recost.init(capture_usage=True, flush_on_sigterm=True)
urllib.request.urlopen(sys.argv[1] + "/plain").read()
from recost.captured import CapturedResponse
from recost.pricing.usage import SHAPES, read_usage
from recost.schema import load_schema

content = CapturedResponse(b"{}")
print(len(recost.BUILTIN_PROVIDERS), [read_usage(shape, content) for shape in SHAPES], load_schema())
"""


KINDS = ["--onedir", *(["--onefile"] if os.environ.get("RECOST_TEST_ONEFILE") else [])]
"""One file takes several times as long to build, and differs in how it is unpacked only."""


def check(command: list[str], server: Loopback, folder: Path) -> None:
    env = environment(RECOST_LOCAL_DIR=str(folder / "telemetry"))
    del env["PYTHONPATH"]
    done = subprocess.run(
        [*command, server.url], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    # Left out of the program, for which there is a reason below.
    told = f"recost: {tokens_unpriced('is not installed')}\n"
    assert (done.returncode, done.stderr) == (0, told)
    bare = subprocess.run(
        [sys.executable, "-c", PROGRAM, server.url],
        env=environment(RECOST_LOCAL_DIR=str(folder / "bare")),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == bare.stdout
    assert calls(windows(folder / "telemetry")) == Counter({"/plain": 1})


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("PyInstaller") is None, reason="needs PyInstaller")
@pytest.mark.parametrize("kind", KINDS)
def test_frozen_by_pyinstaller(kind: str, server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    # What else is installed here takes minutes to look through.
    left_out = [f"--exclude-module={name}" for name in ("genai_prices", "websockets", "setuptools")]
    subprocess.run(
        [sys.executable, "-m", "PyInstaller", kind, "--log-level=ERROR", *left_out, "program.py"],
        cwd=tmp_path,
        env=environment(PYINSTALLER_CONFIG_DIR=str(tmp_path / "cache")),
        check=True,
    )
    program = tmp_path / "dist" / "program"
    check([str(program / "program" if kind == "--onedir" else program)], server, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(find_spec("cx_Freeze") is None, reason="needs cx_Freeze")
def test_frozen_by_cx_freeze(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    build = [
        "build_exe",
        "--packages=recost",
        "--excludes=genai_prices,websockets",
        "--build-exe=program",
        "-q",
    ]
    freeze = "from cx_Freeze.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", freeze, "--script=program.py", *build],
        cwd=tmp_path,
        env=environment(),
        check=True,
        capture_output=True,
    )
    check([str(tmp_path / "program" / "program")], server, tmp_path)


def test_a_zip_archive(server: Loopback, tmp_path: Path) -> None:
    content = tmp_path / "content"
    wrapt = find_spec("wrapt")
    assert wrapt is not None
    assert wrapt.origin is not None
    for package in (ROOT / "recost", Path(wrapt.origin).parent):
        shutil.copytree(package, content / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    (content / "__main__.py").write_text(PROGRAM)
    zipapp.create_archive(content, tmp_path / "program.pyz")
    check([sys.executable, "-I", "-S", str(tmp_path / "program.pyz")], server, tmp_path)
