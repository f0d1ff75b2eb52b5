"""Finds what matches templates with wildcards, and drives it with hostile ones."""

from __future__ import annotations

import ast
from typing import Any, Callable

from recost.globs import Glob
from tests.patterns.attacks import SUFFIXES, Attack
from tests.patterns.sources import Program

__all__ = ["find_templates"]

TEMPLATES = (
    "*a" * 12 + "*b",
    "/" + "*a*/**a" * 6 + "*b",
    "*." + "a*" * 12 + "b",
    "/" + "**" * 8 + "x",
    "a" * 40 + "*" + "a" * 40,
)
TEXTS = ("a", "aa/", "a.", "/a", "b", "/")
_FORBIDDEN = {"fnmatch", "glob.translate"}
_BUILT_BY = {"Glob", "recost.globs.Glob"}


def find_templates(
    found: list[Program],
) -> tuple[list[tuple[str, Callable[[str], Any], list[Attack]]], list[str]]:
    """Return each function that makes a `Glob`, with each template, and those that can't be driven."""
    attacks: list[Attack] = [("", pump, last) for pump in TEXTS for last in SUFFIXES]
    attacks += [("/v1/", pump, "/x") for pump in TEXTS]
    driven: list[tuple[str, Callable[[str], Any], list[Attack]]] = []
    unclear: list[str] = []
    for program in found:
        for node in ast.walk(program.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if _FORBIDDEN & set(names):
                unclear.append(f"{program.name}:{node.lineno}: {names}: use recost.globs")  # type: ignore[attr-defined]
            if isinstance(node, ast.FunctionDef) and _makes_globs(node) and program.name != "recost.globs":
                _drive(program, node, attacks, driven, unclear)
    return driven, unclear


def _makes_globs(node: ast.FunctionDef) -> bool:
    return any(
        isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id == "Glob"
        for each in ast.walk(node)
    )


def _drive(
    program: Program, node: ast.FunctionDef, attacks: list[Attack], driven: list[Any], unclear: list[str]
) -> None:
    if program.module is None:
        return
    function: Any = getattr(program.module, node.name, None)
    arguments = [argument.arg for argument in node.args.args]
    if function is None or len(arguments) not in {1, 2}:
        unclear.append(
            f"{program.name}.{node.name}: not a function of a template, or of a text and a template"
        )
        return
    for template in TEMPLATES:
        name = f"{program.name}.{node.name} {template!r}"
        if len(arguments) == 2:
            driven.append((name, _with(function, template), attacks))
        else:
            glob = function(template)
            assert isinstance(glob, Glob)
            driven.append((name, glob.matches, attacks))


def _with(function: Callable[[str, str], Any], template: str) -> Callable[[str], Any]:
    return lambda text: function(text, template)
