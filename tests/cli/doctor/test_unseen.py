from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recost.cli._shared.terminal import Style
from recost.cli.doctor.unseen import UNSEEN, check_unseen
from recost.interceptors import CLIENTS
from tests.scripts import environment, run_script

PLAIN = Style(enabled=False)


def install(folder: Path, module: str, distribution: str, version: str) -> None:
    """Put a package there that must not be imported."""
    (folder / module).mkdir()
    (folder / module / "__init__.py").write_text(f"raise AssertionError('{module} was imported')")
    about = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")


def rows(lines: list[str]) -> dict[str, tuple[str, str]]:
    """Return version and purpose by distribution; a heading and a rule stand above the rows."""
    parts = [line.split(maxsplit=2) for line in lines[2:]]
    return {name: (version, purpose) for name, version, purpose in parts}


def test_every_transport_that_is_installed_is_named_on_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index, row in enumerate(UNSEEN):
        install(tmp_path, row.module, row.distribution, f"1.{index}")
    monkeypatch.syspath_prepend(tmp_path)
    for row in UNSEEN:
        monkeypatch.delitem(sys.modules, row.module, raising=False)
    found = check_unseen(PLAIN)
    assert rows(found.lines) == {row.distribution: (f"1.{i}", row.used_by) for i, row in enumerate(UNSEEN)}
    assert max(map(len, found.lines)) <= 78
    assert (found.problems, found.notes) == ([], [])


def test_nothing_is_said_where_none_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for row in UNSEEN:
        monkeypatch.delitem(sys.modules, row.module, raising=False)
        (tmp_path / row.module).mkdir()  # a folder of that name is no package
    assert check_unseen(PLAIN).lines == []


def test_what_has_an_interceptor_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    added, other = UNSEEN[3], UNSEEN[4]
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for row in UNSEEN:
        monkeypatch.delitem(sys.modules, row.module, raising=False)
    for row in (added, other):
        install(tmp_path, row.module, row.distribution, "1.0")
    assert rows(check_unseen(PLAIN).lines).keys() == {added.distribution, other.distribution}
    monkeypatch.setitem(CLIENTS, added.module, "recost.interceptors.new")
    assert rows(check_unseen(PLAIN).lines).keys() == {other.distribution}


def test_the_command_shows_them_and_finds_nothing_wrong(tmp_path: Path) -> None:
    install(tmp_path, "grpc", "grpcio", "1.99.0")
    done = run_script(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from recost.cli import main
        sys.exit(main(["doctor"]))
        """,
        env=environment(RECOST_LOCAL_DIR=str(tmp_path / "telemetry")),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "installed but not recorded\n" in done.stdout
    assert "grpcio" in done.stdout
    assert "1.99.0" in done.stdout
    assert "google-cloud clients over gRPC" in done.stdout
