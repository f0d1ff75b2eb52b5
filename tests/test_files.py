"""Private files, whatever was planted in their place, and platforms that lack what POSIX has."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Callable

import pytest

from recost import _files, _folders
from recost.analytics.store import FOLDER, _place
from recost.budgets.store import Entry, StateFile
from recost.cli import main
from recost.delivery.transports.base import SendError
from recost.delivery.transports.file import FileTransport
from recost.errors import RecostError
from tests.delivery.samples import window
from tests.scripts import environment, run_script

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links, pipes")
root = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
ROOT = Path(__file__).parents[1]


def link(path: Path) -> None:
    path.with_name("victim").write_text("precious")
    path.symlink_to("victim")


def dangling(path: Path) -> None:
    path.symlink_to("victim")


def second_name(path: Path) -> None:
    path.with_name("victim").write_text("precious")
    os.link(path.with_name("victim"), path)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def sock(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def device(path: Path) -> None:
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root can make a device")


def foreign(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path.write_text("")
    os.chown(path, 65534, 65534)


def line(*numbers: int) -> bytes:
    from tests.analytics import test_store  # skips where there is no DuckDB

    return test_store.line(*numbers)


PLANTED = [link, dangling, second_name, pipe, folder, sock, device, foreign]


def seen(place: Path) -> dict[str, Any]:
    return {
        path.name: (path.lstat().st_mode, path.lstat().st_ino, path.lstat().st_size)
        for path in place.iterdir()
    }


def send(place: Path) -> None:
    with pytest.raises(SendError) as caught:
        FileTransport(place, "p").send(window(), 5.0)
    assert "cannot write" in str(caught.value.error)


def keep(place: Path) -> None:
    with pytest.raises(RecostError, match="recost: cannot"):
        StateFile(str(place / "b.json")).update(lambda _: {"b": Entry("total", "", Decimal(1))}, 1)


def look(place: Path) -> None:
    with pytest.raises(RecostError, match="recost: cannot"):
        StateFile(str(place / "b.json")).read()


@posix
@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize(
    ("name", "use"), [("p.jsonl", send), ("b.json", keep), ("b.json", look), ("b.json.lock", keep)],
    ids=["telemetry", "budgets", "budgets-read", "lock"],
)  # fmt: skip
def test_what_was_planted_is_neither_used_nor_changed_nor_waited_for(
    plant: Callable[[Path], None], name: str, use: Callable[[Path], None], tmp_path: Path
) -> None:
    plant(tmp_path / name)
    before = seen(tmp_path)
    worker = threading.Thread(target=use, args=(tmp_path,), daemon=True)
    worker.start()
    worker.join(10)
    assert not worker.is_alive()
    after = seen(tmp_path)
    assert {each: after[each] for each in before} == before
    assert set(after) - set(before) <= {"b.json.lock"}


@posix
@pytest.mark.parametrize("plant", PLANTED)
@pytest.mark.parametrize("name", ["reports.lock", "reports.duckdb", "reports.duckdb.wal"])
def test_reports_do_without_a_cache_where_something_was_planted(
    plant: Callable[[Path], None], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip("duckdb")
    (tmp_path / FOLDER).mkdir()
    plant(tmp_path / FOLDER / name)
    (tmp_path / "shop.jsonl").write_bytes(line(1, 10))
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    assert main(["report", "--csv"]) == 0
    assert "openai" in capsys.readouterr().out
    victim = tmp_path / FOLDER / "victim"
    assert victim.exists() == (plant in (link, second_name))
    assert not victim.exists() or victim.read_text() == "precious"


@posix
def test_a_pipe_among_the_files_hangs_no_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    os.mkfifo(tmp_path / "p.jsonl")
    (tmp_path / "shop.jsonl").write_text('{"windowStart": "2026-01-01T00:00:00.000Z"}\n')
    assert main(["prune", "--older-than", "1d", "--yes"]) == 0
    rows = [row.split() for row in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows if row and row[0].endswith(".jsonl")] == ["shop.jsonl"]


@posix
def test_what_a_killed_command_has_left_goes(tmp_path: Path) -> None:
    place = tmp_path / FOLDER
    place.mkdir()
    for name in ("lines-x1.jsonl", "export.csv", "reports.duckdb"):
        (place / name).write_text("")
    with _place(tmp_path, 1) as (found, kept):
        assert (found, kept) == (place, True)
        assert sorted(path.name for path in place.iterdir()) == ["reports.duckdb", "reports.lock"]


@posix
def test_a_cache_in_a_folder_that_is_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / FOLDER).symlink_to("elsewhere")
    with _place(tmp_path, 1) as (found, kept):
        assert (found == tmp_path / FOLDER, kept) == (False, False)
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.fixture
def shared_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Stands for the temporary directory of the machine."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o1777)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def made_by_another(place: Path) -> None:
    place.mkdir()
    os.chown(place, 65534, 65534)


def linked_to_another(place: Path) -> None:
    made_by_another(place.with_name("theirs"))
    place.symlink_to("theirs")


def linked(place: Path) -> None:
    place.with_name("ours").mkdir()
    place.symlink_to("ours")


@root
@pytest.mark.parametrize("plant", [made_by_another, linked_to_another, linked])
def test_the_folder_in_the_temporary_directory_is_refused_where_somebody_else_made_it(
    plant: Callable[[Path], None], shared_folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    place = _folders.fallback_folder()
    assert place.parent == shared_folder
    plant(place)
    with pytest.raises(SendError) as caught:
        FileTransport(place, "p").send(window(), 5.0)
    assert "belongs to another user" in str(caught.value.error)
    with pytest.raises(RecostError, match="belongs to another user"):
        StateFile(str(place / "b.json")).read()
    with pytest.raises(RecostError, match="belongs to another user"):
        StateFile(str(place / "b.json")).update(dict, 1)
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(place))
    assert main(["tail"]) == 2
    assert "belongs to another user; RECOST_LOCAL_DIR chooses another folder" in capsys.readouterr().err
    assert not list(place.iterdir())


@posix
def test_the_folder_in_the_temporary_directory_is_made_and_closed(shared_folder: Path) -> None:
    place = _folders.fallback_folder()
    place.mkdir()
    place.chmod(0o777)
    FileTransport(place, "p").send(window(), 5.0)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@root
def test_the_default_folder_is_refused_where_it_belongs_to_another_user(tmp_path: Path) -> None:
    made_by_another(tmp_path / "home")
    with pytest.raises(SendError) as caught:
        FileTransport(tmp_path / "home", "p", own_directory=True).send(window(), 5.0)
    assert "belongs to another user" in str(caught.value.error)
    FileTransport(tmp_path / "home", "p").send(window(), 5.0)  # one that the user has named


@posix
def test_rights_are_set_on_what_is_open(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.touch()
    path.chmod(0o666)
    os.close(_files.open_private(path, os.O_RDONLY))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_lock_is_held_for_the_block_and_no_longer(tmp_path: Path) -> None:
    path = tmp_path / "l"
    with _files.locked(path, 1) as first, _files.locked(path, 0.05) as second:
        assert (first, second) == (True, False)
    with _files.locked(path, 0) as third:
        assert third


def test_what_is_replaced_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    (tmp_path / f".f.{os.getpid()}.tmp").write_text("left by a crash")
    with pytest.raises(ZeroDivisionError), _files.replaced(path) as fd:
        os.write(fd, b"half" * (1 // 0))
    assert path.read_text() == "old"
    with _files.replaced(path) as fd:
        os.write(fd, b"new")
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    "name",
    [
        "shop.1", "shop.10", "a.b.3", "shop.٣",
        "con", "CON", "nul.txt", "Aux", "prn", "com1", "LPT9", "com¹", "conin$",
        "con .x", "shop.", "shop ", " shop", "a:b", "a*b", "a?b", "a<b", "a|b", 'a"b',
    ],
)  # fmt: skip
def test_names_that_collide_or_that_windows_refuses(name: str, tmp_path: Path) -> None:
    assert _folders.check_name(name)
    with pytest.raises(ValueError, match="not safe as a file name: n"):
        FileTransport(tmp_path, name)


@pytest.mark.parametrize(
    "name",
    [
        "shop", "shop.v2", "shop-1", "shop1", "1", "1.x", "shop.gz", "shop.tmp", "shop.lock", "shop.jsonl",
        "console", "com", "com10", "nullable", "shop.budgets.json", "Größe 1", "doctor-1",
    ],
)  # fmt: skip
def test_names_whose_files_are_theirs_alone(name: str, tmp_path: Path) -> None:
    from recost.analytics.ingest.sources import find_sources

    assert _folders.check_name(name) is None
    for each in ("shop", name):
        transport = FileTransport(tmp_path, each, max_bytes=1, backups=2)
        for _ in range(4):
            transport.send(window(environment=each), 5.0)
    for source in find_sources([], tmp_path):
        found = {json.loads(text)["environment"] for text in source.path.read_text().splitlines()}
        assert found == {source.project}


WITHOUT = """
import os, sys
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_DIRECTORY", "fchmod", "fchown",
             "geteuid", "getuid", "mkfifo", "set_blocking"):
    if hasattr(os, name):
        delattr(os, name)
