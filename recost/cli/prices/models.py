"""The prices of a model in genai-prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib import import_module
from typing import Any, Optional

from recost._validate import nearest
from recost.cli._shared.refusal import refused
from recost.cli._shared.tables import Column, Table
from recost.cli._shared.terminal import Style

__all__ = ["list_models"]

_PIP = "pip install 'recost[prices]'"


def list_models(name: str, provider: Optional[str], *, as_json: bool, style: Style) -> int:
    """Print the prices of models whose id contains a text. Return 2 if no model matches."""
    try:
        providers: Any = import_module("genai_prices.data").providers
        units: Any = import_module("genai_prices.data_units").unit_data
    except ImportError:
        return refused(f"recost prices --model needs genai-prices: {_PIP}")
    per = {unit["price_key"]: (key, unit["per"]) for key, unit in units.items()}
    found = list(_find(providers, per, name.lower(), provider))
    if as_json and found:
        print(json.dumps(found, indent=2))
    elif found:
        print(_table(found).render(style))
    if found:
        return 0
    ids = {model.id for each in providers for model in each.models}
    near = nearest(name, sorted(ids))
    hint = "expected a part of an id in genai-prices" if near is None else f"did you mean {near!r}?"
    return refused(f"unknown model {name!r}: {hint}")


def _find(
    providers: Any, per: dict[str, tuple[str, int]], name: str, only: Optional[str]
) -> Iterator[dict[str, Any]]:
    now = datetime.now(timezone.utc)
    for provider in providers:
        if only is not None and only.lower() not in (provider.id, provider.id.replace("-", "")):
            continue
        for model in provider.models:
            if name in model.id.lower():
                for key, price in vars(model.get_prices(now)).items():
                    if price is not None and key in per:
                        unit, count = per[key]
                        yield {
                            "provider": provider.id,
                            "model": model.id,
                            "unit": unit,
                            **_amounts(price, count),
                        }


def _amounts(price: Any, count: int) -> dict[str, Any]:
    base = getattr(price, "base", price)
    tiers = [{"above_tokens": tier.start, "usd": str(tier.price)} for tier in getattr(price, "tiers", ())]
    return {"usd": str(base), "per": count, "tiers": tiers}


def _table(found: list[dict[str, Any]]) -> Table:
    table = Table(
        (
            Column("provider", least=8),
            Column("model", least=16),
            Column("unit", least=12),
            Column("price", right=True),
        )
    )
    for price in found:
        tiers = "".join(f", {tier['usd']} > {tier['above_tokens']:,}" for tier in price["tiers"])
        amount = f"${price['usd']}{tiers} /{_short(price['per'])}"
        table.rows.append((price["provider"], price["model"], price["unit"], amount))
    return table


def _short(count: int) -> str:
    return {1_000: "1k", 1_000_000: "1M", 1_000_000_000: "1G", 60: "min", 3600: "h"}.get(count, str(count))
