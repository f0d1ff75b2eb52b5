"""What clouds bill besides the tokens of a call, or later than it: guardrails, batches, interactions.

Each is worked out by hand. Prices in the comments are in dollars a million tokens (in, out), or as said.
"""

from __future__ import annotations

from typing import Any, Optional

from tests.pricing.usage.responses.aws import CONVERSE, CONVERSE_STREAM, converse, converse_stream
from tests.pricing.usage.responses.build import (
    AWS,
    CHAT,
    SSE,
    TEXT,
    Sample,
    chat,
    ndjson,
    plain,
    sample,
    sse,
    used,
)
from tests.pricing.usage.responses.google import FLASH, content

BY_HAND: dict[str, str] = {}
"""US dollars by the name of the sample."""
ESTIMATED: list[str] = []
UNKNOWN: list[str] = []
READ: list[str] = []
"""Names of those that are asked for with GET."""
SAMPLES: list[Sample] = []


def _add(sample: Sample, usd: Optional[str], *, read: bool = False, estimated: bool = False) -> None:
    SAMPLES.append(sample)
    if estimated:
        ESTIMATED.append(sample.name)
    if usd is None:
        UNKNOWN.append(sample.name)
    else:
        BY_HAND[sample.name] = usd
    if read:
        READ.append(sample.name)


# Guardrails of Bedrock: $0.15 for 1,000 units of contents and of topics, $0.10 of what is personal, and of
# what is grounded. Words and patterns cost nothing.

_INPUT = {
    "contentPolicyUnits": 2,
    "topicPolicyUnits": 1,
    "sensitiveInformationPolicyUnits": 3,
    "sensitiveInformationPolicyFreeUnits": 6,
    "wordPolicyUnits": 5,
    "contextualGroundingPolicyUnits": 0,
}
_OUTPUT = {"contentPolicyUnits": 1, "topicPolicyUnits": 0, "contextualGroundingPolicyUnits": 4}
_GUARDED: dict[str, Any] = {
    "guardrail_content_units": 3,
    "guardrail_topic_units": 1,
    "guardrail_pii_units": 3,
    "guardrail_grounding_units": 4,
}
_SMALL = {"inputTokens": 30, "outputTokens": 628, "totalTokens": 658}
_NOTHING = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}
_TITAN = "/model/amazon.titan-text-express-v1/invoke"


def _assessed(usage: Any) -> dict[str, Any]:
    return {"contentPolicy": {"filters": []}, "invocationMetrics": {"usage": usage, "coverage": {}}}


def _trace(taken: Any, made: Any = None) -> dict[str, Any]:
    outputs = {} if made is None else {"outputAssessments": {"gr-1": [_assessed(made)]}}
    return {"trace": {"guardrail": {"inputAssessment": {"gr-1": _assessed(taken)}, **outputs}}}


