"""Stripe: the amount of a payment that succeeded. The fee depends on it.

Shapes: https://docs.stripe.com/api/charges/object, https://docs.stripe.com/api/payment_intents/object.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.fields import count
from recost.pricing.usage.model import Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"amount')

_CURRENCY: Final = re.compile(r"[a-z]{3}\Z")


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the captured amount, in the currency's minor unit: 2000 ``amount_usd`` are 20 dollars."""
    document = response.last
    currency = document.get("currency")
    if (
        not isinstance(currency, str)
        or not _CURRENCY.match(currency)
        or document.get("status") != "succeeded"
    ):
        return None
    kind = document.get("object")
    if kind == "charge" and document.get("captured") is True:
        whole = None if response.gap else document.get("amount")
        amount = count(document.get("amount_captured", whole))
    elif kind == "payment_intent":
        amount = count(document.get("amount_received"))
    else:
        return None
    return response.usage({f"amount_{currency}": amount}) if amount else None
