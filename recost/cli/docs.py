"""``recost docs``: the pages of the documentation, shipped beside the code that they describe."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from importlib.util import find_spec
from typing import Final, NamedTuple

from recost._validate import suggest
from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import refused
from recost.cli._shared.terminal import Style

__all__ = ["PAGES", "Page", "configure", "run", "text_of"]


_EXAMPLES: Final = """\
examples:
  recost docs
  recost docs budgets
  recost docs rules | grep anthropic
"""


class Page(NamedTuple):
    """One page of Markdown."""

    package: str
    file: str
    about: str
    wide: bool = False
    """True if its table has long cells, which would be cut when rendered."""


PAGES: Final = {
    "commands": Page("recost.cli", "README.md", "every command and its options"),
    "costs": Page("recost.pricing", "README.md", "exact costs, custom providers, how to add a provider"),
    "rules": Page(
        "recost.pricing", "rules.md", "the built-in rules with prices, sources and dates", wide=True
    ),
    "capture": Page("recost.interceptors", "README.md", "what is captured, clients, how to add a client"),
    "budgets": Page("recost.budgets", "README.md", "limits on what calls may cost"),
    "frameworks": Page("recost.frameworks", "README.md", "FastAPI, Flask, Django, Celery, tags"),
    "options": Page("recost.lifecycle", "README.md", "options, errors, servers, forks and exits"),
    "wire": Page("recost.schema", "README.md", "wire format, local file, cloud API"),
    "collector": Page("recost.collector", "README.md", "the cloud API on your own machines"),
    "alerts": Page("recost.alerts", "README.md", "messages to Slack, mail, webhooks and pagers"),
    "opentelemetry": Page(
        "recost.delivery.transports.otlp", "README.md", "metrics for your own back end, by OTLP"
    ),
    "ledger": Page("recost.ledger", "README.md", "what providers billed, against what was recorded"),
    "internals": Page("recost", "README.md", "architecture, security, testing your application"),
}
"""Pages by topic."""


def text_of(page: Page) -> str:
    """Return the Markdown of a page, also from a zip archive."""
    return (files(page.package) / page.file).read_text(encoding="utf-8")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the topic."""
    parser.add_argument("topic", nargs="?", help=f"one of {', '.join(PAGES)} (default: list them)")
    add_examples(parser, _EXAMPLES)


def run(arguments: argparse.Namespace) -> int:
    """Print the page, or the list of pages."""
    topic = arguments.topic
    if topic is None:
        width = max(map(len, PAGES))
        for name, page in PAGES.items():
            print(f"{name:<{width}}  {page.about}")
        return 0
    if topic not in PAGES:
        return refused(f"invalid topic {topic!r}: {suggest(topic, PAGES)}")
    _show(PAGES[topic])
    return 0


def _show(page: Page) -> None:
    """Print a page, rendered on a terminal and as Markdown elsewhere."""
    text = text_of(page)
    if not page.wide and Style.of(sys.stdout).enabled and find_spec("rich") is not None:
        from rich.console import Console  # noqa: PLC0415 - part of the extra `cli`
        from rich.markdown import Markdown  # noqa: PLC0415

        Console().print(Markdown(text, hyperlinks=False))
    else:
        print(text, end="")