import signal
del signal.SIGHUP
import pathlib, shutil
shutil._use_fd_functions = False
for name in ("fcntl", "msvcrt"):
    sys.modules[name] = None
from decimal import Decimal
import recost
from recost import _files
from recost.budgets.store import Entry, StateFile
from recost.delivery.transports.file import FileTransport
from tests.delivery.samples import window
folder = pathlib.Path(sys.argv[1])
FileTransport(folder / "a", "p", own_directory=True, max_bytes=1).send(window(), 5.0)
FileTransport(folder / "a", "p", own_directory=True, max_bytes=1).send(window(), 5.0)
StateFile(str(folder / "a" / "b.json")).update(lambda _: {"b": Entry("total", "", Decimal(1))}, 1)
print(StateFile(str(folder / "a" / "b.json")).read()["b"].spent)
with _files.locked(folder / "l", 1) as held:
    print(held)
from recost.cli import main
from recost.cli._shared.output import write
write(str(folder / "out"), "text")
(folder / "old").write_text("old")
write(str(folder / "old"), "text")
print((folder / "old").read_text(), main(["schema"]) == 0)
"""


@posix
def test_platforms_that_lack_what_posix_has(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(tmp_path)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert (done.stdout.splitlines()[:2], done.stdout.splitlines()[-1]) == (["1", "True"], "text True")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        "b.json", "b.json.lock", "p.1.jsonl", "p.jsonl",
    ]  # fmt: skip


@posix
def test_nothing_is_asked_of_modules_that_a_platform_lacks() -> None:
    done = run_script(
        """
        import sys
        sys.modules["fcntl"] = None
        from recost import _files
        print(_files.acquire(0))
        """
    )
    assert (done.stdout, done.stderr) == ("None\n", "")
