"""``recost export --format focus``: the sums of the bill and of the reports, in the columns of FOCUS."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb")

from recost.ledger.focus import COLUMNS
from recost.ledger.model import LedgerDay, Row
from recost.ledger.store import LedgerFile
from tests import recorded
from tests.hostile_names import HOSTILE, hostile_windows, is_inert
from tests.scripts import environment

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=timezone.utc)
FIRST, SECOND = date(2026, 10, 31), date(2026, 11, 1)
VALIDATOR = "RECOST_FOCUS_VALIDATOR"
"""Path of the published validator's command, which needs packages of its own."""
RENAMED = {
    "ServiceProviderName": "Provider",
    "HostProviderName": "Publisher",
    "InvoiceIssuerName": "InvoiceIssuer",
}
"""Columns of FOCUS 1.4 by the names that the validator has for them."""
CONDITIONAL = (
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ContractedUnitPrice",
    "ListUnitPrice",
    "RegionId",
    "RegionName",
    "ResourceID",
    "ResourceName",
    "ResourceType",
    "SkuPriceId",
)
"""Columns that FOCUS 1.0 wanted of everybody, and 1.4 only of who has discounts, regions or resources."""
SKIPPED = {"BillingCurrency_IsCurrencyCode", "SkuPriceId_Nullable"}
"""Rules that the validator can't evaluate: the first one downloads a list, the second one asks for the column
ChargeType, which FOCUS 1.0 does not have."""


