"""SQL of one field of a line, which is read as the JSON that it is: its value, or NULL where it is invalid.

Each is the counterpart of a function of `recost.wire`, with the same limits. Braces are doubled, as
statements are formatted once.
"""

from __future__ import annotations

from typing import Final

from recost import wire

__all__ = ["cents", "count", "is_text", "is_within", "latency", "moment", "or_zero", "text", "within"]

_CENTS: Final = "DECIMAL(38,24)"


def is_text(field: str, pattern: str) -> str:
    """Return whether a field is a string that a pattern matches as a whole."""
    return _matches(field, f'"{pattern}"')


def text(field: str) -> str:
    """Return a string; NULL for anything else."""
    return f"CASE WHEN starts_with({field}::VARCHAR, '\"') THEN json_extract_string({field}, '$') END"


def count(field: str) -> str:
    """Return a whole number that is not below zero."""
    whole = rf"[0-9]{{1,{wire.MAX_COUNT_DIGITS}}}(\.0)?|-0\.0"
    return f"CASE WHEN {_matches(field, whole)} THEN try_cast({field}::VARCHAR AS BIGINT) END"


def cents(field: str) -> str:
    """Return an amount of cents."""
    number = f"try_cast({field}::VARCHAR AS {_CENTS})"
    return f"CASE WHEN {is_within(number, wire.MAX_CENTS)} THEN {number} END"


def latency(field: str) -> str:
    """Return milliseconds; 0 where they are invalid."""
    number = f"try_cast({field}::VARCHAR AS DOUBLE)"
    return within(number, wire.MAX_LATENCY_MS)


def moment(field: str) -> str:
    """Return a time, in UTC."""
    content = f"json_extract_string({field}, '$')"
    return (
        f"CASE WHEN {is_text(field, wire.TIME_PATTERN)} THEN "
        f"CASE WHEN regexp_matches({content}, '[+-]..:..$') "
        f"THEN make_timestamp(epoch_us(try_cast({content} AS TIMESTAMPTZ))) "
        f"ELSE try_cast({content} AS TIMESTAMP) END END"
    )


def is_within(value: str, most: int) -> str:
    """Return whether a number is there, and within bounds."""
    return f"{value} BETWEEN 0 AND {most}"


def within(value: str, most: int) -> str:
    """Return a number; 0 where it is out of bounds."""
    return f"CASE WHEN {is_within(value, most)} THEN {value} ELSE 0 END"


def or_zero(value: str) -> str:
    """Return a value, 0 for NULL."""
    return f"coalesce({value}, 0)"


def _matches(field: str, pattern: str) -> str:
    doubled = pattern.replace("{", "{{").replace("}", "}}")
    return f"coalesce(regexp_full_match({field}::VARCHAR, '{doubled}'), false)"
