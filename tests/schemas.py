"""Checking frames against the JSON Schema that the package has."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

from recost.schema import load_schema


@cache
def _validator(version: str) -> Any:
    schema = load_schema(version)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def check_frame(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the frame; it is as the schema of its version says."""
    _validator(frame["protocolVersion"]).validate(frame)
    return frame
