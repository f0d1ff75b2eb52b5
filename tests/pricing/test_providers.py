from __future__ import annotations

import importlib
import pkgutil
from typing import Optional

import pytest

from recost.pricing import providers
from recost.pricing.model import FLAT_ESTIMATE
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.registry import ProviderRegistry

TABLE = """
api.openai.com /v1/chat/completions openai chat_completions 2.0
api.openai.com /v1/embeddings openai embeddings 0.01
api.openai.com /v1/images/generations openai image_generation 4.0
api.openai.com /v1/audio/transcriptions openai audio_transcription 0.6
api.openai.com /v1/audio/speech openai text_to_speech 1.5
api.openai.com - openai - 1.0
api.anthropic.com /v1/messages anthropic messages 1.5
api.anthropic.com - anthropic - 1.0
api.stripe.com /v1/charges stripe charges 0
api.stripe.com /v1/payment_intents stripe payment_intents 0
api.stripe.com /v1/customers stripe customers 0
api.stripe.com /v1/subscriptions stripe subscriptions 0
api.stripe.com - stripe - 0
api.twilio.com - twilio - 0.5
api.sendgrid.com /v3/mail/send sendgrid send_email 0.1
api.sendgrid.com - sendgrid - 0
*.pinecone.io /vectors/upsert pinecone vector_upsert 0.08
*.pinecone.io /query pinecone vector_query 0.08
*.pinecone.io - pinecone - 0.04
*.amazonaws.com - aws - 0
*.googleapis.com - gcp - 0
api.github.com /repos github repos 0
api.github.com /users github users 0
api.github.com /search github search 0
api.github.com - github - 0
api.coingecko.com /api/v3/simple/price coingecko simple_price 0
api.coingecko.com /api/v3/coins coingecko coins 0
api.coingecko.com - coingecko - 0
hacker-news.firebaseio.com /v0/topstories hackernews topstories 0
hacker-news.firebaseio.com /v0/item hackernews item 0
hacker-news.firebaseio.com - hackernews - 0
wttr.in - wttr weather 0
zenquotes.io - zenquotes random_quote 0
ip-api.com - ip-api geolocation 0
"""


def test_the_rules_of_the_earlier_package_come_first_in_their_order() -> None:
    wanted = [line.replace(" -", " None").split() for line in TABLE.strip().splitlines()]
    found = [
        [r.host_pattern, str(r.path_prefix), r.provider, str(r.endpoint_category), r.cost_per_request_cents]
        for r in BUILTIN_PROVIDERS[: len(wanted)]
    ]
    assert len(wanted) == 34
    assert found == [[*texts, float(cost)] for *texts, cost in wanted]


def test_every_price_says_where_it_is_from() -> None:
    for rule in BUILTIN_PROVIDERS:
        assert rule.cost_per_request_cents is None or rule.cost_source
    assert "0.1.x" in FLAT_ESTIMATE


def test_every_module_of_the_package_is_registered() -> None:
    modules = [
        importlib.import_module(f"{providers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(providers.__path__)
    ]
    assert sum(len(module.RULES) for module in modules) == len(BUILTIN_PROVIDERS)


@pytest.mark.parametrize(
    ("path", "category", "cents"),
    [
        ("/2010-04-01/Accounts/AC1/Messages.json", "sms", 0.79),
        ("/2010-04-01/Accounts/AC1/Messages/SM1", "sms", 0.79),
        ("/2010-04-01/Accounts/AC1/Calls.json", "voice_calls", 1.3),
        ("/2010-04-01/Accounts/AC1/Messages/Calls", "sms", 0.79),
        ("/2010-04-01/Accounts", None, 0.5),
    ],
)
def test_twilio_is_told_by_what_the_path_contains(path: str, category: Optional[str], cents: float) -> None:
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
