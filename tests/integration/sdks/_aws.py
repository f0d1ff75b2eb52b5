"""AWS as boto3 and aiobotocore meet it: S3, SQS, DynamoDB, and Bedrock with its binary event stream."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import struct
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked

REGION = "eu-west-1"
BUCKET, QUEUE, TABLES, MODELS = (
    f"{name}.{REGION}.amazonaws.com" for name in ("stuff.s3", "sqs", "dynamodb", "bedrock-runtime")
)
HOSTS = (BUCKET, QUEUE, TABLES, MODELS)
MODEL, LEFT_MODEL = "anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0"
QUEUE_URL = f"https://{QUEUE}/123456789012/queue"

CONTENT = b"0123456789" * 2000
REPLY = "good day"
ERRORS = {"busy": ("ThrottlingException", 429), "broken": ("InternalServerException", 500)}


def frame(kind: str, name: str, event: dict[str, Any]) -> bytes:
    """Return one message of ``application/vnd.amazon.eventstream``."""
    headers = b""
    texts = {":message-type": kind, f":{kind}-type": name, ":content-type": "application/json"}
    for header, value in texts.items():
        headers += struct.pack("!B", len(header)) + header.encode()
        headers += struct.pack("!BH", 7, len(value)) + value.encode()  # 7: a string
    payload = json.dumps(event).encode()
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", binascii.crc32(message))


def _stream(frames: list[bytes]) -> Answer:
    whole = b"".join(frames)
    # Pieces of another size than the frames: the client puts them together.
    pieces = [whole[start : start + 100] for start in range(0, len(whole), 100)]
    return Answer(pieces, content_type="application/vnd.amazon.eventstream")


def _conversation() -> Answer:
    deltas = [{"contentBlockIndex": 0, "delta": {"text": text}} for text in ("good ", "day")]
    usage = {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}
    return _stream(
        [
            frame("event", "messageStart", {"role": "assistant"}),
            *[frame("event", "contentBlockDelta", delta) for delta in deltas],
            frame("event", "contentBlockStop", {"contentBlockIndex": 0}),
            frame("event", "messageStop", {"stopReason": "end_turn"}),
            frame("event", "metadata", {"usage": usage, "metrics": {"latencyMs": 1}}),
        ]
    )


def _model(asked: Asked) -> Answer:
    operation = asked.path.rpartition("/")[2]
    question = json.loads(asked.body)
    if operation == "invoke":
        return Answer(json.dumps({"completion": REPLY}).encode())
    if operation == "invoke-with-response-stream":
        chunks = [json.dumps({"completion": text}).encode() for text in ("good ", "day")]
        frames = [frame("event", "chunk", {"bytes": base64.b64encode(chunk).decode()}) for chunk in chunks]
        if question.get("prompt") == "overload":
            frames[1:] = [frame("exception", "throttlingException", {"message": "later"})]
        return _stream(frames)
    if operation == "converse-stream":
        return _conversation()
    text = question["messages"][0]["content"][0]["text"]
    if text == "stall":
        return Answer(stall=True)
    if text in {*ERRORS, "refuse"} and (text == "refuse" or "attempt=1" in asked.headers["amz-sdk-request"]):
        name, status = ERRORS.get(text, ("ValidationException", 400))
        return Answer(b'{"message": "no"}', status, headers={"x-amzn-ErrorType": name})
    message = {"role": "assistant", "content": [{"text": REPLY}]}
    usage = {"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}
    whole = {"output": {"message": message}, "stopReason": "end_turn", "usage": usage}
    return Answer(json.dumps({**whole, "metrics": {"latencyMs": 1}}).encode())


def _listing(first: bool) -> Answer:
    more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
    name = "one" if first else "two"
    body = (
        f"<ListBucketResult>{more if first else ''}<Contents><Key>{name}</Key></Contents></ListBucketResult>"
    )
    return Answer(body.encode(), content_type="application/xml")


def _object(asked: Asked) -> Answer:
    if asked.path == "/":
        return _listing("continuation-token" not in asked.query)
    if asked.path == "/missing":
        return Answer(b"<Error><Code>NoSuchKey</Code></Error>", 404, "application/xml")
    if asked.method == "PUT":
        return Answer(b"", headers={"ETag": '"e"'})
    first, _, last = asked.headers.get("range", "").rpartition("=")[2].partition("-")
    if not first:
        return Answer(CONTENT, headers={"ETag": '"e"'}, content_type="text/plain")
    part = CONTENT[int(first) : int(last) + 1 if last else None]
    place = f"bytes {first}-{int(first) + len(part) - 1}/{len(CONTENT)}"
    return Answer(part, 206, "text/plain", {"ETag": '"e"', "Content-Range": place})


def answer(asked: Asked) -> Answer:
    """Speak like S3, SQS, DynamoDB and Bedrock's runtime."""
    if asked.host == BUCKET:
        return _object(asked)
    if asked.host == MODELS:
        return _model(asked)
    if asked.host == QUEUE:
        digest = hashlib.md5(json.loads(asked.body)["MessageBody"].encode()).hexdigest()
        found = {"MessageId": "m", "MD5OfMessageBody": digest}
        return Answer(json.dumps(found).encode(), content_type="application/x-amz-json-1.0")
    item = {"Item": {"name": {"S": "one"}}} if asked.headers["x-amz-target"].endswith("GetItem") else {}
    return Answer(json.dumps(item).encode(), content_type="application/x-amz-json-1.0")


def prepare() -> dict[str, Any]:
    """Set credentials, and retries without back-off; return the options of a client's configuration."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI",
        AWS_EC2_METADATA_DISABLED="1",
    )
    backoff: Any = import_module("botocore.retries.standard").ExponentialBackoff
    backoff.delay_amount = lambda *_: 0.0
    return {"retries": {"total_max_attempts": 2, "mode": "standard"}, "max_pool_connections": 8}


def talk(text: str, model: str = MODEL) -> Any:
    """Return the arguments of a conversation."""
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}]}
