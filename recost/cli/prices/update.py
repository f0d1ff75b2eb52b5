"""``recost prices update``: the download of the price list that genai-prices publishes."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date, datetime, timezone
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from recost._files import reason_of, replaced
from recost._folders import make_folder
from recost._text import printable
from recost.cli._shared.formats import counted
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli.prices.fetching import FetchError, fetch, refuse_url
from recost.config import resolve_one
from recost.pricing.list_place import ListPlace, how_to_install
from recost.pricing.price_list import (
    LIST_URL,
    MOST_BYTES,
    PriceList,
    PriceListError,
    enveloped,
    parse_list,
    read_list,
)

__all__ = ["add_update", "update"]

_EXAMPLES: Final = """examples:
  recost prices update           ask, then fetch the list
  recost prices update --yes     fetch it without asking, in a build or from cron
  RECOST_PRICES_FILE=/srv/prices.json recost prices update --yes

The list is stored in ~/.recost/prices.json, or in the file that
RECOST_PRICES_FILE names. Running processes use it within a flush interval.
A failed download, or an invalid list, changes nothing."""
_SHOWN: Final = 8


def add_update(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_examples(parser, _EXAMPLES)
    parser.add_argument("--yes", action="store_true", help="fetch it without asking")
    parser.add_argument(
        "--url", default=LIST_URL, metavar="URL", help="URL of the list (default: that of genai-prices)"
    )
    parser.set_defaults(command="update")


def update(url: str, *, yes: bool) -> int:
    """Fetch, check and store the list. Return 2 if that fails, and change nothing."""
    try:
        place = ListPlace.of(resolve_one("prices_file"))
        refuse_url(url)
    except (ValueError, FetchError) as error:
        return refused(error)
    if place is None:
        return refused("no home folder for the list: set RECOST_PRICES_FILE")
    if find_spec("genai_prices") is None:
        return refused(f"recost prices update needs genai-prices: {how_to_install()}")
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            return refused("recost prices update asks first, and stdin is not a terminal: pass --yes")
        if not _agreed(f"Fetch {printable(url)} into {printable(str(place.path))}?"):
            print("Nothing was changed.")
            return 0
    return _replace(url, place.path)


def _agreed(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def _replace(url: str, path: Path) -> int:
    now = datetime.now(timezone.utc)
    try:
        text = fetch(url, MOST_BYTES)
        kept = enveloped(text, now, url)
        found = parse_list(kept, now.date())
    except (FetchError, PriceListError) as error:
        return refused(f"{url}: {error}; nothing was changed")
    before = _models_of(path, now.date())
    try:
        make_folder(path.parent)
        with replaced(path) as fd, os.fdopen(fd, "wb", closefd=False) as file:
            file.write(kept.encode())
    except OSError as error:
        return refused(f"cannot write {path}: {reason_of(error)}; nothing was changed")
    print("\n".join(_summary(found, before, path)))
    return 0


def _models_of(path: Path, today: date) -> set[tuple[str, str]]:
    """Return the models of the list that is in use."""
    try:
        return _names(read_list(path, today))
    except PriceListError:  # missing or invalid
        from genai_prices.data import providers  # noqa: PLC0415 - most commands don't need it

        return {(provider.id, model.id) for provider in providers for model in provider.models}


def _names(found: PriceList) -> set[tuple[str, str]]:
    return {(provider.id, model.id) for provider in found.providers for model in provider.models}


def _summary(found: PriceList, before: set[tuple[str, str]], path: Path) -> list[str]:
    now = _names(found)
    lines = [f"{counted(len(now), 'model')} of {counted(len(found.providers), 'provider')} in {path}"]
    for names, what in ((sorted(now - before), "new"), (sorted(before - now), "removed")):
        if names:
            shown = ", ".join(f"{provider} {model}" for provider, model in names[:_SHOWN])
            more = f", and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
            lines.append(f"{len(names):,} {what}: {shown}{more}")
    if found.left_out:
        lines.append(
            f"{found.left_out:,} without a price: this version of genai-prices cannot use them, update it too"
        )
    return [printable(line) for line in lines]
