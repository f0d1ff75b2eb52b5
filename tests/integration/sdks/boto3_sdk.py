"""boto3: S3 objects, listings and transfers, SQS, DynamoDB, and Bedrock with its binary event stream."""

from __future__ import annotations

import io
import json
from importlib import import_module
from typing import Any

from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._aws import (
    CONTENT,
    ERRORS,
    HOSTS,
    LEFT_MODEL,
    MODEL,
    QUEUE_URL,
    REGION,
    REPLY,
    answer,
    prepare,
    talk,
)

__all__ = ["DISTRIBUTION", "EXPECTED", "HOSTS", "LEFT", "PACKAGE", "REQUIRES", "TRANSPORT", "answer", "use"]

PACKAGE = DISTRIBUTION = "boto3"
REQUIRES = ("boto3>=1.34.120",)
TRANSPORT = "urllib3 (botocore)"
EXPECTED = {
    ("aws", "/{key}", "PUT"): (2, 0),
    ("aws", "/{key}", "GET"): (48, 1),
    ("aws", "/{key}", "HEAD"): (2, 0),
    ("aws", "/", "GET"): (2, 0),
    ("aws", "/", "POST"): (3, 0),
    ("aws", f"/model/{MODEL}/invoke", "POST"): (1, 0),
    ("aws", f"/model/{MODEL}/invoke-with-response-stream", "POST"): (2, 0),
    ("aws", f"/model/{MODEL}/converse", "POST"): (7, 4),
    ("aws", f"/model/{MODEL}/converse-stream", "POST"): (1, 0),
    ("aws", f"/model/{LEFT_MODEL}/converse-stream", "POST"): (1, 0),
}
LEFT = {
    ("aws", "/{key}", "GET"): {"/left"},
    ("aws", f"/model/{LEFT_MODEL}/converse-stream", "POST"): {
        "/model/amazon.nova-lite-v1%3A0/converse-stream"
    },
}


def _use_store(session: Any, config: Any) -> None:
    store = session.client("s3", config=config)
    store.put_object(Bucket="stuff", Key="summary", Body=CONTENT)
    store.upload_fileobj(io.BytesIO(CONTENT), "stuff", "summary")
    assert store.get_object(Bucket="stuff", Key="summary")["Body"].read() == CONTENT
    pieces = store.get_object(Bucket="stuff", Key="summary")["Body"].iter_chunks(100)
    assert b"".join(pieces) == CONTENT
    left = store.get_object(Bucket="stuff", Key="left")["Body"]
    left.read(10)
    left.close()
    assert store.head_object(Bucket="stuff", Key="summary")["ContentLength"] == len(CONTENT)
    refuses(lambda: store.get_object(Bucket="stuff", Key="missing"), store.exceptions.NoSuchKey)
    pages = store.get_paginator("list_objects_v2").paginate(Bucket="stuff")
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["one", "two"]
    # Its parts are fetched by threads of the SDK's own.
    parts = import_module("boto3.s3.transfer").TransferConfig(
        multipart_threshold=5000, multipart_chunksize=5000
    )
    whole = io.BytesIO()
    store.download_fileobj("stuff", "summary", whole, Config=parts)
    assert whole.getvalue() == CONTENT
    on_threads(lambda: list(store.get_object(Bucket="stuff", Key="summary")["Body"].iter_chunks()))


def _use_models(session: Any, config: Any) -> None:
    models = session.client("bedrock-runtime", config=config)
    assert json.load(models.invoke_model(modelId=MODEL, body=b"{}")["body"])["completion"] == REPLY
    events = models.invoke_model_with_response_stream(modelId=MODEL, body=b"{}")["body"]
    assert "".join(json.loads(event["chunk"]["bytes"])["completion"] for event in events) == REPLY
    broken = models.invoke_model_with_response_stream(modelId=MODEL, body=b'{"prompt": "overload"}')["body"]
    refuses(lambda: list(broken), import_module("botocore.exceptions").EventStreamError)
    events = list(models.converse_stream(**talk("hello"))["stream"])
    assert events[-1]["metadata"]["usage"]["totalTokens"] == 7
    left = models.converse_stream(**talk("hello", LEFT_MODEL))["stream"]
    assert next(iter(left))["messageStart"]["role"] == "assistant"
    left.close()
    for text in ("hello", *ERRORS):
        reply = models.converse(**talk(text))
        assert reply["output"]["message"]["content"][0]["text"] == REPLY
    refuses(lambda: models.converse(**talk("refuse")), models.exceptions.ValidationException)


def use() -> None:
    """Make every call."""
    options = prepare()
    boto3: Any = import_module("boto3")
    config_of: Any = import_module("botocore.config").Config
    session, config = boto3.Session(region_name=REGION), config_of(**options)
    _use_store(session, config)
    _use_models(session, config)
    hasty = session.client(
        "bedrock-runtime", config=config_of(read_timeout=0.2, retries={"total_max_attempts": 1})
    )
    timed_out: Any = import_module("botocore.exceptions").ReadTimeoutError
    refuses(lambda: hasty.converse(**talk("stall")), timed_out)
    queue = session.client("sqs", config=config)
    queue.send_message(QueueUrl=QUEUE_URL, MessageBody="hello")
    tables = session.client("dynamodb", config=config)
    tables.put_item(TableName="things", Item={"name": {"S": "one"}})
    assert tables.get_item(TableName="things", Key={"name": {"S": "one"}})["Item"]
