"""JSON Schema of what recost writes, for other readers. ``recost schema`` prints it."""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["VERSIONS", "load_schema"]

VERSIONS: Final = ("1.0", "1.1", "1.2")
"""Versions of the protocol, the latest last."""


def load_schema(version: str = VERSIONS[-1]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a window.

    Raises:
        ValueError: The version is unknown.
    """
    if version not in VERSIONS:
        raise ValueError(f"recost: invalid protocol {version!r}: expected one of {', '.join(VERSIONS)}")
    from importlib.resources import files  # noqa: PLC0415 - not light

    # Not by the path of this file: the package may be in a zip archive.
    text = (files(__name__) / f"window-{version}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
