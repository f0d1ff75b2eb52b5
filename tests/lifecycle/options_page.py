"""The table of options, made of the fields of `RecostConfig`: ``python -m tests.lifecycle.options_page``."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import MISSING, fields
from pathlib import Path

from recost.config import RecostConfig

__all__ = ["PAGE", "current"]

PAGE = Path(__file__).parents[2] / "recost" / "lifecycle" / "README.md"
_TABLE = re.compile(r"^\| option \| default \| meaning \|\n(\|.*\n)+", re.MULTILINE)


def current(text: str) -> str:
    """Return the page with the table as the fields have it now."""
    return _TABLE.sub(lambda _: _table(), text)


def _table() -> str:
    meanings = _meanings()
    rows = [
        f"| `{each.name}` | {_default(each.default)} | {meanings[each.name]} |\n"
        for each in fields(RecostConfig)
    ]
    return "| option | default | meaning |\n|---|---|---|\n" + "".join(rows)


def _default(value: object) -> str:
    if value is None:
        return "not set"
    if value is MISSING:  # made anew for each
        return "`[]`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _meanings() -> dict[str, str]:
    """Return the docstring below each field, as Markdown."""
    (declared,) = ast.parse(inspect.getsource(RecostConfig)).body
    assert isinstance(declared, ast.ClassDef)
    found = {}
    for field, text in zip(declared.body, declared.body[1:]):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr), field.target.id
            assert isinstance(text.value, ast.Constant), field.target.id
            found[field.target.id] = " ".join(str(text.value.value).split()).replace("``", "`").rstrip(".")
    return found


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
