"""Lists of prices, as genai-prices publishes them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

__all__ = ["MODEL", "as_published", "small_list"]

MODEL = "gpt-99-mini"
"""A model that no list has."""


def small_list(model: str = MODEL, usd: str = "3", **provider: Any) -> str:
    """Return the text of a list of one model of OpenAI's: so many dollars a million tokens, out ten times."""
    prices = f'{{"input_mtok": {usd}, "output_mtok": {usd}0}}'
    return (
        '[{"id": "openai", "name": "OpenAI", "api_pattern": "https://api\\\\.openai\\\\.com",'
        f' "models": [{{"id": "{model}", "match": {{"equals": "{model}"}}, "prices": {prices}}}]}}]'
    )


def as_published(value: Any) -> Any:
    """Return the providers that genai-prices has in its code, or a part of them, as JSON has them."""
    if isinstance(value, (list, tuple)):
        return [as_published(each) for each in value]
    if isinstance(value, Decimal):
        return float(value) if value % 1 else int(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: as_published(each) for key, each in value.items()}
    if type(value).__name__ == "ModelPrice":
        return {key: as_published(each) for key, each in vars(value).items() if each is not None}
    if is_dataclass(value):
        found = {each.name: getattr(value, each.name) for each in fields(value) if each.name != "extractors"}
        return {name.rstrip("_"): as_published(each) for name, each in found.items() if each is not None}
    return value
