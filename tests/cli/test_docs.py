"""``recost docs``: each page is shipped, listed and printed, and the reference is that of the parsers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from recost.cli import main
from recost.cli.docs import PAGES, text_of
from tests.cli import help_page
from tests.scripts import ROOT

OWN = [path for path in (ROOT / "recost").rglob("*.md") if "vendor" not in path.parts]


def test_every_page_beside_the_code_has_a_topic() -> None:
    shipped = {path.relative_to(ROOT).as_posix() for path in OWN}
    named = {f"{page.package.replace('.', '/')}/{page.file}" for page in PAGES.values()}
    assert named == shipped


def test_the_list_names_each_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(PAGES)


@pytest.mark.parametrize("topic", PAGES)
def test_a_page_is_printed_as_it_is_where_stdout_is_no_terminal(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", topic]) == 0
    page = PAGES[topic]
    assert capsys.readouterr().out == text_of(page)
    assert text_of(page) == Path(ROOT, *page.package.split("."), page.file).read_text(encoding="utf-8")


def test_a_topic_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "budget"]) == 2
    assert capsys.readouterr().err == "recost: invalid topic 'budget': did you mean 'budgets'?\n"
    assert main(["docs", "\x1b[31m"]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="versions of argparse differ in their format")
def test_the_reference_is_current() -> None:
    text = help_page.PAGE.read_text(encoding="utf-8")
    assert text == help_page.current(text), "run python -m tests.cli.help_page"
