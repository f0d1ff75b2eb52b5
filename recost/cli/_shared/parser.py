"""Examples at the end of a command's help, with their line breaks."""

from __future__ import annotations

import argparse

__all__ = ["add_examples"]


def add_examples(parser: argparse.ArgumentParser, text: str) -> None:
    """Show the text, as it is, below the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = text
