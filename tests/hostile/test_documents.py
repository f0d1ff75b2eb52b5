"""Every reader of rules, baselines, budgets and alerts x every hostile document: its own error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import recost
from tests.fuzz.documents import BASELINE, BUDGETS, RULES, RULES_TOML
from tests.fuzz.own_files import ALERT_STATE, ALERTS
from tests.hostile.inputs import DOCUMENTS
from tests.hostile.readers import DOCUMENT_READERS

WELL = {
    "baseline": BASELINE, "budgets": BUDGETS, "rules.json": RULES, "rules.toml": RULES_TOML,
    "recost.toml": ALERTS, "alert state": ALERT_STATE,
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENT_READERS)
def test_what_is_well(name: str, tmp_path: Path) -> None:
    skip_without_toml(name)
    reader = DOCUMENT_READERS[name]
    (tmp_path / reader.name).write_bytes(WELL[name])
    assert reader.read(tmp_path / reader.name)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("name", "document"), [(name, each) for name, found in DOCUMENTS.items() for each in found]
)
def test_refused(name: str, document: str, tmp_path: Path) -> None:
    skip_without_toml(name)
    reader = DOCUMENT_READERS[name]
    path = tmp_path / reader.name
    path.write_bytes(DOCUMENTS[name][document])
    with pytest.raises(reader.refusal) as caught:
        reader.read(path)
    assert len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()
    assert path.read_bytes() == DOCUMENTS[name][document], "it is left as it is"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes that have names")
@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", DOCUMENT_READERS)
def test_what_is_no_file(name: str, tmp_path: Path) -> None:
    reader = DOCUMENT_READERS[name]
    os.mkfifo(tmp_path / reader.name)
    with pytest.raises(reader.refusal):
        reader.read(tmp_path / reader.name)
    (tmp_path / reader.name).unlink()
    (tmp_path / reader.name).symlink_to("/dev/zero")
    with pytest.raises(reader.refusal):
        reader.read(tmp_path / reader.name)


@pytest.mark.parametrize("document", DOCUMENTS["budgets"])
def test_a_damaged_budgets_file_neither_breaks_init_nor_lifts_a_limit(document: str, tmp_path: Path) -> None:
    path = tmp_path / "budgets.json"
    path.write_bytes(DOCUMENTS["budgets"][document])
    errors: list[BaseException] = []
    budget = recost.Budget(1, name="llm", file=path, on_exceed="raise")
    with recost.init(local_dir=str(tmp_path), budgets=[budget], on_error=errors.append):
        pass
    assert any("where budgets are kept" in str(error) for error in errors), errors
    assert path.read_bytes() == DOCUMENTS["budgets"][document]


def skip_without_toml(name: str) -> None:
    if name.endswith(".toml"):
        try:
            import tomllib  # noqa: F401
        except ModuleNotFoundError:
            pytest.importorskip("tomli")
