"""``recost prices``: rules and prices, the rule of a URL, and the latest prices of tokens."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from typing import TYPE_CHECKING

from recost._validate import suggest
from recost.cli._shared.refusal import refused
from recost.cli._shared.terminal import Style
from recost.cli.prices.check import explain
from recost.cli.prices.listing import list_prices, show_prices
from recost.cli.prices.models import list_models
from recost.cli.prices.update import add_update, update
from recost.config import variable
from recost.pricing.registry import ProviderRegistry
from recost.pricing.rules_file import RulesFileError, load_rules

if TYPE_CHECKING:
    import argparse

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options, ``check`` and ``update``."""
    parser.add_argument("--provider", metavar="NAME", help="show the rules of one provider")
    parser.add_argument(
        "--model", metavar="NAME", help="show token prices of a model from genai-prices (recost[prices])"
    )
    parser.add_argument(
        "--rules", metavar="FILE", help="custom rules in TOML or JSON (default: RECOST_PROVIDERS_FILE)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="command", metavar="check URL | update")
    check = commands.add_parser("check", help="explain which rule matches a URL, and how a call is priced")
    check.add_argument("url", metavar="URL", help="https://api.example.com/v1/things (a query is ignored)")
    check.add_argument("--method", default="POST", help="method of the request (default: POST)")
    check.set_defaults(command="check")
    add_update(commands.add_parser("update", help="fetch the latest prices of tokens, after confirmation"))


def run(arguments: argparse.Namespace) -> int:
    """Print prices. Return 1 if nothing is found, 2 for an invalid file or a failed fetch."""
    if arguments.command == "update":
        return update(arguments.url, yes=arguments.yes)
    style = Style.of(sys.stdout)
    try:
        rules = arguments.rules or os.environ.get(variable("providers_file"))
        registry = ProviderRegistry(load_rules(rules) if rules else None)
    except RulesFileError as error:
        return refused(error)
    if arguments.command == "check":
        return explain(registry, arguments.url, arguments.method.upper(), style)
    if arguments.model:
        return list_models(arguments.model, arguments.provider, as_json=arguments.json, style=style)
    found = list_prices(registry, arguments.provider, date.today())  # noqa: DTZ011 - ages are in months
    if arguments.json:
        print(json.dumps([price.to_dict() for price in found], indent=2))
    elif found:
        print(show_prices(found, style))
    if not found:
        known = sorted({rule.provider for rule in registry.list()})
        print(
            f"recost: unknown provider {arguments.provider!r}: {suggest(arguments.provider, known)}",
            file=sys.stderr,
        )
    return 0 if found else 1
