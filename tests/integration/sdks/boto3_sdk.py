"""boto3: S3 objects and listings, SQS, DynamoDB; downloads that are read whole, in pieces, and left."""

from __future__ import annotations

import hashlib
import io
import json
import os
from contextlib import suppress
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked

PACKAGE = "boto3"
_BUCKET, _QUEUE, _TABLES = (f"{name}.eu-west-1.amazonaws.com" for name in ("stuff.s3", "sqs", "dynamodb"))
HOSTS = (_BUCKET, _QUEUE, _TABLES)
EXPECTED = {
    ("aws", "/{key}", "PUT"): (2, 0),
    ("aws", "/{key}", "GET"): (4, 1),
    ("aws", "/{key}", "HEAD"): (1, 0),
    ("aws", "/", "GET"): (2, 0),
    ("aws", "/", "POST"): (3, 0),
}
LEFT = {("aws", "/{key}", "GET"): {"/summary", "/missing"}}

_CONTENT = b"0123456789" * 200


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
    return Answer(_CONTENT, headers={"ETag": '"e"'}, content_type="text/plain")


def answer(asked: Asked) -> Answer:
    """Speak like S3, SQS and DynamoDB."""
    if asked.host == _BUCKET:
        return _object(asked)
    if asked.host == _QUEUE:
        digest = hashlib.md5(json.loads(asked.body)["MessageBody"].encode()).hexdigest()
        found = {"MessageId": "m", "MD5OfMessageBody": digest}
        return Answer(json.dumps(found).encode(), content_type="application/x-amz-json-1.0")
    item = {"Item": {"name": {"S": "one"}}} if asked.headers["x-amz-target"].endswith("GetItem") else {}
    return Answer(json.dumps(item).encode(), content_type="application/x-amz-json-1.0")


def use() -> None:
    """Make every call."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        AWS_SECRET_ACCESS_KEY="wJalrXUtnFEMI",
        AWS_EC2_METADATA_DISABLED="1",
    )
    boto3: Any = import_module("boto3")
    session = boto3.Session(region_name="eu-west-1")
    config = import_module("botocore.config").Config(retries={"max_attempts": 0})
    store = session.client("s3", config=config)
    store.put_object(Bucket="stuff", Key="summary", Body=_CONTENT)
    store.upload_fileobj(io.BytesIO(_CONTENT), "stuff", "summary")
    assert store.get_object(Bucket="stuff", Key="summary")["Body"].read() == _CONTENT
    pieces = store.get_object(Bucket="stuff", Key="summary")["Body"].iter_chunks(100)
    assert b"".join(pieces) == _CONTENT
    left = store.get_object(Bucket="stuff", Key="summary")["Body"]
    left.read(10)
    left.close()
    assert store.head_object(Bucket="stuff", Key="summary")["ContentLength"] == len(_CONTENT)
    with suppress(store.exceptions.NoSuchKey):
        store.get_object(Bucket="stuff", Key="missing")
    pages = store.get_paginator("list_objects_v2").paginate(Bucket="stuff")
    assert [item["Key"] for page in pages for item in page["Contents"]] == ["one", "two"]

    queue = session.client("sqs", config=config)
    queue.send_message(QueueUrl=f"https://{_QUEUE}/123456789012/queue", MessageBody="hello")
    tables = session.client("dynamodb", config=config)
    tables.put_item(TableName="things", Item={"name": {"S": "one"}})
    assert tables.get_item(TableName="things", Key={"name": {"S": "one"}})["Item"]
