"""Every reader of windows x every hostile line: it counts what is bad, and all that is good beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.lines import GOOD, same
from tests.hostile.inputs import CALLS, LARGE, LINES, PACKED, Line
from tests.hostile.readers import READERS, Reader

SMALL = {name: line for name, line in LINES.items() if len(line.data) <= LARGE}
BIG = {name: line for name, line in LINES.items() if len(line.data) > LARGE}
BESIDE = 2
"""Good lines about each hostile one."""


def skip_without_engine(reader: Reader) -> None:
    if reader.sql and find_spec("duckdb") is None:
        pytest.skip("needs DuckDB")


def check(reader: Reader, folder: Path, lines: Mapping[str, Line]) -> None:
    """Read hostile lines, each between two good ones, and a file that has good ones only."""
    (folder / "other.jsonl").write_bytes(GOOD + b"\n")
    with (folder / "shop.jsonl").open("wb") as file:
        for line in lines.values():
            file.write(GOOD + b"\n" + line.data + b"\n" + GOOD + b"\n")
    verdicts = [line.verdict for line in lines.values()]
    good = 1 + BESIDE * len(lines) + verdicts.count("fine")
    seen = reader.read(folder)
    expected = (
        CALLS * good,
        verdicts.count("line"),
        verdicts.count("metric"),
        good + verdicts.count("metric"),
    )
    assert [want if got is not None else None for want, got in zip(expected, seen)] == list(seen)


@pytest.mark.parametrize("name", READERS)
def test_all_at_once(name: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    check(READERS[name], tmp_path, SMALL)


@pytest.mark.parametrize("line", SMALL)
@pytest.mark.parametrize("name", ["tail", "prune"])
def test_one_by_one(name: str, line: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    check(READERS[name], tmp_path, {line: LINES[line]})


@pytest.mark.parametrize("line", BIG)
@pytest.mark.parametrize("name", ["report", "tail", "top", "prune"])
def test_long_lines(name: str, line: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    check(READERS[name], tmp_path, {line: LINES[line]})


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("name", [name for name in READERS if name not in {"tail", "prune"}])
def test_every_reader_on_every_line(name: str, line: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    check(READERS[name], tmp_path, {line: LINES[line]})


@pytest.mark.parametrize("line", SMALL)
def test_sql_and_python_say_the_same(line: str) -> None:
    pytest.importorskip("duckdb")
    same(LINES[line].data)


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("name", ["report", "prune"])
def test_compressed_files(name: str, packed: str, tmp_path: Path) -> None:
    reader, content = READERS[name], PACKED[packed]
    skip_without_engine(reader)
    (tmp_path / "shop.jsonl.gz").write_bytes(content.data)
    (tmp_path / "other.jsonl").write_bytes(GOOD + b"\n")
    if name == "prune":  # it leaves a damaged file as it is
        from recost.analytics.ingest.content import DamagedError

        if content.bad and packed != "40 MB of zeros":
            with pytest.raises(DamagedError):
                reader.read(tmp_path)
        return
    seen = reader.read(tmp_path)
    assert seen.calls is not None
    assert seen.calls >= CALLS * (content.least + 1)
    assert seen.bad_lines is not None
    assert bool(seen.bad_lines) == bool(content.bad)


@pytest.mark.parametrize("place", ["line", "windows"])
def test_a_gzip_bomb_is_left_at_its_bound(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb")
    import gzip

    from recost.analytics.ingest import content

    monkeypatch.setattr(content, "_LEAST_BOUND", 1 << 20)
    monkeypatch.setattr(content, "_MOST_TIMES", 20)
    bomb = b"\0" * (8 << 20) if place == "line" else (GOOD + b"\n") * 20_000
    (tmp_path / "shop.jsonl.gz").write_bytes(gzip.compress(GOOD + b"\n" + bomb))
    seen = READERS["report"].read(tmp_path)
    assert seen.calls is not None
    assert CALLS <= seen.calls < CALLS * 3000
    assert seen.bad_lines == 1


@pytest.mark.parametrize("name", READERS)
def test_a_byte_order_mark_at_the_beginning(name: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    (tmp_path / "shop.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD + b"\n")
    seen = READERS[name].read(tmp_path)
    assert (seen.calls, seen.bad_lines) in {(2 * CALLS, 0), (2 * CALLS, None), (None, 0), (None, None)}


@pytest.mark.parametrize(
    "folder",
    [
        "environment=staging",
        "protocolVersion=2.0",
        "windowStart=2020-01-01",
        "metrics=1",
        "filename=x",
        "a*b?[c]d",
        "it's",
    ],
)
@pytest.mark.parametrize("name", READERS)
def test_names_of_folders_are_no_columns_and_no_patterns(name: str, folder: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    place = tmp_path / folder
    place.mkdir()
    (place / "shop.jsonl").write_bytes(GOOD + b"\n")
    (place / "sh*p.jsonl").write_bytes(GOOD + b"\n")
    (place / "it's.jsonl").write_bytes(GOOD + b"\n")
    seen = READERS[name].read(place)
    assert (seen.calls, seen.bad_lines) in {(3 * CALLS, 0), (3 * CALLS, None), (None, 0), (None, None)}


@pytest.mark.skipif(os.name != "posix", reason="names that are no text")
@pytest.mark.parametrize("name", READERS)
def test_a_name_that_is_no_text(name: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    path = os.fsencode(tmp_path) + b"/sh\xffp.jsonl"
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes
            file.write(GOOD + b"\n")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    seen = READERS[name].read(tmp_path)
    assert seen.calls in {CALLS, None}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that have names")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_passed_over_in_a_folder_and_refused_by_name(name: str, tmp_path: Path) -> None:
    skip_without_engine(READERS[name])
    (tmp_path / "shop.jsonl").write_bytes(GOOD + b"\n")
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "device.jsonl").symlink_to("/dev/zero")
    seen = READERS[name].read(tmp_path)
    assert seen.calls in {CALLS, None}
    for odd in ("pipe.jsonl", "device.jsonl"):
        with pytest.raises((AssertionError, Exception), match="not a regular file"):
            READERS[name].read(tmp_path / odd)
