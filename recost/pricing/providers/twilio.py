"""Twilio. The account precedes the resource in the path, so the rule looks for the resource's name."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from recost.pricing.model import FLAT_ESTIMATE, PathCase, PriceCase, ProviderDef
from recost.pricing.sources import PricePage, free, unknown

__all__ = ["RULES"]

_SOURCE: Final = PricePage("https://www.twilio.com/en-us/sms/pricing/us", "2026-11-21")
_REQUESTS: Final = PricePage(
    "https://www.twilio.com/en-us/pricing (messages and minutes are billed, requests are not)", "2026-11-21"
)

RULES: Final = (
    ProviderDef(
        "api.twilio.com",
        "twilio",
        path_cases=(
            PathCase("/Messages", "sms", 0.79),
            PathCase("/Calls", "voice_calls", 1.3),
        ),
        cost_source=FLAT_ESTIMATE,
        prices=(
            PriceCase(
                path="/2010-04-01/Accounts/*/Messages.json",
                method="POST",
                usage="twilio_sms",
                usd_per_unit={"segments": Decimal("0.0083")},
                leaves_out=("country", "carrier_fees"),
                price_source=f"{_SOURCE.url} (within the US, without the carriers' fees)",
                price_date=_SOURCE.day,
            ),
            free(_REQUESTS),
            # Changing an existing message or call sends nothing.
            unknown("/2010-04-01/Accounts/*/Messages/**"),
            unknown("/2010-04-01/Accounts/*/Calls/**"),
        ),
    ),
)
