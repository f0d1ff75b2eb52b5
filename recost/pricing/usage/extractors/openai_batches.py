"""OpenAI's batches: the object that is polled, and the file with the results.

Both state the usage. It is billed once, by whichever is read first.
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
    """Return True if a response is a batch, or the content of a file, which may be that of a batch."""
    return _BATCH.search(response.path) is not None or _FILE.search(response.path) is not None


def read_batch(response: DecodedResponse, read: Callable[[DecodedResponse], Optional[Usage]]) -> Usage:
    """Return the usage of a batch, empty while it is running.

    Args:
        response: Response with a batch or a file.
        read: Extractor for the response to one of the batch's requests.
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
        # At least 2, so that a price that depends on the length of one prompt is not assumed.
        requests=max(int(requests or 0), 2),
    )


def _read_file(
    response: DecodedResponse, file: str, read: Callable[[DecodedResponse], Optional[Usage]]
) -> Usage:
    """Return the sum over the lines of a file, empty for files of another kind."""
    bodies = (child(line, "response", "body") for line in response.documents if "custom_id" in line)
    usages = (read(response._replace(documents=[dict(body)], path=_path_of(body))) for body in bodies if body)
    return sum_up(usages, partial=not response.complete or response.gap, receipts=receipt(file))


def _path_of(body: Mapping[str, Any]) -> str:
    """Return the path of the endpoint that such a body comes from."""
    return "/v1/responses" if body.get("object") == "response" else "/v1/chat/completions"
