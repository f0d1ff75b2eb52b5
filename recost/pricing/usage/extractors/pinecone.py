"""Pinecone: read and write units of an index, tokens and units of its inference.

Shapes: https://github.com/pinecone-io/pinecone-python-client (``models/``).
"""

from __future__ import annotations

import re
from typing import Final, Optional

from recost.pricing.usage.fields import add_part, child, count, counts
from recost.pricing.usage.model import Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["WANTED", "read"]

WANTED: Final = re.compile(rb'"usage"')

_UNITS: Final = {
    "readUnits": "read_units",
    "read_units": "read_units",
    "writeUnits": "write_units",
    "write_units": "write_units",
    "embedTotalTokens": "input_tokens",
    "embed_total_tokens": "input_tokens",
    "totalTokens": "input_tokens",
    "total_tokens": "input_tokens",
    "rerankUnits": "rerank_units",
    "rerank_units": "rerank_units",
}


def read(response: DecodedResponse) -> Optional[Usage]:
    """Return the units, or the number of records of an upsert, which states no units."""
    document = response.last
    units = counts(child(document, "usage"), _UNITS)
    add_part(units, "records", count(document.get("upsertedCount")))
    return response.usage(units, document.get("model"))
