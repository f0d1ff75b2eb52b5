"""Ollama: counts in the whole document or the last line of a stream.

Shapes: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.extractors import openai
from recost.pricing.usage.fields import counts
from recost.pricing.usage.model import Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'eval_count"|"usage"|"message_stop"')

_UNITS: Final = {"prompt_eval_count": "input_tokens", "eval_count": "output_tokens"}


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the tokens that were evaluated and generated."""
    for document in reversed(response.documents):
        units = counts(document, _UNITS)
        if units:
            final = response.is_last(document) or (response.streamed and document.get("done") is True)
            wanted = 1 if "/embed" in response.path else 2
            lost = response.gap and len(units) < wanted  # without a gap, a cached prompt has no count
            return response.usage(
                units, model_of([*response.documents[:1], document]), final=final and not lost
            )
    return openai.read(response)
