"""``recost completion``: the code that completes commands and options in a shell."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Mapping
from typing import Any, Final

from recost.cli._shared.parser import add_examples
from recost.cli._shared.refusal import available

__all__ = ["complete", "configure", "run"]

_SHELLS: Final = ("bash", "zsh", "fish", "powershell")
_EXAMPLES: Final = """examples:
  eval "$(recost completion bash)"                 in ~/.bashrc
  eval "$(recost completion zsh)"                  in ~/.zshrc
  recost completion fish > ~/.config/fish/completions/recost.fish"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the shell."""
    add_examples(parser, _EXAMPLES)
    parser.add_argument("shell", choices=_SHELLS, help="the shell that evaluates the code")


def run(arguments: argparse.Namespace) -> int:
    """Print the code for the shell to evaluate. Return 2 if argcomplete is missing."""
    if not available("completion", "argcomplete"):
        return 2
    argcomplete: Any = importlib.import_module("argcomplete")
    print(argcomplete.shellcode(["recost"], shell=arguments.shell))
    return 0


def complete(parser: argparse.ArgumentParser, commands: Mapping[str, tuple[str, str]]) -> None:
    """Print completions for the line of a shell and end the process. Return if argcomplete is missing.

    Only the command that the line names is imported.
    """
    try:
        argcomplete: Any = importlib.import_module("argcomplete")
    except ImportError:
        return
    words = os.environ.get("COMP_LINE", "").split()
    choices = parser.add_subparsers()
    for name, (module_name, summary) in commands.items():
        command = choices.add_parser(name, help=summary)
        if name in words[1:]:
            importlib.import_module(module_name).configure(command)
    argcomplete.autocomplete(parser)
