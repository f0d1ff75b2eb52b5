"""Responses of Amazon Bedrock: https://docs.aws.amazon.com/bedrock/latest/APIReference/."""

from __future__ import annotations

from typing import Any

from tests.pricing.usage.responses.anthropic import CLAUDE, events, message
from tests.pricing.usage.responses.build import AWS, TEXT, aws, aws_chunks, chat, sample, used

CONVERSE = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse"
CONVERSE_STREAM = f"{CONVERSE}-stream"
INVOKE = "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
INVOKE_STREAM = f"{INVOKE}-with-response-stream"


def converse(usage: Any, **more: Any) -> dict[str, Any]:
    return {
        "metrics": {"latencyMs": 551},
        "output": {"message": {"content": [{"text": TEXT}], "role": "assistant"}},
        "stopReason": "end_turn",
        "usage": usage,
        **more,
    }


def converse_stream(usage: Any, **more: Any) -> bytes:
    return aws(
        ("messageStart", {"p": "abc", "role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": TEXT}, "p": "abcdefgh"}),
        ("contentBlockStop", {"contentBlockIndex": 0, "p": "abcdefgh"}),
        ("messageStop", {"p": "abcdefgh", "stopReason": "end_turn"}),
        ("metadata", {"metrics": {"latencyMs": 738}, "p": "abcdefgh", "usage": usage, **more}),
    )


def _metrics(taken: int, made: int, **more: int) -> dict[str, Any]:
    counts = {"inputTokenCount": taken, "outputTokenCount": made, "invocationLatency": 100, **more}
    return {"amazon-bedrock-invocationMetrics": counts}


_SMALL = {"inputTokens": 30, "outputTokens": 628, "totalTokens": 658}
_CACHED = {
    "inputTokens": 10,
    "outputTokens": 20,
    "totalTokens": 1330,
    "cacheReadInputTokens": 1000,
    "cacheWriteInputTokens": 300,
}
_CLAUDE_EVENTS = events(
    {"input_tokens": 12, "cache_read_input_tokens": 88, "output_tokens": 1}, {"output_tokens": 44}
)

