"""The reference in the page of commands, made of the parsers: ``python -m tests.cli.help_page``."""

from __future__ import annotations

import argparse
import os
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

from recost.cli import COMMANDS

__all__ = ["PAGE", "current"]

PAGE = Path(__file__).parents[2] / "recost" / "cli" / "README.md"
_BEGIN = "## Reference\n"
_INTRO = "Generated from the parsers by `python -m tests.cli.help_page` on Python 3.11."


def current(text: str) -> str:
    """Return the page with the reference as the parsers have it now."""
    head, _, _ = text.partition(_BEGIN)
    return f"{head.rstrip()}\n\n{_BEGIN}\n{_INTRO}\n{''.join(map(_section, COMMANDS))}"


def _section(name: str) -> str:
    module: Any = import_module(COMMANDS[name][0])
    parser = argparse.ArgumentParser(
        prog=f"recost {name}",
        description=f"{COMMANDS[name][1][0].upper()}{COMMANDS[name][1][1:]}.",
        add_help=False,
    )
    module.configure(parser)
    with mock.patch.dict(os.environ, COLUMNS="100"):
        text = parser.format_help()
    return f"\n### `recost {name}`\n\n```\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
