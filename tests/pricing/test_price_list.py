"""Lists of prices in files: what they hold, what is left out, and how old they are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Optional

import pytest

pytest.importorskip("genai_prices", reason="genai-prices is not installed")

from recost.pricing.list_place import ListPlace
from recost.pricing.price_list import (
    MOST_BYTES,
    ListDay,
    PriceListError,
    builtin_day,
    day_of,
    enveloped,
    is_quick,
    parse_list,
    read_list,
)
from recost.pricing.pricer import PricedCall, Pricer
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage.model import Usage
from tests.price_lists import MODEL, as_published, small_list

DAY = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = DAY.date()
HOST = "api.openai.com"


class Prices:
    """A pricer with a list in a file, at a time."""

    def __init__(self, path: Path, *, chosen: bool = True, now: datetime = DAY) -> None:
        self.errors: list[str] = []
        self.route = Routes(ProviderRegistry()).find((HOST, "/v1/chat/completions", "POST"))
        place = ListPlace(path, chosen)
        self.pricer = Pricer(
            report=lambda error: self.errors.append(str(error)),
            clock=lambda: now,
            price_list=place,
        )

    def of(self, model: str, tokens: int = 1_000_000) -> tuple[Optional[Decimal], str, Optional[str]]:
        usage = Usage(model, {"input_tokens": tokens, "output_tokens": 0})
        cost = self.pricer.price(
            PricedCall(self.route, status=200, request_bytes=1, response_bytes=1, usage=usage)
        )
        assert cost.usd is not None or cost.missing == (model,), "what has no price is named"
        return cost.usd, cost.source, cost.priced_on


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "prices.json"


def listed(*models: dict[str, Any], **provider: Any) -> str:
    """Return a list of one provider with these models."""
    named = [{"id": f"m{number}", "match": {"equals": "m"}, **model} for number, model in enumerate(models)]
    return json.dumps([{"id": "openai", "name": "x", "api_pattern": "x", "models": named, **provider}])


GOOD: dict[str, Any] = {"prices": {"input_mtok": 1}}


def test_the_list_of_the_package_is_read_whole() -> None:
    """At its full size, with everything that stands in it."""
    from genai_prices.data import providers

    text = json.dumps(as_published(providers))
    found = parse_list(text, TODAY)
    assert found.left_out == 0
    assert [provider.id for provider in found.providers] == [provider.id for provider in providers]
    for mine, theirs in zip(found.providers, providers):
        for one, other in zip(mine.models, theirs.models):
            assert (one.id, one.match) == (other.id, other.match)
            assert (one.prices, one.price_variants) == (other.prices, other.price_variants), one.id
    assert found.models == sum(len(provider.models) for provider in providers)
    assert found.day == builtin_day(TODAY), "the same data have the same day"


def test_a_list_in_a_file_takes_the_place_of_the_packages_own(path: Path) -> None:
    path.write_text(enveloped(small_list(), DAY, "https://example.com/"))
    prices = Prices(path)
    assert prices.of(MODEL) == (Decimal(3), "computed", "2026-11-21")
    assert prices.of("gpt-4o-mini") == (None, "unknown", None), "of two lists, one is in use"
    (error,) = prices.errors
    assert "no price for model 'gpt-4o-mini' of openai; 'recost prices update' fetches" in error


def test_decimals_are_those_of_the_text(path: Path) -> None:
    path.write_text(small_list(usd="0.12345678901234567"))
    assert Prices(path).of(MODEL)[0] == Decimal("0.12345678901234567")


def test_models_asked_before_are_priced_at_once_after_an_update(path: Path) -> None:
    prices = Prices(path, chosen=False)
    for _ in range(3):
        assert prices.of(MODEL) == (None, "unknown", None)
    for _ in range(20):
        assert prices.of("gpt-4o-mini")[0] == Decimal("0.15"), "so often that its rates are known"
    prices.pricer.refresh()
    assert prices.of(MODEL)[0] is None
    path.write_text(enveloped(small_list(), DAY, "u"))
    assert prices.of(MODEL)[0] is None, "the file is looked at by `refresh` only"
    prices.pricer.refresh()
    assert prices.of(MODEL)[0] == 3
    path.write_text(enveloped(small_list("gpt-4o-mini", "70"), DAY, "u"))
    prices.pricer.refresh()
    assert prices.of("gpt-4o-mini")[0] == 70, "what was known of the list before is forgotten"
    path.unlink()
    prices.pricer.refresh()
    assert prices.of("gpt-4o-mini")[0] == Decimal("0.15"), "without a file, the package's own list"


def test_a_file_that_has_not_changed_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recost.pricing import price_list

    path.write_text(small_list())
    reads: list[Path] = []

    def counted(place: Path, today: date) -> Any:
        reads.append(place)
        return read_list(place, today)

    monkeypatch.setattr(price_list, "read_list", counted)
    prices = Prices(path)
    prices.pricer.refresh()
    assert reads == [], "nothing is read before a call needs it"
    prices.of(MODEL)
    for _ in range(5):
        prices.pricer.refresh()
    assert len(reads) == 1


def test_the_newer_of_two_lists_is_used_unless_one_is_chosen(path: Path) -> None:
    """genai-prices may have been updated after the list was fetched."""
    path.write_text(enveloped(small_list(), datetime(2025, 1, 1, tzinfo=timezone.utc), "u"))
    assert Prices(path, chosen=False).of(MODEL)[0] is None
    assert Prices(path, chosen=False).of("gpt-4o-mini")[0] == Decimal("0.15")
    assert Prices(path).of(MODEL) == (Decimal(3), "computed", "2025-01-01")


def test_the_list_of_the_applications_own_updates_goes_first(path: Path) -> None:
    from genai_prices import data_snapshot

    path.write_text(small_list())
    prices = Prices(path)
    assert prices.of(MODEL)[0] == 3
    assert data_snapshot._custom_snapshot is None, "the application's own prices are left alone"
    theirs = parse_list(small_list(usd="5"), TODAY).providers
    data_snapshot.set_custom_snapshot(data_snapshot.DataSnapshot(theirs, from_auto_update=True))
    try:
        assert prices.of(MODEL)[0] == 5
        assert prices.of("gpt-4o-mini")[0] is None
    finally:
        data_snapshot.set_custom_snapshot(None)
    assert prices.of(MODEL)[0] == 3


BAD: dict[str, Callable[[], str]] = {
    "empty": lambda: "",
    "no JSON": lambda: "<html>502</html>",
    "cut off": lambda: small_list()[:-20],
    "no list": lambda: '{"models": []}',
    "an empty list": lambda: "[]",
    "a number": lambda: "7",
    "nothing in it": lambda: "[null, 1, {}, []]",
    "nested": lambda: "[" * 100_000 + "]" * 100_000,
    "no models": lambda: '[{"id": "openai", "name": "x", "api_pattern": "x", "models": []}]',
    "a list of texts": lambda: '["openai"]',
    "a name twice": lambda: '[{"id": "a", "id": "b"}]',
    "not a number": lambda: small_list(usd="NaN"),
    "a huge number": lambda: small_list(usd="1e999999999"),
    "a price below 0": lambda: small_list(usd="-1"),
    "a price beyond any": lambda: small_list(usd="1000001"),
    "many models": lambda: listed(*[{}] * 50_001),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_that_is_no_list_is_told_once_and_not_used(what: str, path: Path) -> None:
    path.write_text(BAD[what]())
    prices = Prices(path)
    for _ in range(2):
        assert prices.of("gpt-4o-mini")[0] == Decimal("0.15"), "the package's own list"
        prices.pricer.refresh()
    (error,) = prices.errors
    assert error.startswith(f"recost: price list {path}: ")
    assert error.endswith("; it is not used")
    assert len(error) < 400


def test_files_that_cannot_be_read(path: Path) -> None:
    def told() -> str:
        prices = Prices(path)
        assert prices.of("gpt-4o-mini")[0] == Decimal("0.15")
        (error,) = prices.errors
        return error.partition(f"{path}: ")[2]

    assert told() == "it can't be read: No such file or directory; it is not used", "where it is chosen"
    path.write_bytes(b"[\xff]")
    assert told() == "it is not UTF-8; it is not used"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert told() == f"it has more than {MOST_BYTES >> 20} MB; it is not used"
    path.unlink()
    path.mkdir()
    assert told().endswith("; it is not used")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_holds_up_nobody(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(PriceListError, match="not a regular file"):
        read_list(path, TODAY)


def test_what_was_in_use_stays_when_a_file_gets_damaged(path: Path) -> None:
    path.write_text(small_list())
    prices = Prices(path)
    assert prices.of(MODEL)[0] == 3
    path.write_text("{")
    for _ in range(3):
        prices.pricer.refresh()
    assert prices.of(MODEL)[0] == 3
    assert len(prices.errors) == 1
    path.write_text(small_list(usd="44"))
    prices.pricer.refresh()
    assert prices.of(MODEL)[0] == 44, "a file that is mended is taken"


@pytest.mark.parametrize(
    "model",
    [
        {"prices": {"input_mtok": "1"}},
        {"prices": {"input_mtok": True}},
        {"prices": {"input_mtok": {"base": 1, "tiers": [{"start": 1, "price": -1}]}}},
        {"prices": {"input_mtok": {"base": 1, "tiers": 3}}},
        {"prices": {"input_mtok": {"tiers": []}}},
        {"prices": [{"prices": {"input_mtok": -1}}]},
        {"prices": [{"constraint": {"start_date": "never"}, "prices": {"input_mtok": 1}}]},
        {"prices": ["x"]},
        {"prices": 7},
        {"prices": {"input_mtok": 1}, "price_variants": [{"when": {}, "prices": {"input_mtok": 1}}]},
        {"prices": {"input_mtok": 1}, "price_variants": [{"when": {"a": "b"}, "prices": {"input_mtok": -1}}]},
        {"prices": {"input_mtok": 1}, "match": {"regex": "(a+)+$"}},
        {"prices": {"input_mtok": 1}, "match": {"or": [{"equals": "m"}, {"regex": "("}]}},
        {"prices": {"input_mtok": 1}, "match": {"magic": "m"}},
        {"prices": {"input_mtok": 1}, "match": None},
        {"prices": {"input_mtok": 1}, "id": 7},
        "m",
        None,
    ],
    ids=str,
)
def test_a_model_that_is_not_sound_is_left_out_and_counted(model: Any) -> None:
    good = {"id": "good", "match": {"equals": "good"}, **GOOD}
    text = json.loads(listed(model) if isinstance(model, dict) else listed({}))
    text[0]["models"] = [*(text[0]["models"] if isinstance(model, dict) else [model]), good]
    found = parse_list(json.dumps(text), TODAY)
    assert (found.models, found.left_out) == (1, 1)
    assert found.providers[0].models[0].id == "good"


def test_a_provider_that_is_not_sound_is_left_out_with_its_models() -> None:
    for odd in ({"id": 3}, {"provider_match": {"regex": "(x*)*"}}, {"fallback_model_providers": 3}):
        text = json.loads(listed(GOOD, GOOD, **odd)) + json.loads(listed(GOOD))
        found = parse_list(json.dumps(text), TODAY)
        assert (len(found.providers), found.models, found.left_out) == (1, 1, 2)


@pytest.mark.filterwarnings("error")
def test_units_of_a_later_genai_prices_are_left_out_without_a_warning(path: Path) -> None:
    """It warns of each price of a unit that it doesn't know, in the application's name."""
    later = {"prices": {"input_mtok": 1, "dreams_mtok": 5}, "match": {"equals": "m"}}
    path.write_text(listed(later))
    prices = Prices(path)
    assert prices.of("m")[0] == 1
    assert prices.errors == []


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)+$",
        "(?:x*)*",
        "(a{1,9}){1,9}",
        "a?" * 30 + "a" * 30,
        "(a|a)" * 30,
        ".*.*.*x",
        "a{999}",
        "a{2,}" * 3,
        "x" * 201,
        "[",
        None,
        3,
    ],
)
def test_patterns_that_could_take_long_are_refused(pattern: Any) -> None:
    assert not is_quick(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|a)" * 8 + "x",
        "a?" * 8 + "a" * 40 + "x",
        ".*" + "(a|a)" * 7 + "x",
        "a*" + "a?" * 7 + "x",
        "a{1,99}x",
    ],
)
def test_patterns_that_are_accepted_take_few_steps(pattern: str) -> None:
    """The worst that is left of each kind, on the longest name that a model may have."""
    assert is_quick(pattern)
    assert re.search(pattern, "a" * 199 + "b") is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (enveloped(small_list(), DAY, 'a"b'), "2026-11-21"),
        (enveloped(small_list(), datetime(2030, 1, 1, tzinfo=timezone.utc), "u"), None),
        (small_list(), None),
        ('"start_date": "2026-02-03", "start_date":"2025-01-01", "start_date": "2027-01-01"', "2026-02-03"),
        ("start_date=datetime.date(2026, 2, 3) start_date=datetime.date(2026, 13, 3)", "2026-02-03"),
        ('{"fetched": "2026-02-31T', None),
        ("", None),
    ],
)
def test_the_day_of_a_list(text: str, day: Optional[str], path: Path) -> None:
    path.write_text(text)
    found = day_of(path, TODAY)
    assert found == (day and ListDay(date.fromisoformat(day), fetched=text.startswith("{")))
    assert day_of(path.with_name("missing"), TODAY) is None


def test_the_day_of_the_packages_own_list_is_that_of_its_latest_price() -> None:
    from genai_prices.data import providers

    from recost.pricing.genai_data import start_dates

    assert builtin_day(TODAY) == (max(day for day in start_dates(providers) if day <= TODAY), False)


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert ListPlace.of(None) == (tmp_path / ".recost" / "prices.json", False)
    assert ListPlace.of("/etc/prices.json") == (Path("/etc/prices.json"), True)