def focus(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "recost", "export", "--format", "focus", *options]
    env = environment(RECOST_LOCAL_DIR=str(folder))
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def rows(folder: Path, *options: str) -> list[dict[str, str]]:
    done = focus(folder, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return list(csv.DictReader(io.StringIO(done.stdout, newline="")))


def bill(folder: Path, day: date, *billed: Row, account: str = "acme") -> None:
    LedgerFile(folder, "openai", account).add(LedgerDay(day, billed), final=True, now=NOW)


@pytest.fixture
def both(tmp_path: Path) -> Path:
    """A bill of one day, and recorded calls of two days and two providers."""
    bill(
        tmp_path,
        FIRST,
        Row(
            "billed", model="gpt-4o", item="gpt-4o, input", requests=7,
            amount=Decimal("1.000000000000000001"), list_amount=Decimal("1.25"),
            currency="USD", project="proj_1", key_name="alice", tier="batch",
        ),
        Row("billed", item="storage", quantity=Decimal("2.5"), unit="GiB", amount=Decimal(3), currency="EUR"),
        Row("usage", model="gpt-4o", requests=7),
        Row("credit", amount=Decimal(9), currency="USD"),
        Row("detail", model="gpt-4o", amount=Decimal(5), currency="USD"),
    )  # fmt: skip
    for when, cost in (("2026-10-31T10:00", 0.4), ("2026-11-01T00:00", 0.5), ("2026-11-01T23:59", 0.25)):
        recorded.record(tmp_path, f"{when}:00.000Z", cost, model="gpt-4o")
    recorded.record(tmp_path, "2026-10-31T10:00:00.000Z", 0.125, model=None, provider="stripe")
    return tmp_path


def test_days_with_a_bill_are_as_billed_and_others_as_recorded(both: Path) -> None:
    found = rows(both)
    costs = [(row["ServiceProviderName"], row["ChargePeriodStart"][:10], row["BilledCost"],
              row["BillingCurrency"], row["x_recostCostSource"] == "billed") for row in found]  # fmt: skip
    assert sorted(costs) == [
        ("openai", "2026-10-31", "1.000000000000000001", "USD", True),
        ("openai", "2026-10-31", "3", "EUR", True),
        ("openai", "2026-11-01", "0.75", "USD", False),
        ("stripe", "2026-10-31", "0.125", "USD", False),
    ]
    one = next(row for row in found if row["ChargeDescription"] == "gpt-4o, input")
    assert one == {
        **one,
        "BillingAccountId": "acme", "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z", "ChargePeriodEnd": "2026-11-01T00:00:00Z",
        "ListCost": "1.25", "EffectiveCost": one["BilledCost"], "ConsumedQuantity": "7",
        "ConsumedUnit": "Requests", "SubAccountId": "proj_1", "x_recostModel": "gpt-4o",
        "ServiceCategory": "AI and Machine Learning",
    }  # fmt: skip
    assert json.loads(one["Tags"]) == {"recost/key": "alice", "recost/tier": "batch"}


def test_periods_and_providers_are_filters(both: Path) -> None:
    assert {row["ChargePeriodStart"][:10] for row in rows(both, "--since", "2026-11-01", "--tz", "UTC")} == {
        "2026-11-01"
    }
    until = ("--until", "2026-11-01", "--tz", "UTC")
    assert {row["ServiceProviderName"] for row in rows(both, *until, "--provider", "open*")} == {"openai"}
    # A part of a UTC day is the whole of it, on both sides.
    assert len(rows(both, "--since", "2026-10-31T23:00+00:00", "--tz", "Asia/Tokyo")) == 4


@pytest.mark.parametrize("option", ["--endpoint", "--env", "--project"])
def test_what_a_bill_does_not_tell_apart_is_no_filter(both: Path, option: str) -> None:
    done = focus(both, option, "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == f"recost: {option} cannot be used with --format focus: a bill does not distinguish them\n"
    )


def test_the_sum_of_recorded_rows_is_that_of_the_report(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(hostile_windows()))
    command = [sys.executable, "-m", "recost", "report", "--json", "--tz", "UTC"]
    env = environment(RECOST_LOCAL_DIR=str(tmp_path))
    report = json.loads(
        subprocess.run(command, env=env, capture_output=True, check=True).stdout, parse_float=Decimal
    )
    found = rows(tmp_path)
    assert sum(Decimal(row["BilledCost"]) for row in found) == report["total"]["cost_usd"]
    assert sum(int(row["ConsumedQuantity"]) for row in found) == report["total"]["calls"]
    assert sum(int(row["x_recostUnpricedCalls"]) for row in found) == report["total"]["unpriced"]


def test_names_are_inert(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").write_bytes(b"".join(hostile_windows()))
    bill(tmp_path, FIRST, *[Row("billed", model=name, item=name, project=name, key_name=name, user=name,
                                amount=Decimal(1), currency="USD") for name in HOSTILE.values()])  # fmt: skip
    done = focus(tmp_path)
    assert is_inert(done.stdout)
    for row in csv.DictReader(io.StringIO(done.stdout, newline="")):
        assert not any(cell.lstrip(" '\"")[:1] in {"=", "@"} and cell[:1] != "'" for cell in row.values())


def test_parquet_has_the_same_rows_with_types(both: Path, tmp_path: Path) -> None:
    import duckdb

    done = focus(both, "-o", str(tmp_path / "out.parquet"))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.glob("*.csv")) == []
    found = duckdb.read_parquet(str(tmp_path / "out.parquet"))
    assert tuple(found.columns) == COLUMNS
    types = dict(zip(found.columns, map(str, found.types)))
    assert (types["BilledCost"], types["ChargePeriodStart"], types["SkuId"]) == (
        "DECIMAL(38,26)", "TIMESTAMP", "VARCHAR",
    )  # fmt: skip
    amounts = sorted(row[0] for row in found.project("BilledCost").fetchall())
    assert amounts == sorted(Decimal(row["BilledCost"]) for row in rows(both))


def test_without_anything_there_are_only_the_columns(tmp_path: Path) -> None:
    done = focus(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "recost" in done.stderr


@pytest.mark.skipif(VALIDATOR not in os.environ, reason=f"{VALIDATOR} names no command of focus-validator")
@pytest.mark.slow
def test_the_published_validator_accepts_it(both: Path, tmp_path: Path) -> None:
    """It has the rules of FOCUS 1.0. Columns that 1.4 has renamed or made conditional are given back."""
    found = rows(both)
    old = [
        {**{RENAMED.get(name, name): value for name, value in row.items()}, **dict.fromkeys(CONDITIONAL, "")}
        for row in found
    ]
    file = tmp_path / "focus.csv"
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, old[0])
        writer.writeheader()
        writer.writerows(old)

    def broken() -> set[str]:
        command: list[Any] = [os.environ[VALIDATOR], "--data-file", file, "--validate-version", "1.0"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert "Validation" in done.stdout, done.stderr
        return set(re.findall(r"^(\w+) failed:", done.stdout, re.MULTILINE)) - SKIPPED

    assert broken() == set()
    file.write_text(file.read_text().replace(",Usage-Based,", ",sometimes,"))
    assert broken() == {"ChargeFrequency_Enum"}
