"""The parts that the commands share: the file of alerts, and one check with its report."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Final, Optional

from recost._text import printable
from recost.alerts.checking import Outcome, check
from recost.alerts.config import AlertConfig, load_config
from recost.alerts.state import StateError
from recost.analytics import engine
from recost.cli._shared.arguments import right_now, telemetry_folder
from recost.cli._shared.formats import counted
from recost.cli._shared.refusal import refused
from recost.errors import RecostError

__all__ = ["add_config", "checked", "config_of", "report"]

_DEFAULT: Final = "recost.toml"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the file of alerts."""
    parser.add_argument(
        "--config", metavar="FILE", default=_DEFAULT, help=f"alerts and targets (default: {_DEFAULT})"
    )


def config_of(arguments: argparse.Namespace, *, secrets: bool = True) -> AlertConfig:
    """Return the file's content.

    Raises:
        ConfigError: It cannot be used.
    """
    return load_config(Path(arguments.config), os.environ, secrets=secrets)


def checked(config: AlertConfig) -> Optional[Outcome]:
    """Make one check. On failure, print why and return None."""
    try:
        return check(config, telemetry_folder(), right_now())
    except (StateError, RecostError, ValueError, OSError) as error:
        refused(error)
    except engine.errors() as error:
        refused(f"DuckDB: {str(error).splitlines()[0]}")
    return None


def report(outcome: Outcome) -> None:
    """Print what a check did: failures on stderr."""
    print(f"{counted(outcome.queued, 'new message')}, {outcome.sent} sent, {outcome.waiting} waiting")
    if outcome.dropped:
        print(f"recost: {counted(outcome.dropped, 'message')} dropped: too many waited", file=sys.stderr)
    for failure in outcome.failures:
        print(printable(f"recost: {failure}"), file=sys.stderr)
