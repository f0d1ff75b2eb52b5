"""Stripe's shapes: https://docs.stripe.com/api, November 2026."""

from __future__ import annotations

from typing import Final

from recost.cli.demo.apis.base import CREATED, Respond, Response, json_response

__all__ = ["ROUTES"]


def _customer(path: str, _body: str) -> Response:
    identifier = path.rpartition("/")[2] if path.count("/") == 3 else "cus_demoNffrFeUfNV"
    return json_response(
        {
            "id": identifier,
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": CREATED,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "email": "jenny@example.com",
            "invoice_prefix": "0759376C",
            "livemode": False,
            "metadata": {},
            "name": "Jenny Rosen",
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
        }
    )


def _charge(_path: str, body: str) -> Response:
    if "source=tok_chargeDeclined" in body:  # Stripe's own test token
        return _declined()
    return json_response(
        {
            "id": "ch_demo3MmlLrLkdIwHu",
            "object": "charge",
            "amount": 2000,
            "amount_captured": 2000,
            "amount_refunded": 0,
            "balance_transaction": "txn_demo3MmlLrLkdIwHu",
            "captured": True,
            "created": CREATED,
            "currency": "usd",
            "livemode": False,
            "metadata": {},
            "outcome": {
                "network_status": "approved_by_network",
                "risk_level": "normal",
                "type": "authorized",
            },
            "paid": True,
            "payment_method_details": {"card": {"brand": "visa", "last4": "4242"}, "type": "card"},
            "refunded": False,
            "status": "succeeded",
        }
    )


def _declined() -> Response:
    error = {
        "charge": "ch_demo3MmlLrDeclined",
        "code": "card_declined",
        "decline_code": "generic_decline",
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": "Your card was declined.",
        "type": "card_error",
    }
    return json_response({"error": error}, status=402)


def _payment_intent(_path: str, _body: str) -> Response:
    return json_response(
        {
            "id": "pi_demo3MtwBwLkdIwHu",
            "object": "payment_intent",
            "amount": 2000,
            "amount_received": 0,
            "automatic_payment_methods": {"enabled": True},
            "capture_method": "automatic",
            "client_secret": None,
            "confirmation_method": "automatic",
            "created": CREATED,
            "currency": "usd",
            "livemode": False,
            "metadata": {},
            "payment_method_types": ["card"],
            "status": "requires_payment_method",
        }
    )


ROUTES: Final[dict[tuple[str, str], Respond]] = {
    ("POST", "/v1/customers"): _customer,
    ("GET", "/v1/customers"): _customer,
    ("POST", "/v1/charges"): _charge,
    ("GET", "/v1/charges"): _charge,
    ("POST", "/v1/payment_intents"): _payment_intent,
}
