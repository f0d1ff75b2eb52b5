"""Each ledger against the vendor's own SDK: the same requests, the same amounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.ledger.model import LedgerDay, LedgerError
from recost.ledger.providers import LEDGERS
from tests.ledger import bills
from tests.ledger.bills import DAY, FIRST, KEYS, MODELS, bill
from tests.ledger.fakes import Answer, Api, Asked, Route, serving
from tests.ledger.pulls import buckets

ROUTES: dict[str, Callable[[list[bills.Line]], Route]] = {
    "openrouter": bills.openrouter,
    "openai": bills.openai,
    "anthropic": bills.Anthropic,
    "together": bills.together,
    "deepgram": bills.deepgram,
    "xai": bills.xai,
    "twilio": bills.twilio,
}
PAGE = Path(recost.__file__).parent / "ledger" / "README.md"
LAST = FIRST + 9 * DAY


def billed(found: Iterable[LedgerDay]) -> dict[date, Decimal]:
    """Return what was billed on each day."""
    return {
        bucket.day: sum((row.amount or Decimal() for row in bucket.rows if row.basis == "billed"), Decimal())
        for bucket in found
    }


def truth(lines: list[bills.Line]) -> dict[date, Decimal]:
    total: dict[date, Decimal] = defaultdict(Decimal)
    for line in lines:
        total[line.day] += line.usd
    return dict(total)


def test_every_ledger_is_tested_and_described() -> None:
    assert set(ROUTES) == set(LEDGERS)
    for provider in LEDGERS:
        assert f"| `{provider}` |" in PAGE.read_text(), "add it to the table of providers"


@pytest.mark.parametrize("provider", ROUTES)
def test_every_day_has_a_bucket_and_every_amount_is_there(provider: str) -> None:
    lines = [line for line in bill(10) if line.day != FIRST + 4 * DAY]
    with serving(ROUTES[provider](lines)) as api:
        found = buckets(provider, api, FIRST, LAST)
    assert [bucket.day for bucket in found] == [FIRST + index * DAY for index in range(10)]
    assert found[4].rows == () or provider == "openrouter"
    expected = truth(lines)
    for day, amount in billed(found).items():
        # Some providers send floats, of which no more than 17 digits arrive.
        assert abs(amount - expected.get(day, Decimal())) < Decimal("1e-12")
    assert all(bucket.complete for bucket in found)


@pytest.mark.parametrize("provider", ["anthropic", "together", "twilio"])
def test_amounts_that_are_sent_as_texts_are_exact(provider: str) -> None:
    lines = bill(3)
    with serving(ROUTES[provider](lines)) as api:
        assert billed(buckets(provider, api, FIRST, FIRST + 2 * DAY)) == truth(lines)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "openrouter", "deepgram"])
def test_amounts_by_key(provider: str) -> None:
    lines = bill(2)
    with serving(ROUTES[provider](lines)) as api:
        found = buckets(provider, api, FIRST, FIRST + DAY)
    for key in KEYS:
        known = MODELS[:-1] if provider == "openrouter" else MODELS  # of a deleted key there
        expected = sum((line.usd for line in lines if line.key == key and line.model in known), Decimal())
        rows = [row for bucket in found for row in bucket.rows if row.key_id == key and row.basis == "billed"]
        assert abs(sum((row.amount or Decimal() for row in rows), Decimal()) - expected) < Decimal("1e-12")
        if provider != "deepgram":
            assert {row.key_name for row in rows} == {KEYS[key]}


@pytest.mark.parametrize("provider", ["openai", "anthropic", "openrouter"])
def test_requests_and_tokens(provider: str) -> None:
    lines = bill(1)
    with serving(ROUTES[provider](lines)) as api:
        (found,) = buckets(provider, api, FIRST, FIRST)
    counted = [row for row in found.rows if row.tokens]
    assert sum(row.tokens["input"] for row in counted) == sum(line.input for line in lines)
    assert sum(row.tokens["output"] for row in counted) == sum(line.output for line in lines)
    assert sum(row.requests or 0 for row in counted) == sum(line.requests for line in lines)


def test_a_fractional_cent_of_anthropic_is_a_hundredth() -> None:
    line = bills.Line(FIRST, "m", "key_a", 1, 300, 0, Decimal("1.2345"))
    with serving(bills.Anthropic([line])) as api:
        (found,) = buckets("anthropic", api, FIRST, FIRST)
    assert [asked.path for asked in api.asked][1:] == [
        "/v1/organizations/analytics/cost",
        "/v1/organizations/analytics/usage",
    ]
    assert [row.amount for row in found.rows if row.basis == "billed"] == [Decimal("1.2345")]
    assert [row.list_amount for row in found.rows if row.basis == "billed"] == [Decimal("1.2345")]


def test_the_older_reports_of_anthropic_where_the_beta_is_refused() -> None:
    lines = bill(40)
    with serving(bills.Anthropic(lines, beta=False)) as api:
        found = buckets("anthropic", api, FIRST, FIRST + 39 * DAY)
    assert billed(found) == truth(lines)
    refused = [asked for asked in api.asked if "/analytics/" in asked.path]
    assert len(refused) == 1, "it is asked once"


def test_keys_of_openrouter_that_get_the_rows_of_the_whole_account_are_not_used() -> None:
    lines = bill(2)
    with serving(bills.openrouter(lines, ignores_keys=True)) as api:
        found = buckets("openrouter", api, FIRST, FIRST + DAY)
    assert all(row.key_id is None for bucket in found for row in bucket.rows)
    assert {day: round(amount, 10) for day, amount in billed(found).items()} == {
        day: round(amount, 10) for day, amount in truth(lines).items()
    }


def test_usage_with_a_key_that_was_brought_along_is_told_apart() -> None:
    with serving(bills.openrouter(bill(1))) as api:
        (found,) = buckets("openrouter", api, FIRST, FIRST)
    assert sum(row.amount or 0 for row in found.rows if row.basis == "byok") == Decimal("1.5")


def test_credits_of_together_are_told_apart() -> None:
    with serving(bills.together(bill(1))) as api:
        (found,) = buckets("together", api, FIRST, FIRST)
    assert sum(row.amount or 0 for row in found.rows if row.basis == "credit") == Decimal("1.50")


def test_the_total_of_twilio_is_billed_once() -> None:
    lines = bill(2)
    with serving(bills.twilio(lines)) as api:
        found = buckets("twilio", api, FIRST, FIRST + DAY)
    assert [row.item for row in found[0].rows if row.basis == "billed"] == ["totalprice"]
    assert [row.item for row in found[0].rows if row.basis == "detail"] == ["sms", "sms-outbound"]


def test_a_response_of_xai_that_has_reached_its_limit_is_incomplete() -> None:
    with serving(bills.xai(bill(1), limit_reached=True)) as api:
        (found,) = buckets("xai", api, FIRST, FIRST)
    assert not found.complete


# The same questions by the vendors' own SDKs.


def asked_by_sdk(provider: str, api: Api) -> None:
    """Let the official SDK ask for the same, page by page, into the log of the server."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=timezone.utc)
    end = start + 10 * DAY
    if provider == "openai":
        _openai(api, start, end)
    elif provider == "anthropic":
        _anthropic(api, start, end)
    else:
        SDKS[provider](api)


