from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost._text import cells
from recost.cli._shared.formats import format_bytes, format_ms
from recost.cli._shared.tables import Column, Table, padded, shorten, wrap
from recost.cli._shared.terminal import WIDTH, Style

PLAIN = Style(enabled=False)


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "0 ms"),
        (0.4, "<1 ms"),
        (9.6, "10 ms"),
        (9999, "9,999 ms"),
        (10_000, "10.0 s"),
        (600_000, "10 min"),
    ],
)
def test_durations(milliseconds: float, shown: str) -> None:
    assert format_ms(milliseconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (5e9, "5.0 GB"), (1e12, "1.0 TB")],
)
def test_sizes(count: float, shown: str) -> None:
    assert format_bytes(count) == shown


@given(st.text(), st.integers(0, 100))
def test_what_is_shortened_fits_and_is_printable(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cells(short) <= width
    assert short.isprintable()
    if text.isprintable() and cells(text) <= width:
        assert short == text


@given(st.lists(st.tuples(st.text(max_size=90), st.text(max_size=90), st.integers(0, 10**9))))
def test_a_table_is_never_wider_than_the_terminal(rows: list[tuple[str, str, int]]) -> None:
    table = Table((Column("name"), Column("endpoint", least=8), Column("calls", right=True)))
    table.rows += [(name, endpoint, str(calls)) for name, endpoint, calls in rows]
    table.total = ("total", "", str(sum(calls for *_, calls in rows)))
    lines = table.render(PLAIN).split("\n")
    assert len(lines) == len(rows) + 4
    assert max(map(cells, lines)) <= WIDTH
    assert all(line.endswith(str(row[2])) for line, row in zip(lines[2:], rows))


def test_figures_stand_to_the_right_under_their_heading() -> None:
    table = Table((Column("name"), Column("calls", right=True)), [("a", "7"), ("bb", "12345678")])
    assert table.render(PLAIN).split("\n") == [
        "name    calls",
        "-------------",
        "a           7",
        "bb   12345678",
    ]


def test_figures_are_never_shortened() -> None:
    table = Table((Column("n", least=4), Column("calls", right=True)), [("abcdefgh", "9" * 30)])
    assert table.render(PLAIN, width=20).split("\n")[-1] == "a... " + "9" * 30


def test_text_is_wrapped_under_its_heading() -> None:
    assert wrap("one ", "two three", width=10) == "one two\n    three"
    assert wrap("名前 ", "東京 サービス x", width=14) == "名前 東京\n     サービス\n     x"
    assert wrap("one ", "東京都サービス", width=12) == "one 東京都サ\n    ービス"
    assert wrap("one ", "in /srv/telemetry/東京 now", width=14) == "one in\n    /srv/telemetry/東京\n    now"


@given(st.text(alphabet="ab 東é\u0301👍\n", max_size=60), st.integers(20, 80))
def test_wrapped_text_is_within_its_width_and_loses_nothing(text: str, width: int) -> None:
    wrapped = wrap("heading ", text, width)
    assert all(cells(line) <= width for line in wrapped.split("\n"))
    assert "".join(wrapped.split()) == "heading" + "".join(text.split())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert Style.of(Terminal())("x", "red") == "\x1b[31mx\x1b[0m"
    assert Style.of(io.StringIO())("x", "red") == "x"
    monkeypatch.setenv("NO_COLOR", "")
    assert Style.of(Terminal()).enabled
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Style.of(Terminal()).enabled
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not Style.of(Terminal()).enabled


WIDE_NAMES = (
    "acme",
    "\u65e5\u672c\u96fb\u6c17\u682a\u5f0f\u4f1a\u793e",
    "caf\u00e9 \U0001f680 team",
    "cafe\u0301",
    "\ud55c\uad6d" * 40,
)


@pytest.mark.parametrize("width", [40, 60, 80])
def test_rows_of_wide_names_are_in_line(width: int) -> None:
    table = Table([Column("tenant", least=8), Column("cost", right=True)])
    table.rows = [[name, "$0.10"] for name in WIDE_NAMES]
    lines = table.render(Style(enabled=False), width).splitlines()
    assert len({cells(each) for each in lines[1:]}) == 1
    assert cells(lines[1]) <= width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", 3),
        ("\u65e5\u672c", 4),
        ("\U0001f680", 2),
        ("e\u0301", 1),
        ("\uff21", 2),
        ("\uff76", 1),
        ("a\u200db", 2),
    ],
)
def test_cells_of_a_terminal(text: str, expected: int) -> None:
    assert cells(text) == expected


@given(st.text(max_size=30), st.integers(0, 40))
def test_no_text_is_wider_than_its_column(text: str, width: int) -> None:
    assert cells(shorten(text, width)) <= width
    assert cells(padded(text, width)) == width


def test_columns_that_there_is_no_room_for_are_left_out() -> None:
    titles = ("calls", "errors", "cost", "share")
    ranks = {"cost": 9, "calls": 4}
    table = Table(
        [Column("name", least=8), *(Column(each, right=True, rank=ranks.get(each, 1)) for each in titles)]
    )
    table.rows = [["x" * 50, "123,456,789", "123,456,789", "$1,234,567.00", "100%"]]
    assert table.render(Style(enabled=False), 40).splitlines()[0].split() == ["name", "calls", "cost"]
    assert table.render(Style(enabled=False), 80).splitlines()[0].split() == ["name", *titles]
