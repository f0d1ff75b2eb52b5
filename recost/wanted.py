"""Names of the parts of a call that are captured. Every call needs them, unlike what is captured."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Wanted"]


class Wanted:
    """Names of what is read of a metered call in addition to the body of its response.

    It depends on the target only, so it is made once per target.

    Args:
        headers: Headers of the response, in lower case.
        fields: Fields of the request's body. If empty, the body is not read.
    """

    __slots__ = ("fields", "headers")

    def __init__(self, headers: Sequence[str] = (), fields: Sequence[str] = ()) -> None:
        self.headers = headers
        self.fields = fields
