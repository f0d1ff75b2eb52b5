"""Ollama: counts in the last line of a stream, or the whole document.

Shapes: https://github.com/ollama/ollama/blob/main/docs/api.md.
"""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import count
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.shapes import openai

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'eval_count"|"usage"|"message_stop"')


def read(answer: Answer) -> Optional[Usage]:
    """Return the tokens that were evaluated and generated."""
    for document in reversed(answer.documents):
        units: dict[str, Number] = {}
        for unit, name in (("input_tokens", "prompt_eval_count"), ("output_tokens", "eval_count")):
            value = count(document.get(name))
            if value is not None:
                units[unit] = value
        if units:
            final = answer.is_last(document) or (answer.streamed and document.get("done") is True)
            wanted = 1 if "/embed" in answer.path else 2
            lost = answer.gap and len(units) < wanted  # otherwise: a prompt in the cache has no count
            return answer.usage(units, model_of([*answer.documents[:1], document]), final=final and not lost)
    return openai.read(answer)
