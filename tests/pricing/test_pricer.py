from __future__ import annotations

import decimal
import sys
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from importlib.util import find_spec
from threading import Thread
from typing import Any, Optional
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.pricing.cost import Cost
from recost.pricing.list_place import how_to_install
from recost.pricing.model import PriceCase, ProviderDef
from recost.pricing.pricer import PricedCall, Pricer
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage.model import Usage
from tests.scripts import run_script

DAY = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
MILLION = Decimal(1_000_000)
ONE = Decimal(1)
needs_genai = pytest.mark.skipif(find_spec("genai_prices") is None, reason="genai-prices is not installed")


class Bench(Pricer):
    """A pricer with the rules whose calls it prices."""

    def __init__(self, *rules: ProviderDef, **options: Any) -> None:
        super().__init__(**options)
        self.routes = Routes(ProviderRegistry(rules))


def pricer(*rules: ProviderDef, now: Optional[list[datetime]] = None, report: Any = None) -> Bench:
    times = now or [DAY]
    return Bench(*rules, clock=lambda: times[0], report=report)


def used(model: Optional[str] = None, tier: Optional[str] = None, **units: Any) -> Usage:
    return Usage(model, units, tier=tier)


def cost(url: str, usage: Optional[Usage] = None, *, by: Optional[Bench] = None, **facts: Any) -> Cost:
    parts = urlsplit(url)
    by = by or pricer()
    given = {
        "status": 200,
        "request_bytes": 1000,
        "response_bytes": 2000,
        "content_type": "application/json",
        **facts,
    }
    method = given.pop("method", "POST")
    route = by.routes.find((parts.hostname or "", parts.path or "/", method))
    return by.price(PricedCall(route, usage=usage, **given))


def day_of(url: str) -> Optional[str]:
    """Return the day on which the price of a call by POST was checked."""
    parts, match = urlsplit(url), ProviderRegistry().match(url)
    assert match is not None
    assert match.rule is not None
    return match.rule.prices_for(parts.hostname or "", parts.path, "POST").price_date


OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{}/converse"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
VERTEX = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/{}"
HAIKU = "claude-haiku-4-5-20251001"

