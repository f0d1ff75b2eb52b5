"""OpenAI's batches: the object that is polled, and the file with what came of it.

Either states what was used; what was billed by the one is not billed again by the other.
https://developers.openai.com/api/docs/guides/batch
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, Final, Optional

from recost.pricing.usage.answer import Answer
from recost.pricing.usage.fields import add, child, count, identifier, receipt, word
from recost.pricing.usage.model import Number, Usage
from recost.pricing.usage.shapes.tokens import read_tokens

__all__ = ["is_batch", "read_batch"]

_BATCH: Final = re.compile(r"/batches/[^/]{1,200}\Z")
_FILE: Final = re.compile(r"/files/([^/]{1,200})/content\Z")
_ENDED: Final = frozenset({"completed", "expired", "cancelled", "failed"})
_TIER: Final = "batch"


def is_batch(answer: Answer) -> bool:
    """Tell whether an answer is a batch, or the content of a file, which may be that of a batch."""
    return _BATCH.search(answer.path) is not None or _FILE.search(answer.path) is not None


def read_batch(answer: Answer, read: Callable[[Answer], Optional[Usage]]) -> Usage:
    """Return what a batch used, nothing as long as it goes on.

    Args:
        answer: A batch or a file.
        read: Reads the answer to one of its requests.
    """
    file = _FILE.search(answer.path)
    if file is not None:
        return _read_file(answer, file[1], read)
    batch = answer.last
    model, units = identifier(batch.get("model")), read_tokens(child(batch, "usage"))
    cut = not answer.ended or (answer.gap and not {"status", "usage"} <= batch.keys())
    if word(batch.get("status")) not in _ENDED or not any(units.values()):
        return Usage(model, partial=cut)
    ids = receipt(batch.get("id") or answer.path.rpartition("/")[2], batch.get("output_file_id"))
    requests = count(child(batch, "request_counts").get("completed"))
    return Usage(
        model,
        units,
        tier=_TIER,
        partial=cut,
        receipts=ids,
        # Not stated: there are many, and how long a prompt is isn't known.
        requests=max(int(requests or 0), 2),
    )


def _read_file(answer: Answer, file: str, read: Callable[[Answer], Optional[Usage]]) -> Usage:
    """Return what the lines of a file used together; other files than those of batches have nothing."""
    found: dict[Optional[str], dict[str, Number]] = {}
    requests: dict[Optional[str], int] = {}
    uncounted: list[str] = []
    lost = not answer.complete or answer.gap
    for document in answer.documents:
        body = child(document, "response", "body") if "custom_id" in document else {}
        usage = read(answer._replace(documents=[dict(body)], path=_path_of(body))) if body else None
        for part in () if usage is None else usage.parts or (usage,):
            _sum(found.setdefault(part.model, {}), part.units)
            requests[part.model] = requests.get(part.model, 0) + 1
        if usage is not None:
            uncounted += usage.uncounted
    parts = tuple(Usage(model, units, tier=_TIER, requests=requests[model]) for model, units in found.items())
    total: dict[str, Number] = {}
    for part in parts:
        _sum(total, part.units)
    if not parts:
        return Usage(partial=lost)
    return Usage(
        parts[0].model if len(parts) == 1 else None,
        total,
        tier=_TIER,
        partial=lost,
        parts=parts if len(parts) > 1 else (),
        uncounted=tuple(dict.fromkeys(uncounted)),
        receipts=receipt(file),
        requests=sum(requests.values()),
    )


def _sum(units: dict[str, Number], more: Mapping[str, Number]) -> None:
    for unit, value in more.items():
        units[unit] = add(units.get(unit), value)


def _path_of(body: Mapping[str, Any]) -> str:
    """Return the path under which such a body is answered."""
    return "/v1/responses" if body.get("object") == "response" else "/v1/chat/completions"
