"""OpenAI's batches: the object that is polled, and the file with what came of it.

Either states what was used; what was billed by the one is not billed again by the other.
https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, Final, Optional

from recost.pricing.usage.extractors.batches import TIER, sum_up
from recost.pricing.usage.extractors.tokens import read_tokens
from recost.pricing.usage.fields import child, count, identifier, receipt, word
from recost.pricing.usage.model import Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["is_batch", "read_batch"]

_BATCH: Final = re.compile(r"/batches/[^/]{1,200}\Z")
_FILE: Final = re.compile(r"/files/([^/]{1,200})/content\Z")
_ENDED: Final = frozenset({"completed", "expired", "cancelled", "failed"})


def is_batch(response: DecodedResponse) -> bool:
    """Tell whether a response is a batch, or the content of a file, which may be that of a batch."""
    return _BATCH.search(response.path) is not None or _FILE.search(response.path) is not None


def read_batch(response: DecodedResponse, read: Callable[[DecodedResponse], Optional[Usage]]) -> Usage:
    """Return what a batch used, nothing as long as it goes on.

    Args:
        response: A batch or a file.
        read: Reads the response to one of its requests.
    """
    file = _FILE.search(response.path)
    if file is not None:
        return _read_file(response, file[1], read)
    batch = response.last
    model, units = identifier(batch.get("model")), read_tokens(child(batch, "usage"))
    cut = not response.ended or (response.gap and not {"status", "usage"} <= batch.keys())
    if word(batch.get("status")) not in _ENDED or not any(units.values()):
        return Usage(model, partial=cut)
    ids = receipt(batch.get("id") or response.path.rpartition("/")[2], batch.get("output_file_id"))
    requests = count(child(batch, "request_counts").get("completed"))
    return Usage(
        model,
        units,
        tier=TIER,
        partial=cut,
        receipts=ids,
        # Not stated: there are many, and how long a prompt is isn't known.
        requests=max(int(requests or 0), 2),
    )


def _read_file(
    response: DecodedResponse, file: str, read: Callable[[DecodedResponse], Optional[Usage]]
) -> Usage:
    """Return what the lines of a file used together; other files than those of batches have nothing."""
    bodies = (child(line, "response", "body") for line in response.documents if "custom_id" in line)
    usages = (read(response._replace(documents=[dict(body)], path=_path_of(body))) for body in bodies if body)
    return sum_up(usages, partial=not response.complete or response.gap, receipts=receipt(file))


def _path_of(body: Mapping[str, Any]) -> str:
    """Return the path under which such a body is answered."""
    return "/v1/responses" if body.get("object") == "response" else "/v1/chat/completions"