BY_TOKENS = [
    # 2,000 in at $0.15, 500 out at $0.60 a million.
    (OPENAI, used("gpt-4o-mini-2024-07-18", input_tokens=2000, output_tokens=500), "0.0006"),
    # Of 2,000 in, 1,500 from the cache at $0.075; reasoning is part of what comes out.
    (
        OPENAI,
        used(
            "gpt-4o-mini", input_tokens=2000, output_tokens=500, cache_read_tokens=1500, reasoning_tokens=400
        ),
        "0.0004875",
    ),
    # 3,000 fresh at $1, 4,000 read at $0.10, 1,000 written for 5 minutes at $1.25, 2,000 for an hour at $2,
    # 500 out at $5 a million; 2 searches at $10 a thousand.
    (
        ANTHROPIC,
        used(
            HAIKU,
            input_tokens=10_000,
            output_tokens=500,
            cache_read_tokens=4000,
            cache_write_tokens=1000,
            cache_write_1h_tokens=2000,
            web_searches=2,
        ),
        "0.03115",
    ),
    # Half of 10,000 at $1 and 500 at $5 a million.
    (ANTHROPIC, used(HAIKU, "batch", input_tokens=10_000, output_tokens=500), "0.00625"),
    # Beyond 272,000 tokens all cost more: flex, $2.50, cached $0.25, out $11.25 a million.
    (
        "https://api.openai.com/v1/responses",
        used("gpt-5.4", "flex", input_tokens=300_000, output_tokens=500, cache_read_tokens=100),
        "0.7554",
    ),
    # Up to there: priority, $5 and $30 a million.
    (OPENAI, used("gpt-5.4", "priority", input_tokens=1000, output_tokens=100), "0.008"),
    (OPENAI, used("gpt-5.4", "default", input_tokens=1000, output_tokens=100), "0.004"),
    # The prompt of a region costs a tenth more, which the path says.
    (
        BEDROCK.format("us.anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        used(HAIKU, input_tokens=1000, output_tokens=500),
        "0.00385",
    ),
    (
        BEDROCK.format("global.anthropic.claude-haiku-4-5-20251001-v1%3A0"),
        used(None, input_tokens=1000, output_tokens=500),
        "0.0035",
    ),
    (
        BEDROCK.format(
            "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2F"
            "us.anthropic.claude-haiku-4-5-20251001-v1%3A0"
        ),
        used(None, input_tokens=1000, output_tokens=500),
        "0.00385",
    ),
    # What the answer names is found under the dearer regional price.
    (
        BEDROCK.format("global.anthropic.claude-fable-5-1-v1%3A0"),
        used("claude-fable-5-1", input_tokens=1000, output_tokens=100),
        "0.015",
    ),
    # $0.30 and $2.50 a million, thoughts among what comes out.
    (
        GEMINI,
        used("gemini-2.5-flash", input_tokens=1000, output_tokens=500, reasoning_tokens=300),
        "0.00155",
    ),
    (GEMINI, used(None, input_tokens=1000, output_tokens=500), "0.00155"),
    # $3 and $15 a million.
    (
        VERTEX.format("anthropic/models/claude-sonnet-4-5@20250929:rawPredict"),
        used(None, input_tokens=1000, output_tokens=500),
        "0.0105",
    ),
    # The deployment's name may be anything: the answer names the model. $2.50 and $10 a million.
    (
        "https://mine.openai.azure.com/openai/deployments/chat/chat/completions",
        used("gpt-4o-2024-08-06", input_tokens=1000, output_tokens=500),
        "0.0075",
    ),
    (
        "https://mine.openai.azure.com/openai/deployments/gpt-4o/chat/completions",
        used(None, input_tokens=1000, output_tokens=500),
        "0.0075",
    ),
    # $4 for a thousand pages; a tenth more in a region.
    ("https://api.mistral.ai/v1/ocr", used("mistral-ocr-latest", pages=10), "0.04"),
    ("https://api.eu.mistral.ai/v1/ocr", used("mistral-ocr-latest", pages=10), "0.044"),
    # $0.111 an hour, at least 10 seconds.
    (
        "https://api.groq.com/openai/v1/audio/transcriptions",
        used("whisper-large-v3", seconds=2),
        str(Decimal("0.111") * 10 / 3600),
    ),
    ("https://api.voyageai.com/v1/embeddings", used("voyage-3.5", input_tokens=1000), "0.00006"),
    (
        "https://api.cloudflare.com/client/v4/accounts/1/ai/run/@cf/meta/llama-3.1-8b-instruct",
        used(None, input_tokens=1_000_000, output_tokens=0),
        "0.282",
    ),
]


@needs_genai
@pytest.mark.parametrize(("url", "usage", "usd"), BY_TOKENS)
def test_tokens_are_priced_by_model(url: str, usage: Usage, usd: str) -> None:
    found = cost(url, usage)
    assert (found.usd, found.source) == (Decimal(usd), "computed")
    assert found.cents == Decimal(usd) * 100
    assert found.model
    assert "2026-01-01" < str(found.priced_on) <= "2026-11-21"
    assert found.usage is usage


BY_UNITS = [
    ("https://idx-1.svc.aped-1.pinecone.io/query", used(read_units=6), "0.000096"),
    ("https://idx-1.svc.aped-1.pinecone.io/vectors/delete", used(write_units=5), "0.00002"),
    ("https://api.cohere.com/v2/rerank", used(searches=2), "0.004"),
    ("https://api.tavily.com/search", used(credits=2), "0.016"),
    ("https://google.serper.dev/search", used(credits=2), "0.002"),
    ("https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails", used(recipients=50), "0.005"),
    ("https://places.googleapis.com/v1/places:autocomplete", None, "0.00283"),
    ("https://maps.googleapis.com/maps/api/geocode/json", None, "0.005"),
    # Nothing when nothing was taken.
    ("https://api.stripe.com/v1/payment_intents", used(amount_usd=0), "0"),
    ("https://api.stripe.com/v1/customers", None, "0"),
    ("https://api.github.com/repos/a/b", None, "0"),
    ("https://slack.com/api/chat.postMessage", None, "0"),
]


AT_LEAST = [
    # Segments in the US.
    (
        "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json",
        used(segments=3),
        "0.0249",
        ("country", "carrier_fees"),
    ),
    ("https://api.openai.com/v1/audio/transcriptions", used(seconds=60), "0.006", ("model",)),
    # 2.9 % of $20, and 30 cents.
    (
        "https://api.stripe.com/v1/payment_intents/pi_1/confirm",
        used(amount_usd=2000),
        "0.88",
        ("card", "country"),
    ),
    (
        "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/f/invocations",
        None,
        "0.0000002",
        ("duration",),
    ),
    # Whatever region and class of storage have another price.
    ("https://b.s3.us-east-1.amazonaws.com/key", None, "0.000005", ("storage_class",)),
    ("https://b.s3.eu-west-1.amazonaws.com/key", None, "0.000005", ("storage_class", "region")),
    (
        "https://sqs.us-east-1.amazonaws.com/1/queue",
        None,
        "0.0000004",
        ("kind_of_queue", "size", "region"),
    ),
]


@pytest.mark.parametrize(("url", "usage", "usd", "missing"), AT_LEAST)
def test_a_price_that_leaves_something_out_is_an_estimate(
    url: str, usage: Optional[Usage], usd: str, missing: tuple[str, ...]
) -> None:
    found = cost(url, usage)
    assert (found.usd, found.source, found.missing) == (Decimal(usd), "estimated", missing)


def test_units_that_nobody_counted_are_an_estimate() -> None:
    rule = ProviderDef("u.example", "u", usd_per_unit={"seconds": Decimal(1)})
    by = Bench(rule)
    found = cost("https://u.example/", replace(used(seconds=2), uncounted=("extras",)), by=by)
    assert (found.usd, found.source, found.missing) == (Decimal(2), "estimated", ("extras",))


def test_a_payment_in_a_currency_without_a_fee_is_unknown() -> None:
    assert cost("https://api.stripe.com/v1/charges", used(amount_eur=2000)).source == "unknown"


@pytest.mark.parametrize(("url", "usage", "usd"), BY_UNITS)
def test_units_are_priced_by_rule(url: str, usage: Optional[Usage], usd: str) -> None:
    found = cost(url, usage)
    assert (found.usd, found.source, found.priced_on) == (Decimal(usd), "computed", day_of(url))


@pytest.mark.parametrize(
    ("url", "method", "usd", "source"),
    [
        ("https://s3.us-east-1.amazonaws.com/bucket/key", "GET", "0.0000004", "estimated"),
        ("https://s3.us-east-1.amazonaws.com/bucket", "GET", "0.000005", "estimated"),
        ("https://a.b.s3.us-east-1.amazonaws.com/", "GET", "0.000005", "estimated"),
        ("https://a.b.s3.us-east-1.amazonaws.com/key", "DELETE", "0", "computed"),
        ("https://api.openai.com/v1/models", "GET", "0", "computed"),
        ("https://api.anthropic.com/v1/messages/count_tokens", "POST", "0", "computed"),
        ("https://api.anthropic.com/v1/messages/batches", "POST", "0", "computed"),
        ("https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json", "GET", "0", "computed"),
        # Nothing better is known than what 0.1.x said.
        ("https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json", "POST", "0.0079", "estimated"),
        ("https://api.openai.com/v1/chat/completions", "POST", "0.02", "estimated"),
        ("https://api.sendgrid.com/v3/mail/send", "POST", "0.001", "estimated"),
        ("https://ec2.us-east-1.amazonaws.com/", "POST", None, "unknown"),
        ("https://api.tavily.com/search", "POST", "0.008", "estimated"),
        ("https://google.serper.dev/news", "POST", "0.001", "estimated"),
        # Billed, but by how much is not known: that is not 0.
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke", "POST", None, "unknown"),
        (GEMINI, "POST", None, "unknown"),
        ("https://places.googleapis.com/v1/places:searchText", "POST", None, "unknown"),
        ("https://api.stripe.com/v1/charges", "POST", None, "unknown"),
        ("https://api.groq.com/openai/v1/chat/completions", "POST", None, "unknown"),
        ("https://nobody.example/", "GET", None, "unknown"),
    ],
)
def test_without_usage(url: str, method: str, usd: Optional[str], source: str) -> None:
    found = cost(url, method=method)
    assert (found.usd, found.source) == (None if usd is None else Decimal(usd), source)
    assert (found.cents is None) == (usd is None)


@pytest.mark.parametrize(
    "url",
    [
        "https://openrouter.ai/api/v1/chat/completions",
        "https://api.x.ai/v1/chat/completions",
        "https://api.perplexity.ai/chat/completions",
        "https://api.exa.ai/search",
    ],
)
def test_what_the_answer_reports_comes_first(url: str) -> None:
    usage = Usage("m", {"input_tokens": 1000}, reported_usd=Decimal(37756000).scaleb(-10))
    found = cost(url, usage)
    assert (found.usd, found.source, found.priced_on) == (Decimal("0.0037756"), "reported", None)
    mine = ProviderDef(urlsplit(url).hostname or "", "mine", cost_per_request_cents=9.0)
    assert cost(url, usage, by=pricer(mine)).source == "reported"


@needs_genai
def test_the_users_own_price_comes_before_genai_prices() -> None:
    usage = used("gpt-4o-mini", input_tokens=1000, output_tokens=100)
    per_token = {"input_tokens": Decimal(1) / MILLION, "output_tokens": Decimal(2) / MILLION}
    mine = ProviderDef("api.openai.com", "openai", genai_provider="openai", usd_per_unit=per_token)
    assert cost(OPENAI, usage, by=pricer(mine)).usd == Decimal("0.0012")
    flat = ProviderDef("api.openai.com", "openai", genai_provider="openai", cost_per_request_cents=7)
    found = cost(OPENAI, usage, by=pricer(flat))
    assert (found.usd, found.source) == (Decimal("0.07"), "computed")
    unpriced = ProviderDef("api.openai.com", "openai", genai_provider="openai")
    assert cost(OPENAI, usage, by=pricer(unpriced)).usd == Decimal("0.00021")


@needs_genai
def test_a_proxy_of_ones_own_has_the_prices_of_its_provider() -> None:
    litellm = ProviderDef("llm.internal", "litellm", usage="openai", genai_provider="anthropic")
    found = cost("http://llm.internal/v1/x", used(HAIKU, input_tokens=1000), by=pricer(litellm))
    assert (found.usd, found.provider) == (Decimal("0.001"), "litellm")


def test_gigabytes_up_and_down() -> None:
    proxy = ProviderDef("proxy.example", "proxy", usd_per_gb=Decimal("3.5"))
    by = pricer(proxy)
    found = cost("http://proxy.example/", by=by, request_bytes=2**29, response_bytes=2**30)
    assert (found.usd, found.source) == (Decimal("5.25"), "computed")
    apart = ProviderDef("g.example", "gateway", usd_per_gb=ONE, usd_per_gb_down=Decimal("0.09"))
    found = cost("http://g.example/", by=pricer(apart), request_bytes=2**29, response_bytes=2**30)
    assert found.usd == Decimal("0.59")


@given(st.integers(0, 2**45), st.integers(0, 2**45))
def test_bytes_are_priced_exactly(up: int, down: int) -> None:
    by = pricer(ProviderDef("proxy.example", "proxy", usd_per_gb=Decimal("0.25")))
    found = cost("http://proxy.example/", by=by, request_bytes=up, response_bytes=down).usd
    assert found is not None
    assert abs(found * 4 * 2**30 - (up + down)) < Decimal("1e-10")


def test_free_units_of_a_month() -> None:
    now = [DAY]
    rule = ProviderDef("g.example", "g", usd_per_call=Decimal("0.5"), free_units={"calls": Decimal(2)})
    by = pricer(rule, now=now)
    assert cost("http://g.example/", by=by, uses_free_units=False).usd == 0
    assert [cost("http://g.example/", by=by).usd for _ in range(4)] == [0, 0, Decimal("0.5"), Decimal("0.5")]
    now[0] = datetime(2026, 12, 1, tzinfo=timezone.utc)
    assert [cost("http://g.example/", by=by).usd for _ in range(3)] == [0, 0, Decimal("0.5")]


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(0, 200))
def test_what_is_billed_is_what_goes_beyond_the_free_units(calls: list[int], free: int) -> None:
    rule = ProviderDef("g.example", "g", usd_per_unit={"pages": ONE}, free_units={"pages": Decimal(free)})
    by = pricer(rule)
    total = sum(cost("http://g.example/", used(pages=pages), by=by).usd or 0 for pages in calls)
    assert total == max(0, sum(calls) - free)


