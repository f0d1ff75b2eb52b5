"""Texts that are sent or translated: Twilio's SMS, DeepL."""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.fields import add_part, child, count
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"num_segments"|"billed_characters"')


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return segments or characters.

    A message that Twilio has yet to split, such as one of a messaging service, has 0 segments: not known.
    """
    document = response.last
    units: dict[str, Number] = {}
    if response.shape == "twilio_sms":
        add_part(units, "segments", count(document.get("num_segments")))
        return response.usage(units)
    translations = document.get("translations")
    for translation in translations if isinstance(translations, list) else ():
        add_part(units, "characters", count(child(translation).get("billed_characters")))
    return response.usage(units)
