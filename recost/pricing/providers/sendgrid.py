"""SendGrid."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, ProviderDef
from recost.pricing.sources import LOOKED_UP

__all__ = ["RULES"]

RULES: Final = (
    ProviderDef(
        "api.sendgrid.com",
        "sendgrid",
        "/v3/mail/send",
        "send_email",
        cost_per_request_cents=0.1,
        cost_source=FLAT_ESTIMATE,
        usd_per_unit={"recipients": Decimal("0.0013")},
        price_source="https://sendgrid.com/en-us/pricing (beyond the plan; from $0.0005 in larger plans)",
        price_date=LOOKED_UP,
    ),
    ProviderDef("api.sendgrid.com", "sendgrid"),
)