def test_free_units_are_counted_by_all_threads_together() -> None:
    rule = ProviderDef("g.example", "g", usd_per_call=ONE, free_units={"calls": Decimal(300)})
    by = pricer(rule)
    found: list[Any] = []
    threads = [
        Thread(target=lambda: found.extend(cost("http://g.example/", by=by).usd for _ in range(100)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 200


def test_minimum_of_a_call() -> None:
    rule = ProviderDef("g.example", "g", usd_per_unit={"pages": Decimal("0.1")}, minimum_usd=Decimal("0.25"))
    by = pricer(rule)
    assert cost("http://g.example/", used(pages=1), by=by).usd == Decimal("0.25")
    assert cost("http://g.example/", used(pages=9), by=by).usd == Decimal("0.9")
    assert cost("http://g.example/", by=by).source == "estimated"


def test_prices_by_method_and_path() -> None:
    rule = ProviderDef(
        "g.example",
        "g",
        usd_per_call=ONE,
        prices=(
            PriceCase(path="/v1/*/render", method="POST", usd_per_call=Decimal(2)),
            PriceCase(path="/v1/**", method="GET|HEAD", usd_per_call=Decimal(0)),
        ),
    )
    by = pricer(rule)
    for path, method, usd in (
        ("/v1/a/render", "POST", 2),
        ("/v1/a/render", "post", 2),
        ("/v1/a/b/render", "POST", 1),
        ("/v1/a/render", "GET", 0),
        ("/v1/", "GET", 0),
        ("/v1", "GET", 1),
        ("/v2/a", "GET", 1),
    ):
        assert cost(f"http://g.example{path}", by=by, method=method).usd == usd, (path, method)


@pytest.mark.parametrize("status", [0, 400, 401, 429, 500, 503])
def test_a_call_that_failed_costs_nothing(status: int) -> None:
    usage = Usage("gpt-4o-mini", {"input_tokens": 10}, reported_usd=Decimal(1))
    assert cost(OPENAI, usage, status=status).usd == 0
    assert cost("http://nobody.example/", status=status).usd == 0
    billed = ProviderDef("g.example", "g", usd_per_call=ONE, failed_calls_billed=True)
    assert cost("http://g.example/", by=pricer(billed), status=status).usd == 1


@needs_genai
def test_a_tier_without_a_price_of_its_own_is_an_estimate() -> None:
    found = cost(ANTHROPIC, used("claude-opus-4-6", "fast", input_tokens=1000, output_tokens=100))
    assert (found.usd, found.source) == (Decimal("0.0075"), "estimated")


@needs_genai
def test_tokens_that_do_not_add_up_are_an_estimate() -> None:
    """Cached tokens of a prompt with images: not said which; they are taken for text."""
    usage = used(
        "gpt-image-1", input_tokens=1000, output_tokens=500, cache_read_tokens=100, input_image_tokens=500
    )
    found = cost("https://api.openai.com/v1/images/edits", usage)
    assert (found.usd, found.source) == (Decimal("0.027125"), "estimated")
    nonsense = cost(OPENAI, used("gpt-4o-mini", input_tokens=10, output_tokens=1, cache_read_tokens=99))
    assert (nonsense.source, nonsense.missing) == ("unknown", ("gpt-4o-mini",))


@needs_genai
def test_units_that_a_model_has_no_price_for_are_not_free() -> None:
    found = cost(OPENAI, used("whisper-1", input_tokens=1000, output_tokens=10))
    assert (found.usd, found.source, found.missing) == (None, "unknown", ("whisper-1",))


@needs_genai
def test_searches_alone_are_not_the_price_of_a_model_without_one() -> None:
    found = cost(ANTHROPIC, used("claude-of-tomorrow", input_tokens=1000, web_searches=1))
    assert (found.usd, found.source, found.missing) == (None, "unknown", ("claude-of-tomorrow",))


@needs_genai
def test_a_batch_of_prompts_that_may_be_short_or_long_is_an_estimate() -> None:
    results = f"{ANTHROPIC}/batches/msgbatch_1/results"
    one = used("claude-sonnet-4-5", "batch", input_tokens=300_000)
    assert cost(results, one, method="GET").source == "computed"
    assert cost(results, replace(one, requests=2), method="GET").source == "estimated"
    found = cost(results, used(HAIKU, "batch", input_tokens=300_000), method="GET")
    assert (found.usd, found.source) == (Decimal("0.15"), "computed")


@needs_genai
def test_a_stream_without_usage_is_estimated_from_bytes() -> None:
    """2,000 bytes of request are 500 tokens, 25,000 of events are 100: at $0.15 and $0.60 a million."""
    facts: dict[str, Any] = {
        "content_type": "text/event-stream; charset=utf-8",
        "request_bytes": 2000,
        "response_bytes": 25_000,
    }
    found = cost(OPENAI, used("gpt-4o-mini"), **facts)
    assert (found.usd, found.source) == (Decimal("0.000135"), "estimated")
    assert cost(OPENAI, None, **facts).usd == Decimal("0.02"), "the model is not known: the flat estimate"
    assert cost(OPENAI, used("gpt-4o-mini"), **{**facts, "content_type": "application/json"}).usd == Decimal(
        "0.02"
    )
    assert cost(GEMINI.replace(":gen", ":streamGen"), None, **facts).source == "estimated"


def test_what_was_cut_is_marked() -> None:
    usage = Usage("m", {"segments": 2}, partial=True)
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert cost(url, usage).partial
    assert cost(url, usage, attempts=3).attempts == 3


@needs_genai
def test_the_context_of_the_applications_threads_does_not_matter() -> None:
    with decimal.localcontext(decimal.Context(prec=2, traps=[decimal.Inexact])):
        usage = used("gpt-4o-mini", input_tokens=1_234_567, output_tokens=1)
        found = cost(OPENAI, usage)
        assert (str(found.usd), str(found.cents)) == ("0.18518565", "18.51856500")


@needs_genai
@settings(max_examples=50)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "input_tokens",
                "output_tokens",
                "cache_read_tokens",
                "cache_write_tokens",
                "cache_write_1h_tokens",
                "reasoning_tokens",
                "input_audio_tokens",
                "cache_audio_read_tokens",
                "input_image_tokens",
                "web_searches",
                "seconds",
                "characters",
                "pages",
                "no_such_unit",
            ]
        ),
        st.integers(0, 10**7) | st.decimals(0, 10**6, places=3),
    ),
    st.sampled_from(["gpt-4o-mini", "gpt-image-1", HAIKU, "whisper-1", "", "x" * 300, "\0"]),
    st.sampled_from([None, "batch", "flex", "priority", "fast", "standard", "x"]),
    st.sampled_from([OPENAI, ANTHROPIC, GEMINI, "https://api.mistral.ai/v1/ocr"]),
)
def test_no_usage_raises(units: dict[str, Any], model: str, tier: Optional[str], url: str) -> None:
    found = cost(url, Usage(model, units, tier=tier))
    assert (found.usd is None) == (found.source == "unknown")
    assert found.usd is None or (found.usd.is_finite() and found.usd >= 0)