def _openai(api: Api, start: datetime, end: datetime) -> None:
    sdk = pytest.importorskip("openai").OpenAI(api_key="x", admin_api_key="x", base_url=api.url + "/v1")
    usage = sdk.admin.organization.usage
    span = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
    options: dict[str, Any] = {**span, "bucket_width": "1d", "limit": 31}
    groups = ["project_id", "api_key_id", "model"]
    _all(usage.costs, group_by=["project_id", "line_item", "api_key_id"], **options)
    _all(usage.completions, group_by=[*groups, "batch", "service_tier"], **options)
    for ask in (
        usage.embeddings,
        usage.images,
        usage.moderations,
        usage.audio_speeches,
        usage.audio_transcriptions,
    ):
        _all(ask, group_by=groups, **options)


def _all(ask: Callable[..., Any], **options: Any) -> None:
    page = ask(**options)
    while page.has_more:
        page = ask(**options, page=page.next_page)


def _anthropic(api: Api, start: datetime, end: datetime) -> None:
    anthropic = pytest.importorskip("anthropic")
    sdk = anthropic.Anthropic(api_key="x", base_url=api.url, max_retries=0)
    if not hasattr(sdk.beta, "organization"):
        pytest.skip("needs a newer SDK of Anthropic, which needs Python 3.10")
    analytics = sdk.beta.organization.analytics
    options: dict[str, Any] = {
        "starting_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "ending_at": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "time_bucket_width": "1d",
        "limit": 1000,
        "group_by": ["model", "api_key_id", "workspace_id", "service_tier"],
    }
    for ask in (analytics.cost, analytics.usage):
        for _ in ask.list(**options):
            pass


