"""Every option that names a file to write, on everything that can have the name."""

from __future__ import annotations

import argparse
import importlib
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from recost import _files
from recost.cli import COMMANDS, main
from recost.cli._shared import output
from recost.cli._shared.output import Output
from tests.analytics.test_store import line
from tests.scripts import environment

pytest.importorskip("duckdb")

READ_ONLY = {
    ("gate", "--baseline"), ("prices", "--rules"), ("collector", "--tls-cert"), ("collector", "--tls-key"),
    ("check", "--config"), ("digest", "--config"), ("notify", "--config"), ("watch", "--config"),
}  # fmt: skip
"""Options that name a file which is read."""
NEEDS = {("gate", "--summary"): ["--max-usd", "9"], ("export", "--output"): ["--format", "parquet"]}
"""What an option needs beside it."""


class Option(NamedTuple):
    command: str
    name: str

    def run(self, target: object) -> int:
        return main([self.command, *NEEDS.get(self, ()), self.name, str(target)])

    def wrote(self, content: bytes) -> bool:
        """Tell whether it is whole."""
        if self.name == "--summary":
            return content.startswith(b"### API cost") and content.endswith(b"\n")
        if self.name == "--write-baseline":
            return content.startswith(b"{") and content.endswith(b"}\n")
        return content.startswith(b"PAR1") and content.endswith(b"PAR1")


def actions() -> Iterator[tuple[str, argparse.Action]]:
    for command, (module, _) in COMMANDS.items():
        parser = argparse.ArgumentParser()
        importlib.import_module(module).configure(parser)
        for action in parser._actions:
            yield command, action


def test_each_option_with_a_file_says_whether_it_writes() -> None:
    for command, action in actions():
        if action.metavar == "FILE" and (command, action.option_strings[-1]) not in READ_ONLY:
            assert action.type is Output, (command, action.option_strings)


OPTIONS = [
    Option(command, action.option_strings[-1]) for command, action in actions() if action.type is Output
]
each_option = pytest.mark.parametrize("option", OPTIONS, ids=" ".join)
posix = pytest.mark.skipif(os.name != "posix", reason="modes, pipes and devices")


def test_the_options_that_are_known_are_found() -> None:
    assert {("export", "--output"), ("report", "--parquet"), ("gate", "--summary")} < set(OPTIONS)


@pytest.fixture(autouse=True)
def telemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "telemetry"
    place.mkdir()
    (place / "shop.jsonl").write_bytes(line(1, 10))
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(place))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "out"
    place.mkdir()
    return place


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@each_option
def test_a_new_file_is_private(option: Option, folder: Path) -> None:
    before = os.umask(0)
    try:
        assert option.run(folder / "new") == 0
    finally:
        os.umask(before)
    assert option.wrote((folder / "new").read_bytes())
    assert os.name != "posix" or mode(folder / "new") == 0o600
    assert [path.name for path in folder.iterdir()] == ["new"]


@posix
@each_option
@pytest.mark.parametrize("rights", [0o644, 0o400, 0o660])
def test_a_file_is_replaced_and_keeps_its_mode(option: Option, folder: Path, rights: int) -> None:
    path = folder / "old"
    path.write_text("old")
    path.chmod(rights)
    inode = path.stat().st_ino
    with path.open() as held:
        assert option.run(path) == 0
        assert held.read() == "old"
    assert option.wrote(path.read_bytes())
    assert (mode(path), path.stat().st_ino != inode) == (rights, True)


@posix
@each_option
@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_stays_and_its_target_is_written(option: Option, folder: Path, dangling: bool) -> None:
    (folder / "elsewhere").mkdir()
    target, link = folder / "elsewhere" / "target", folder / "link"
    if not dangling:
        target.write_text("old")
        target.chmod(0o640)
    link.symlink_to(Path("elsewhere", "target"))
    assert option.run(link) == 0
    assert link.is_symlink()
    assert option.wrote(target.read_bytes())
    assert mode(target) == (0o600 if dangling else 0o640)
    assert [path.name for path in target.parent.iterdir()] == ["target"]


