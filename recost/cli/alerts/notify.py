"""``recost notify``: a test message."""

from __future__ import annotations

import argparse
import uuid
from typing import Final

from recost._validate import suggest
from recost.alerts.config import ConfigError
from recost.alerts.model import Message
from recost.alerts.targets import target_kind
from recost.alerts.targets.base import SendError
from recost.cli._shared.arguments import right_now
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli.alerts.common import add_config, config_of

__all__ = ["configure", "run"]

_EXAMPLES: Final = """examples:
  recost notify test team"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add ``test``."""
    add_examples(parser, _EXAMPLES)
    parser.add_argument("command", choices=["test"], help="send a test message")
    parser.add_argument("target", metavar="NAME", help="the name of a [[notify]]")
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Send a test message. Return 1 if it did not arrive, 2 on wrong usage."""
    try:
        config = config_of(arguments)
    except ConfigError as error:
        return refused(error)
    target = config.targets.get(arguments.target)
    if target is None:
        return refused(f"invalid target {arguments.target!r}: {suggest(arguments.target, config.targets)}")
    message = Message(
        id=str(uuid.uuid4()),
        subject="test",
        kind="test",
        title="recost can reach this target",
        facts=(("target", target.name), ("type", target.kind)),
        sections=(),
        created=f"{right_now():%Y-%m-%dT%H:%M:%SZ}",
    )
    try:
        target_kind(target.kind).send(target.settings, message)
    except SendError as error:
        refused(f"{target.name}: {error}")
        return 1
    print(f"sent to {target.name}")
    return 0
