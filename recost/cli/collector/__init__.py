"""``recost collector``: the cloud API for a team's own machines, and its keys."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final, Optional

from recost._text import printable
from recost.cli._shared.arguments import telemetry_folder, whole
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available, refused
from recost.cli._shared.stores import add_store, driver_available
from recost.cli._shared.tables import Column, Table
from recost.cli._shared.terminal import Style
from recost.errors import RecostError

__all__ = ["configure", "run"]

_LISTEN: Final = "127.0.0.1:9849"
_POSTS_PER_HOUR: Final = 20_000
_MAX_POSTS: Final = 10_000_000
_MAX_SERIES: Final = 10_000
_LEAST_SERIES: Final = 100
_MOST_SERIES: Final = 1_000_000
_SCRAPED_WITHIN_S: Final = 60
_PROJECT: Final = "default"
_DASHBOARD: Final = Path(__file__).parents[2] / "collector" / "grafana.json"
_EXAMPLES: Final = f"""examples:
  recost collector keys add --project shop     make a key, which is shown once
  recost collector                             serve {_LISTEN}
  recost collector --dir /var/lib/recost --listen 0.0.0.0:9849 --behind-proxy
  recost collector keys revoke 3f9c2b71        in use by no program from now on
  recost collector grafana > recost.json       a dashboard for Grafana

Programs send to it with api_key, project_id and base_url. Every command reads the folder."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options and ``keys``."""
    add_examples(parser, _EXAMPLES)
    _add_folder(parser, default=None)
    add_store(parser)
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=_LISTEN, help=f"address, port 0 for any (default: {_LISTEN})"
    )
    parser.add_argument(
        "--behind-proxy", action="store_true", help="a proxy with TLS stands in front of a public address"
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate chain in PEM")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key in PEM")
    parser.add_argument(
        "--max-series",
        metavar="N",
        type=whole(_LEAST_SERIES, _MOST_SERIES),
        default=_MAX_SERIES,
        help=f"most counters of windows in /metrics, the rest is added up as other (default: {_MAX_SERIES})",
    )
    parser.add_argument(
        "--scrape-interval",
        metavar="S",
        type=whole(1, 3600),
        default=_SCRAPED_WITHIN_S,
        help="longest time between two scrapes, in seconds: so long new counters are shown as 0, as "
        f"increase() needs it (default: {_SCRAPED_WITHIN_S})",
    )
    commands = parser.add_subparsers(dest="command", metavar="keys | grafana")
    keys = _command(commands, "keys", "add, list and revoke keys")
    actions = keys.add_subparsers(dest="action", metavar="add | list | revoke", required=True)
    add = _command(actions, "add", "make a key and print it, once")
    add.add_argument(
        "--project", metavar="NAME", default=_PROJECT, help=f"the key's project (default: {_PROJECT})"
    )
    add.add_argument(
        "--posts-per-hour",
        metavar="N",
        type=whole(1, _MAX_POSTS),
        default=_POSTS_PER_HOUR,
        help=f"limit of the key (default: {_POSTS_PER_HOUR})",
    )
    add.add_argument("--metrics", action="store_true", help="a key that reads /metrics, and nothing else")
    listing = _command(actions, "list", "list keys, without the keys themselves")
    listing.add_argument("--project", metavar="NAME", help="keys of one project (default: all)")
    revoke = _command(actions, "revoke", "revoke a key, also in a collector that runs")
    revoke.add_argument("id", metavar="ID", help="as listed")
    revoke.add_argument("--project", metavar="NAME", help="only if it is of this project")
    _command(commands, "grafana", "print a Grafana dashboard for /metrics, as JSON")
    for each in (keys, add, listing, revoke):
        _add_folder(each, default=argparse.SUPPRESS)


def _command(commands: Any, name: str, summary: str) -> Any:
    return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def _add_folder(parser: Any, *, default: Optional[str]) -> None:
    text = "folder of the files and the keys (default: the telemetry folder)"
    parser.add_argument("--dir", metavar="DIR", default=default, help=text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted, or change the keys. Return 2 if that fails."""
    try:
        folder = telemetry_folder() if arguments.dir is None else Path(arguments.dir).expanduser()
        if arguments.command == "keys":
            return _keys(arguments, folder)
        if arguments.command == "grafana":
            print(_DASHBOARD.read_text(encoding="utf-8"), end="")
            return 0
        if not available("collector", "starlette", "uvicorn", "httptools", extra="collector"):
            return 2
        if arguments.store is not None and not driver_available(arguments.store, "collector"):
            return 2
        return _serve(arguments, folder)
    except (RecostError, ValueError) as error:
        return refused(error)


def _serve(arguments: argparse.Namespace, folder: Path) -> int:
    from recost.cli.collector.page import CollectorPage  # noqa: PLC0415 - its packages may be missing
    from recost.collector.server import Tls, parse_address, serve  # noqa: PLC0415 - the same

    if (arguments.tls_cert is None) != (arguments.tls_key is None):
        return refused("missing --tls-cert or --tls-key: expected both")
    tls = None
    if arguments.tls_cert is not None:
        tls = Tls(Path(arguments.tls_cert), Path(arguments.tls_key))
    address = parse_address(arguments.listen)

    def announce(url: str) -> None:
        place = folder if arguments.store is None else arguments.store
        print(printable(f"recost collector: {url} stores in {place}") + "\nCtrl-C ends it.", flush=True)

    page = None
    if arguments.store is None:
        page = CollectorPage(folder, secure=tls is not None or arguments.behind_proxy)
    serve(
        folder,
        address,
        database=arguments.store,
        tls=tls,
        behind_proxy=arguments.behind_proxy,
        max_series=arguments.max_series,
        scraped_within_s=arguments.scrape_interval,
        page=page,
        announce=announce,
    )
    return 0


def _keys(arguments: argparse.Namespace, folder: Path) -> int:
    from recost.collector.keys import KeyFile  # noqa: PLC0415 - not needed to show the options
    from recost.collector.state import make_state_folder  # noqa: PLC0415 - the same

    file = KeyFile(make_state_folder(folder))
    if arguments.action == "add":
        text, key = file.add(arguments.project, arguments.posts_per_hour, metrics=arguments.metrics)
        print(text)
        print(printable(f"key {key.id} of {_scope(key)}: it is not shown again"), file=sys.stderr)
        return 0
    if arguments.action == "revoke":
        revoked = file.revoke(arguments.id, arguments.project)
        if revoked is None:
            return refused(f"unknown key {arguments.id!r}: expected an id of recost collector keys list")
        print(printable(f"key {revoked.id} of {_scope(revoked)} is revoked"))
        return 0
    columns = (
        Column("id"),
        Column("project", least=16),
        Column("POSTs/h", right=True),
        Column("created"),
        Column("revoked"),
    )
    table = Table(columns)
    for key in file.load():
        if arguments.project in (None, key.project):
            project, posts = ("(metrics)", "") if key.metrics else (key.project, f"{key.posts_per_hour:,}")
            table.rows.append([key.id, project, posts, key.created, key.revoked or ""])
    print(table.render(Style.of(sys.stdout)))
    return 0


def _scope(key: Any) -> str:
    return "the metrics" if key.metrics else f"project {key.project}"
