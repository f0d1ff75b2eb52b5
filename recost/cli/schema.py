"""``recost schema``: the JSON Schema of a window."""

from __future__ import annotations

import argparse
import json

from recost.schema import VERSIONS, load_schema

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the version."""
    parser.add_argument(
        "version",
        nargs="?",
        choices=VERSIONS,
        default=VERSIONS[-1],
        help=f"version of the protocol (default: {VERSIONS[-1]})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    print(json.dumps(load_schema(arguments.version), indent=2))
    return 0
