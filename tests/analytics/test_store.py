"""The columnar copy: always what the files hold, whatever happened to them or to it."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost import wire
from recost.analytics import engine
from recost.analytics.ingest import lines, update
from recost.analytics.ingest.sources import SourceError, find_sources
from recost.analytics.query import Question
from recost.analytics.report import ask
from recost.analytics.store import FOLDER, Readings, consult, readings, troubles
from recost.delivery.transports.file import FileTransport
from recost.events import MetricEntry, WindowSummary
from tests.analytics.corpora import START, Plain, corpora, few
from tests.scripts import environment

pytest.importorskip("duckdb")
ROWS = "SELECT count(*), coalesce(sum(calls), 0) FROM metrics"


def window(number: int, calls: int = 1) -> WindowSummary:
    start = START.timestamp() * 1000 + number * 60_000
    entry = MetricEntry("openai", "chat", "POST", calls, 0, 5.0, 5.0, 5.0, 1, 2, 0.25)
    return WindowSummary("", "test", "python", "0.2.0", start, start + 30_000, (entry,))


def line(number: int, calls: int = 1) -> bytes:
    return wire.encode_window(window(number, calls)) + b"\n"


def calls(folder: Path, *paths: str) -> int:
    return consult(paths, folder, lambda found: ask(found, Question(by=())).total.now.calls)


def stored(folder: Path) -> Any:
    """Return rows and calls that the copy holds now."""
    connection = engine.connect(folder / FOLDER / "reports.duckdb")
    try:
        return connection.execute(ROWS).fetchone()
    finally:
        connection.close()


def test_what_is_appended_is_read_and_nothing_twice(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    for number in range(5):
        with file.open("ab") as out:
            out.write(line(number, 10**number))
        assert calls(tmp_path) == int("1" * (number + 1))
        assert calls(tmp_path) == int("1" * (number + 1))
    assert stored(tmp_path) == (5, 11111)


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(b"".join(map(line, range(500))))
    assert calls(tmp_path) == 500
    with file.open("ab") as out:
        out.write(line(500))
    read: list[int] = []

    class Progress:
        def expect(self, size: int) -> None:
            read.append(size)

        def begin(self, connection: object, name: str, size: int) -> None:
            read.append(size)

    consult((), tmp_path, lambda _: None, Progress())
    assert read == [len(line(500))] * 2


def test_rotation_between_two_reports(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path, "shop", max_bytes=2000, backups=3)
    kept: list[int] = []
    for number in range(60):
        transport.send(window(number), 1.0)
        if number % 7 == 0:
            lines = b"".join(path.read_bytes() for path in tmp_path.glob("*.jsonl"))
            kept.append(len(lines.splitlines()))
            assert calls(tmp_path) == kept[-1]
            assert stored(tmp_path) == (kept[-1], kept[-1])
    assert kept[-1] < 60  # the oldest were dropped, here and there


def test_a_rotated_file_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1) * 3)
    assert calls(tmp_path) == 3
    (tmp_path / "shop.jsonl").rename(tmp_path / "shop.1.jsonl")
    (tmp_path / "shop.jsonl").write_bytes(line(2))
    with readings(find_sources((), tmp_path), tmp_path) as found:
        assert {path.name: known.source for path, known in found.known.items()} == {
            "shop.1.jsonl": 1,
            "shop.jsonl": 2,
        }
    assert calls(tmp_path) == 4


def test_compressed_copies_and_files_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "shop.1.jsonl").write_bytes(line(1) * 3)
    (tmp_path / "shop.jsonl").write_bytes(line(2))
    assert calls(tmp_path) == 4
    data = (tmp_path / "shop.1.jsonl").read_bytes()
    (tmp_path / "shop.1.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "shop.1.jsonl").unlink()
    assert calls(tmp_path) == 4
    assert calls(tmp_path) == 4
    (tmp_path / "shop.1.jsonl.gz").write_bytes(gzip.compress(data)[:-9])  # cut off
    assert consult((), tmp_path, lambda found: found.bad_lines) >= 1
    (tmp_path / "shop.1.jsonl.gz").unlink()
    assert calls(tmp_path) == 1
    assert stored(tmp_path) == (1, 1)


def test_many_new_files_are_read_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a.1", "a", "it's", "ü", "b c", "d%20e", "f\\g", "h"]
    for number, name in enumerate(names):
        bad = b"no json\n" * number + line(0).replace(b'"openai"', b"null") * (number % 3)
        (tmp_path / f"{name}.jsonl").write_bytes(line(number, 10**number) + bad + line(0, 0))
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(line(0, 10 ** len(names))))
    (tmp_path / "torn.jsonl").write_bytes(line(0, 10 ** (len(names) + 1)) + b'{"torn')
    (tmp_path / "empty.jsonl").touch()
    read: list[str] = []

    class Progress:
        def expect(self, size: int) -> None:
            return

        def begin(self, connection: object, name: str, size: int) -> None:
            read.append(name)

    def found(together: int) -> dict[str, tuple[int, int, int]]:
        monkeypatch.setattr(update, "_TOGETHER", together)
        read.clear()
        with readings(find_sources((), tmp_path), None, Progress()) as copy:
            sums = "SELECT source, sum(calls)::BIGINT FROM {} GROUP BY source"
            rows = dict(copy.connection.execute(sums.format("metrics")).fetchall())
            assert rows == dict(copy.connection.execute(sums.format("quarters")).fetchall())
            return {
                path.name: (rows.get(known.source, 0), known.bad_lines, known.bad_metrics)
                for path, known in copy.known.items()
            }

    expected = {f"{name}.jsonl": (10**number, number, number % 3) for number, name in enumerate(names)}
    expected["packed.jsonl.gz"] = (10 ** len(names), 0, 0)
    expected["torn.jsonl"] = (10 ** (len(names) + 1), 0, 0)
    expected["empty.jsonl"] = (0, 0, 0)
    assert found(1 << 30) == expected
    assert [name for name in read if "more" in name] == ["a.1.jsonl and 7 more"]
    assert found(4000) == expected
    assert 1 < len([name for name in read if "more" in name]) < len(names)
    assert found(1) == expected
    assert not [name for name in read if "more" in name]


def test_a_file_with_names_that_may_not_be_strings(tmp_path: Path) -> None:
    """Its lines count once, although it is read twice, and other files and earlier lines keep theirs."""
    provider = b'"openai"'
    (tmp_path / "plain.jsonl").write_bytes(line(1) + b"no json\n")
    file = tmp_path / "odd.jsonl"
    odd = line(2, 10).replace(provider, b"true") + line(3, 100).replace(provider, b'"true"')
    file.write_bytes(b"{}\n" + line(1, 1000) + odd)

    def bad(found: Readings) -> dict[str, tuple[int, int]]:
        return {path.name: (known.bad_lines, known.bad_metrics) for path, known in found.known.items()}

    for times in (1, 2, 3):
        assert calls(tmp_path) == 1001 + 100 * times
        assert consult((), tmp_path, bad) == {"plain.jsonl": (1, 0), "odd.jsonl": (1, times)}
        with file.open("ab") as out:
            out.write(odd)


def test_a_file_that_grows_while_many_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(line(number, 10**number))
    original = lines.add_lines
    reads: list[int] = []

    def add_lines(connection: Any, files: Any, scratch: Any) -> Any:
        reads.append(len(files))
        result = original(connection, files, scratch)
        if len(reads) == 1:
            with (tmp_path / "1.jsonl").open("ab") as out:
                out.write(line(5, 500))
        return result

    monkeypatch.setattr(update, "add_lines", add_lines)
    assert calls(tmp_path) == 611
    assert reads == [3, 1, 1, 1]
    assert calls(tmp_path) == 611


def test_one_file_of_many_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jsonl").write_bytes(line(number))
    sources = find_sources((), tmp_path)
    original = lines.add_lines

    def add_lines(connection: Any, files: Any, scratch: Any) -> Any:
        (tmp_path / "1.jsonl").unlink(missing_ok=True)
        return original(connection, files, scratch)

    monkeypatch.setattr(update, "add_lines", add_lines)
    with pytest.raises(SourceError, match=r"1\.jsonl"), readings(sources, tmp_path):
        raise AssertionError
    assert calls(tmp_path) == 2


def test_a_file_that_was_changed_in_place_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(line(1, 5) + line(2, 5) * 100)
    assert calls(tmp_path) == 505
    file.write_bytes(file.read_bytes().replace(b'"requestCount":5', b'"requestCount":6'))
    os.utime(file, ns=(1, 1))
    assert calls(tmp_path) == 606
    file.write_bytes(line(3, 7))
    assert calls(tmp_path) == 7


def test_two_equal_files_count_twice(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line(1))
    assert calls(tmp_path) == 1
    shutil.copy2(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert calls(tmp_path) == 2
    assert calls(tmp_path, str(tmp_path / "b.jsonl")) == 1


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "shop.jsonl"
    file.write_bytes(line(1) + line(2)[:50])
    assert consult((), tmp_path, lambda found: (found.bad_lines, len(found.unfinished()))) == (1, 1)
    assert calls(tmp_path) == 1
    file.write_bytes(line(1) + line(2).rstrip())  # no line feed yet, but all of it
    assert calls(tmp_path) == 2
    with file.open("ab") as out:
        out.write(b"\n" + line(3))
    assert calls(tmp_path) == 3
    assert consult((), tmp_path, lambda found: found.bad_lines) == 0


@settings(few, max_examples=15)
@given(st.lists(corpora, min_size=1, max_size=4), st.data())
def test_in_any_pieces_it_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[bytes]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    file = folder / "shop.jsonl"
    file.touch()
    for part in parts:
        text = b"".join(each + b"\n" for each in part)
        cut = data.draw(st.integers(0, len(text)))
        for piece in (text[:cut], text[cut:]):
            with file.open("ab") as out:
                out.write(piece)
            consult((), folder, lambda _: None)
    plain = Plain.of(file.read_bytes())
    answer = consult((), folder, lambda found: ask(found, Question(by=())))
    assert answer.total.now.calls == plain.total().calls
    assert answer.total.now.cost_usd == plain.total().cost_usd
    assert (answer.bad_lines, answer.bad_metrics) == (len(plain.bad), plain.bad_metrics)
    named = consult(
        (), folder, lambda found: [number for _, number, what in troubles(found) if "metrics" not in what]
    )
    assert named == plain.bad


def damages() -> dict[str, Any]:
    def truncated(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:-8192])

    def emptied(file: Path) -> None:
        file.write_bytes(b"")

    def scrambled(file: Path) -> None:
        data = bytearray(file.read_bytes())
        chance = random.Random(3)
        for place in range(12288, len(data)):
            data[place] = chance.randrange(256)
        file.write_bytes(bytes(data))

    def replaced(file: Path) -> None:
        file.write_bytes(b"no database" * 3000)

    def of_another_version(file: Path) -> None:
        connection = engine.connect(file)
        connection.execute("UPDATE meta SET version = 999; DROP TABLE metrics")
        connection.close()

    def of_no_tables(file: Path) -> None:
        file.unlink()
        engine.connect(file).close()

    return {
        each.__name__: each
        for each in (truncated, emptied, scrambled, replaced, of_another_version, of_no_tables)
    }


@pytest.mark.parametrize("damage", damages())
def test_a_damaged_copy_is_built_again(tmp_path: Path, damage: str) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(map(line, range(3000))))
    assert calls(tmp_path) == 3000
    damages()[damage](tmp_path / FOLDER / "reports.duckdb")
    assert calls(tmp_path) == 3000
    assert stored(tmp_path) == (3000, 3000)


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_nobody_else_may_look(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1))

    def modes(_: Readings) -> dict[str, int]:
        place = tmp_path / FOLDER
        return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (place, *place.rglob("*"))}

    found = consult((), tmp_path, modes)
    assert found.pop(FOLDER) == 0o700
    assert set(found.values()) == {0o600}
    (tmp_path / FOLDER).chmod(0o755)
    assert consult((), tmp_path, modes)[FOLDER] == 0o700


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    telemetry = tmp_path / "telemetry"
    telemetry.mkdir()
    (telemetry / FOLDER).symlink_to(tmp_path / "elsewhere")
    (telemetry / "shop.jsonl").write_bytes(line(1))
    assert calls(telemetry) == 1
    assert not list((tmp_path / "elsewhere").iterdir())


REPORT = "import sys; from recost.cli import main; sys.exit(main(['report', '--json']))"


def test_several_commands_at_once(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(map(line, range(3000))))
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", REPORT],
            env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    results = [(*command.communicate(timeout=60), command.returncode) for command in commands]
    assert all('"calls": 3000' in out and not err and code == 0 for out, err, code in results), results
    assert stored(tmp_path) == (3000, 3000)


def test_a_command_that_waits_too_long_makes_its_own(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1))
    sources = find_sources((), tmp_path)
    with readings(sources, tmp_path) as first, readings(sources, tmp_path, wait_s=0.1) as second:
        assert first.scratch == tmp_path / FOLDER
        assert second.scratch != first.scratch
        assert [each.connection.execute(ROWS).fetchone() for each in (first, second)] == [(1, 1)] * 2
    assert not second.scratch.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(line(1))
    (tmp_path / FOLDER).write_text("in the way")  # as good as read-only, for root as well
    assert calls(tmp_path) == 1
    (tmp_path / FOLDER).unlink()
    tmp_path.chmod(0o500)
    try:
        assert calls(tmp_path) == 1
        assert os.geteuid() == 0 or not (tmp_path / FOLDER).exists()
    finally:
        tmp_path.chmod(0o700)


def test_an_interrupted_command_leaves_a_copy_that_works(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(map(line, range(200))))

    def interrupted(_: Readings) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consult((), tmp_path, interrupted)
    assert calls(tmp_path) == 200


def test_clear_words_for_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing recorded in"):
        find_sources((), tmp_path / "none")
    with pytest.raises(SourceError, match="no such file or folder"):
        find_sources([str(tmp_path / "x.jsonl")], tmp_path)
    with pytest.raises(SourceError, match="no file matches"):
        find_sources([str(tmp_path / "*.jsonl")], tmp_path)
    with pytest.raises(SourceError, match=r"no \.jsonl file in"):
        find_sources([str(tmp_path)], tmp_path)


def test_names_with_the_marks_of_a_glob(tmp_path: Path) -> None:
    for number, name in enumerate(["a[1].jsonl", "it's.jsonl", "b*.jsonl", "ü ?.jsonl"]):
        (tmp_path / name).write_bytes(line(number))
    assert calls(tmp_path) == 4
    assert calls(tmp_path, str(tmp_path / "a[1].jsonl")) == 1


def test_a_line_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    long = line(1).replace(b'"test"', b'"' + b"x" * (5 << 20) + b'"')
    (tmp_path / "shop.jsonl").write_bytes(line(1) + long + line(2))
    assert calls(tmp_path) == 3
