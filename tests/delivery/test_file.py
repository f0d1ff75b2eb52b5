from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.file import FileTransport
from recost.errors import RecostError
from tests.delivery.samples import metric, window, window_of
from tests.loopback import wait_until
from tests.scripts import NO_BYTECODE, environment

fcntl = pytest.importorskip("fcntl")
ROOT = Path(__file__).parents[2]


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the file's lines; each has to be whole and valid."""
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data[:-1].split(b"\n")]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def failure_of(transport: FileTransport, *metrics: Any, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as caught:
        transport.send(window(*metrics), timeout_s)
    return caught.value


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


WRITER = """
import sys
from recost.delivery.transports.file import FileTransport
from tests.delivery.samples import window_of
folder, who, count, nbytes, max_bytes, backups = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
transport = FileTransport(folder, "shared", max_bytes=max_bytes, backups=backups)
for index in range(count):
    transport.send(window_of(nbytes, f"{who}:{index}"), 60.0)
"""


def run_writers(
    folder: Path, *, count: int, nbytes: int, max_bytes: int, backups: int, prefix: str = ""
) -> None:
    """Let 8 processes write at once."""
    command = [sys.executable, "-c", prefix + WRITER, str(folder)]
    numbers = [str(count), str(nbytes), str(max_bytes), str(backups)]
    writers = [subprocess.Popen([*command, f"w{i}", *numbers], cwd=ROOT, env=environment()) for i in range(8)]
    assert [writer.wait(110) for writer in writers] == [0] * 8


def expected(count: int) -> Counter[str]:
    return Counter(f"w{i}:{index}" for i in range(8) for index in range(count))


def test_a_window_is_one_line(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path, "proj")
    transport.send(window(metric("/日本\n\u2028")), 5.0)
    transport.send(window(environment="two"), 5.0)
    first, second = lines(tmp_path / "proj.jsonl")
    assert first["metrics"][0]["endpoint"] == "/日本\n\u2028"
    assert second["environment"] == "two"
    assert names(tmp_path) == ["proj.jsonl"]


class TestModes:
    @pytest.mark.parametrize("umask", [0, 0o022, 0o777])
    def test_file_and_new_folders(self, tmp_path: Path, umask: int) -> None:
        old = os.umask(umask)
        try:
            FileTransport(tmp_path / "a" / "b", "p").send(window(), 5.0)
        finally:
            os.umask(old)
        assert mode(tmp_path / "a" / "b" / "p.jsonl") == 0o600
        assert mode(tmp_path / "a" / "b") == 0o700
        assert mode(tmp_path / "a") == 0o700

    def test_a_file_that_others_may_read_is_closed_to_them(self, tmp_path: Path) -> None:
        (tmp_path / "p.jsonl").touch(0o666)
        (tmp_path / "p.jsonl").chmod(0o666)
        FileTransport(tmp_path, "p").send(window(), 5.0)
        assert mode(tmp_path / "p.jsonl") == 0o600

    def test_rotated_files_stay_closed(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p", max_bytes=1)
        for _ in range(3):
            transport.send(window(), 5.0)
        assert {mode(path) for path in tmp_path.iterdir()} == {0o600}

    @pytest.mark.parametrize(("own", "after"), [(True, 0o700), (False, 0o755)])
    def test_an_existing_folder_is_closed_only_when_it_is_ours(
        self, tmp_path: Path, own: bool, after: int
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        folder.chmod(0o755)
        FileTransport(folder, "p", own_directory=own).send(window(), 5.0)
        assert mode(folder) == after

    def test_what_a_link_in_the_place_of_our_folder_leads_to_keeps_its_mode(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real").chmod(0o755)
        (tmp_path / "link").symlink_to(tmp_path / "real")
        FileTransport(tmp_path / "link", "p", own_directory=True).send(window(), 5.0)
        assert mode(tmp_path / "real") == 0o755
        assert len(lines(tmp_path / "real" / "p.jsonl")) == 1


class TestWholeLines:
    @pytest.mark.parametrize("torn", [b'{"a": 1', b"x", b"a\nb"])
    def test_after_a_torn_line_ours_is_whole(self, tmp_path: Path, torn: bytes) -> None:
        (tmp_path / "p.jsonl").write_bytes(torn)
        transport = FileTransport(tmp_path, "p")
        transport.send(window(), 5.0)
        transport.send(window(), 5.0)
        data = (tmp_path / "p.jsonl").read_bytes()
        assert data.startswith(torn + b"\n")
        assert [json.loads(line)["environment"] for line in data[len(torn) + 1 : -1].split(b"\n")] == [
            "test"
        ] * 2

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(before=st.binary(max_size=40), endpoint=st.text(min_size=1, max_size=40))
    def test_what_was_there_is_never_touched(self, tmp_path: Path, before: bytes, endpoint: str) -> None:
        path = tmp_path / "p.jsonl"
        path.write_bytes(before)
        FileTransport(tmp_path, "p").send(window(metric(endpoint)), 5.0)
        data = path.read_bytes()
        assert data.startswith(before)
        added = data[len(before) :]
        assert added.startswith(b"\n") == (bool(before) and not before.endswith(b"\n"))
        assert added.count(b"\n") == 1 + added.startswith(b"\n")
        wanted = endpoint.encode("utf-8", "replace").decode()
        assert json.loads(added)["metrics"][0]["endpoint"] == wanted

    def test_eight_processes_with_large_windows(self, tmp_path: Path) -> None:
        run_writers(tmp_path, count=200, nbytes=64 * 1024, max_bytes=0, backups=3)
        path = tmp_path / "shared.jsonl"
        found = lines(path)
        assert len(found) == 1600
        assert Counter(line["environment"] for line in found) == expected(200)
        assert path.stat().st_size > 1600 * 64 * 1024
        assert mode(path) == 0o600

    def test_eight_processes_rotating_lose_no_line(self, tmp_path: Path) -> None:
        run_writers(tmp_path, count=100, nbytes=2000, max_bytes=20_000, backups=10_000)
        files = list(tmp_path.iterdir())
        assert len(files) > 50
        assert Counter(line["environment"] for path in files for line in lines(path)) == expected(100)
        numbered = [f"shared.{i}.jsonl" for i in range(1, len(files))]
        assert names(tmp_path) == sorted(["shared.jsonl", *numbered])
        assert {mode(path) for path in files} == {0o600}

    @pytest.mark.parametrize("blocked", ["fcntl", "fcntl and msvcrt by a stand-in"])
    def test_without_fcntl(self, tmp_path: Path, blocked: str) -> None:
        prefix = NO_FCNTL if blocked == "fcntl" else NO_FCNTL + MSVCRT
        run_writers(tmp_path, count=30, nbytes=3000, max_bytes=0, backups=3, prefix=prefix)
        found = lines(tmp_path / "shared.jsonl")
        assert Counter(line["environment"] for line in found) == expected(30)


NO_FCNTL = """
import sys
sys.modules["fcntl"] = None
"""
# What Windows' own module does, by the locks of this platform.
MSVCRT = """
import os, subprocess, types  # subprocess takes a module of that name for Windows
del sys.modules["fcntl"]
import fcntl as real
sys.modules["fcntl"] = None
stand_in = types.ModuleType("msvcrt")
stand_in.LK_NBLCK, stand_in.LK_UNLCK = 2, 0
def locking(fd, mode, nbytes):
    assert os.lseek(fd, 0, os.SEEK_CUR) == 0x7FFFFFFE
    real.lockf(fd, real.LOCK_UN if mode == 0 else real.LOCK_EX | real.LOCK_NB, nbytes, 0, os.SEEK_CUR)
stand_in.locking = locking
sys.modules["msvcrt"] = stand_in
"""


class TestRotation:
    def test_the_newest_is_number_one_and_the_oldest_goes(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p", max_bytes=10, backups=3)
        for index in range(6):
            transport.send(window(environment=str(index)), 5.0)
        found = {path.name: [line["environment"] for line in lines(path)] for path in tmp_path.iterdir()}
        assert found == {"p.jsonl": ["5"], "p.1.jsonl": ["4"], "p.2.jsonl": ["3"], "p.3.jsonl": ["2"]}

    def test_a_file_is_rotated_when_it_has_passed_the_limit(self, tmp_path: Path) -> None:
        FileTransport(tmp_path, "p", max_bytes=0).send(window(), 5.0)
        size = (tmp_path / "p.jsonl").stat().st_size
        below = FileTransport(tmp_path, "p", max_bytes=size + 1)
        below.send(window(), 5.0)
        assert names(tmp_path) == ["p.jsonl"]
        FileTransport(tmp_path, "p", max_bytes=2 * size).send(window(), 5.0)
        assert names(tmp_path) == ["p.1.jsonl", "p.jsonl"]

    def test_without_backups_the_file_is_dropped(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p", max_bytes=10, backups=0)
        for index in range(3):
            transport.send(window(environment=str(index)), 5.0)
        assert names(tmp_path) == ["p.jsonl"]
        assert [line["environment"] for line in lines(tmp_path / "p.jsonl")] == ["2"]

    def test_where_an_open_file_cannot_be_renamed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("recost.delivery.transports.file._POSIX", False)
        transport = FileTransport(tmp_path, "p", max_bytes=10, backups=2)
        for index in range(4):
            transport.send(window(environment=str(index)), 5.0)
        found = {path.name: [line["environment"] for line in lines(path)] for path in tmp_path.iterdir()}
        assert found == {"p.jsonl": ["3"], "p.1.jsonl": ["2"], "p.2.jsonl": ["1"]}

    def test_a_gap_keeps_older_files(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p", max_bytes=10, backups=3)
        for index in range(4):
            transport.send(window(environment=str(index)), 5.0)
        (tmp_path / "p.1.jsonl").unlink()
        transport.send(window(environment="4"), 5.0)
        found = {path.name: lines(path)[0]["environment"] for path in tmp_path.iterdir()}
        assert found == {"p.jsonl": "4", "p.1.jsonl": "3", "p.2.jsonl": "1", "p.3.jsonl": "0"}

    def test_a_rotation_that_fails_costs_no_line_and_is_bounded(self, tmp_path: Path) -> None:
        (tmp_path / "p.1.jsonl").mkdir()
        FileTransport(tmp_path, "p").send(window(), 5.0)
        size = (tmp_path / "p.jsonl").stat().st_size
        transport = FileTransport(tmp_path, "p", max_bytes=size, backups=1)
        transport.send(window(), 5.0)
        assert len(lines(tmp_path / "p.jsonl")) == 2
        failure = failure_of(transport)
        assert failure.disposition is Disposition.WAIT
        assert "p.1.jsonl" in str(failure.error)
        (tmp_path / "p.1.jsonl").rmdir()
        transport.send(window(), 5.0)
        assert (len(lines(tmp_path / "p.1.jsonl")), len(lines(tmp_path / "p.jsonl"))) == (2, 1)

    def test_a_file_that_another_tool_moves_away(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p")
        transport.send(window(environment="1"), 5.0)
        (tmp_path / "p.jsonl").rename(tmp_path / "moved")
        transport.send(window(environment="2"), 5.0)
        assert [lines(tmp_path / name)[0]["environment"] for name in ("moved", "p.jsonl")] == ["1", "2"]


class TestLock:
    def test_a_lock_that_is_never_given_up_ends_in_an_error(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p")
        transport.send(window(), 5.0)
        with (tmp_path / "p.jsonl").open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            failure = failure_of(transport, timeout_s=0.05)
        assert failure.disposition is Disposition.WAIT
        assert "lock" in str(failure.error)
        transport.send(window(), 5.0)
        assert len(lines(tmp_path / "p.jsonl")) == 2

    def test_a_file_rotated_away_while_we_wait_for_it(self, tmp_path: Path) -> None:
        path = tmp_path / "p.jsonl"
        polls: list[float] = []
        transport = FileTransport(tmp_path, "p", sleep=polls.append)
        transport.send(window(environment="1"), 5.0)
        with path.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            thread = threading.Thread(target=transport.send, args=(window(environment="2"), 20.0))
            thread.start()
            assert wait_until(lambda: len(polls) > 2)
            path.rename(tmp_path / "p.1.jsonl")
        thread.join(10)
        assert [line["environment"] for line in lines(tmp_path / "p.1.jsonl")] == ["1"]
        assert [line["environment"] for line in lines(path)] == ["2"]

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    def test_a_child_forked_at_any_moment_keeps_no_lock(self, tmp_path: Path) -> None:
        code = """
import os, sys, threading
from recost.delivery.transports import file
from recost.delivery.transports.file import FileTransport
from tests.delivery.samples import window
transport = FileTransport(sys.argv[1], "p")
write, children = file._write, []
ready, ready_w = os.pipe()
stay, stay_w = os.pipe()
def forking(fd, line, alone):
    pid = os.fork()  # in the middle of an append, with the lock held
    if pid == 0:
        os.write(ready_w, b"x")
        os.read(stay, 1)
        os._exit(0)
    children.append(pid)
    os.read(ready, 1)
    write(fd, line, alone=alone)
file._write = forking
transport.send(window(), 5.0)
file._write = write
FileTransport(sys.argv[1], "p").send(window(), 1.0)
os.write(stay_w, b"x")
os.waitpid(children[0], 0)
"""
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=environment(), check=True, timeout=60
        )
        assert len(lines(tmp_path / "p.jsonl")) == 2

    def test_no_descriptor_stays_open(self, tmp_path: Path) -> None:
        if not Path("/proc/self/fd").exists():
            pytest.skip("no /proc here")
        transport = FileTransport(tmp_path, "p", max_bytes=10)
        transport.send(window(), 5.0)
        (tmp_path / "q.jsonl").mkdir()
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(5):
            transport.send(window(), 5.0)
            failure_of(FileTransport(tmp_path, "q"))
        # Fewer, where something of an earlier test has been closed meanwhile.
        assert len(list(Path("/proc/self/fd").iterdir())) <= before


class TestWhatCannotBeWritten:
    def test_a_symbolic_link(self, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("precious")
        (tmp_path / "victim").chmod(0o644)
        (tmp_path / "p.jsonl").symlink_to(tmp_path / "victim")
        failure = failure_of(FileTransport(tmp_path, "p"))
        assert failure.disposition is Disposition.WAIT
        assert "symbolic link" in str(failure.error)
        assert ((tmp_path / "victim").read_text(), mode(tmp_path / "victim")) == ("precious", 0o644)

    def test_a_link_that_leads_nowhere_creates_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "p.jsonl").symlink_to(tmp_path / "new")
        assert "symbolic link" in str(failure_of(FileTransport(tmp_path, "p")).error)
        assert not (tmp_path / "new").exists()

    def test_a_symbolic_link_where_the_platform_cannot_refuse_them(self, tmp_path: Path) -> None:
        (tmp_path / "p.jsonl").symlink_to(tmp_path / "new")
        code = (
            "import os, sys; del os.O_NOFOLLOW\n"
            "from recost.delivery.transports.file import FileTransport\n"
            "from tests.delivery.samples import window\n"
            "try: FileTransport(sys.argv[1], 'p').send(window(), 5.0)\n"
            "except Exception as failure: print(failure.error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT, env=environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "symbolic link" in done.stdout
        assert not (tmp_path / "new").exists()

    def test_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "p.jsonl").mkdir()
        assert "it is a folder" in str(failure_of(FileTransport(tmp_path, "p")).error)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_a_pipe(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "p.jsonl")
        assert "regular file" in str(failure_of(FileTransport(tmp_path, "p")).error)

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_device(self, monkeypatch: pytest.MonkeyPatch) -> None:
        transport = FileTransport("/dev", "p")
        monkeypatch.setattr(FileTransport, "path", Path("/dev/full"))
        assert "regular file" in str(failure_of(transport).error)

    def test_a_file_in_the_place_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "home").write_text("")
        assert failure_of(FileTransport(tmp_path / "home", "p")).error is not None
        assert failure_of(FileTransport(tmp_path / "home" / "deeper", "p")).error is not None

    def test_a_folder_that_may_not_be_written_is_reported_once_an_episode(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        home.write_text("")
        transport = FileTransport(home / ".recost", "p")
        first, second = failure_of(transport), failure_of(transport)
        assert isinstance(first.error, RecostError)
        assert f"cannot write {home}: it is not a folder" in str(first.error)
        assert (second.error, second.disposition) == (None, Disposition.WAIT)
        home.unlink()
        transport.send(window(), 5.0)
        shutil.rmtree(home)
        home.write_text("")
        assert failure_of(transport).error is not None

    def test_another_trouble_is_reported_too(self, tmp_path: Path) -> None:
        transport = FileTransport(tmp_path, "p")
        (tmp_path / "p.jsonl").mkdir()
        assert failure_of(transport).error is not None
        (tmp_path / "p.jsonl").rmdir()
        (tmp_path / "p.jsonl").symlink_to("x")
        assert failure_of(transport).error is not None
        assert failure_of(transport).error is None

    def test_a_read_only_home_of_an_ordinary_user(self, tmp_path: Path) -> None:
        home = tmp_path / "home"
        home.mkdir(0o555)
        done = as_nobody(
            "try: FileTransport(sys.argv[1] + '/.recost/local', 'p').send(window(), 5.0)\n"
            "except SendError as failure: print(failure.disposition.value, failure.error)",
            home,
        )
        assert done.startswith("wait ")
        assert "Permission denied" in done

    def test_a_file_of_another_user_is_not_written(self, tmp_path: Path) -> None:
        path = tmp_path / "p.jsonl"
        path.touch()
        path.chmod(0o666)
        done = as_nobody(
            "try: FileTransport(sys.argv[1], 'p').send(window(), 5.0)\n"
            "except SendError as failure: print(failure.disposition.value, failure.error)",
            tmp_path,
        )
        assert "belongs to another user" in done
        assert path.read_bytes() == b""

    def test_a_name_that_leads_elsewhere(self, tmp_path: Path) -> None:
        for name in ("a/b", "..", ".hidden", "a\\b", "nul\0", ""):
            with pytest.raises(ValueError, match="not safe"):
                FileTransport(tmp_path, name)

    def test_a_window_that_is_no_json_is_rejected_and_leaves_nothing(self, tmp_path: Path) -> None:
        failure = failure_of(FileTransport(tmp_path, "p"), metric(total_latency_ms=float("inf")))
        assert failure.disposition is Disposition.REJECT
        assert names(tmp_path) == []


def as_nobody(code: str, folder: Path) -> str:
    """Run code as an ordinary user, who may not do everything, and return what it prints."""
    if os.geteuid() != 0:
        pytest.skip("changing the user needs root")
    prelude = (
        "import os, sys\n"
        "from recost.delivery.transports.base import SendError\n"
        "from recost.delivery.transports.file import FileTransport\n"
        "from tests.delivery.samples import window\n"
        "import recost.wire, pathlib\n"
        "os.chdir(sys.argv[1])\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
    )
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", prelude + code, str(folder)],
        cwd=ROOT, env=environment(), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


class TestFullDisk:
    @pytest.fixture
    def small_disk(self, tmp_path: Path) -> Iterator[Path]:
        folder = tmp_path / "disk"
        folder.mkdir()
        mount = shutil.which("mount")
        if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
            pytest.skip("mounting a small disk needs root")
        mounted = subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("mounting is not allowed here")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)

    def test_no_half_line_stays_and_sending_goes_on_when_there_is_room(self, small_disk: Path) -> None:
        transport = FileTransport(small_disk, "p")
        transport.send(window_of(30_000, "first"), 5.0)
        size = (small_disk / "p.jsonl").stat().st_size
        with pytest.raises(SendError) as caught:
            transport.send(window_of(60_000), 5.0)
        assert caught.value.disposition is Disposition.WAIT
        assert os.strerror(errno.ENOSPC) in str(caught.value.error)
        assert (small_disk / "p.jsonl").stat().st_size == size
        assert failure_of(transport, metric("e" * 60_000)).error is None
        transport.send(window_of(1_000, "small"), 5.0)
        assert [line["environment"] for line in lines(small_disk / "p.jsonl")] == ["first", "small"]

    def test_a_disk_with_no_room_for_the_first_line(self, small_disk: Path) -> None:
        (small_disk / "filler").write_bytes(b"x" * 64 * 1024)
        failure = failure_of(FileTransport(small_disk, "p"))
        assert os.strerror(errno.ENOSPC) in str(failure.error)

    def test_a_limit_on_the_size_of_files(self, tmp_path: Path) -> None:
        pytest.importorskip("resource")
        code = (
            "import resource, sys\n"
            "from recost.delivery.transports.file import FileTransport\n"
            "from tests.delivery.samples import window_of\n"
            "transport = FileTransport(sys.argv[1], 'p')\n"
            "transport.send(window_of(1000, 'first'), 5.0)\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
            "try: transport.send(window_of(20_000), 5.0)\n"
            "except Exception as failure: print(failure.error)\n"
            "transport.send(window_of(500, 'last'), 5.0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            cwd=ROOT, env=environment(**NO_BYTECODE), capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert os.strerror(errno.EFBIG) in done.stdout
        assert [line["environment"] for line in lines(tmp_path / "p.jsonl")] == ["first", "last"]


def test_a_relative_folder_is_that_of_the_moment_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    transport = FileTransport("here", "p")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    transport.send(window(), 5.0)
    assert len(lines(tmp_path / "here" / "p.jsonl")) == 1


def test_the_policy(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path, "p")
    assert (transport.retry.retries, transport.spacing_s, transport.max_metrics) == (0, 1.0, None)
    assert transport.gave_up() is None
    transport.close()
    transport.close()
    assert "p.jsonl" in repr(transport)