_add(  # $3, $15: 0.00951; guardrails: 3 + 1 at $0.15, 3 + 4 at $0.10 a thousand
    sample(
        "bedrock: converse with a guardrail",
        CONVERSE,
        converse(_SMALL, **_trace(_INPUT, _OUTPUT)),
        used(input_tokens=30, output_tokens=628, **_GUARDED),
    ),
    "0.01081",
)
_add(
    sample(
        "bedrock: converse stream with a guardrail",
        CONVERSE_STREAM,
        converse_stream(_SMALL, **_trace(_INPUT, _OUTPUT)),
        used(input_tokens=30, output_tokens=628, **_GUARDED),
        AWS,
    ),
    "0.01081",
)
_add(
    sample(
        "bedrock: converse that a guardrail stops",
        CONVERSE,
        {
            **converse(_NOTHING, **_trace({"contentPolicyUnits": 1, "topicPolicyUnits": 1})),
            "stopReason": "guardrail_intervened",
        },
        used(input_tokens=0, output_tokens=0, guardrail_content_units=1, guardrail_topic_units=1),
    ),
    "0.0003",
)
_add(
    sample(
        "bedrock: converse with images in a guardrail",
        CONVERSE,
        converse(_SMALL, **_trace({"contentPolicyUnits": 2, "contentPolicyImageUnits": 1})),
        used(input_tokens=30, output_tokens=628, guardrail_content_units=2, uncounted=["guardrail_images"]),
    ),
    "0.00981",
)
_add(
    sample(
        "bedrock: converse that a guardrail stops, without a trace",
        CONVERSE,
        {**converse(_SMALL), "stopReason": "guardrail_intervened"},
        used(input_tokens=30, output_tokens=628, uncounted=["guardrail"]),
    ),
    "0.00951",
)
_RESULTS = {"inputTextTokenCount": 100, "results": [{"tokenCount": 50, "outputText": TEXT}]}
_add(  # $0.20, $0.60: 0.00005
    sample(
        "bedrock: invoke with a guardrail",
        _TITAN,
        {
            **_RESULTS,
            "amazon-bedrock-trace": {
                "guardrail": {
                    "input": {"gr-1": _assessed(_INPUT)},
                    "outputs": [{"gr-1": _assessed(_OUTPUT)}],
                }
            },
            "amazon-bedrock-guardrailAction": "NONE",
        },
        used(input_tokens=100, output_tokens=50, **_GUARDED),
    ),
    "0.00135",
)
_add(
    sample(
        "bedrock: invoke with a guardrail, without a trace",
        _TITAN,
        {**_RESULTS, "amazon-bedrock-guardrailAction": "INTERVENED"},
        used(input_tokens=100, output_tokens=50, uncounted=["guardrail"]),
    ),
    "0.00005",
)
_ALONE = {"contentPolicyUnits": 1, "topicPolicyUnits": 1, "sensitiveInformationPolicyUnits": 1}
_add(
    sample(
        "bedrock: guardrail alone",
        "/guardrail/gr1/version/DRAFT/apply",
        {"action": "NONE", "usage": _ALONE, "assessments": [_assessed(_ALONE)]},
        used(guardrail_content_units=1, guardrail_topic_units=1, guardrail_pii_units=1),
    ),
    "0.0004",
)

# Earlier models, of which genai-prices has none.

_INSTANT = {
    "type": "message",
    "model": "claude-instant-1.2",
    "usage": {"input_tokens": 1000, "output_tokens": 100},
}
_LLAMA = {"generation": TEXT, "prompt_token_count": 1000, "generation_token_count": 100}
_EARLIER: tuple[tuple[str, str, Any, str], ...] = (
    # 1,000 in and 100 out, at $0.80 and $2.40, $3 and $15, $0.50 and $1.50, $0.30 and $0.60, $0.75 and $1,
    # $0.20 and $0.40
    ("Claude Instant", "anthropic.claude-instant-v1", _INSTANT, "0.00104"),
    ("Command Light", "cohere.command-light-text-v14", {"generations": [{"text": TEXT}]}, "0.00036"),
    ("Llama 2", "meta.llama2-13b-chat-v1", _LLAMA, "0.00085"),
    ("Jamba", "ai21.jamba-1-5-mini-v1:0", chat("jamba", None), "0.00024"),
)
_COUNTED = {"x-amzn-bedrock-input-token-count": "1000", "x-amzn-bedrock-output-token-count": "100"}
for _name, _model, _document, _usd in _EARLIER:
    _add(
        sample(
            f"bedrock: {_name}",
            f"/model/{_model}/invoke",
            _document,
            used(
                "claude-instant-1.2" if _document is _INSTANT else None,
                input_tokens=1000,
                output_tokens=100,
            ),
            headers=_COUNTED,
        ),
        _usd,
    )
for _name, _model in (("Claude 2.1", "anthropic.claude-v2%3A1"), ("Claude 2", "anthropic.claude-v2")):
    _add(  # 30 in and 628 out, at $8 and $24
        sample(
            f"bedrock: {_name}",
            f"/model/{_model}/converse",
            converse(_SMALL),
            used(input_tokens=30, output_tokens=628),
        ),
        "0.015312",
    )
