"""The kinds of destinations: the names that the setting ``transports`` accepts, and what each must have.

A kind is one row here and one in `recost.lifecycle.compose`, which makes its transport.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["KINDS", "Kind", "missing_library"]


class Kind(NamedTuple):
    """A kind of destination."""

    library: str = ""
    """Module that it needs. Empty if the standard library is enough."""
    extra: str = ""
    """The extra of recost that installs it."""


KINDS: Final[dict[str, Kind]] = {
    "file": Kind(),
    "ws": Kind("websockets", "local"),
    "cloud": Kind(),
    "otlp": Kind("opentelemetry.exporter.otlp.proto", "otlp"),
}
"""All kinds, by name."""


def missing_library(name: str) -> str:
    """Return what must be installed for a kind, with the command for it. Empty if nothing is missing."""
    from importlib.util import find_spec  # noqa: PLC0415 - only where ``transports`` is set

    kind = KINDS[name]
    try:
        found = not kind.library or find_spec(kind.library) is not None
    except (ImportError, ValueError):  # a blocked module, or the parent of one is missing
        found = False
    return (
        "" if found else f'{kind.library.partition(".")[0]} for {name!r}: pip install "recost[{kind.extra}]"'
    )
