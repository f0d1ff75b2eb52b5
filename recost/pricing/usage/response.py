"""What the readers of shapes are given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from recost.pricing.usage.fields import identifier
from recost.pricing.usage.model import Number, Usage

__all__ = ["DecodedResponse"]


class DecodedResponse(NamedTuple):
    """A response, decoded and split into documents."""

    shape: str
    documents: list[dict[str, Any]]
    ended: bool
    """True: nothing can follow that would change what the documents say."""
    streamed: bool = False
    """True: the body is a sequence of documents."""
    gap: bool = False
    """True: documents or members in the middle may be missing."""
    before_gap: int = 0
    """How many of a stream's documents came before its gap."""
    complete: bool = True
    """True: the body came to its end."""
    path: str = "/"
    headers: Mapping[str, str] = {}
    head: bytes = b""
    """How the body begins, where it has a gap: what is there may be in no document."""

    @property
    def last(self) -> dict[str, Any]:
        """The last document; an empty one where there is none."""
        return self.documents[-1] if self.documents else {}

    @property
    def after_gap(self) -> list[dict[str, Any]]:
        """The documents after which none can be missing, if the response ended."""
        return self.documents[self.before_gap :] if self.streamed and self.gap else self.documents

    def is_last(self, document: Mapping[str, Any]) -> bool:
        """Tell whether the response ended, and no document of the same kind can be missing after this one."""
        return self.ended and any(document is kept for kept in self.after_gap)

    def usage(
        self, units: dict[str, Number], model: Any = None, *, final: Optional[bool] = None, **more: Any
    ) -> Optional[Usage]:
        """Return the usage; None when nothing is counted.

        Args:
            units: What was used.
            model: As the response names it.
            final: Whether the numbers are; None: when the response ended.
            more: Other fields of `Usage`.
        """
        if not units and more.get("reported_usd") is None:
            return None
        ended = self.ended if final is None else final
        return Usage(model=identifier(model), units=units, partial=not ended, **more)
