"""``recost demo``: real calls to a server on loopback, with the cost that they would have."""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import sys
from typing import TYPE_CHECKING, Any, Final

from recost._text import printable
from recost._version import __version__
from recost.cli import run_command
from recost.cli._shared.formats import counted, format_bytes, format_ms
from recost.cli._shared.refusal import DASHBOARD, available
from recost.cli._shared.tables import shorten, wrap
from recost.cli._shared.terminal import Style
from recost.cli.demo.apis import APIS
from recost.cli.demo.clients import CLIENTS
from recost.cli.demo.report import add_up, local_files, read_windows, reconcile, table
from recost.cli.demo.routing import Routing
from recost.cli.demo.runner import Runner
from recost.cli.demo.server import DemoServer
from recost.config import resolve, variable
from recost.lifecycle import init

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recost.cli.demo.clients import Client
    from recost.config import Settings
    from recost.events import RawEvent

__all__ = ["configure", "run"]

_HONOURED: Final = ("local_dir", "project_id", "local_max_bytes", "local_backups", "debug")
"""Settings that the demo reads from the environment. No data leaves this machine: no key, no destination."""
_FLUSH_WITHIN_S: Final = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the option and a description."""
    parser.add_argument("--dashboard", action="store_true", help="show the calls in the browser afterwards")
    parser.epilog = (
        "Needs no keys and no network: a server on loopback responds like OpenAI, Anthropic and Stripe, and "
        "every installed HTTP client makes a few calls to it. The summary is appended to the local file, as "
        "in a real run. RECOST_LOCAL_DIR and RECOST_PROJECT_ID choose another file. Exits with 1 if a call "
        "is missing in the file."
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo. Return 1 if a call is missing, 2 if the configuration is invalid."""
    if arguments.dashboard and not available("demo --dashboard", *DASHBOARD, extra="dashboard"):
        return 2
    errors: list[Exception] = []
    try:
        settings = _settings(errors)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    style = Style.of(sys.stdout)
    clients = [client for client in CLIENTS if client.load() is not None]
    with DemoServer() as server, Routing(server.port) as routing:
        _introduce(server, clients, style)
        runner = Runner(clients, routing)
        _make_calls(runner, settings, style)
    code = _report(settings, server, runner, errors, style)
    if arguments.dashboard:
        print()
        return _show(settings) or code
    return code


def _show(settings: Settings) -> int:
    """Show the calls of this run in the browser until interrupted."""
    paths = [str(path) for path in local_files(settings) if path.exists()]
    return run_command("dashboard", [*paths, "--env", settings.environment, "--port", "0"])


def _settings(errors: list[Exception]) -> Settings:
    environ = {variable(name): os.environ.get(variable(name), "") for name in _HONOURED}
    options: dict[str, Any] = {
        # Separates the lines of this run from all others in the file.
        "environment": f"demo-{secrets.token_hex(3)}",
        "on_error": errors.append,
    }
    if not environ[variable("project_id")].strip():
        options["project_id"] = "demo"
    return resolve(None, options, environ)


def _introduce(server: DemoServer, clients: Sequence[Client], style: Style) -> None:
    print(style("recost demo: real calls over loopback; no keys, and nothing leaves this machine", "bold"))
    print()
    missing = dict.fromkeys(client.library for client in CLIENTS if client not in clients)
    versions = dict.fromkeys(f"{client.library} {client.version}".rstrip() for client in clients)
    print(wrap("python   ", f"{platform.python_version()}, recost {__version__}"))
    print(wrap("server   ", f"127.0.0.1:{server.port}, responds like {', '.join(APIS)}"))
    print(wrap("clients  ", ", ".join(versions)))
    if missing:
        print(wrap("missing  ", f"{', '.join(missing)} (not installed, or not importable)"))
    if os.environ.get(variable("api_key")):
        print(wrap("note     ", "RECOST_API_KEY is set. The demo does not use it."))
    print()
    print(style("client         call                                        status  time received", "bold"))


def _make_calls(runner: Runner, settings: Settings, style: Style) -> None:
    """Make the calls as an application does after ``recost.init()``."""
    handle = init(settings)
    try:
        for label, event in runner.run():
            print(_line(label, event, style), flush=True)
        handle.flush_blocking(_FLUSH_WITHIN_S)
    finally:
        handle.dispose()


def _line(label: str, event: RawEvent, style: Style) -> str:
    status = str(event.status_code) if event.status_code else "---"
    cells = (
        style(f"{label:<14}", "dim"),
        f"{event.method:<4}",
        f"{shorten(event.host + event.path, 38):<38}",
        style(status, "red" if event.error else "green"),
        f"{format_ms(event.latency_ms):>7}",
        f"{format_bytes(event.response_bytes):>8}",
    )
    return " ".join(cells)


def _report(
    settings: Settings, server: DemoServer, runner: Runner, errors: Sequence[Exception], style: Style
) -> int:
    paths = local_files(settings)
    rows = add_up(read_windows(paths, settings.environment))
    print()
    if rows:
        print(table(rows).render(style))
        print("Costs are flat estimates per call. Bytes are bodies, sent and received.")
        unpriced = sum(row.unpriced for row in rows)
        if unpriced:
            print(f"Unknown: {counted(unpriced, 'call')} without a known price, not included in the cost.")
        print("Status ---: the connection was refused.")
        print()
    complete, account = reconcile(server.log, runner.refused, rows)
    print(style(account, "green" if complete else "red"))
    problems = [*runner.failures, *map(str, errors)]
    for problem in problems:
        print(style(printable(f"problem: {problem}"), "red"))
    print(printable(f"File: {paths[0]}"))
    return 0 if complete and not problems else 1
