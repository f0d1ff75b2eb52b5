"""Gemini's batches: the operation that is polled, and the file with the results.

Both state the usage of each request. It is billed once, by whichever is read first.
https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Final, Optional

from recost.pricing.usage.extractors.batches import sum_up
from recost.pricing.usage.fields import UNKNOWN, child, children, receipt
from recost.pricing.usage.model import Usage
from recost.pricing.usage.response import DecodedResponse

__all__ = ["is_batch", "read_batch"]

_BATCH: Final = re.compile(r"/batches/[^/:]{1,200}\Z")
_FILE: Final = re.compile(r"/(files/[^/:]{1,200}):download\Z")


def is_batch(response: DecodedResponse) -> bool:
    """Return True if a response is a batch, or the content of a file, which may be that of a batch."""
    return _BATCH.search(response.path) is not None or _FILE.search(response.path) is not None


def read_batch(response: DecodedResponse, read: Callable[[DecodedResponse], Optional[Usage]]) -> Usage:
    """Return the usage of a batch, empty while it is running and for files of another kind.

    Args:
        response: Response with a batch or a file.
        read: Extractor for the response to one of the batch's requests.
    """
    file = _FILE.search(response.path)
    lost = response.gap or not (response.complete if file else response.ended)
    usages = (
        read(response._replace(documents=[dict(body)], path="", gap=False))
        for body in _bodies(response, file is not None)
    )
    return sum_up(usages, partial=lost, receipts=receipt(file[1] if file else response.path))


def _bodies(response: DecodedResponse, is_file: bool) -> Iterator[Mapping[str, Any]]:
    """Yield the body of the response to each request of a batch that succeeded."""
    if is_file:
        for line in response.documents:
            if "key" in line:
                yield child(line, "response")
        return
    for place in (child(response.last, "response"), child(response.last, UNKNOWN)):
        for item in children(child(place, "inlinedResponses").get("inlinedResponses")):
            yield child(item, "response")
