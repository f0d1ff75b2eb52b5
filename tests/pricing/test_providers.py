from __future__ import annotations

import importlib
import pkgutil
from decimal import Decimal
from pathlib import Path
from typing import Optional
from zipfile import ZipFile

import pytest

from recost.pricing import providers
from recost.pricing.cost import Cost
from recost.pricing.model import FLAT_ESTIMATE
from recost.pricing.pricer import PricedCall, Pricer
from recost.pricing.prices import Prices
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from recost.pricing.usage import SHAPES
from tests.scripts import run_script

TABLE = """
api.openai.com /v1/chat/completions openai chat_completions 2.0
api.openai.com /v1/embeddings openai embeddings 0.01
api.openai.com /v1/images/generations openai image_generation 4.0
api.openai.com /v1/audio/transcriptions openai audio_transcription 0.6
api.openai.com /v1/audio/speech openai text_to_speech 1.5
api.openai.com - openai - unknown
api.anthropic.com /v1/messages anthropic messages 1.5
api.anthropic.com - anthropic - unknown
api.stripe.com /v1/charges stripe charges 0
api.stripe.com /v1/payment_intents stripe payment_intents 0
api.stripe.com /v1/customers stripe customers 0
api.stripe.com /v1/subscriptions stripe subscriptions 0
api.stripe.com - stripe - unknown
api.twilio.com - twilio - unknown
api.sendgrid.com /v3/mail/send sendgrid send_email 0.1
api.sendgrid.com - sendgrid - unknown
*.pinecone.io /vectors/upsert pinecone vector_upsert 0.08
*.pinecone.io /query pinecone vector_query 0.08
*.pinecone.io - pinecone - unknown
*.amazonaws.com - aws - unknown
*.googleapis.com - gcp - unknown
api.github.com /repos github repos 0
api.github.com /users github users 0
api.github.com /search github search 0
api.github.com - github - unknown
api.coingecko.com /api/v3/simple/price coingecko simple_price 0
api.coingecko.com /api/v3/coins coingecko coins 0
api.coingecko.com - coingecko - unknown
hacker-news.firebaseio.com /v0/topstories hackernews topstories 0
hacker-news.firebaseio.com /v0/item hackernews item 0
hacker-news.firebaseio.com - hackernews - unknown
wttr.in - wttr weather unknown
zenquotes.io - zenquotes random_quote unknown
ip-api.com - ip-api geolocation unknown
"""


def test_the_rules_of_the_earlier_package_come_first_in_their_order() -> None:
    wanted = [line.replace(" -", " None").split() for line in TABLE.strip().splitlines()]
    found = [
        [r.host_pattern, str(r.path_prefix), r.provider, str(r.endpoint_category), r.cost_per_request_cents]
        for r in BUILTIN_PROVIDERS[: len(wanted)]
    ]
    assert len(wanted) == 34
    assert found == [[*texts, None if cost == "unknown" else float(cost)] for *texts, cost in wanted]


def test_only_the_first_rules_have_flat_estimates_and_no_catch_all_has_one() -> None:
    for rule in BUILTIN_PROVIDERS:
        flat = rule.cost_per_request_cents is not None
        assert (rule.cost_source == FLAT_ESTIMATE) == (flat or bool(rule.path_cases)), rule
        assert not flat or rule.path_prefix, f"the catch-all of {rule.host_pattern} has a flat estimate"
    assert {rule.cost_per_request_cents for rule in BUILTIN_PROVIDERS[34:]} == {None}
    assert "0.1.x" in FLAT_ESTIMATE


def all_prices() -> list[Prices]:
    return [prices for rule in BUILTIN_PROVIDERS for prices in (rule.own_prices, *rule.prices)]


def test_every_price_says_where_it_is_from_and_when_it_was_looked_up() -> None:
    priced = [prices for prices in all_prices() if prices.is_priced]
    assert len(priced) > 100
    for prices in priced:
        assert prices.price_source, prices
        assert str(prices.price_date) >= "2026-11", prices


def test_usage_is_read_in_shapes_that_there_are() -> None:
    shapes = {prices.shape for prices in all_prices()}
    assert shapes - {None} <= SHAPES.keys()
    assert {"openai", "anthropic", "gemini", "vertex", "bedrock", "twilio_sms"} <= shapes


