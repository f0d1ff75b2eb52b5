"""Names from outside, made inert for each medium."""

from __future__ import annotations

import csv
import html
import io
import re
import unicodedata

import pytest
from hypothesis import given

from recost._text import csv_cell, markdown, printable
from tests.hostile_names import is_inert, names


@given(names)
def test_a_terminal_only_shows_it(name: str) -> None:
    shown = printable(name)
    assert is_inert(shown)
    assert "\n" not in shown
    assert printable(shown) == shown
    assert len(shown) == len(name)


@pytest.mark.parametrize(
    "name", ["gpt-5-mini", "日本 株式会社", "café 🚀 team", "👨‍👩‍👧", "می‌خواهم", "/v1/{id}"]
)
def test_what_people_write_stays(name: str) -> None:
    assert printable(name) == name


def test_every_character_is_shown_or_replaced() -> None:
    for point in range(0x110000):
        character = chr(point)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} and point not in {
            9,
            0x200C,
            0x200D,
        }:
            assert printable(character) == "?", hex(point)


@given(names)
def test_a_spreadsheet_computes_nothing(name: str) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([csv_cell(name), "1"])
    ((cell, one),) = csv.reader(io.StringIO(text.getvalue()))
    assert one == "1"
    assert not re.match(r"""[\s'"]*[=+\-@＝＋－＠]""", cell) or cell.startswith("'")  # noqa: RUF001
    assert cell.removeprefix("'") == printable(name) or cell == printable(name)


@given(names.filter(str.strip))
def test_markdown_shows_it_and_nothing_else(name: str) -> None:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    shown = reader.render(f"| a | b |\n| --- | ---: |\n| {markdown(name)} | 1 |\n| **total** | 1 |\n")
    cells = re.findall(r"<td[^>]*>(.*?)</td>", shown)
    assert len(cells) == 4, shown
    assert (
        html.unescape(cells[0]).replace("\u200b", "").strip() == printable(name).replace("\u200b", "").strip()
    )
    assert not re.search(r"@\w|#\d|https?://|www\.", cells[0]), "a mention, an issue or an address"
    line = reader.render(f"- ok: {markdown(name)}\n")
    assert re.fullmatch(r"<ul>\n<li>ok:[^<]*</li>\n</ul>\n", line), line
