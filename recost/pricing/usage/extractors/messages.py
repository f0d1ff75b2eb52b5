"""Messages and translations: Twilio's SMS, DeepL."""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.fields import add_part, children, count
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"num_segments"|"billed_characters"')


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return segments or characters.

    A message that Twilio has not yet split, such as one of a messaging service, has 0 segments: unknown.
    """
    document = response.last
    units: dict[str, Number] = {}
    if response.shape == "twilio_sms":
        add_part(units, "segments", count(document.get("num_segments")))
        return response.usage(units)
    for translation in children(document.get("translations")):
        add_part(units, "characters", count(translation.get("billed_characters")))
    return response.usage(units)
