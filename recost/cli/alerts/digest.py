"""``recost digest``: the digest that would be sent."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from recost._text import printable
from recost.alerts.config import Alert, ConfigError
from recost.alerts.digest import compose, due
from recost.alerts.options import ALERTS, ZONE
from recost.alerts.rules import RuleData
from recost.analytics.periods import PeriodError, parse_zone
from recost.cli._shared.arguments import add_sources, add_zone, naming, right_now, telemetry_folder
from recost.cli._shared.parser import add_examples
from recost.cli._shared.reading import read
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.tables import Column, Table
from recost.cli._shared.terminal import Style, terminal_width
from recost.cli.alerts.common import add_config, config_of
from recost.ledger.store import files_of

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost digest
  recost digest --every week --tz Europe/Berlin"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_sources(parser, stdin=False, store=False)
    add_config(parser)
    parser.add_argument("--every", choices=["day", "week"], help="the period (default: the file's, else day)")
    add_zone(parser)
    parser.set_defaults(tz=None)


def run(arguments: argparse.Namespace) -> int:
    """Print the digest. Return 2 if it cannot be made."""
    if not available("digest", "duckdb"):
        return 2
    try:
        alert = _alert(arguments)
    except (ConfigError, PeriodError) as error:
        return refused(error)
    now = right_now()
    text = read(
        arguments, lambda found: _text(alert, RuleData(found, files_of(telemetry_folder()), now)), live=True
    )
    if text is None:
        return 2
    print(text)
    return 0


def _alert(arguments: argparse.Namespace) -> Alert:
    """Return the first digest of the file, or one with the defaults, changed by the options."""
    options = {"timezone": ZONE, **ALERTS["digest"]}
    found = Alert("digest", "digest", (), {name: option.default for name, option in options.items()})
    if Path(arguments.config).exists():
        config = config_of(arguments, secrets=False)
        found = next((alert for alert in config.alerts if alert.on == "digest"), found)
    changed = {"every": arguments.every, "timezone": arguments.tz}
    if arguments.tz is not None:
        naming("--tz", parse_zone, arguments.tz)
    given = {name: value for name, value in changed.items() if value is not None}
    return replace(found, options={**found.options, **given})


def _text(alert: Alert, facts: RuleData) -> str:
    day = due(alert, facts.now) or ""
    title, rows, sections = compose(alert, facts, day)
    style, width = Style.of(sys.stdout), terminal_width()
    parts = [style(printable(title), "bold")]
    for heading, lines in (("", rows), *sections):
        table = Table([Column(heading or "total", least=12), Column("", least=20)])
        table.rows.extend([printable(label), printable(value)] for label, value in lines)
        parts.append(table.render(style, width))
    return "\n\n".join(parts)
