"""The file that keeps what was spent."""

from __future__ import annotations

import json
import os
import stat
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from recost import _files
from recost.budgets.store import Entries, Entry, StateFile
from recost.errors import RecostError

ENTRY = Entry("day", "2026-11-21T00:00:00+00:00", Decimal("0.000000123456789012345678"), ("acme chat",))


def put(entries: Entries) -> Entries:
    return {**entries, "llm": ENTRY}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "b.json"
    file = StateFile(str(path))
    assert file.read() == {}
    assert file.update(put, 1) == ({}, {"llm": ENTRY})
    assert StateFile(str(path)).read() == {"llm": ENTRY}
    assert json.loads(path.read_text())["budgets"]["llm"]["spent_usd"] == "0.000000123456789012345678"
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["b.json", "b.json.lock"]


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "b.json"
    before = os.umask(0)
    try:
        StateFile(str(path)).update(put, 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.with_name("b.json.lock").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text",
    [
        '{"my": "notes"}',
        "[]",
        "notes",
        '{"format": "recost budgets 1"}',
        '{"format": "recost budgets 1", "budgets": {"a": {"per": "day", "period": "", "spent_usd": "NaN"}}}',
        '{"format": "recost budgets 2", "budgets": {}}',
    ],
)
def test_something_else_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(RecostError, match="has another format"):
        StateFile(str(path)).read()
    with pytest.raises(RecostError, match="has another format"):
        StateFile(str(path)).update(put, 1)
    assert path.read_text() == text


def test_an_empty_file_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.touch()
    StateFile(str(path)).update(put, 1)
    assert StateFile(str(path)).read() == {"llm": ENTRY}


def test_a_lock_that_another_holds(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    file = StateFile(str(path))
    file.update(put, 1)
    written = path.read_bytes()
    fd = os.open(tmp_path / "b.json.lock", os.O_RDWR)
    try:
        assert _files.acquire(fd)
        with pytest.raises(RecostError, match="another process holds its lock"):
            file.update(lambda entries: {}, 0)
        assert path.read_bytes() == written
    finally:
        os.close(fd)
    file.update(lambda entries: {}, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "b.json").symlink_to(target)
    with pytest.raises(RecostError, match="cannot"):
        StateFile(str(tmp_path / "b.json")).read()
    with pytest.raises(RecostError, match="cannot"):
        StateFile(str(tmp_path / "b.json")).update(put, 1)
    assert target.read_text() == ""


def test_a_failure_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.json"
    file = StateFile(str(path))
    file.update(put, 1)

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RecostError, match="No space left on device"):
        file.update(lambda entries: {}, 1)
    assert file.read() == {"llm": ENTRY}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["b.json", "b.json.lock"]
