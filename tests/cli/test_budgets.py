"""``recost budgets`` shows what programs have really spent, in the period that is under way."""

from __future__ import annotations

import json
import os
import urllib.request
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional
from zoneinfo import ZoneInfo

import pytest

import recost
from recost import Budget, ProviderDef
from recost.budgets.status import read_status
from recost.cli import main
from tests.hostile_names import HOSTILE, is_inert
from tests.loopback import Loopback

pytestmark = pytest.mark.usefixtures("one_day")
RULE = ProviderDef("127.0.0.1", "acme", endpoint_category="all", cost_per_request_cents=10)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    return tmp_path


def spend(server: Loopback, number: int, *budgets: Budget, **options: Any) -> None:
    """Make calls that cost 10 cents each, until a budget refuses them."""
    with recost.init(budgets=list(budgets), custom_providers=[RULE], **options):
        for _ in range(number):
            with suppress(recost.RecostBudgetExceededError), urllib.request.urlopen(server.url + "/plain"):
                pass


def budgets(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["budgets", "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out, parse_float=Decimal)
    return found


def test_it_shows_what_a_program_has_spent(server: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    month = Budget(20, per="month", timezone="Europe/Berlin", callback=lambda *_: None)
    refusing = Budget("0.30", provider="acme", on_exceed="raise")
    spend(server, 5, month, refusing, project_id="shop")
    assert len(server.log) == 3
    first, second = budgets(capsys)
    now = datetime.now(timezone.utc)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    assert first == {
        "source": "shop", "budget": "acme per day", "per": "day",
        "since": f"{midnight:%Y-%m-%dT%H:%M:%SZ}",
        "resets_at": f"{midnight + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}",
        "limit_usd": Decimal("0.30"), "spent_usd": Decimal("0.3"), "left_usd": 0, "on_exceed": "raise",
    }  # fmt: skip
    assert (second["spent_usd"], second["left_usd"], second["limit_usd"]) == (
        Decimal("0.3"), Decimal("19.7"), 20,
    )  # fmt: skip
    resets = datetime.strptime(second["resets_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    local = resets.astimezone(ZoneInfo("Europe/Berlin"))
    assert (local.day, local.hour, local.minute) == (1, 0, 0)
    assert main(["budgets"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[2].split()[:3] == ["acme", "per", "day"]
    assert "100%" in table[2]
    assert table[2].endswith("calls refused")
    assert "project" not in table[0]


def test_a_period_that_is_over_does_not_count(server: Loopback, folder: Path) -> None:
    spend(server, 2, Budget(1, callback=lambda *_: None), project_id="shop")
    now = datetime.now(timezone.utc)
    (today,) = read_status(folder / "shop.budgets.json", now)
    (tomorrow,) = read_status(folder / "shop.budgets.json", now + timedelta(days=1))
    assert (today.spent_usd, tomorrow.spent_usd) == (Decimal("0.2"), Decimal(0))
    assert (today.left_usd, tomorrow.left_usd) == (Decimal("0.8"), Decimal(1))
    assert today.resets_at == tomorrow.since


def test_projects_and_files_of_budgets_are_told_apart(
    server: Loopback, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "elsewhere" / "team.json"
    for project in ("shop", "blog"):
        spend(server, 1, Budget(1, callback=lambda *_: None), project_id=project)
    spend(server, 4, Budget(1, file=own, name="team", callback=lambda *_: None))
    assert [each["source"] for each in budgets(capsys)] == ["blog", "shop"]
    (team,) = budgets(capsys, str(own))
    assert (team["source"], team["budget"], team["spent_usd"]) == ("team.json", "team", Decimal("0.4"))
    assert main(["budgets"]) == 0
    assert "project" in capsys.readouterr().out.splitlines()[0]


def test_a_file_without_limits_is_shown_all_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    old = {"per": "day", "period": today.isoformat(), "spent_usd": "1.5"}
    kept = {"format": "recost budgets 1", "budgets": {"llm": old}}
    (folder / "shop.budgets.json").write_text(json.dumps(kept))
    (only,) = budgets(capsys)
    assert (only["spent_usd"], only["limit_usd"], only["left_usd"]) == (Decimal("1.5"), None, None)
    assert main(["budgets"]) == 0
    assert "did not keep its limits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changed",
    [
        {"limit_usd": "1e999999999"}, {"limit_usd": "-1"}, {"limit_usd": 5}, {"limit_usd": "NaN"},
        {"on_exceed": ["raise"]}, {"timezone": None}, {"timezone": "Z" * 9_000},
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_and_the_others_are_shown(
    server: Loopback, folder: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, Any]
) -> None:
    for project in ("shop", "blog"):
        spend(server, 1, Budget(1, callback=lambda *_: None), project_id=project)
    file = folder / "shop.budgets.json"
    content = json.loads(file.read_text())
    content["budgets"]["per day"].update(changed)
    file.write_text(json.dumps(content))
    assert main(["budgets"]) == 2
    said = capsys.readouterr()
    assert "shop.budgets.json" in said.err
    assert "per day" in said.out


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_what_is_no_file_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "shop.budgets.json")
    assert main(["budgets"]) == 2
    assert "it is not a regular file" in capsys.readouterr().err
    assert main(["budgets", str(folder / "none.json")]) == 2
    assert "none.json: No such file or directory" in capsys.readouterr().err


def test_an_unknown_time_zone_counts_as_utc(folder: Path, server: Loopback) -> None:
    spend(server, 1, Budget(1, callback=lambda *_: None), project_id="shop")
    file = folder / "shop.budgets.json"
    content = json.loads(file.read_text())
    content["budgets"]["per day"]["timezone"] = "Mars/Olympus"
    file.write_text(json.dumps(content))
    (only,) = read_status(file, datetime.now(timezone.utc))
    assert only.spent_usd == Decimal("0.1")


@pytest.mark.parametrize("hidden", [None, "limit_usd"])
def test_names_in_a_planted_file_are_inert(
    folder: Path, capfd: pytest.CaptureFixture[str], hidden: Optional[str]
) -> None:
    entry = {
        "per": "total",
        "period": "",
        "spent_usd": "1",
        "limit_usd": "2",
        "on_exceed": "\x1b[31m",
        "timezone": "",
    }
    entry.pop(hidden or "", None)
    kept = {"format": "recost budgets 1", "budgets": dict.fromkeys(HOSTILE.values(), entry)}
    for name in ("shop", "\x1b[31mblog"):
        (folder / f"{name}.budgets.json").write_text(json.dumps(kept))
    assert main(["budgets"]) == 0
    said = capfd.readouterr()
    assert is_inert(said.out), said.out
    assert len(said.out.splitlines()) >= 2 * len(HOSTILE) + 2


def test_without_budgets_it_says_how_to_set_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["budgets"]) == 0
    assert "recost.Budget(" in capsys.readouterr().out
    assert budgets(capsys) == []
