"""stripe: charges, payment intents, customers, subscriptions and the rest; sync and async."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

from tests.integration.named_hosts import Answer, Asked

PACKAGE = "stripe"
HOSTS = ("api.stripe.com",)
EXPECTED = {
    ("stripe", "customers", "POST"): (2, 0),
    ("stripe", "customers", "GET"): (1, 0),
    ("stripe", "customers", "DELETE"): (1, 0),
    ("stripe", "payment_intents", "POST"): (2, 1),
    ("stripe", "charges", "GET"): (2, 0),
    ("stripe", "subscriptions", "GET"): (1, 0),
    ("stripe", "/v1/invoices/{id}", "GET"): (1, 0),
    ("stripe", "/v1/balance", "GET"): (1, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}


def _page(asked: Asked, more: bool, name: str) -> Answer:
    page = {"object": "list", "url": asked.path, "has_more": more, "data": [{"id": name, "object": "charge"}]}
    return Answer(json.dumps(page).encode())


def answer(asked: Asked) -> Answer:
    """Speak like api.stripe.com."""
    if asked.path == "/v1/charges":
        first = "starting_after" not in asked.query
        return _page(asked, more=first, name="ch_1" if first else "ch_2")
    if asked.path == "/v1/subscriptions":
        return _page(asked, more=False, name="sub_1")
    if b"amount=1&" in asked.body + b"&":
        error = {"type": "card_error", "code": "card_declined", "message": "no"}
        return Answer(json.dumps({"error": error}).encode(), 402)
    kind = asked.path.split("/")[2].rstrip("s")
    return Answer(json.dumps({"id": "id_1", "object": kind, "email": "a@b.example"}).encode())


def _client() -> Any:
    import stripe

    stripe.ca_bundle_path = os.environ["SSL_CERT_FILE"]
    stripe.max_network_retries = 0
    return stripe.StripeClient("sk_test_4eC39HqLyjWDarjtT1zdp7dc")


def _use_sync() -> None:
    import stripe

    client = _client().v1
    customer = client.customers.create(params={"email": "a@b.example"})
    client.customers.retrieve("cus_NffrFeUfNV2Hib")
    client.customers.delete("cus_NffrFeUfNV2Hib")
    assert customer.id == "id_1"
    client.payment_intents.create(params={"amount": 100, "currency": "eur"})
    try:
        client.payment_intents.create(params={"currency": "eur", "amount": 1})
    except stripe.CardError as error:
        assert error.http_status == 402  # noqa: PT017 - no pytest in this process
    assert [charge.id for charge in client.charges.list().auto_paging_iter()] == ["ch_1", "ch_2"]
    client.subscriptions.list()
    client.invoices.retrieve("in_1MtHbELkdIwHu7ixl4OzzPMv")


async def _use_async() -> None:
    client = _client().v1
    await client.customers.create_async(params={"email": "a@b.example"})
    await client.balance.retrieve_async()


def use() -> None:
    """Make every call."""
    _use_sync()
    asyncio.run(_use_async())
