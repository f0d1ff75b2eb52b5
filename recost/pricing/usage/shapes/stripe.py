"""Stripe: the amount of a payment that succeeded, which its fee depends on.

Shapes: https://docs.stripe.com/api/charges/object, https://docs.stripe.com/api/payment_intents/object.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import count
from recost.pricing.usage.model import Usage

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"amount')

_CURRENCY: Final = re.compile(r"[a-z]{3}\Z")


def read(answer: Answer) -> Optional[Usage]:
    """Return the amount that was taken, in the currency's minor unit: 2000 ``amount_usd`` are 20 dollars."""
    document = answer.last
    currency = document.get("currency")
    if (
        not isinstance(currency, str)
        or not _CURRENCY.match(currency)
        or document.get("status") != "succeeded"
    ):
        return None
    kind = document.get("object")
    if kind == "charge" and document.get("captured") is True:
        whole = None if answer.gap else document.get("amount")
        amount = count(document.get("amount_captured", whole))
    elif kind == "payment_intent":
        amount = count(document.get("amount_received"))
    else:
        return None
    return answer.usage({f"amount_{currency}": amount}) if amount else None