@posix
@each_option
def test_a_pipe_is_written_into(option: Option, folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert option.run(pipe) == 0
    reader.join(10)
    assert option.wrote(read[0])
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@posix
@each_option
def test_a_pipe_that_nobody_reads_is_given_up(
    option: Option, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "_READER_WITHIN_S", 0.1)
    os.mkfifo(folder / "pipe")
    assert option.run(folder / "pipe") == 2
    assert "a pipe without a reader for" in capsys.readouterr().err
    assert stat.S_ISFIFO((folder / "pipe").lstat().st_mode)


@posix
@each_option
@pytest.mark.parametrize("linked", [False, True])
def test_a_device_stays_what_it_is(option: Option, folder: Path, linked: bool) -> None:
    device = folder / "null"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.write_bytes(b"x")
    except PermissionError:
        pytest.skip("only root can make a device")
    name = folder / "link" if linked else device
    if linked:
        name.symlink_to(device)
    before = device.lstat()
    assert option.run(name) == 0
    after = device.lstat()
    assert stat.S_ISCHR(after.st_mode)
    assert (after.st_ino, after.st_mode, after.st_rdev) == (before.st_ino, before.st_mode, before.st_rdev)


@each_option
def test_a_folder_is_refused(option: Option, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "taken").mkdir()
    assert option.run(folder / "taken") == 2
    assert option.run(folder / "missing" / "file") == 2
    errors = capsys.readouterr().err.splitlines()
    assert [error.startswith("recost: cannot write ") for error in errors] == [True, True], errors
    assert [path.name for path in folder.iterdir()] == ["taken"]


@posix
@each_option
def test_a_socket_is_refused(option: Option, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(folder / "s"))
        assert option.run(folder / "s") == 2
    assert "cannot write" in capsys.readouterr().err
    assert stat.S_ISSOCK((folder / "s").lstat().st_mode)


@each_option
def test_a_blank_name_is_refused(option: Option, capsys: pytest.CaptureFixture[str]) -> None:
    assert option.run("") == 2
    assert "expected a file, or - for stdout" in capsys.readouterr().err


@posix
@each_option
def test_what_fails_half_way_leaves_the_old_file(
    option: Option, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "old").write_text("old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files, "copy_rights", fail)
    assert option.run(folder / "old") == 2
    assert (folder / "old").read_text() == "old"
    assert [path.name for path in folder.iterdir()] == ["old"]


def command(option: Option, target: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
    arguments = [sys.executable, "-m", "recost", option.command, *NEEDS.get(option, ()), option.name, target]
    return subprocess.run(
        arguments,
        env=environment(RECOST_LOCAL_DIR=os.environ["RECOST_LOCAL_DIR"]),
        timeout=60,
        check=False,
        stderr=subprocess.PIPE,
        **how,
    )


@each_option
def test_a_dash_is_stdout(option: Option) -> None:
    done = command(option, "-", stdout=subprocess.PIPE)
    assert (done.returncode, option.wrote(done.stdout)) == (0, True), done
    assert (b"### API cost" in done.stderr) == (option.name == "--write-baseline")


@posix
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout here")
@pytest.mark.parametrize(
    "option", [Option("export", "--output"), Option("report", "--parquet")], ids=" ".join
)
@pytest.mark.parametrize("redirected", [False, True])
def test_the_name_of_stdout_is_stdout(option: Option, folder: Path, redirected: bool) -> None:
    if redirected:
        with (folder / "all").open("wb") as all_of_it:
            done = command(option, "/dev/stdout", stdout=all_of_it)
        content = (folder / "all").read_bytes()
    else:
        done = command(option, "/dev/stdout", stdout=subprocess.PIPE)
        content = done.stdout
    assert (done.returncode, option.wrote(content), done.stderr) == (0, True, b"")
    assert Path("/dev/stdout").is_symlink()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user gets to, but only root may write to, with a window in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "shop.jsonl").write_bytes(line(1, 10))
        (place / "shop.jsonl").chmod(0o644)
        yield place


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become another user"
)
@each_option
def test_a_folder_that_may_not_be_written(
    option: Option, open_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(open_folder))
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert option.run(open_folder / "root") == 0  # imports what another user may not reach
    (open_folder / "old").write_text("old")
    (open_folder / "old").chmod(0o666)
    capsys.readouterr()
    os.seteuid(65534)
    try:
        codes = [option.run(open_folder / name) for name in ("old", "new")]
    finally:
        os.seteuid(0)
    assert codes == [2, 2]
    assert capsys.readouterr().err.splitlines() == [
        f"recost: cannot write {open_folder}/{name}: Permission denied" for name in ("old", "new")
    ]
    assert (open_folder / "old").read_text() == "old"
    assert not (open_folder / "new").exists()


@posix
def test_the_summary_of_a_job_is_appended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "summary.md"
    path.write_text("before\n")
    path.chmod(0o644)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    assert Option("gate", "--summary").run("github") == 0
    assert path.read_text().startswith("before\n### API cost")
    assert mode(path) == 0o644
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(output, "_READER_WITHIN_S", 0.1)
    assert Option("gate", "--summary").run("github") == 2
