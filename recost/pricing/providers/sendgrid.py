"""SendGrid."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef
from recost.pricing.sources import PricePage

__all__ = ["RULES"]

_SOURCE: Final = PricePage(
    "https://sendgrid.com/en-us/pricing (beyond the plan; from $0.0005 in larger plans)", "2026-11-21"
)

RULES: Final = (
    ProviderDef(
        "api.sendgrid.com",
        "sendgrid",
        "/v3/mail/send",
        "send_email",
        cost_per_request_cents=0.1,
        cost_source=FLAT_ESTIMATE,
        usd_per_unit={"recipients": Decimal("0.0013")},
        price_source=_SOURCE.url,
        price_date=_SOURCE.day,
    ),
    ProviderDef("api.sendgrid.com", "sendgrid"),
)
