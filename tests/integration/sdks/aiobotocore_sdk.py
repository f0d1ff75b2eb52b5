"""aiobotocore: what boto3's file does, as coroutines; over aiohttp, and over httpx2 where it is told to."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any

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
from tests.integration.sdks._chat import refuses_async

__all__ = ["DISTRIBUTION", "EXPECTED", "HOSTS", "LEFT", "PACKAGE", "REQUIRES", "TRANSPORT", "answer", "use"]

PACKAGE = DISTRIBUTION = "aiobotocore"
NEEDS = ("httpx2",)
REQUIRES = ("aiobotocore[httpx2]>=3",)
TRANSPORT = "aiohttp / httpx2"
EXPECTED = {
    ("aws", "/{key}", "PUT"): (2, 0),
    ("aws", "/{key}", "GET"): (88, 2),
    ("aws", "/{key}", "HEAD"): (2, 0),
    ("aws", "/", "GET"): (4, 0),
    ("aws", "/", "POST"): (6, 0),
    ("aws", f"/model/{MODEL}/invoke", "POST"): (2, 0),
    ("aws", f"/model/{MODEL}/invoke-with-response-stream", "POST"): (2, 0),
    ("aws", f"/model/{MODEL}/converse", "POST"): (14, 8),
    ("aws", f"/model/{MODEL}/converse-stream", "POST"): (1, 0),
    ("aws", f"/model/{LEFT_MODEL}/converse-stream", "POST"): (1, 0),
}
LEFT = {
    ("aws", "/{key}", "GET"): {"/left"},
    ("aws", f"/model/{LEFT_MODEL}/converse-stream", "POST"): {
        "/model/amazon.nova-lite-v1%3A0/converse-stream"
    },
}


async def _all(events: Any) -> list[Any]:
    return [event async for event in events]


async def _closed(body: Any) -> None:
    closing = body.close()  # a coroutine over httpx2
    if closing is not None:
        await closing


async def _use_store(store: Any) -> None:
    await store.put_object(Bucket="stuff", Key="summary", Body=CONTENT)
    async with (await store.get_object(Bucket="stuff", Key="summary"))["Body"] as body:
        assert await body.read() == CONTENT
    body = (await store.get_object(Bucket="stuff", Key="summary"))["Body"]
    assert b"".join([piece async for piece in body.iter_chunks(100)]) == CONTENT
    left = (await store.get_object(Bucket="stuff", Key="left"))["Body"]
    await left.read(10)
    await _closed(left)
    assert (await store.head_object(Bucket="stuff", Key="summary"))["ContentLength"] == len(CONTENT)
    await refuses_async(store.get_object(Bucket="stuff", Key="missing"), store.exceptions.NoSuchKey)
    pages = store.get_paginator("list_objects_v2").paginate(Bucket="stuff")
    assert [item["Key"] async for page in pages for item in page["Contents"]] == ["one", "two"]

    async def fetch() -> bytes:
        async with (await store.get_object(Bucket="stuff", Key="summary"))["Body"] as body:
            content: bytes = await body.read()
        return content

    assert set(await asyncio.gather(*[fetch() for _ in range(40)])) == {CONTENT}


async def _use_models(models: Any) -> None:
    whole = (await models.invoke_model(modelId=MODEL, body=b"{}"))["body"]
    assert json.loads(await whole.read())["completion"] == REPLY
    for text in ("hello", *ERRORS):
        reply = await models.converse(**talk(text))
        assert reply["output"]["message"]["content"][0]["text"] == REPLY
    await refuses_async(models.converse(**talk("refuse")), models.exceptions.ValidationException)


async def _use_streams(models: Any) -> None:
    events = (await models.invoke_model_with_response_stream(modelId=MODEL, body=b"{}"))["body"]
    parts = [json.loads(event["chunk"]["bytes"])["completion"] async for event in events]
    assert "".join(parts) == REPLY
    failing = await models.invoke_model_with_response_stream(modelId=MODEL, body=b'{"prompt": "overload"}')
    await refuses_async(_all(failing["body"]), import_module("botocore.exceptions").EventStreamError)
    talked = await _all((await models.converse_stream(**talk("hello")))["stream"])
    assert talked[-1]["metadata"]["usage"]["totalTokens"] == 7
    left = (await models.converse_stream(**talk("hello", LEFT_MODEL)))["stream"]
    async for event in left:
        assert event["messageStart"]["role"] == "assistant"
        break
    left.close()


async def _use_others(queue: Any, tables: Any) -> None:
    await queue.send_message(QueueUrl=QUEUE_URL, MessageBody="hello")
    await tables.put_item(TableName="things", Item={"name": {"S": "one"}})
    assert (await tables.get_item(TableName="things", Key={"name": {"S": "one"}}))["Item"]


async def _use(**transport: Any) -> None:
    options = prepare()
    config_of: Any = import_module("aiobotocore.config").AioConfig
    session = import_module("aiobotocore.session").get_session()

    def client(service: str, **more: Any) -> Any:
        return session.create_client(
            service, region_name=REGION, config=config_of(**{**options, **transport, **more})
        )

    async with client("s3") as store:
        await _use_store(store)
    async with client("bedrock-runtime") as models:
        await _use_models(models)
        if not transport:
            await _use_streams(models)  # its httpx2 backend can't read them
    hurry = {"read_timeout": 0.2, "retries": {"total_max_attempts": 1}}
    async with client("bedrock-runtime", **hurry) as models:
        timed_out: Any = import_module("botocore.exceptions").ReadTimeoutError
        await refuses_async(models.converse(**talk("stall")), timed_out)
    async with client("sqs") as queue, client("dynamodb") as tables:
        await _use_others(queue, tables)


def use() -> None:
    """Make every call."""
    asyncio.run(_use())
    asyncio.run(_use(http_session_cls=import_module("aiobotocore.httpxsession").HttpxSession))
