"""Costs of the responses of real APIs, from their bytes to the amount, compared with other sources.

Tokens are priced by genai-prices itself, called here; everything else by hand, from the price lists.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Optional, Union
from urllib.parse import unquote

import pytest

from recost.interceptors.capture import Capture, WholeCapture
from recost.interceptors.exchange import Exchange, nowhere
from recost.metering import Meter
from recost.pricing.cost import Cost
from recost.pricing.paths import model_in_path
from recost.pricing.registry import ProviderRegistry
from recost.pricing.route import Routes
from tests.exchanges import begun
from tests.pricing.usage.responses import (
    SAMPLES,
    Sample,
    clouds,
    compatible,
    neighbours,
    openai_batches,
    openai_tools,
)
from tests.pricing.usage.responses.regions import LONG

genai: Any = pytest.importorskip(
    "genai_prices", minversion="0.2", reason="a genai-prices that knows all of these prices is not installed"
)

HOSTS: Final = {
    "anthropic": "api.anthropic.com",
    "assemblyai": "api.assemblyai.com",
    "azure": "res.openai.azure.com",
    "bedrock": "bedrock-runtime.us-east-1.amazonaws.com",
    "cerebras": "api.cerebras.ai",
    "cloudflare": "api.cloudflare.com",
    "cohere": "api.cohere.com",
    "databricks": "adb-1.11.azuredatabricks.net",
    "deepgram": "api.deepgram.com",
    "deepl": "api.deepl.com",
    "deepseek": "api.deepseek.com",
    "elevenlabs": "api.elevenlabs.io",
    "exa": "api.exa.ai",
    "firecrawl": "api.firecrawl.dev",
    "fireworks": "api.fireworks.ai",
    "gemini": "generativelanguage.googleapis.com",
    "groq": "api.groq.com",
    "huggingface": "router.huggingface.co",
    "mistral": "api.mistral.ai",
    "moonshot": "api.moonshot.ai",
    "ollama": "localhost",
    "openai": "api.openai.com",
    "openai in a region": "eu.api.openai.com",
    "openrouter": "openrouter.ai",
    "perplexity": "api.perplexity.ai",
    "pinecone": "movies-abc.svc.us-east-1-aws.pinecone.io",
    "replicate": "api.replicate.com",
    "serper": "google.serper.dev",
    "stripe": "api.stripe.com",
    "tavily": "api.tavily.com",
    "together": "api.together.xyz",
    "twilio": "api.twilio.com",
    "vertex": "us-central1-aiplatform.googleapis.com",
    "voyage": "api.voyageai.com",
    "xai": "api.x.ai",
    "zai": "api.z.ai",
    **compatible.HOSTS,
}
GENAI: Final = {
    "bedrock": "aws",
    "gemini": "google",
    "moonshot": "moonshotai",
    "openai in a region": "openai",
    "vertex": "google",
    "xai": "x-ai",
}
"""Ids in genai-prices, where they are other ones than here."""
GENAI_UNITS: Final = {"reasoning_tokens": "output_reasoning_tokens"}
OWN_NAMES: Final = ("llama3.1-8b", "llama-3.3-70b-versatile")
"""Models behind Hugging Face's router that go by the names their provider has for them."""
TIERS: Final = {
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "batch": {"service_tier": "batch", "processing": "batch"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
GETS: Final = (
    "anthropic: results of a batch",
    "anthropic: results of a batch with two models",
    "assemblyai: transcript",
    "cohere: list of models",
    "elevenlabs: list of voices",
    "exa: research",
    "firecrawl: crawl",
    "openai: list of models",
    "pinecone: fetch",
    "pinecone: list",
    "replicate: prediction that goes on",
    "stripe: list of charges",
    *neighbours.TRANSCRIPTS,
    *clouds.READ,
    *neighbours.LATER,
    *openai_batches.READ,
)
BY_HAND: Final = {
    # Free.
    "anthropic: batch": "0",
    "anthropic: count of tokens": "0",
    "assemblyai: transcript that is queued": "0",
    "cohere: list of models": "0",
    "gemini: count of tokens": "0",
    "openai: count of input tokens": "0",
    "openai: list of models": "0",
    "stripe: customer": "0",
    "stripe: list of charges": "0",
    # $0.15 an hour: 281 s.
    "assemblyai: transcript": "0.0117083333333333333333333333",
    # $2 for 1,000 searches: 1, 3.
    "cohere: rerank": "0.002",
    "cohere: rerank, a decimal number": "0.006",
    # $2 for 1,000 pages, $3 annotated: 29, 8.
    "mistral: OCR": "0.058",
    "mistral: OCR with annotations": "0.024",
    # 20 at $2.50 a million, 50 at $10, and of sounds 100 at $40, 200 at $80.
    "openai: chat with audio": "0.02055",
    # gpt-5.5: 1,000 at $5 and 100 at $30 a million, a tenth more, and a search of files for $0.0025.
    "openai in a region: response that searched files": "0.0113",
    # $16 a million read units: 6, 1, 1.
    "pinecone: fetch": "0.000016",
    "pinecone: list": "0.000016",
    "pinecone: query": "0.000096",
    # $0.12 a million tokens: 40.
    "bedrock: invoke a model whose tokens only the headers count": "0.0000048",
    # $0.05 a million tokens: 26.
    "voyage: rerank": "0.0000013",
    # $0.001 a credit: 2, 3.
    "serper: batch": "0.003",
    "serper: search": "0.002",
    # $0.008 a credit: 2, 5, 1.
    "tavily: advanced search": "0.016",
    "tavily: extraction": "0.040",
    "tavily: search": "0.008",
    **openai_tools.BY_HAND,
    **openai_batches.BY_HAND,
    **neighbours.BY_HAND,
    **clouds.BY_HAND,
    **compatible.BY_HAND,
    # $1 and $1, $3 and $15, $2 and $8 a million: 20, 30. $5, $8, $12 for 1,000 requests, $6, $10, $14.
    "perplexity: sonar without a cost": "0.00505",
    "perplexity: sonar-pro without a cost": "0.00651",
    "perplexity: sonar-reasoning-pro without a cost": "0.00628",
    "perplexity: chat with a medium context, without a cost": "0.00805",
    "perplexity: stream with a high context, without a cost": "0.01451",
}
"""In US dollars, from the lists of prices named in the rules."""
BESIDES: Final = {"mistral: chat about audio": "0.0008"}
"""What is billed besides tokens: 12 s at $0.004 a minute."""
BY_BYTES: Final = {
    "openai: chat stream without usage": "gpt-4o",
    "openai: response stream that failed": "gpt-4.1",
}
"""Streams that don't say what they used, and their model: a token for 4 bytes sent, and for 250 that come."""
FLAT: Final = {
    # $0.006 a minute: 9 s, 8.5 s, if it is whisper-1.
    "openai: transcription with seconds": "0.0009",
    "openai: transcription, verbose": "0.00085",
    # 2.9 % and $0.30: $10.99, $5, if the card is of the US.
    "stripe: charge": "0.61871",
    "stripe: charge, captured in part": "0.445",
    # $0.0083 a segment in the US: 4, 1; the carriers' fees are not in it.
    "twilio: long message": "0.0332",
    "twilio: message": "0.0083",
    "openai: images without tokens": "0.04",
    # Its read units; not the reranking, nor what the embedding takes.
    "pinecone: search of text": "0.000096",
    "pinecone: upsert": "0.0008",
    # $5 for 1,000, if it was no fast search.
    "perplexity: search": "0.005",
    "tavily: search that names no credits": "0.008",
    "twilio: message that is not split yet": "0.0079",
}
"""Estimates: the response names no model, or not all that is billed."""
STANDARD: Final = (
    "anthropic: message, fast",
    "anthropic: message, priority",
    "bedrock: converse stream with caches, priority",
    "bedrock: converse with caches, at both lifetimes",
    "bedrock: converse, flex",
    "bedrock: converse, optimized for latency",
    "groq: chat, cached and reasoned",
    "vertex: content, flex",
    "vertex: content, provisioned",
)
"""Estimates: what was used has no price of its own in genai-prices; what comes nearest stands in."""
UNKNOWN: Final = (
    *openai_batches.UNKNOWN,
    *clouds.UNKNOWN,
    *compatible.UNKNOWN,
    # There is no price of the model.
    "azure: chat stream, last chunk with a reason",
    "cerebras: chat without a price",
    "bedrock: converse whose input has the cached tokens",
    "fireworks: chat",
    "fireworks: stream",
    "huggingface: chat",
    "huggingface: stream",
    "mistral: transcription",
    "together: chat with cached tokens",
    "together: embeddings",
    "together: rerank",
    "together: stream",
    "vertex: Mistral",
    "voyage: multimodal embeddings",
    # The response doesn't name its model.
    "cohere: chat",
    "cohere: classification",
    "cohere: embeddings",
    "cohere: embeddings of an image",
    "cohere: stream",
    "cohere: stream of version 1",
    "openai: image stream",
    "openai: image with details of the output",
    "openai: image with tokens",
    "openai: speech stream",
    "openai: transcription stream",
    "openai: transcription with tokens",
    "groq: transcription",
    "groq: transcription, verbose",
    "vertex: embeddings",
    # It doesn't say what was used.
    "bedrock: converse stream that ended with an exception",
    "gemini: embedding without usage",
    "stripe: charge that failed",
    "stripe: charge to be captured",
    "stripe: payment that needs an action",
    # The price depends on the plan, the model or the country, or the model runs at home.
    "deepgram: speech",
    "deepgram: transcription",
    "deepgram: transcription of two channels",
    "deepl: translation",
    "deepl: translation that counts nothing",
    "elevenlabs: list of voices",
    "elevenlabs: speech",
    "elevenlabs: speech, streamed",
    "firecrawl: crawl",
    "firecrawl: crawl that was started",
    "firecrawl: scrape",
    "firecrawl: search",
    "firecrawl: search, credits by page",
    "ollama: chat",
    "ollama: chat as OpenAI's",
    "ollama: embeddings",
    "ollama: generation",
    "ollama: stream",
    "ollama: stream whose prompt was in the cache",
    "pinecone: embeddings",
    "pinecone: rerank",
    "pinecone: statistics",
    "replicate: prediction",
    "replicate: prediction of a language model",
    "replicate: prediction that goes on",
    "replicate: prediction that was started",
    "stripe: payment",
    "stripe: payment in yen",
)


def meter() -> Meter:
    return Meter(Routes(ProviderRegistry()), report=lambda _: None)


def exchange_of(sample: Sample, capture: Union[Capture, WholeCapture]) -> Exchange:
    method = "GET" if sample.name in GETS else "POST"
    exchange = begun(nowhere, "httpx", ("https", HOSTS[sample.provider], 443, sample.path, method))
    exchange.status = 400 if failed(sample) else 200
    exchange.request_bytes, exchange.response_bytes = 1000, len(sample.body)
    exchange.capture = capture
    exchange.finish()
    return exchange


def failed(sample: Sample) -> bool:
    return sample.name.endswith(": error")


def cost_of(sample: Sample) -> Cost:
    return cost_with(meter(), sample)


def cost_with(one: Meter, sample: Sample) -> Cost:
    capture = WholeCapture(tuple(sample.headers), sample.headers, sample.content_type, sample.body)
    return one.cost_of(exchange_of(sample, capture))


def by_genai(sample: Sample, model: Optional[str], units: Mapping[str, Any], tier: Optional[str]) -> Decimal:
    counts = {GENAI_UNITS.get(unit, unit): count for unit, count in units.items()}
    if "cache_write_1h_tokens" in counts:  # there, they are among the others
        counts["cache_write_tokens"] = counts.get("cache_write_tokens", 0) + counts["cache_write_1h_tokens"]
    if sample.path.startswith("/model/"):  # Bedrock's
        model = unquote(sample.path.split("/")[2])
    provider = GENAI.get(sample.provider, sample.provider)
    if sample.usage is not None and sample.usage.served_by is not None:
        provider = sample.usage.served_by if model in OWN_NAMES else f"huggingface_{sample.usage.served_by}"
    usage, context = genai.Usage(**counts), TIERS.get(tier or "")
    price: Decimal = genai.calc_price(usage, model, provider_id=provider, price_context=context).total_price
    return price


def expected(sample: Sample) -> tuple[str, Optional[Decimal]]:
    """Return the expected cost of a response, and its expected source."""
    name, usage = sample.name, sample.usage
    if failed(sample):
        return "computed", Decimal(0)
    if name in UNKNOWN or name.endswith("newer than the list"):
        return "unknown", None
    if name in BY_HAND:
        estimates = (*openai_batches.ESTIMATED, *neighbours.ESTIMATED, *clouds.ESTIMATED)
        exact = name not in estimates and not (usage is not None and usage.uncounted)
        return "computed" if exact else "estimated", Decimal(BY_HAND[name])
    if name in FLAT:
        return "estimated", Decimal(FLAT[name])
    if name in BY_BYTES:
        guess = {"input_tokens": 250, "output_tokens": len(sample.body) // 250}
        return "estimated", by_genai(sample, BY_BYTES[name], guess, None)
    assert usage is not None
    if usage.reported_usd is not None:
        return "estimated" if usage.partial else "reported", usage.reported_usd
    units = dict(usage.units)
    if name in BESIDES:
        del units["seconds"]
    usd = Decimal(BESIDES.get(name, 0))
    for part in usage.parts or (replace(usage, units=units),):
        model = part.model or model_in_path(sample.path)
        usd += by_genai(sample, model, part.units, part.tier) * (part.token_factor or 1)
    if "output_tokens" in usage.uncounted:
        usd += by_genai(sample, usage.model, {"output_tokens": len(sample.body) // 250}, None)
    exact = not (name in STANDARD or usage.partial or usage.uncounted)
    return "computed" if exact else "estimated", usd


def rounded(usd: Optional[Decimal]) -> Optional[Decimal]:
    return None if usd is None else round(usd, 20)


each = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


@each
def test_cost(sample: Sample) -> None:
    cost = cost_of(sample)
    source, usd = expected(sample)
    assert cost.source == source
    assert rounded(cost.usd) == rounded(usd)


@pytest.mark.slow
@each
def test_cost_of_a_response_in_pieces(sample: Sample) -> None:
    chance = random.Random(sample.name)
    whole = cost_of(sample)
    for largest in (1, 50, 5000):
        capture = Capture(tuple(sample.headers), sample.headers, sample.content_type)
        at = 0
        while at < len(sample.body):
            size = chance.randint(1, largest)
            capture.feed(sample.body[at : at + size])
            at += size
        capture.complete = True
        assert meter().cost_of(exchange_of(sample, capture)) == whole


@pytest.mark.parametrize("sample", LONG, ids=lambda sample: sample.name)
def test_cost_of_a_long_response_whose_count_comes_first(sample: Sample) -> None:
    capture = Capture(tuple(sample.headers), sample.headers, sample.content_type)
    for at in range(0, len(sample.body), 4096):
        capture.feed(sample.body[at : at + 4096])
    capture.complete = True
    cost = meter().cost_of(exchange_of(sample, capture))
    source, usd = expected(sample)
    assert (cost.source, rounded(cost.usd)) == (source, rounded(usd))


@pytest.mark.parametrize(
    "first",
    [
        "gemini: interaction read when it is done",
        "gemini: interaction read as a stream",
        "gemini: results of a batch",
        "gemini: file with the results of a batch",
    ],
)
def test_what_is_read_again_costs_nothing_more(first: str) -> None:
    sample, one = next(sample for sample in SAMPLES if sample.name == first), meter()
    other = sample._replace(path=sample.path.replace("v1_Chd", "v1_Chx").replace("b1", "b2"))
    usd = Decimal(BY_HAND[first])
    assert [rounded(cost_with(one, each).usd) for each in (sample, sample, other, sample)] == [usd, 0, usd, 0]


def test_an_interaction_is_not_billed_again_where_it_was_billed_when_asked_for() -> None:
    read = next(sample for sample in SAMPLES if sample.name == "gemini: interaction read when it is done")
    asked = read._replace(name="gemini: interaction", path="/v1beta/interactions")
    one = meter()
    costs = [cost_with(one, sample) for sample in (asked, read, asked)]
    assert [(cost.source, cost.usd) for cost in costs] == [
        ("computed", Decimal("0.000675")),
        ("computed", Decimal(0)),
        ("computed", Decimal("0.000675")),
    ]


def test_most_are_known() -> None:
    known = [sample for sample in SAMPLES if expected(sample)[1] is not None]
    assert len(known) >= 400
    assert len({sample.provider for sample in known}) >= 25
