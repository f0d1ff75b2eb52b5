"""What was billed against what was recorded."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pytest

pytest.importorskip("duckdb")

from hypothesis import given, settings
from hypothesis import strategies as st

from recost.ledger.model import LedgerDay, Row
from recost.ledger.model_names import ModelNames
from recost.ledger.reconcile import Billed, Cell, CellKey, compare
from recost.ledger.store import LedgerFile
from tests import recorded
from tests.ledger.bills import DAY
from tests.scripts import environment

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
FIRST = date(2026, 11, 10)


def bill(
    folder: Path, day: date, *rows: Row, provider: str = "openai", final: bool = True, **bucket: Any
) -> None:
    LedgerFile(folder, provider, "default").add(LedgerDay(day, rows, **bucket), final=final, now=NOW)


def usd(amount: str, model: Optional[str] = "gpt-4o", requests: Optional[int] = None, **fields: Any) -> Row:
    return Row("billed", model=model, amount=Decimal(amount), currency="USD", requests=requests, **fields)


def record(folder: Path, when: str, cost_usd: str, model: Optional[str] = "gpt-4o", **more: Any) -> None:
    """Append a window with one metric."""
    recorded.record(folder, when, float(cost_usd), model=model, **more)


def reconcile(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recost", "reconcile", *options]
    env = environment(RECOST_LOCAL_DIR=str(folder), COLUMNS="80")
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def as_json(folder: Path, *options: str) -> Any:
    done = reconcile(folder, "--json", *options)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout, parse_float=Decimal)


@pytest.fixture
def three_days(tmp_path: Path) -> Path:
    """Return a folder in which a total would hide what was missed on the first day."""
    for index, (billed, seen) in enumerate([("3.5", "3.0"), ("3.0", "3.3"), ("0", "0")]):
        bill(tmp_path, FIRST + index * DAY, usd(billed))
        record(tmp_path, f"{FIRST + index * DAY}T12:00:00.000Z", seen)
    return tmp_path


def test_coverage_is_by_day_and_not_of_totals(three_days: Path) -> None:
    total = as_json(three_days)["total"]
    assert (total["billed_usd"], total["seen_usd"]) == (Decimal("6.5"), Decimal("6.3"))
    assert (total["unseen_usd"], total["over_usd"]) == (Decimal("0.5"), Decimal("0.3"))
    assert round(total["coverage"], 3) == Decimal("0.923")
    days = {group["day"]: group["coverage"] for group in as_json(three_days, "--by", "day")["groups"]}
    assert [days[f"{FIRST + index * DAY}"] for index in (1, 2)] == [1, None]


@pytest.mark.parametrize(("least", "code"), [("92", 0), ("92.4", 1), ("95%", 1), ("0", 0)])
def test_the_least_coverage(three_days: Path, least: str, code: int) -> None:
    done = reconcile(three_days, "--min-coverage", least)
    assert done.returncode == code
    assert ("coverage is 92.3%" in done.stderr) == bool(code)


@pytest.mark.parametrize(
    "by", ["provider", "day", "model", "key", "provider,day", "day,model", "provider,key"]
)
def test_a_table_fits_80_columns(three_days: Path, by: str) -> None:
    done = reconcile(three_days, "--by", by)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "92.3%" in done.stdout


def test_days_are_utc_days_whatever_the_zone(tmp_path: Path) -> None:
    for day, amount in ((FIRST, "1"), (FIRST + DAY, "2")):
        bill(tmp_path, day, usd(amount))
    record(tmp_path, f"{FIRST}T23:59:59.000Z", "1")
    record(tmp_path, f"{FIRST + DAY}T00:00:01.000Z", "2")
    for zone in ("Asia/Tokyo", "America/Los_Angeles", "UTC"):
        groups = as_json(tmp_path, "--by", "day", "--tz", zone)["groups"]
        assert [(group["billed_usd"], group["seen_usd"]) for group in groups] == [(1, 1), (2, 2)]


def test_a_day_that_is_not_final_or_incomplete_is_not_judged(three_days: Path) -> None:
    bill(three_days, date(2026, 11, 29), usd("100"), final=False)
    bill(three_days, date(2026, 11, 20), usd("100"), complete=False)
    found = as_json(three_days, "--by", "day")
    assert found["total"]["billed_usd"] == Decimal("6.5")
    assert found["days_not_judged"] == 2
    verdicts = {group["day"]: group["verdict"] for group in found["groups"]}
    assert (verdicts["2026-11-29"], verdicts["2026-11-20"]) == ("not final", "incomplete")
    assert "2 days of providers are not final or incomplete" in reconcile(three_days).stdout


@pytest.mark.parametrize(
    ("row", "seen", "calls", "verdict"),
    [
        (usd("1", requests=10), "1", 10, "seen"),
        (usd("1", requests=10), "0.995", 10, "seen"),
        (usd("1", requests=10), "0.5", 5, "traffic elsewhere"),
        (usd("1", requests=10), "0.5", 10, "price differs"),
        (usd("1", requests=10), "2", 10, "over"),
        (usd("1"), "0.5", 10, "traffic elsewhere"),
        (usd("0"), "0.5", 10, "not billed"),
    ],
)
def test_verdicts(tmp_path: Path, row: Row, seen: str, calls: int, verdict: str) -> None:
    bill(tmp_path, FIRST, row)
    record(tmp_path, f"{FIRST}T12:00:00.000Z", seen, calls=calls)
    assert as_json(tmp_path)["total"]["verdict"] == verdict


def test_recorded_cost_without_a_ledger(three_days: Path) -> None:
    record(three_days, f"{FIRST}T12:00:00.000Z", "7", provider="anthropic", model="claude-opus-4-5")
    record(three_days, f"{FIRST + 9 * DAY}T12:00:00.000Z", "2")
    found = as_json(three_days)
    assert {group["provider"]: group["verdict"] for group in found["groups"]}["anthropic"] == "no ledger"
    assert found["without_ledger_usd"] == 9
    assert found["total"]["seen_usd"] == Decimal("6.3")


def test_amounts_that_are_told_apart_are_never_added(tmp_path: Path) -> None:
    bill(
        tmp_path,
        FIRST,
        usd("1"),
        Row("billed", model="gpt-4o", amount=Decimal(5), currency="EUR"),
        Row("byok", model="gpt-4o", amount=Decimal(7), currency="USD"),
        Row("credit", amount=Decimal(9), currency="USD"),
        Row("detail", amount=Decimal(11), currency="USD"),
    )
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "1")
    found = as_json(tmp_path)
    assert (found["total"]["billed_usd"], found["total"]["coverage"]) == (1, 1)
    assert (found["other_currencies"], found["apart_usd"]) == ({"EUR": 5}, {"byok": 7, "credit": 9})
    text = reconcile(tmp_path).stdout
    assert all(
        each in text for each in ("5 EUR was billed", "$7.00 was billed by other providers", "$9.00 was")
    )


@pytest.mark.parametrize(
    ("provider", "billed", "seen"),
    [
        ("openai", "gpt-4o", "gpt-4o-2024-08-06"),
        ("anthropic", "claude-opus-4-5", "claude-opus-4-5-20251101"),
        ("openrouter", "openai/gpt-4o", "openai/gpt-4o-2024-08-06"),
        ("openai", "House-Model-2026-01-02", "house-model"),
    ],
)
def test_models_are_matched_by_their_aliases(tmp_path: Path, provider: str, billed: str, seen: str) -> None:
    pytest.importorskip("genai_prices")
    bill(tmp_path, FIRST, usd("1", billed), provider=provider)
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "1", seen, provider=provider)
    assert as_json(tmp_path)["total"]["coverage"] == 1


def test_a_model_without_its_like_is_a_row(tmp_path: Path) -> None:
    bill(tmp_path, FIRST, usd("1", "house-a"), usd("2", None))
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "3", "house-b")
    found = as_json(tmp_path, "--by", "model")
    rows = {
        group["model"]: (group["billed_usd"], group["seen_usd"], group["verdict"])
        for group in found["groups"]
    }
    assert rows == {
        "house-a": (1, 0, "traffic elsewhere"),
        "house-b": (0, 3, "not billed"),
        None: (2, 0, "traffic elsewhere"),
    }
    assert found["total"]["coverage"] == 0


def test_a_provider_that_was_never_recorded(three_days: Path) -> None:
    bill(three_days, FIRST, usd("3", "claude-opus-4-5"), provider="anthropic")
    (group,) = as_json(three_days, "--provider", "anthropic")["groups"]
    assert (group["billed_usd"], group["coverage"], group["verdict"]) == (3, 0, "traffic elsewhere")


def test_a_bill_without_models_is_compared_by_day(tmp_path: Path) -> None:
    bill(tmp_path, FIRST, usd("3", None), provider="xai")
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "1", "grok-4", provider="xai")
    record(tmp_path, f"{FIRST}T13:00:00.000Z", "1.5", "grok-5", provider="xai")
    total = as_json(tmp_path)["total"]
    assert (total["both_usd"], total["unseen_usd"]) == (Decimal("2.5"), Decimal("0.5"))


def test_by_key(tmp_path: Path) -> None:
    rows = [usd("2", key_id="k1", key_name="alice"), usd("3", key_id="k2"), usd("1")]
    bill(tmp_path, FIRST, *rows)
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "2", key="alice")
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "1", key="k2")
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "0.5")
    found = {group["key"]: group["coverage"] for group in as_json(tmp_path, "--by", "key")["groups"]}
    assert {key: round(share, 3) for key, share in found.items()} == {
        "alice": 1,
        "k2": Decimal("0.333"),
        None: Decimal("0.5"),
    }


HOSTILE = "\x1b[31m=cmd|' /C calc'!A0|<script>\n@x"


def test_names_are_inert_in_every_output(tmp_path: Path) -> None:
    bill(tmp_path, FIRST, usd("1", HOSTILE))
    record(tmp_path, f"{FIRST}T12:00:00.000Z", "1")
    for option in ("--json", "--csv", "--markdown", None):
        done = reconcile(tmp_path, "--by", "model", *([option] if option else []))
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout
        if option == "--csv":
            cell = next(csv.DictReader(io.StringIO(done.stdout)))["model"]
            assert not cell.startswith(("=", "+", "-", "@", "\x1b"))
        if option == "--markdown":
            assert "<script>" not in done.stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--by", "modle"], "did you mean 'model'?"),
        (["--by", "model,key"], "at most two"),
        (["--by", "provider,day,model"], "at most two"),
        (["--min-coverage", "200"], "0 to 100"),
        (["--since", "nope"], "--since"),
        (["--provider", "anthropic"], "no ledger was pulled yet"),
    ],
)
def test_wrong_usage(three_days: Path, options: list[str], expected: str) -> None:
    done = reconcile(three_days, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr


places = st.builds(
    CellKey,
    provider=st.sampled_from(["openai", "xai"]),
    day=st.sampled_from([FIRST, FIRST + DAY, FIRST + 2 * DAY]),
    name=st.none() | st.sampled_from(["a", "b"]),
)
money = st.decimals(0, 10**6, places=6)
sides = st.dictionaries(places, st.tuples(money, st.integers(0, 1000)), max_size=12)
STATES = st.sampled_from(["judged", "not final", "incomplete"])


@settings(max_examples=200, deadline=None)
@given(bills=sides, records=sides, states=st.lists(STATES, min_size=6, max_size=6), by=st.sampled_from([
    ("provider",), ("day",), ("model",), ("provider", "day"), ("day", "model"),
]))  # fmt: skip
def test_sums_are_plain_sums(bills: Any, records: Any, states: list[Any], by: tuple[str, ...]) -> None:
    said = Billed(cells={place: Cell(billed_usd=usd, billed_requests=n) for place, (usd, n) in bills.items()})
    days = [(provider, FIRST + n * DAY) for provider in ("openai", "xai") for n in range(3)]
    said.days = {day: state for day, state in zip(days, states) if any(place[:2] == day for place in bills)}
    recorded = {place: Cell(seen_usd=usd, seen_requests=n) for place, (usd, n) in records.items()}
    found = compare(said, recorded, by)
    judged = {day for day, state in said.days.items() if state == "judged"}

    def total(cells: Any) -> Decimal:
        return sum((usd for place, (usd, _) in cells.items() if place[:2] in judged), Decimal())

    assert found.total.billed_usd == total(bills)
    assert found.total.seen_usd == total(records)
    assert found.without_ledger_usd == sum(
        (usd for place, (usd, _) in records.items() if place[:2] not in said.days), Decimal()
    )
    both = Decimal()
    for provider, day in judged:
        names = {place.name for place in bills if place[:2] == (provider, day)}
        if names == {None}:
            seen = sum(
                (usd for place, (usd, _) in records.items() if place[:2] == (provider, day)), Decimal()
            )
            both += min(bills[CellKey(provider, day, None)][0], seen)
            continue
        for name in names:
            place = CellKey(provider, day, name)
            both += min(bills[place][0], records.get(place, (Decimal(), 0))[0])
    assert found.total.both_usd == both
    assert _added(each.billed_usd for each in found.groups.values() if each.state == "judged") == total(bills)


def _added(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal())


def test_names_of_models_are_bounded() -> None:
    names = ModelNames()
    assert {names.of("house", f"M-{index}") for index in range(20_000)} == {
        f"m-{index}" for index in range(20_000)
    }
    assert len(names._known) <= 10_000