@needs_genai
@pytest.mark.parametrize(
    ("url", "model", "free"),
    [
        ("https://openrouter.ai/api/v1/chat/completions", "google/gemma-3-27b-it:free", True),
        ("https://openrouter.ai/api/v1/chat/completions", "google/gemini-2.5-pro-exp-03-25:free", True),
        ("https://openrouter.ai/api/v1/chat/completions", "google/lyria-3-pro-preview", False),
        ("https://openrouter.ai/api/v1/chat/completions", "stealth/crouton-alpha", False),
        (GEMINI, "gemma-3-27b-it", True),
        ("https://api.cerebras.ai/v1/chat/completions", "qwen-3-coder-480b", False),
    ],
)
def test_a_model_that_is_listed_without_a_price_is_free_only_where_that_is_known(
    url: str, model: str, free: bool
) -> None:
    found = cost(url, used(model, input_tokens=1000, output_tokens=1000))
    assert (found.usd, found.source) == ((0, "computed") if free else (None, "unknown"))
    assert found.missing == (() if free else (model,))


@needs_genai
def test_models_that_are_not_known_are_reported_once_and_no_more_than_20() -> None:
    errors: list[Exception] = []
    by = pricer(report=errors.append)
    for _ in range(3):
        for number in range(30):
            found = cost(OPENAI, used(f"model-{number}", input_tokens=1), by=by)
            assert (found.usd, found.model) == (None, f"model-{number}")
    assert [str(error) for error in errors] == [
        f"recost: no price for model 'model-{number}' of openai; "
        "'recost prices update' fetches the latest list"
        for number in range(20)
    ]