for _name, _model, _usd in (  # at $0.10, $0.12, $0.135
    ("Embed 3", "cohere.embed-english-v3", "0.0001"),
    ("Embed 4", "cohere.embed-v4:0", "0.00012"),
    ("Embed 4 in the US", "us.cohere.embed-v4%3A0", "0.00012"),
    ("embeddings of Nova", "amazon.nova-2-multimodal-embeddings-v1%3A0", "0.000135"),
):
    _add(
        sample(
            f"bedrock: {_name}",
            f"/model/{_model}/invoke",
            {"embeddings": []},
            used(input_tokens=1000),
            headers={"x-amzn-bedrock-input-token-count": "1000"},
        ),
        _usd,
    )
_add(
    sample(
        "bedrock: embeddings of Nova, of an image",
        "/model/amazon.nova-2-multimodal-embeddings-v1%3A0/invoke",
        {"embeddings": []},
        None,
        headers={"x-amzn-bedrock-input-token-count": "0"},
    ),
    None,
)

# Interactions: those in the background are billed when they are done. Flash: $0.30, $2.50.

_INTERACTION = {"id": "v1_Chd", "object": "interaction", "model": FLASH, "updated": "2026-10-22T04:29:59Z"}
_DONE = {
    **_INTERACTION,
    "status": "completed",
    "usage": {
        "total_tokens": 1150,
        "total_input_tokens": 1000,
        "total_output_tokens": 100,
        "total_thought_tokens": 50,
    },
}
_ANSWERED = {"type": "model_output", "content": [{"type": "text", "text": TEXT}]}
_SPENT: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 150, "reasoning_tokens": 50}
_IDLE = plain({**_INTERACTION, "status": "in_progress"})


def _interaction(
    name: str, usd: Optional[str], body: bytes, *, path: str = "/v1beta/interactions/v1_Chd", **more: Any
) -> None:
    kind = SSE if body.startswith(b"event") else "application/json"
    usage = used(FLASH, **{**_SPENT, **more}) if usd != "0" and usd is not None else None
    _add(sample(f"gemini: {name}", path, body, usage, kind), usd, read=path.endswith("v1_Chd"))


_interaction("interaction read when it is done", "0.000675", plain({**_DONE, "steps": [_ANSWERED]}))
_interaction("interaction that goes on", "0", _IDLE)
_interaction("interaction that is begun", None, _IDLE, path="/v1beta/interactions")
_interaction("interaction that is cancelled", "0", _IDLE, path="/v1beta/interactions/v1_Chd/cancel")


def _streamed(*events: Any) -> bytes:
    begun = {"interaction": {**_INTERACTION, "status": "in_progress"}, "type": "interaction.created"}
    ended = {"interaction": _DONE, "type": "interaction.completed"}
    stream = [begun, *events, ended]
    return sse(*({**event, "event_type": event["type"]} for event in stream), named=True)


_interaction(
    "interaction read as a stream",
    "0.000675",
    _streamed({"type": "step.delta", "index": 0, "delta": {"type": "text", "text": TEXT}}),
)
for _tool, _missing in (("google_search", "web_searches"), ("google_maps", "map_searches")):
    _called = {"type": f"{_tool}_call", "id": "call-1", "arguments": {"queries": ["q"]}}
    _interaction(
        f"interaction with {_tool}",
        "0.000675",
        plain({**_DONE, "steps": [_called, _ANSWERED]}),
        path="/v1beta/interactions",
        uncounted=[_missing],
    )
    _interaction(
        f"interaction stream with {_tool}",
        "0.000675",
        _streamed({"type": "step.start", "index": 0, "step": _called}),
        path="/v1beta/interactions",
        uncounted=[_missing],
    )

# Batches, at half the price.


def _reply(taken: int, made: int, model: str = FLASH) -> dict[str, Any]:
    usage = {"promptTokenCount": taken, "candidatesTokenCount": made, "totalTokenCount": taken + made}
    return content(usage, model=model)


