"""The argument parser of every command, with suggestions for misspelt options and values."""

from __future__ import annotations

import argparse
from typing import Any

from recost._validate import suggest

__all__ = ["Parser", "add_examples"]


class Parser(argparse.ArgumentParser):
    """An argument parser that suggests the option or value that was probably meant."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse the arguments, and end the process for an unknown option."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            first = unknown[0].partition("=")[0]
            if first.startswith("-"):
                names = [name for name in self._option_string_actions if name.startswith("--")]
                self.error(f"unknown option {first!r}: {suggest(first, names)}")
            self.error(f"unexpected argument {unknown[0]!r}")
        return found, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            expected = suggest(str(value).lower(), list(map(str, action.choices)))
            raise argparse.ArgumentError(action, f"invalid value {value!r}: {expected}")


def add_examples(parser: argparse.ArgumentParser, text: str) -> None:
    """Show a text below the options, with its line breaks."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = text