@needs_genai
@pytest.mark.parametrize(
    ("url", "usage", "usd", "source"),
    [
        (
            "https://router.huggingface.co/v1/chat/completions",
            Usage("llama3.1-8b", {"input_tokens": 100, "output_tokens": 50}, served_by="cerebras"),
            "0.000015",
            "computed",
        ),
        (
            "https://dbc-1.cloud.databricks.com/serving-endpoints/databricks-claude-sonnet-4-6/invocations",
            used("databricks-claude-sonnet-4-6", input_tokens=1000, output_tokens=100),
            "0.0045",
            "estimated",
        ),
    ],
)
def test_a_model_with_the_price_of_another_provider_is_not_reported(
    url: str, usage: Usage, usd: str, source: str
) -> None:
    reported: list[Exception] = []
    found = cost(url, usage, by=pricer(report=reported.append))
    assert (found.usd, found.source) == (Decimal(usd), source)
    assert not reported


def test_without_genai_prices_tokens_have_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    errors: list[Exception] = []
    by = pricer(report=errors.append)
    for _ in range(3):
        found = cost(OPENAI, used("gpt-4o-mini", input_tokens=1), by=by)
        assert (found.usd, found.source) == (None, "unknown")
        assert found.missing == (f"genai-prices is not installed: {how_to_install()}",), "that is the reason"
    (error,) = errors
    assert "genai-prices" in str(error)
    assert how_to_install() in str(error)


