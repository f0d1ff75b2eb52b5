"""``recost doctor``: a check of versions, clients, configuration and destination."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Final

from recost._version import __version__
from recost.cli._shared.arguments import right_now
from recost.cli._shared.formats import counted
from recost.cli._shared.tables import wrap
from recost.cli._shared.terminal import Style
from recost.cli.doctor.clients import check_clients
from recost.cli.doctor.cloud import check_cloud
from recost.cli.doctor.configuration import check_configuration
from recost.cli.doctor.findings import CheckLines
from recost.cli.doctor.local import check_file, check_websocket
from recost.cli.doctor.otlp import check_otlp
from recost.cli.doctor.prices import check_prices
from recost.cli.doctor.processes import check_processes
from recost.cli.doctor.unseen import check_unseen

if TYPE_CHECKING:
    import argparse

    from recost.config import Settings

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add a description. The command has no options."""
    parser.epilog = (
        "Shows versions, HTTP clients, the configuration of this environment, and the numbers of running "
        "processes in the local folder. Writes a test summary beside the local file and removes it. Sends "
        "one request to the API in cloud mode. Exits with 1 if anything is wrong."
    )


def run(_arguments: argparse.Namespace) -> int:
    """Check this environment. Return 1 if something is wrong."""
    style = Style.of(sys.stdout)
    settings, configuration = check_configuration(style)
    parts = {"versions": _versions(), "clients": check_clients(style)}
    unseen = check_unseen(style)
    if unseen.lines:
        parts["installed but not recorded"] = unseen
    parts["configuration"] = configuration
    _show(parts, style)
    if settings is not None:
        priced = {"token prices": check_prices(settings, right_now().date())}
        _show(priced, style)
        parts.update(priced)
        later = _check_destination(settings)
        processes = check_processes(Path(settings.local_dir), style)
        if processes.lines or processes.notes:
            later["running processes"] = processes
        _show(later, style)
        parts.update(later)
    return _conclude(list(parts.values()), style)


def _versions() -> CheckLines:
    return CheckLines(
        [
            f"recost    {__version__}",
            f"python    {platform.python_implementation()} {platform.python_version()}",
            f"platform  {platform.platform()}",
            f"wrapt     {metadata.version('wrapt')}",
        ]
    )


def _check_destination(settings: Settings) -> dict[str, CheckLines]:
    """Check the destinations of summaries. The local folder is checked in every mode and required in one."""
    folder, parts = check_file(settings), {}
    if "file" in settings.kinds:
        parts["destination: local file"] = folder
    else:
        folder.notes += [f"not used in this mode: {problem}" for problem in folder.problems]
        folder.problems = []
        parts["local file"] = folder
    for kind in settings.kinds:
        if kind in _CHECKS:
            title, check = _CHECKS[kind]
            parts[f"destination: {title}"] = check(settings)
    return parts


_CHECKS: Final[dict[str, tuple[str, Callable[[Settings], CheckLines]]]] = {
    "ws": ("local WebSocket", check_websocket),
    "cloud": ("cloud API", check_cloud),
    "otlp": ("OpenTelemetry", check_otlp),
}
"""Title and check of a kind of destination, except of the local file."""


def _show(parts: dict[str, CheckLines], style: Style) -> None:
    for title, found in parts.items():
        print(style(title, "bold"))
        for line in found.lines:
            print(f"  {line}")
        for note in found.notes:
            print(style(wrap("  note    ", note), "yellow"))
        for problem in found.problems:
            print(style(wrap("  FAIL    ", problem), "red"))
        print(flush=True)


def _conclude(parts: list[CheckLines], style: Style) -> int:
    problems = [problem for found in parts for problem in found.problems]
    if not problems:
        print(style("Everything is in place.", "green"))
        return 0
    print(style(f"{counted(len(problems), 'problem')}:", "bold", "red"))
    for problem in problems:
        print(wrap("- ", problem))
    return 1