def test_genai_prices_knows_the_providers_that_rules_name() -> None:
    data = pytest.importorskip("genai_prices.data")
    known = {provider.id for provider in data.providers}
    named = {prices.genai_provider for prices in all_prices()} - {None}
    assert named <= known | {
        "cloudflare_compat",
        "huggingface",
        "portkey",
        "vercel",
    }  # they name who is behind them
    assert len(named) >= 20


def test_no_rule_hides_one_after_it() -> None:
    seen = set()
    for rule in BUILTIN_PROVIDERS:
        assert (rule.host_pattern, rule.path_prefix) not in seen
        assert (rule.host_pattern, None) not in seen
        seen.add((rule.host_pattern, rule.path_prefix))


PUBLISHERS = "/v1/projects/p/locations/l/publishers"


@pytest.mark.parametrize(
    ("host", "path", "method", "shape"),
    [
        ("api.openai.com", "/v1/responses", "POST", "openai"),
        ("api.openai.com", "/v1/responses/resp_1", "GET", "openai"),
        ("api.openai.com", "/v1/batches", "POST", None),
        ("eu.api.openai.com", "/v1/chat/completions", "POST", "openai_regional"),
        ("api.anthropic.com", "/v1/messages", "POST", "anthropic"),
        ("api.anthropic.com", "/v1/messages/batches/b/results", "GET", "anthropic"),
        ("api.anthropic.com", "/v1/messages/batches/b", "GET", None),
        ("api.anthropic.com", "/v1/messages/count_tokens", "POST", None),
        ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse-stream", "POST", "bedrock"),
        ("bedrock-mantle.us-east-1.api.aws", "/v1/chat/completions", "POST", "openai"),
        ("ec2.us-east-1.amazonaws.com", "/", "POST", None),
        ("generativelanguage.googleapis.com", "/v1beta/models/m:streamGenerateContent", "POST", "gemini"),
        ("generativelanguage.googleapis.com", "/v1beta/models/m:countTokens", "POST", None),
        ("generativelanguage.googleapis.com", "/v1beta/openai/chat/completions", "POST", "gemini"),
        ("aiplatform.googleapis.com", f"{PUBLISHERS}/anthropic/models/m:rawPredict", "POST", "anthropic"),
        ("eu-aiplatform.googleapis.com", f"{PUBLISHERS}/google/models/m:generateContent", "POST", "vertex"),
        (
            "aiplatform.us.rep.googleapis.com",
            f"{PUBLISHERS}/google/models/m:generateContent",
            "POST",
            "vertex",
        ),
        (
            "aiplatform.eu.rep.googleapis.com",
            f"{PUBLISHERS}/anthropic/models/m:rawPredict",
            "POST",
            "anthropic",
        ),
        ("storage.googleapis.com", "/bucket/object", "GET", None),
        ("mine.openai.azure.com", "/openai/deployments/d/chat/completions", "POST", "azure"),
        ("mine.services.ai.azure.com", "/anthropic/v1/messages", "POST", "anthropic"),
        ("api.x.ai", "/v1/chat/completions", "POST", "xai"),
        ("openrouter.ai", "/api/v1/chat/completions", "POST", "openrouter"),
        ("openrouter.ai", "/docs", "GET", None),
        ("api.twilio.com", "/2010-04-01/Accounts/AC1/Messages.json", "POST", "twilio_sms"),
        ("api.twilio.com", "/2010-04-01/Accounts/AC1/Messages.json", "GET", None),
        ("gateway.ai.cloudflare.com", "/v1/account/gateway/anthropic/v1/messages", "POST", "anthropic"),
        ("router.huggingface.co", "/groq/openai/v1/chat/completions", "POST", "huggingface"),
        ("nobody.example", "/", "GET", None),
    ],
)
def test_whose_answers_are_read(host: str, path: str, method: str, shape: Optional[str]) -> None:
    routes = Routes(ProviderRegistry())
    assert routes.find((host, path, method)).shape == shape
    assert routes.find((host, path, method)).shape == shape, "the second time from the cache"


