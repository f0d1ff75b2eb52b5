"""The local files of a ledger: exact, append-only, whole after a kill, shared by processes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile, files_of
from tests.ledger.bills import DAY, FIRST
from tests.scripts import environment

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
ROW = Row("billed", model="m", requests=3, tokens={"input": 5}, amount=Decimal("0.1"), currency="USD")


@pytest.fixture
def file(tmp_path: Path) -> LedgerFile:
    return LedgerFile(tmp_path, "openai", "default")


def again(file: LedgerFile) -> LedgerFile:
    """Return the file as another process reads it."""
    return LedgerFile(file.path.parents[1], file.provider, file.account)


texts = st.text(max_size=30).filter(lambda text: text.isprintable() or not text)
amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=12)
rows = st.builds(
    Row,
    basis=st.sampled_from(["billed", "usage", "byok", "credit", "detail"]),
    model=st.none() | texts,
    item=st.none() | texts,
    key_name=st.none() | texts,
    requests=st.none() | st.integers(0, 10**15),
    tokens=st.dictionaries(st.sampled_from(["input", "output", "cache_read"]), st.integers(0, 10**15)),
    quantity=st.none() | amounts,
    amount=st.none() | amounts,
    list_amount=st.none() | amounts,
    currency=st.none() | st.sampled_from(["USD", "EUR"]),
)


@settings(max_examples=50, deadline=None)
@given(found=st.lists(rows, max_size=5))
def test_what_is_stored_is_read_exactly(tmp_path_factory: pytest.TempPathFactory, found: list[Row]) -> None:
    file = LedgerFile(tmp_path_factory.mktemp("ledger"), "openai", "default")
    assert file.add(LedgerDay(FIRST, tuple(found)), final=True, now=NOW)
    read = again(file)
    assert read.days()[FIRST].final
    assert sorted(map(repr, read.rows(FIRST))) == sorted(map(repr, found))


def test_a_file_is_private_and_has_a_line_a_change(file: LedgerFile) -> None:
    assert file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    assert not file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW + DAY)
    assert not again(file).add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW + DAY)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert len(file.path.read_bytes().splitlines()) == 1
    assert file.add(LedgerDay(FIRST, (ROW,)), final=True, now=NOW + DAY)
    assert (file.days()[FIRST].final, file.days()[FIRST].restated) == (True, False)


def test_a_restated_bucket_wins_and_is_visible(file: LedgerFile) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    restated = Row("billed", model="m", amount=Decimal("0.3"), currency="USD")
    assert again(file).add(LedgerDay(FIRST, (restated,)), final=True, now=NOW + DAY)
    found = again(file)
    assert found.days()[FIRST].restated
    assert found.rows(FIRST) == (restated,)
    first, second = map(json.loads, file.path.read_text().splitlines())
    assert (first["rows"][0]["amount"], second["rows"][0]["amount"]) == ("0.1", "0.3")
    assert first["pulledAt"] < second["pulledAt"]


def test_the_order_of_rows_is_no_change(file: LedgerFile) -> None:
    other = Row("usage", model="a")
    file.add(LedgerDay(FIRST, (ROW, other)), final=False, now=NOW)
    assert not file.add(LedgerDay(FIRST, (other, ROW)), final=False, now=NOW)


def test_a_line_that_was_cut_at_any_byte_is_no_line(file: LedgerFile) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    file.add(LedgerDay(FIRST + DAY, (ROW,)), final=False, now=NOW)
    whole = file.path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        file.path.write_bytes(whole[:end])
        found = again(file)
        assert list(found.days()) == [FIRST]
        assert found.bad_lines == 0
    assert again(file).add(LedgerDay(FIRST + DAY, (ROW,)), final=False, now=NOW)
    assert file.path.read_bytes() == whole


HEAD = b'{"start":"2026-11-01","final":true,"complete":true,"pulledAt":"x","rows":['


@pytest.mark.parametrize(
    "line",
    [
        b"", b"x", b"[]", b"{}", b"[" * 10_000, b"\xff", b'{"start": 3}', b'{"rows": []}',
        b'{"start":"2026-13-01","final":true,"complete":true,"pulledAt":"x","rows":[]}',
        b'{"start":"2026-11-01","final":1,"complete":true,"pulledAt":"x","rows":[]}',
        HEAD + b'{"basis":"billed","amount":1.5}]}',
        HEAD + b'{"basis":"billed","amount":"1e99999999"}]}',
        HEAD + b'{"basis":"billed","amount":"NaN"}]}',
        HEAD + b'{"basis":"billed","requests":-1}]}',
        HEAD + b'{"basis":"billed","tokens":{"input":"x"}}]}',
        HEAD + b'{"basis":"billed","other":"x"}]}',
        HEAD + b'{"model":"x"}]}',
        HEAD + b'{"basis":"billed","model":true}]}',
        HEAD + b'{"basis":"billed","model":"' + b"m" * 301 + b'"}]}',
        HEAD + b'{"basis":"billed","requests":' + b"9" * 30 + b"}]}",
        HEAD + b"[" * 10_000 + b"]" * 10_000 + b"]}",
    ],
)  # fmt: skip
def test_a_malformed_line_is_counted_and_the_one_before_counts(file: LedgerFile, line: bytes) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    with file.path.open("ab") as raw:
        raw.write(line + b"\n")
    found = again(file)
    assert found.add(LedgerDay(FIRST + DAY, (ROW,)), final=False, now=NOW)
    assert sorted(found.days()) == [FIRST, FIRST + DAY]
    assert found.rows(FIRST) == (ROW,)
    assert found.bad_lines == 1


def test_what_is_not_this_users_alone_is_refused(file: LedgerFile, tmp_path: Path) -> None:
    file.path.parent.mkdir(mode=0o700)
    target = tmp_path / "elsewhere"
    file.path.symlink_to(target)
    with pytest.raises(OSError, match=r"link|levels"):
        file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    assert not target.exists()
    file.path.unlink()
    os.mkfifo(file.path)
    with pytest.raises(OSError, match="regular"):
        file.days()


@pytest.mark.parametrize("account", ["", "../x", "a/b", "a.b", "é", "x" * 100, "a\nb", ".."])
def test_an_account_is_a_safe_name(tmp_path: Path, account: str) -> None:
    with pytest.raises(ValueError, match="account"):
        LedgerFile(tmp_path, "openai", account)


def test_processes_that_add_the_same_at_once_add_it_once(file: LedgerFile) -> None:
    program = """
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests.ledger.test_store import DAY, FIRST, NOW, ROW
file = LedgerFile(Path(sys.argv[1]), "openai", "default")
for index in range(30):
    file.add(LedgerDay(FIRST + index * DAY, (ROW,)), final=False, now=NOW)
