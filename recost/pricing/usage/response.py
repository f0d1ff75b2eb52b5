"""The decoded response: what an extractor reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from recost.pricing.usage.fields import identifier
from recost.pricing.usage.model import Number, Usage

__all__ = ["DecodedResponse"]


class DecodedResponse(NamedTuple):
    """A response as JSON objects, in their order, with what else its usage is read from."""

    documents: list[dict[str, Any]]
    ended: bool
    """True if nothing can follow that would change what the documents say."""
    streamed: bool = False
    """True if the body is a sequence of documents."""
    gap: bool = False
    """True if documents or members in the middle may be missing."""
    before_gap: int = 0
    """Number of a stream's documents before its gap."""
    shape: str = ""
    """Name of the shape, one of `recost.pricing.usage.SHAPES`."""
    complete: bool = True
    """True if the body was received to its end."""
    path: str = "/"
    headers: Mapping[str, str] = {}
    head: bytes = b""
    """Beginning of a body with a gap. It may hold members that are in no document."""

    @property
    def last(self) -> dict[str, Any]:
        """The last document, or an empty one."""
        return self.documents[-1] if self.documents else {}

    @property
    def after_gap(self) -> list[dict[str, Any]]:
        """The documents that no missing document can follow, if the response ended."""
        return self.documents[self.before_gap :] if self.streamed and self.gap else self.documents

    def is_last(self, document: Mapping[str, Any]) -> bool:
        """Return True if the response ended and no document of the same kind can follow this one."""
        for kept in (self.after_gap if self.gap else self.documents) if self.ended else ():
            if document is kept:
                return True
        return False

    def usage(
        self, units: dict[str, Number], model: Any = None, *, final: Optional[bool] = None, **more: Any
    ) -> Optional[Usage]:
        """Return the usage, or None if nothing is counted.

        Args:
            units: Quantities by unit.
            model: Name of the model in the response.
            final: Whether the quantities are final. By default they are if the response ended.
            more: Other fields of `Usage`.
        """
        if not units and more.get("reported_usd") is None:
            return None
        ended = self.ended if final is None else final
        return Usage(model=identifier(model), units=units, partial=not ended, **more)
