"""Stripe. The fee is a share of the payments that responses state."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Optional

from recost.pricing.model import FLAT_ESTIMATE, PriceCase, ProviderDef
from recost.pricing.sources import PricePage, free

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://stripe.com/pricing", "2026-11-29")


def _charge(path: str) -> PriceCase:
    """Return the fee of a payment that succeeds: 2.9 % of its cents, and 30 cents, for cards of the US."""
    return PriceCase(
        path=path,
        method="POST",
        usage="stripe",
        usd_per_unit={"amount_usd": Decimal("0.00029")},
        fixed_usd=Decimal("0.30"),
        leaves_out=("card", "country"),
        price_source=f"{_SOURCE.url} (domestic cards in the US)",
        price_date=_SOURCE.day,
    )


def _rule(path: Optional[str], category: Optional[str], *cases: PriceCase) -> ProviderDef:
    return ProviderDef(
        "api.stripe.com",
        "stripe",
        path,
        category,
        cost_per_request_cents=None if path is None else 0.0,
        cost_source=None if path is None else FLAT_ESTIMATE,
        prices=(*cases, free(_SOURCE)),
    )


RULES: Final = (
    _rule("/v1/charges", "charges", _charge("/v1/charges"), _charge("/v1/charges/*/capture")),
    _rule(
        "/v1/payment_intents",
        "payment_intents",
        _charge("/v1/payment_intents"),
        _charge("/v1/payment_intents/*/confirm"),
        _charge("/v1/payment_intents/*/capture"),
    ),
    _rule("/v1/customers", "customers", free(_SOURCE, method="")),
    _rule("/v1/subscriptions", "subscriptions"),
    _rule(None, None),
)
