"""The days of the built-in prices, and the table of all rules."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recost.pricing import providers
from recost.pricing.providers import BUILTIN_PROVIDERS
from recost.pricing.sources import PricePage
from tests.pricing.rules_page import page

PAGE = Path(__file__).parents[2] / "recost" / "pricing" / "rules.md"


DAY = re.compile(r"2026-[0-9]{2}-[0-9]{2}")
MODULES = sorted(Path(providers.__path__[0]).glob("[!_]*.py"))


def is_day(value: Any) -> bool:
    return isinstance(value, PricePage) or (isinstance(value, str) and DAY.fullmatch(value) is not None)


def shared_days(tree: ast.Module) -> Iterator[str]:
    """Yield each day of a module that does not stand beside the page on which its price was checked."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("recost."):
            module = importlib.import_module(str(node.module))
            yield from (each.name for each in node.names if is_day(getattr(module, each.name)))
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant):
            yield from [ast.unparse(node)] if is_day(node.value.value) else []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "PricePage":
            literal = len(node.args) == 2 and all(isinstance(each, ast.Constant) for each in node.args)
            yield from [] if literal and is_day(ast.literal_eval(node.args[1])) else [ast.unparse(node)]
        if isinstance(node, ast.keyword) and node.arg == "price_date":
            for value in (
                (node.value.body, node.value.orelse) if isinstance(node.value, ast.IfExp) else [node.value]
            ):
                fine = isinstance(value, ast.Constant) or ast.unparse(value).endswith(".day")
                yield from [] if fine else [ast.unparse(value)]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_day_of_each_price_stands_beside_its_page(path: Path) -> None:
    assert list(shared_days(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize(
    "code",
    [
        'LOOKED_UP: Final = "2026-11-21"',
        'PricePage("https://x.example", DAY)',
        "PriceCase(price_date=DAY)",
    ],
)
def test_a_shared_day_is_found(code: str) -> None:
    assert list(shared_days(ast.parse(code))) != []


def test_the_table_has_what_the_rules_say() -> None:
    assert PAGE.read_text() == page(), "python -m tests.pricing.rules_page > recost/pricing/rules.md"
    lines = PAGE.read_text().splitlines()
    assert sum(line.startswith("| `") for line in lines) == sum(
        len(rule.prices) + 1 for rule in BUILTIN_PROVIDERS
    )
