"""Gemini's batches: the operation that is polled, and the file with what came of it.

Either states what each request used; what was billed by the one is not billed again by the other.
https://ai.google.dev/gemini-api/docs/batch-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Callable, Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import UNKNOWN, child, receipt
from recost.pricing.usage.model import Usage
from recost.pricing.usage.shapes.batches import sum_up

__all__ = ["is_batch", "read_batch"]

_BATCH: Final = re.compile(r"/batches/[^/:]{1,200}\Z")
_FILE: Final = re.compile(r"/(files/[^/:]{1,200}):download\Z")


def is_batch(answer: Answer) -> bool:
    """Tell whether an answer is a batch, or the content of a file, which may be that of a batch."""
    return _BATCH.search(answer.path) is not None or _FILE.search(answer.path) is not None


def read_batch(answer: Answer, read: Callable[[Answer], Optional[Usage]]) -> Usage:
    """Return what a batch used, nothing as long as it goes on, and of a file that is none of a batch.

    Args:
        answer: A batch or a file.
        read: Reads the answer to one of its requests.
    """
    file = _FILE.search(answer.path)
    lost = answer.gap or not (answer.complete if file else answer.ended)
    usages = (
        read(answer._replace(documents=[dict(response)], path="", gap=False))
        for response in _responses(answer, file is not None)
    )
    return sum_up(usages, partial=lost, receipts=receipt(file[1] if file else answer.path))


def _responses(answer: Answer, is_file: bool) -> Iterator[Mapping[str, Any]]:
    """Yield the answers to the requests of a batch that succeeded."""
    if is_file:
        for line in answer.documents:
            if "key" in line:
                yield child(line, "response")
        return
    for place in (child(answer.last, "response"), child(answer.last, UNKNOWN)):
        inlined = child(place, "inlinedResponses").get("inlinedResponses")
        for item in inlined if isinstance(inlined, list) else ():
            yield child(item, "response")
