"""``recost watch``: a check every five minutes."""

from __future__ import annotations

import argparse
import os
import random
import shlex
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Final, Optional

from recost.alerts.checking import Outcome
from recost.alerts.config import AlertConfig, ConfigError
from recost.cli._shared.arguments import telemetry_folder
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available, refused
from recost.cli.alerts.common import add_config, checked, config_of, report

__all__ = ["configure", "run"]

_EVERY_S: Final = 300.0
_JITTER: Final = 0.1
"""The share by which an interval varies, so that many machines don't send at the same moment."""
_EXAMPLES: Final = """examples:
  recost watch
  recost watch --print-systemd > /etc/systemd/system/recost-watch.service"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    add_config(parser)
    parser.add_argument("--print-systemd", action="store_true", help="print a systemd unit, and end")


def run(arguments: argparse.Namespace) -> int:
    """Check until SIGTERM or SIGINT. Return 0 then, and 2 if the file cannot be used."""
    if not available("watch", "duckdb"):
        return 2
    try:
        config = config_of(arguments, secrets=not arguments.print_systemd)
        folder = telemetry_folder()
    except (ConfigError, ValueError) as error:
        return refused(error)
    if arguments.print_systemd:
        print(_unit(Path(arguments.config).resolve(), folder))
        return 0
    ended = _until_signal()
    while not ended.is_set():
        outcomes: list[Optional[Outcome]] = []

        # A daemon, so that a signal ends the command at once, whatever a check waits for. A message that was
        # being sent is sent again by the next one, with the same id.
        checking = threading.Thread(target=_check_once, args=(config, outcomes), daemon=True)
        checking.start()
        while checking.is_alive() and not ended.is_set():
            checking.join(0.2)
        for outcome in filter(None, outcomes):
            report(outcome)
            sys.stdout.flush()
        ended.wait(_EVERY_S * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - jitter
    return 0


def _check_once(config: AlertConfig, outcomes: list[Optional[Outcome]]) -> None:
    outcomes.append(checked(config))


def _until_signal() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set."""
    ended = threading.Event()

    def end(_number: int, _frame: Optional[FrameType]) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    return ended


def _unit(config: Path, folder: Path) -> str:
    command = shlex.join([sys.executable, "-m", "recost", "watch", "--config", str(config)])
    return f"""[Unit]
Description=recost watch: alerts on the cost of API calls
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={command.replace("%", "%%")}
WorkingDirectory={str(config.parent).replace("%", "%%")}
Environment={shlex.quote(f"RECOST_LOCAL_DIR={folder}").replace("%", "%%")}
User={os.environ.get("USER", "recost")}
Restart=on-failure
NoNewPrivileges=yes
ProtectSystem=full

[Install]
WantedBy=multi-user.target"""
