"""``recost check``: one evaluation of the alerts, for cron, a systemd timer or a Kubernetes CronJob."""

from __future__ import annotations

import argparse
from typing import Final

from recost.alerts.config import ConfigError
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available, refused
from recost.cli.alerts.common import add_config, checked, config_of, report

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost check
  */5 * * * * cd /srv/shop && recost check   in a crontab

A message is sent once, again when it has doubled, and once when it is over."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make one check. Return 1 if an alert or a target failed, 2 if nothing could be checked."""
    if not available("check", "duckdb"):
        return 2
    try:
        config = config_of(arguments)
    except ConfigError as error:
        return refused(error)
    outcome = checked(config)
    if outcome is None:
        return 2
    report(outcome)
    return int(bool(outcome.failures or outcome.dropped))
