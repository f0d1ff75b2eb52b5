"""Cohere: billed units of chat, embeddings, reranking and classification, versions 1 and 2.

Shapes: https://github.com/cohere-ai/cohere-python (``types/usage.py``, ``types/api_meta.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Optional

from recost.pricing.usage.extractors import openai
from recost.pricing.usage.fields import UNKNOWN, add_part, child, count, counts, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.names import model_of
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"billed_units"|"usage"')

_HOLDERS: Final = (
    ("usage",),
    ("meta",),
    ("delta", "usage"),
    ("response", "meta"),
    (UNKNOWN, "usage"),
    (UNKNOWN, "meta"),
)
_LAST: Final = frozenset({"message-end", "stream-end"})


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the billed units. Those of a stream are in its last event."""
    for document in reversed(response.documents):
        for path in _HOLDERS:
            units = _read_billed(child(document, *path, "billed_units"))
            if units:
                last = word(document.get("type", document.get("event_type"))) in _LAST
                return response.usage(units, model_of([document]), final=last or response.is_last(document))
    return openai.read(response)


def _read_billed(billed: Mapping[str, Any]) -> dict[str, Number]:
    units = counts(billed, {"input_tokens": "input_tokens", "output_tokens": "output_tokens"})
    add_part(units, "searches", count(billed.get("search_units")))
    add_part(units, "images", count(billed.get("images")))
    add_part(units, "input_image_tokens", count(billed.get("image_tokens")))
    add_part(units, "classifications", count(billed.get("classifications")))
    add_part(units, "pages", count(billed.get("pages")))
    return units