@pytest.mark.parametrize(
    ("url", "provider", "category"),
    [
        ("https://api.mistral.ai/v1/chat/completions", "mistral", "chat_completions"),
        ("https://api.groq.com/openai/v1/embeddings", "groq", "embeddings"),
        ("https://api.deepseek.com/chat/completions", "deepseek", "chat_completions"),
        ("https://openrouter.ai/api/v1/chat/completions", "openrouter", "chat_completions"),
        ("https://api.cohere.com/v2/rerank", "cohere", "rerank"),
        ("https://x.openai.azure.com/openai/v1/responses", "azure", "/openai/v1/responses"),
        ("https://generativelanguage.googleapis.com/v1beta/m:countTokens", "gcp", "/v1beta/m:countTokens"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke", "aws", "/model/m/invoke"),
    ],
)
def test_hosts_that_were_refined_or_added(url: str, provider: str, category: str) -> None:
    match = ProviderRegistry().match(url)
    assert match is not None
    assert (match.provider, match.endpoint_category) == (provider, category)


def test_every_module_of_the_package_is_registered() -> None:
    modules = [
        importlib.import_module(f"{providers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(providers.__path__)
    ]
    assert sum(len(module.RULES) for module in modules) == len(BUILTIN_PROVIDERS)


def test_a_module_that_is_added_comes_after_the_first_ones_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = providers._modules()
    files = ["z_new.py", "a_new.pyc", "_helper.py", "__init__.py", ".#lock.py", "notes.md", "x.py~"]
    for file in (*files, *(f"{name}.py" for name in known)):
        (tmp_path / file).touch()
    monkeypatch.setattr(providers, "__path__", [str(tmp_path)])
    found = providers._modules()
    first = providers._FIRST
    assert (known[: len(first)], found[: len(first)]) == ([*first], [*first])
    assert found[len(first) :] == sorted([*known[len(first) :], "a_new", "z_new"])


def test_modules_without_files_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = providers._modules()
    archive = tmp_path / "program.zip"
    with ZipFile(archive, "w") as made:
        for name in known:
            made.writestr(f"providers/{name}.py", "")
    monkeypatch.setattr(providers, "__path__", [str(archive / "providers")])
    assert providers._modules() == known


def test_importing_the_rules_imports_no_module_that_lists_others() -> None:
    done = run_script(
        """
        import sys
        import recost
        recost.BUILTIN_PROVIDERS
        print("pkgutil" in sys.modules)
        """
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("path", "category", "cents"),
    [
        ("/2010-04-01/Accounts/AC1/Messages.json", "sms", 0.79),
        ("/2010-04-01/Accounts/AC1/Messages/SM1", "sms", 0.79),
        ("/2010-04-01/Accounts/AC1/Calls.json", "voice_calls", 1.3),
        ("/2010-04-01/Accounts/AC1/Messages/Calls", "sms", 0.79),
        ("/2010-04-01/Accounts", None, None),
    ],
)
def test_twilio_is_told_by_what_the_path_contains(
    path: str, category: Optional[str], cents: Optional[float]
) -> None:
    match = ProviderRegistry().match("https://api.twilio.com" + path)
    assert match is not None
    assert (match.provider, match.endpoint_category) == ("twilio", category or path)
    assert match.cost_per_request_cents == cents
    assert match.categorised is (category is not None)


@pytest.mark.parametrize(
    ("url", "provider", "category"),
    [
        ("https://s3.us-east-1.amazonaws.com/bucket", "aws", "/bucket"),
        ("https://amazonaws.com/bucket", None, None),
        ("https://evil-amazonaws.com/", None, None),
        ("https://api.stripe.com/v1/charges/ch_1", "stripe", "charges"),
        ("https://api.stripe.com/v1/charges_report", "stripe", "/v1/charges_report"),
        ("https://api.stripe.com/v1/charges?limit=3", "stripe", "charges"),
        ("https://API.OpenAI.com/v1/embeddings", "openai", "embeddings"),
        ("https://my-index-abc.svc.pinecone.io/query", "pinecone", "vector_query"),
        ("https://wttr.in/London", "wttr", "weather"),
        ("https://storage.googleapis.com", "gcp", "/"),
        ("http://127.0.0.1:8000/v1/charges", None, None),
    ],
)
def test_known_urls(url: str, provider: Optional[str], category: Optional[str]) -> None:
    match = ProviderRegistry().match(url)
    assert (match and match.provider, match and match.endpoint_category) == (provider, category)


FREE = """
POST https://api.openai.com/v1/traces/ingest
POST https://api.openai.com/v1/batches/batch_1/cancel
POST https://api.openai.com/v1/files
POST https://api.openai.com/v1/uploads/upload_1/parts
POST https://api.openai.com/v1/vector_stores
POST https://api.openai.com/v1/vector_stores/vs_1/files
POST https://api.openai.com/v1/conversations
POST https://api.openai.com/v1/realtime/client_secrets
POST https://api.openai.com/v1/threads
POST https://api.openai.com/v1/threads/t/messages
POST https://x.openai.azure.com/openai/files
POST https://x.openai.azure.com/openai/v1/vector_stores
POST https://x.openai.azure.com/openai/threads/t/messages
GET https://api.openai.com/v1/chat/completions
POST https://api.anthropic.com/v1/files
POST https://api.anthropic.com/v1/messages/batches
POST https://api.anthropic.com/v1/messages/count_tokens
POST https://generativelanguage.googleapis.com/upload/v1beta/files
POST https://api.stripe.com/v1/customers
GET https://api.stripe.com/v1/charges
"""
UNKNOWN = """
POST https://api.openai.com/v1/batches
POST https://api.openai.com/v1/threads/t/runs
POST https://api.openai.com/v1/vector_stores/vs_1/search
POST https://api.openai.com/v1/containers
POST https://api.openai.com/v1/responses
POST https://api.openai.com/v1/chat/completions/chatcmpl_1
POST https://api.anthropic.com/v1/complete
POST https://api.stripe.com/v1/charges
POST https://api.stripe.com/v1/subscriptions
POST https://api.stripe.com/v1/tax/calculations
POST https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/SM1.json
POST https://api.twilio.com/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json
POST https://ec2.us-east-1.amazonaws.com/
POST https://bigquery.googleapis.com/bigquery/v2/projects/p/queries
POST https://vpce-0a-1b.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/m/invoke
POST https://api.sendgrid.com/v3/marketing/contacts
PUT https://i.svc.pinecone.io/namespaces
GET https://wttr.in/London
"""
FLAT = """
POST https://api.openai.com/v1/chat/completions 2
POST https://api.anthropic.com/v1/messages 1.5
POST https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json 0.79
POST https://api.twilio.com/2010-04-01/Accounts/AC1/Calls.json 1.3
POST https://i.svc.pinecone.io/query 0.08
"""


def priced(line: str) -> Cost:
    method, url = line.split()[:2]
    registry = ProviderRegistry()
    host, path = url.split("://")[1].partition("/")[::2]
    route = Routes(registry).find((host, f"/{path}", method))
    return Pricer().price(PricedCall(route, status=200, request_bytes=10, response_bytes=10))


@pytest.mark.parametrize("line", FREE.strip().splitlines())
def test_what_is_free_costs_nothing(line: str) -> None:
    cost = priced(line)
    assert (cost.usd, cost.source) == (Decimal(0), "computed")
    assert cost.priced_on


@pytest.mark.parametrize("line", UNKNOWN.strip().splitlines())
def test_what_is_not_known_is_not_guessed(line: str) -> None:
    cost = priced(line)
    assert (cost.usd, cost.source) == (None, "unknown")
    assert cost.provider != "unknown"


@pytest.mark.parametrize("line", FLAT.strip().splitlines())
def test_flat_estimates_are_for_endpoints_that_bill(line: str) -> None:
    cost = priced(line)
    assert (cost.cents, cost.source) == (Decimal(line.split()[2]), "estimated")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PATCH"])
def test_no_flat_estimate_is_for_another_method_than_post(method: str) -> None:
    for rule in (each for each in BUILTIN_PROVIDERS if each.cost_source):
        host = rule.host_pattern.replace("*", "x")
        for path in (rule.path_prefix or "/any", *(case.contains for case in rule.path_cases)):
            assert priced(f"{method} https://{host}{path}").source != "estimated", (host, path)


def test_bedrock_in_ones_own_network_is_bedrock() -> None:
    routes = Routes(ProviderRegistry())
    for host in (
        "vpce-0a-1b.bedrock-runtime.us-east-1.vpce.amazonaws.com",
        "vpce-0a-1b-us-east-1a.bedrock-runtime.eu-west-1.vpce.amazonaws.com",
        "vpce-0a.bedrock-runtime-fips.us-gov-west-1.vpce.amazonaws.com",
    ):
        assert routes.find((host, "/model/m/converse", "POST")).shape == "bedrock"
    assert routes.find(("vpce-0a.sts.us-east-1.vpce.amazonaws.com", "/", "POST")).shape is None