@needs_genai
def test_a_package_that_is_broken_is_contained(monkeypatch: pytest.MonkeyPatch) -> None:
    import genai_prices

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("canary")

    monkeypatch.setattr(genai_prices, "calc_price", broken)
    errors: list[Exception] = []
    by = pricer(report=errors.append)
    for _ in range(2):
        assert cost(OPENAI, used("gpt-4o-mini", input_tokens=1), by=by).source == "unknown"
    assert len(errors) == 1
    assert isinstance(errors[0].__cause__, RuntimeError)


@needs_genai
def test_the_time_of_the_call_decides_between_prices() -> None:
    """DeepSeek's nights cost half, until it had none any more."""
    usage = used("deepseek-chat", input_tokens=1000, output_tokens=0)
    url = "https://api.deepseek.com/chat/completions"

    def at(hour: int) -> Optional[Decimal]:
        return cost(url, usage, by=pricer(now=[datetime(2025, 5, 1, hour, tzinfo=timezone.utc)])).usd

    assert at(18) == Decimal("0.000135")
    assert at(12) == Decimal("0.00027")


def test_genai_prices_is_imported_at_the_first_call_that_needs_it() -> None:
    done = run_script(
        """
        import sys
        import recost
        from recost.pricing.pricer import PricedCall, Pricer
        from recost.pricing.route import Routes
        from recost.pricing.usage.model import Usage
        handle = recost.init(local_transport="file")
        routes = Routes(recost.ProviderRegistry())
        pricer = Pricer()
        for host in ("api.github.com", "nobody.example", "api.openai.com"):
            route = routes.find((host, "/v1/x", "POST"))
            pricer.price(PricedCall(route, status=200, request_bytes=1, response_bytes=1))
        print("genai_prices" in sys.modules, "pydantic" in sys.modules)
        handle.dispose()
        """
    )
    assert done.stdout.splitlines()[-1:] == ["False False"], done.stderr


def test_the_order_in_one_call() -> None:
    """One source after the other is taken away."""
    url = "https://g.example/"

    def found(usage: Optional[Usage], **fields: Any) -> tuple[Any, str]:
        rule = ProviderDef("g.example", "g", **fields)
        result = cost(url, usage, by=pricer(rule))
        return result.usd, result.source

    full = Usage("m", {"pages": 2}, reported_usd=Decimal(9))
    assert found(full, usd_per_unit={"pages": 1}) == (9, "reported")
    assert found(used(pages=2), usd_per_unit={"pages": 1}, cost_per_request_cents=5) == (2, "computed")
    assert found(None, usd_per_unit={"pages": 1}, cost_per_request_cents=5) == (Decimal("0.05"), "estimated")
    assert found(used(pages=2), cost_per_request_cents=5) == (Decimal("0.05"), "computed")
    assert found(used(pages=2)) == (None, "unknown")
    tokens = used("m", input_tokens=20)
    assert found(tokens, usd_per_unit={"images": 1}, cost_per_request_cents=5) == (
        Decimal("0.05"),
        "estimated",
    )
    assert found(tokens, usd_per_unit={"images": 1}) == (None, "unknown")
