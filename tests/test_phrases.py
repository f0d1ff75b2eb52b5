"""The project's prose keeps to the words that ``tests/phrases.py`` lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import phrases


def test_the_package_and_its_pages_keep_to_the_words() -> None:
    places = list(phrases.findings([phrases.ROOT / "recost", phrases.ROOT / "README.md"]))

    assert not places, "\n".join(map(str, places))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('def f():\n    """What a call costs."""\n', "What a call costs."),
        ('"""Costs that are told."""\n', "told"),
        ('"""Costs; and prices."""\n', ";"),
        ("x = 1  # the answer has none\n", "answer"),
        ('raise ValueError("x is no time")\n', "is no"),
        ('class C:\n    x: int\n    """Whether it bills."""\n', "Whether it bills."),
        ('"""' + "word " * 31 + '."""\n', "word word word"),
    ],
)
def test_each_kind_of_place_is_found(
    text: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phrases, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text(text)

    places = list(phrases.findings([tmp_path]))

    assert any(place.text.startswith(found) for place in places), places


def test_code_in_prose_and_in_pages_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phrases, "ROOT", tmp_path)
    (tmp_path / "module.py").write_text('"""Return ``answer; told``."""\n')
    (tmp_path / "README.md").write_text("```python\nanswer = 1\n```\n\nSee `answer`.\n")

    assert not list(phrases.findings([tmp_path]))


def test_what_is_allowed_is_still_there() -> None:
    for name, text in phrases.ALLOWED:
        assert text in (phrases.ROOT / name).read_text(encoding="utf-8"), (name, text)