def _batch(state: str, *bodies: dict[str, Any]) -> bytes:
    items = [{"response": body, "metadata": {"key": f"r{n}"}} for n, body in enumerate(bodies)]
    metadata = {"name": "batches/b1", "model": f"models/{FLASH}", "state": state}
    response = {"inlinedResponses": {"inlinedResponses": items}} if bodies else None
    return plain({"name": "batches/b1", "metadata": metadata, "done": bool(bodies), "response": response})


_PRO = "gemini-2.5-pro"
_HALF = used(FLASH, tier="batch", input_tokens=3000, output_tokens=300, requests=2)
_BOTH = used(
    tier="batch",
    input_tokens=3000,
    output_tokens=300,
    requests=2,
    parts=[
        used(FLASH, tier="batch", input_tokens=1000, output_tokens=100),
        used(_PRO, tier="batch", input_tokens=2000, output_tokens=200),
    ],
)
_TWO = (_reply(1000, 100), _reply(2000, 200))
for _name, _path, _body, _usage, _usd in (
    # $0.15, $1.25
    ("results of a batch", "/v1beta/batches/b1", _batch("BATCH_STATE_SUCCEEDED", *_TWO), _HALF, "0.000825"),
    # and $0.625, $5 for the second
    (
        "results of a batch with two models",
        "/v1beta/batches/b1",
        _batch("BATCH_STATE_SUCCEEDED", _TWO[0], _reply(2000, 200, _PRO)),
        _BOTH,
        "0.002525",
    ),
    ("batch that goes on", "/v1beta/batches/b1", _batch("BATCH_STATE_RUNNING"), used(), "0"),
    (
        "file with the results of a batch",
        "/download/v1beta/files/batch-b1:download",
        ndjson(*({"key": f"r{n}", "response": body} for n, body in enumerate(_TWO))),
        _HALF,
        "0.000825",
    ),
    (
        "file with the results of a batch, one failed",
        "/download/v1beta/files/batch-b1:download",
        ndjson(
            {"key": "r0", "response": _TWO[0]},
            {"key": "r1", "response": _TWO[1]},
            {"key": "r2", "error": {"code": 13, "message": TEXT}},
        ),
        _HALF,
        "0.000825",
    ),
    (
        "file that is no output of a batch",
        "/download/v1beta/files/f1:download",
        plain(_reply(1000, 100)),
        used(),
        "0",
    ),
):
    _add(sample(f"gemini: {_name}", _path, _body, _usage), _usd, read=True)

# Grounding: places of Google Maps, files, a data store.


def _grounded(chunk: dict[str, Any]) -> bytes:
    body = _reply(1000, 100)
    body["candidates"][0]["groundingMetadata"] = {"groundingChunks": [chunk]}
    return plain(body)


_GENERATE = f"/v1beta/models/{FLASH}:generateContent"
_ON_VERTEX = f"/v1/projects/p/locations/global/publishers/google/models/{FLASH}:generateContent"
_MAPS = {"maps": {"uri": "https://maps.google.com/?cid=1", "title": "A café", "placeId": "places/1"}}
_FILE = {"retrievedContext": {"title": "a.txt", "text": TEXT}}
_SOURCES: tuple[tuple[str, str, Any, list[str]], ...] = (
    ("gemini: content with places", _GENERATE, _MAPS, ["map_searches"]),
    ("vertex: content with places", _ON_VERTEX, _MAPS, ["map_searches"]),
    ("gemini: content with files", _GENERATE, _FILE, []),
    ("vertex: content with a data store", _ON_VERTEX, _FILE, ["retrievals"]),
)
for _name, _path, _chunk, _sources in _SOURCES:
    _shape = _name.partition(":")[0]
    _add(  # $0.30, $2.50
        sample(
            _name,
            _path,
            _grounded(_chunk),
            used(FLASH, input_tokens=1000, output_tokens=100, uncounted=_sources),
            shape=_shape,
        ),
        "0.00055",
    )

