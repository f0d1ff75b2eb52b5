"""``recost prices``: rules and prices, the rule of a URL, and the latest prices of tokens."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import date
from typing import Any, Final, Optional

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

__all__ = ["configure", "run"]

_RULES: Final = "custom rules in TOML or JSON (default: RECOST_PROVIDERS_FILE)"
_USED: Final = {"check": ("rules",), "update": (), "--model": ("provider", "model", "json")}
"""The options that have an effect, by command."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options, ``check`` and ``update``."""
    parser.add_argument("--provider", metavar="NAME", help="show the rules of one provider")
    parser.add_argument(
        "--model", metavar="NAME", help="show token prices of a model from genai-prices (recost[prices])"
    )
    parser.add_argument("--rules", metavar="FILE", help=_RULES)
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="command", metavar="check URL | update")
    check = _command(commands, "check", "explain which rule matches a URL, and how a call is priced")
    check.add_argument("url", metavar="URL", help="https://api.example.com/v1/things (a query is ignored)")
    check.add_argument("--method", default="POST", help="method of the request (default: POST)")
    check.add_argument("--rules", metavar="FILE", default=argparse.SUPPRESS, help=_RULES)
    check.set_defaults(command="check")
    add_update(_command(commands, "update", "fetch the latest prices of tokens, after confirmation"))


def _command(commands: Any, name: str, summary: str) -> Any:
    return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")


def run(arguments: argparse.Namespace) -> int:
    """Print prices. Return 1 if no rule matches a URL, 2 if something else is not found or fails."""
    without = _without_effect(arguments)
    if without is not None:
        return refused(without)
    if arguments.command == "update":
        return update(arguments.url, yes=arguments.yes)
    return _explain_or_list(arguments)


def _without_effect(arguments: argparse.Namespace) -> Optional[str]:
    command = arguments.command or ("--model" if arguments.model else "")
    for name in ("provider", "model", "rules", "json"):
        if getattr(arguments, name) and name not in _USED.get(command, (name,)):
            return f"--{name} has no effect with {command}"
    return None


def _explain_or_list(arguments: argparse.Namespace) -> int:
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
    found = list_prices(registry, arguments.provider, date.today())  # noqa: DTZ011 - ages in JSON are in months
    if arguments.json and found:
        print(json.dumps([price.to_dict() for price in found], indent=2))
    elif found:
        print(show_prices(found, style))
    if not found:
        known = sorted({rule.provider for rule in registry.list()})
        return refused(f"unknown provider {arguments.provider!r}: {suggest(arguments.provider, known)}")
    return 0