"""
    command = [sys.executable, "-c", program, str(file.path.parents[1])]
    running = [subprocess.Popen(command, env=environment()) for _ in range(4)]
    assert [each.wait(60) for each in running] == [0] * 4
    lines = [json.loads(line) for line in file.path.read_text().splitlines()]
    assert sorted(line["start"] for line in lines) == sorted({line["start"] for line in lines})
    assert len(lines) == 30


def test_files_of_a_folder(file: LedgerFile, tmp_path: Path) -> None:
    assert files_of(tmp_path) == []
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    LedgerFile(tmp_path, "anthropic", "a-1").add(LedgerDay(FIRST, ()), final=False, now=NOW + timedelta(1))
    (file.path.parent / "notes.txt").write_text("x")
    (file.path.parent / "open ai.x.jsonl").write_text("x")
    assert [(each.provider, each.account) for each in files_of(tmp_path)] == [
        ("anthropic", "a-1"),
        ("openai", "default"),
    ]


def test_a_line_that_is_too_long_is_counted_and_the_others_are_read(file: LedgerFile) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    with file.path.open("ab") as raw:
        raw.write(HEAD + b" " * (33 << 20) + b"]}\n")
    found = again(file)
    assert found.add(LedgerDay(FIRST + DAY, (ROW,)), final=False, now=NOW)
    assert (sorted(found.days()), found.bad_lines) == ([FIRST, FIRST + DAY], 1)
    assert again(file).days().keys() == found.days().keys()
    with file.path.open("ab") as raw:
        raw.write(b"x" * (33 << 20))
    assert again(file).days().keys() == found.days().keys()


def test_more_rows_than_can_be_read_back_are_not_written(
    file: LedgerFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    before = file.path.read_bytes()
    many = (replace(ROW, item="x" * 300),) * 100_000
    with pytest.raises(OSError, match="32 MB"):
        file.add(LedgerDay(FIRST, many), final=False, now=NOW)
    assert file.path.read_bytes() == before


def test_a_day_that_was_restated_thousands_of_times(file: LedgerFile) -> None:
    file.add(LedgerDay(FIRST, (ROW,)), final=False, now=NOW)
    with file.path.open("ab") as raw:
        for number in range(3000):
            raw.write(HEAD + b'{"basis":"billed","amount":"%d"}]}\n' % number)
    found = again(file)
    assert found.days()[FIRST.replace(month=11, day=1)].restated
    assert found.rows(FIRST.replace(month=11, day=1)) == (Row("billed", amount=Decimal(2999)),)