SAMPLES = [
    sample(
        "bedrock: converse",
        CONVERSE,
        converse(_SMALL),
        used(input_tokens=30, output_tokens=628),
    ),
    sample(
        "bedrock: converse with caches, at both lifetimes",
        CONVERSE,
        converse(
            {
                **_CACHED,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 100}, {"ttl": "5m", "inputTokens": 200}],
                "serverToolUsage": {},
            }
        ),
        used(
            input_tokens=1310,
            cache_read_tokens=1000,
            cache_write_tokens=200,
            cache_write_1h_tokens=100,
            output_tokens=20,
        ),
    ),
    sample(
        "bedrock: converse whose input has the cached tokens",
        "/model/us.openai.gpt-oss-120b/converse",
        converse(
            {"inputTokens": 1310, "outputTokens": 20, "totalTokens": 1330, "cacheReadInputTokens": 1000}
        ),
        used(input_tokens=1310, cache_read_tokens=1000, output_tokens=20),
    ),
    sample(
        "bedrock: converse, optimized for latency",
        CONVERSE,
        converse(_SMALL, performanceConfig={"latency": "optimized"}),
        used(tier="optimized", input_tokens=30, output_tokens=628),
    ),
    sample(
        "bedrock: converse, flex",
        CONVERSE,
        converse(_SMALL, serviceTier={"type": "flex"}, performanceConfig={"latency": "standard"}),
        used(tier="flex", input_tokens=30, output_tokens=628),
    ),
    sample(
        "bedrock: converse through a prompt router",
        CONVERSE,
        converse(
            _SMALL,
            trace={
                "promptRouter": {
                    "invokedModelId": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
                    "us.anthropic.claude-3-haiku-20240307-v1:0"
                }
            },
        ),
        used("us.anthropic.claude-3-haiku-20240307-v1:0", input_tokens=30, output_tokens=628),
    ),
    sample(
        "bedrock: converse stream",
        CONVERSE_STREAM,
        converse_stream({"inputTokens": 47, "outputTokens": 20, "totalTokens": 67}),
        used(input_tokens=47, output_tokens=20),
        AWS,
    ),
    sample(
        "bedrock: converse stream with caches, priority",
        CONVERSE_STREAM,
        converse_stream(_CACHED, serviceTier={"type": "priority"}),
        used(
            tier="priority",
            input_tokens=1310,
            cache_read_tokens=1000,
            cache_write_tokens=300,
            output_tokens=20,
        ),
        AWS,
    ),
    sample(
        "bedrock: converse stream that ended with an exception",
        CONVERSE_STREAM,
        aws(
            ("messageStart", {"role": "assistant"}),
            ("modelStreamErrorException", {"message": TEXT, "originalStatusCode": 500}),
        ),
        None,
        AWS,
    ),
    sample(
        "bedrock: invoke Claude",
        INVOKE,
        message(
            {
                "input_tokens": 10,
                "cache_creation_input_tokens": 5,
                "cache_read_input_tokens": 85,
                "output_tokens": 3,
            }
        ),
        used(CLAUDE, input_tokens=100, cache_read_tokens=85, cache_write_tokens=5, output_tokens=3),
        headers={"x-amzn-bedrock-input-token-count": "10", "x-amzn-bedrock-output-token-count": "3"},
    ),
    sample(
        "bedrock: invoke Claude, streamed",
        INVOKE_STREAM,
        aws_chunks(
            *_CLAUDE_EVENTS[:-1], {**_CLAUDE_EVENTS[-1], **_metrics(12, 44, cacheReadInputTokenCount=88)}
        ),
        used(CLAUDE, input_tokens=100, cache_read_tokens=88, output_tokens=44),
        AWS,
    ),
    sample(
        "bedrock: invoke Nova",
        "/model/amazon.nova-pro-v1%3A0/invoke",
        {
            "output": {"message": {"content": [{"text": TEXT}], "role": "assistant"}},
            "stopReason": "end_turn",
            "usage": {
                "inputTokens": 6,
                "outputTokens": 45,
                "totalTokens": 151,
                "cacheReadInputTokenCount": 100,
                "cacheWriteInputTokenCount": 0,
            },
        },
        used(input_tokens=106, cache_read_tokens=100, output_tokens=45),
    ),
    sample(
        "bedrock: invoke Nova, streamed",
        "/model/amazon.nova-pro-v1%3A0/invoke-with-response-stream",
        aws_chunks(
            {"messageStart": {"role": "assistant"}},
            {"contentBlockDelta": {"delta": {"text": TEXT}, "contentBlockIndex": 0}},
            {"messageStop": {"stopReason": "end_turn"}},
            {"metadata": {"usage": {"inputTokens": 6, "outputTokens": 45}, "metrics": {}}, **_metrics(6, 45)},
        ),
        used(input_tokens=6, output_tokens=45),
        AWS,
    ),
    sample(
        "bedrock: invoke Llama",
        "/model/meta.llama3-1-70b-instruct-v1%3A0/invoke",
        {
            "generation": TEXT,
            "prompt_token_count": 25,
            "generation_token_count": 17,
            "stop_reason": "stop",
        },
        used(input_tokens=25, output_tokens=17),
    ),
    sample(
        "bedrock: invoke Llama, streamed",
        "/model/meta.llama3-1-70b-instruct-v1%3A0/invoke-with-response-stream",
        aws_chunks(
            {"generation": "a", "prompt_token_count": 25, "generation_token_count": 1, "stop_reason": None},
            {
                "generation": "b",
                "prompt_token_count": None,
                "generation_token_count": 2,
                "stop_reason": "stop",
                **_metrics(25, 2),
            },
        ),
        used(input_tokens=25, output_tokens=2),
        AWS,
    ),
    sample(
        "bedrock: invoke Titan's text model",
        "/model/amazon.titan-text-express-v1/invoke",
        {
            "inputTextTokenCount": 5,
            "results": [{"tokenCount": 32, "outputText": TEXT, "completionReason": "FINISH"}],
        },
        used(input_tokens=5, output_tokens=32),
    ),
    sample(
        "bedrock: invoke Titan's embeddings",
        "/model/amazon.titan-embed-text-v2%3A0/invoke",
        {"embedding": [-0.1, 0.02], "inputTextTokenCount": 9, "embeddingsByType": {"float": [-0.1, 0.02]}},
        used(input_tokens=9),
    ),
    sample(
        "bedrock: invoke a model whose tokens only the headers count",
        "/model/cohere.embed-v4%3A0/invoke",
        {"id": "1", "embeddings": {"float": [[0.1]]}, "response_type": "embeddings_by_type"},
        used(tier="default", input_tokens=40, output_tokens=0),
        headers={
            "x-amzn-bedrock-input-token-count": "40",
            "x-amzn-bedrock-output-token-count": "0",
            "x-amzn-bedrock-service-tier": "default",
        },
    ),
    sample(
        "bedrock: chat",
        "/openai/v1/chat/completions",
        chat("openai.gpt-oss-20b-1:0", {"prompt_tokens": 72, "completion_tokens": 41, "total_tokens": 113}),
        used("openai.gpt-oss-20b-1:0", input_tokens=72, output_tokens=41),
    ),
]
