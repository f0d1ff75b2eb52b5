"""stripe: customers, charges, payment intents and the rest; quotes, which are streamed; sync and async."""

from __future__ import annotations

import asyncio
import json
import os
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses
from tests.integration.sdks._chat import refuses_async

PACKAGE = DISTRIBUTION = "stripe"
NEEDS = ("httpx", "anyio", "aiohttp")
REQUIRES = ("stripe>=13", "httpx", "anyio", "aiohttp")
TRANSPORT = "urllib3 (requests) / httpx / aiohttp"
_FILES = "files.stripe.com"
HOSTS = ("api.stripe.com", _FILES)
EXPECTED = {
    ("stripe", "customers", "POST"): (2, 0),
    ("stripe", "customers", "GET"): (40, 0),
    ("stripe", "customers", "DELETE"): (1, 0),
    ("stripe", "payment_intents", "POST"): (17, 11),
    ("stripe", "charges", "GET"): (4, 0),
    ("stripe", "subscriptions", "GET"): (1, 0),
    ("stripe", "/v1/invoices/{id}", "GET"): (1, 0),
    ("stripe", "/v1/balance", "GET"): (2, 0),
    ("unknown", "/v1/quotes/{id}/pdf", "GET"): (6, 0),
}
_QUOTE, _LEFT_QUOTE = "qt_1JKt0t2eZvKYlo2CLxsSBhBK", "qt_1MtHbELkdIwHu7ixl4OzzPMv"
LEFT = {("unknown", "/v1/quotes/{id}/pdf", "GET"): {f"/v1/quotes/{_LEFT_QUOTE}/pdf"}}

_PDF = [b"%PDF" * 2000] * 8
_FAILURES = {429: "rate_limit_error", 500: "api_error"}


def _page(asked: Asked, more: bool, name: str) -> Answer:
    page = {"object": "list", "url": asked.path, "has_more": more, "data": [{"id": name, "object": "charge"}]}
    return Answer(json.dumps(page).encode())


def _payment(asked: Asked) -> Answer:
    amount = int(asked.body.decode().partition("amount=")[2].partition("&")[0])
    if amount == 1:
        error = {"type": "card_error", "code": "card_declined", "message": "no"}
        return Answer(json.dumps({"error": error}).encode(), 402)
    if amount == 2:
        return Answer(stall=True)
    if amount in _FAILURES and asked.repeats % 2 == 0:
        error = {"type": _FAILURES[amount], "message": "later"}
        headers = {"stripe-should-retry": "true"}
        return Answer(json.dumps({"error": error}).encode(), amount, headers=headers)
    return Answer(b'{"id": "pi_1", "object": "payment_intent"}')


def answer(asked: Asked) -> Answer:
    """Speak like api.stripe.com and files.stripe.com."""
    if asked.host == _FILES:
        return Answer(_PDF, content_type="application/pdf")
    if asked.path == "/v1/payment_intents":
        return _payment(asked)
    if asked.path == "/v1/charges":
        first = "starting_after" not in asked.query
        return _page(asked, more=first, name="ch_1" if first else "ch_2")
    if asked.path == "/v1/subscriptions":
        return _page(asked, more=False, name="sub_1")
    kind = asked.path.split("/")[2].rstrip("s")
    return Answer(json.dumps({"id": "id_1", "object": kind, "email": "a@b.example"}).encode())


def _client(**options: Any) -> Any:
    stripe: Any = import_module("stripe")
    stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]
    stripe.HTTPClient.INITIAL_DELAY = 0.001
    return stripe.StripeClient("sk_test_4eC39HqLyjWDarjtT1zdp7dc", **options)


def _payment_of(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "eur"}


def _use_sync() -> None:
    stripe: Any = import_module("stripe")
    client = _client(max_network_retries=1).v1
    assert client.customers.create(params={"email": "a@b.example"}).id == "id_1"
    client.customers.delete("cus_NffrFeUfNV2Hib")
    assert client.payment_intents.create(params=_payment_of(100)).id == "pi_1"
    for amount in _FAILURES:
        assert client.payment_intents.create(params=_payment_of(amount)).id == "pi_1"
    declined = refuses(lambda: client.payment_intents.create(params=_payment_of(1)), stripe.CardError)
    assert declined.http_status == 402
    assert [charge.id for charge in client.charges.list().auto_paging_iter()] == ["ch_1", "ch_2"]
    client.subscriptions.list()
    client.invoices.retrieve("in_1MtHbELkdIwHu7ixl4OzzPMv")
    # The answer of a stream is a urllib3 response.
    assert client.quotes.pdf(_QUOTE).io.read() == b"".join(_PDF)
    left = client.quotes.pdf(_LEFT_QUOTE).io
    assert left.read(4) == b"%PDF"
    left.close()
    on_threads(lambda: client.customers.retrieve("cus_NffrFeUfNV2Hib"))
    hasty = _client(max_network_retries=0, http_client=stripe.RequestsClient(timeout=(30, 0.2))).v1
    refuses(lambda: hasty.payment_intents.create(params=_payment_of(2)), stripe.APIConnectionError)


async def _use_async() -> None:
    stripe: Any = import_module("stripe")
    http = stripe.HTTPXClient()
    client = _client(max_network_retries=1, http_client=http).v1
    customer, _ = await asyncio.gather(
        client.customers.create_async(params={"email": "a@b.example"}), client.balance.retrieve_async()
    )
    assert customer.id == "id_1"
    for amount in _FAILURES:
        payment = await client.payment_intents.create_async(params=_payment_of(amount))
        assert payment.id == "pi_1"
    await refuses_async(client.payment_intents.create_async(params=_payment_of(1)), stripe.CardError)
    pages = await client.charges.list_async()
    assert [charge.id async for charge in pages.auto_paging_iter()] == ["ch_1", "ch_2"]
    assert await (await client.quotes.pdf_async(_QUOTE)).read_async() == b"".join(_PDF)
    async for _ in (await client.quotes.pdf_async(_LEFT_QUOTE)).stream():
        break
    await http.close_async()
    hasty = stripe.HTTPXClient(timeout=import_module("httpx").Timeout(30, read=0.2))
    client = _client(max_network_retries=0, http_client=hasty).v1
    stalled = client.payment_intents.create_async(params=_payment_of(2))
    await refuses_async(stalled, stripe.APIConnectionError)
    await hasty.close_async()


async def _use_aiohttp() -> None:
    """Without httpx it takes aiohttp; here it is told to."""
    stripe: Any = import_module("stripe")
    http = stripe.AIOHTTPClient()
    client = _client(max_network_retries=1, http_client=http).v1
    assert (await client.payment_intents.create_async(params=_payment_of(500))).id == "pi_1"
    assert (await client.balance.retrieve_async()).object == "balance"
    assert await (await client.quotes.pdf_async(_QUOTE)).read_async() == b"".join(_PDF)
    async for _ in (await client.quotes.pdf_async(_LEFT_QUOTE)).stream():
        break
    await http.close_async()
    hasty = stripe.AIOHTTPClient(timeout=import_module("aiohttp").ClientTimeout(sock_read=0.2))
    client = _client(max_network_retries=1, http_client=hasty).v1
    stalled = client.payment_intents.create_async(params=_payment_of(2))
    await refuses_async(stalled, stripe.APIConnectionError)
    await hasty.close_async()


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
    asyncio.run(_use_aiohttp())