# Embeddings of an image: $0.20 text, $0.45 images.
_DETAILS = [{"modality": "TEXT", "tokenCount": 10}, {"modality": "IMAGE", "tokenCount": 258}]
_add(
    sample(
        "gemini: embedding of an image",
        "/v1beta/models/gemini-embedding-2:embedContent",
        {
            "embedding": {"values": [0.1, -0.2]},
            "usageMetadata": {"promptTokenCount": 268, "promptTokenDetails": _DETAILS},
        },
        used(input_tokens=268, input_image_tokens=258),
    ),
    "0.0001181",
)

_add(  # $0.02
    sample(
        "voyage: rerank, lite",
        "/v1/rerank",
        {"object": "list", "data": [], "model": "rerank-2-lite", "usage": {"total_tokens": 57}},
        used("rerank-2-lite", input_tokens=57),
    ),
    "0.00000114",
)
_add(
    sample(
        "voyage: rerank, of a model that is newer",
        "/v1/rerank",
        {"object": "list", "data": [], "model": "rerank-9", "usage": {"total_tokens": 57}},
        used("rerank-9", input_tokens=57),
    ),
    None,
)

# Claude behind interfaces that are OpenAI's: the caches are named beside the tokens, as part of these.
_CACHED = {
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "total_tokens": 1100,
    "cache_read_input_tokens": 600,
    "cache_creation_input_tokens": 300,
}
_CLAUDE: dict[str, Any] = {
    "input_tokens": 1000,
    "output_tokens": 100,
    "cache_read_tokens": 600,
    "cache_write_tokens": 300,
}
_add(  # $0.50, $1.50
    sample(
        "databricks: chat",
        "/serving-endpoints/databricks-meta-llama-3-3-70b-instruct/invocations",
        chat("meta-llama-3.3-70b-instruct-121024", {"prompt_tokens": 1000, "completion_tokens": 100}),
        used("meta-llama-3.3-70b-instruct-121024", input_tokens=1000, output_tokens=100),
    ),
    "0.00065",
)
_add(
    sample(
        "databricks: chat of Claude",
        "/serving-endpoints/chat/completions",
        chat("us.anthropic.claude-sonnet-4-6", _CACHED),
        used("us.anthropic.claude-sonnet-4-6", **_CLAUDE),
    ),
    "0.003105",
    estimated=True,  # Anthropic's price of $3, cached $0.30, written $3.75, $15
)
_add(
    sample(
        "databricks: endpoint of Claude",
        "/serving-endpoints/databricks-claude-3-7-sonnet/invocations",
        chat(
            "us.anthropic.claude-3-7-sonnet-20250219-v1:0", {"prompt_tokens": 1000, "completion_tokens": 100}
        ),
        used("us.anthropic.claude-3-7-sonnet-20250219-v1:0", input_tokens=1000, output_tokens=100),
    ),
    "0.0045",
    estimated=True,  # $3, $15
)
_add(
    sample(
        "databricks: Claude by the name of its endpoint",
        "/serving-endpoints/chat/completions",
        chat("databricks-claude-opus-4-1", {"prompt_tokens": 1000, "completion_tokens": 100}),
        used("databricks-claude-opus-4-1", input_tokens=1000, output_tokens=100),
    ),
    "0.0225",
    estimated=True,  # $15, $75
)
_add(
    sample(
        "databricks: an endpoint of one's own",
        "/serving-endpoints/my-claude-sonnet-4/invocations",
        chat("my-claude-sonnet-4", {"prompt_tokens": 1000, "completion_tokens": 100}),
        used("my-claude-sonnet-4", input_tokens=1000, output_tokens=100),
    ),
    None,
)
_add(  # $3, cached $0.30, written $3.75, $15
    sample(
        "anthropic: chat completion with caches",
        CHAT,
        chat("claude-sonnet-4-6", _CACHED),
        used("claude-sonnet-4-6", **_CLAUDE),
        shape="openai",
    ),
    "0.003105",
)