def _together(api: Api) -> None:
    sdk = pytest.importorskip("together").Together(api_key="x", base_url=api.url + "/v1")
    options: dict[str, Any] = {"month": "2026-11", "granularity": "day", "limit": 100}
    page = sdk.get("/billing/usage", cast_to=object, options={"params": options})
    while page["next_cursor"]:
        params = {**options, "after": page["next_cursor"]}
        page = sdk.get("/billing/usage", cast_to=object, options={"params": params})


SDKS: dict[str, Callable[[Api], None]] = {"together": _together}


def normal(asked: Asked) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return asked.method, asked.path, tuple(sorted(asked.query))


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_the_requests_are_those_of_the_vendors_sdk(provider: str) -> None:
    with serving(ROUTES[provider](bill(10))) as api:
        asked_by_sdk(provider, api)
        theirs = [normal(asked) for asked in api.asked]
        api.asked.clear()
        buckets(provider, api, FIRST, LAST)
        ours = [normal(asked) for asked in api.asked if not asked.path.endswith("/api_keys")]
    assert sorted(ours) == sorted(theirs)
    assert len(ours) > 2


TROUBLE = {
    "429 with Retry-After": [Answer({}, 429, {"Retry-After": "1"})],
    "429 without": [Answer({}, 429)] * 3,
    "500": [Answer(b"<html>", 500)] * 5,
    "503": [Answer({}, 503), Answer({}, 502), Answer({}, 504)],
    "cut": [Answer({"data": []}, cut=3)],
}


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("provider", ROUTES)
def test_trouble_that_passes_changes_no_row(provider: str, trouble: str) -> None:
    with serving(ROUTES[provider](bill(5))) as api:
        undisturbed = buckets(provider, api, FIRST, FIRST + 4 * DAY)
        count = len(api.asked)
        api.trouble = list(TROUBLE[trouble])
        assert buckets(provider, api, FIRST, FIRST + 4 * DAY) == undisturbed
    assert len(api.asked) == 2 * count + len(TROUBLE[trouble])


MALFORMED = {
    "not JSON": Answer(b"<html>hello</html>"),
    "not UTF-8": Answer(b"\xff\xfe"),
    "a list": Answer([]),
    "rows that are a text": Answer(
        {"data": "x", "results": 1, "usage_records": "", "timeSeries": {}, "projects": 3}
    ),
    "deep": Answer(b"[" * 100_000),
    "a number out of range": Answer(b'{"data": 1e999999999}'),
    "four million values": Answer(b'{"data":[' + b"0," * 4_000_000 + b"0]}"),
    "larger than 64 MB": Answer(b" " * (65 << 20)),
    "a redirect": Answer({}, 302, {"Location": "http://127.0.0.1:9/"}),
    "401": Answer({"error": {"message": "bad key"}}, 401),
    "403 with a hostile message": Answer({"error": {"message": "\x1b[31mred\n" * 100}}, 400),
}


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("provider", ROUTES)
def test_what_is_malformed_is_a_clear_error(provider: str, what: str) -> None:
    with serving(lambda _: MALFORMED[what]) as api, pytest.raises(LedgerError) as caught:
        buckets(provider, api, FIRST, FIRST)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 400
    assert "secret-key" not in text


def test_a_next_page_that_is_no_url_is_a_clear_error() -> None:
    answer = {"usage_records": [], "next_page_uri": "http://[/x"}
    with serving(lambda _: answer) as api, pytest.raises(LedgerError, match="next_page_uri"):
        buckets("twilio", api, FIRST, FIRST)


def test_a_page_that_comes_again_ends_the_pull() -> None:
    def route(asked: Asked) -> Any:
        if asked.path.endswith("/api_keys"):
            return {"data": [], "has_more": True, "last_id": "x", "next_page": "x"}
        return {"data": [], "has_more": True, "next_page": "again", "next_cursor": "again"}

    for provider in ("openai", "anthropic", "together"):
        with serving(route) as api, pytest.raises(LedgerError, match="again"):
            buckets(provider, api, FIRST, FIRST)
        assert len(api.asked) < 10
