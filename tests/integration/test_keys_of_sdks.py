"""Official SDKs: the key that each is given has its label, however the SDK sends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Callable

import pytest

from recost.testing import capture_windows
from tests.labelled import ALICE, BOB, LABELS, STRANGER, tags
from tests.loopback import Loopback

Call = Callable[[str, str], Any]


def _openai(url: str, key: str) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0) as client:
        client.models.list()


def _openai_async(url: str, key: str) -> None:
    openai = pytest.importorskip("openai")

    async def call() -> None:
        async with openai.AsyncOpenAI(api_key=key, base_url=f"{url}/v1", max_retries=0) as client:
            await client.models.list()

    asyncio.run(call())


def _azure_openai(url: str, key: str) -> None:
    openai = pytest.importorskip("openai")
    with openai.AzureOpenAI(api_key=key, azure_endpoint=url, api_version="1", max_retries=0) as client:
        client.models.list()


def _anthropic(url: str, key: str) -> None:
    anthropic = pytest.importorskip("anthropic")
    with anthropic.Anthropic(api_key=key, base_url=url, max_retries=0) as client:
        client.models.list()


def _anthropic_async(url: str, key: str) -> None:
    anthropic = pytest.importorskip("anthropic")

    async def call() -> None:
        async with anthropic.AsyncAnthropic(api_key=key, base_url=url, max_retries=0) as client:
            await client.models.list()

    asyncio.run(call())


def _stripe(url: str, key: str) -> None:
    stripe = pytest.importorskip("stripe")
    addresses = {"api": url}
    client = stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)
    client.v1.customers.list()


def _signed(url: str, key: str) -> None:
    """Signature Version 4: the key isn't sent."""
    boto3 = pytest.importorskip("boto3")
    client = boto3.Session().client(
        "sts", region_name="eu-west-1", endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key=key,
    )  # fmt: skip
    client.get_caller_identity()


@pytest.mark.parametrize(
    "call", [_openai, _openai_async, _azure_openai, _anthropic, _anthropic_async, _stripe, _signed]
)
def test_each_key_has_its_label(call: Call, server: Loopback) -> None:
    for key, label in ((ALICE, "alice"), (BOB, "bob"), (STRANGER, "other")):
        with capture_windows(key_labels=LABELS) as captured:
            with suppress(Exception):  # the server's response is not the API's
                call(server.url, key)
            assert tags(captured) == [({} if call is _signed else {"key": label}, 1, 1)]
            assert len(server.log) == 1
            server.log.clear()
