"""Finds every regular expression of the package by itself, compiled or yet to be compiled."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Optional, Union

import recost
from recost._patterns import LazyPattern

__all__ = ["HOSTILE", "Found", "Program", "find_patterns", "programs"]

ROOT = Path(recost.__file__).parent
HOSTILE = "*a*a*a*a*a*b"
"""Stands for whatever a pattern is made of that is known only when the program runs."""
METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")
_FLAGS_AT = {"sub": 4, "subn": 4, "split": 3, "compile": 1}
_CACHED = type(lru_cache(_FLAGS_AT.get))
_NOT_IMPORTED = {"recost.__main__", "recost.cli.run.site.sitecustomize"}


@dataclass
class Found:
    """One pattern, where it stands, and how it is used."""

    pattern: Union[re.Pattern[str], re.Pattern[bytes]]
    places: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)


@dataclass
class Program:
    """One module: its text, and what it defines where it can be imported."""

    name: str
    tree: ast.Module
    module: Optional[ModuleType]


class Unknown:
    """Stands for an object of which only the type is known: all its attributes are hostile."""

    def __getattr__(self, name: str) -> str:
        return HOSTILE


def programs(root: Path = ROOT, package: str = "recost") -> list[Program]:
    found = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join((package, *parts)).removesuffix(".__init__")
        module = None
        if name not in _NOT_IMPORTED:
            try:
                module = importlib.import_module(name)
            except ImportError:  # an extra that this Python has not
                module = None
        found.append(Program(name, ast.parse(path.read_text(encoding="utf-8")), module))
    walked = {info.name for info in pkgutil.walk_packages([str(root)], f"{package}.")}
    assert walked <= {program.name for program in found}
    return found


def find_patterns(found: list[Program]) -> tuple[list[Found], list[str]]:
    """Return the patterns, and the places of those that can't be told from the text."""
    patterns: dict[tuple[Any, int], Found] = {}
    objects = [each for program in found if program.module for each in _reached(program)]
    uses = _Uses(found)
    for place, each in objects:
        if type(each) is LazyPattern:
            each = re.compile(*each.arguments)  # noqa: PLW2901 - what it stands for
        if type(each) is re.Pattern:
            _add(patterns, each, place, uses.methods(place))
    instances = [each for _, each in objects]
    unclear = []
    for program in found:
        if program.name == LazyPattern.__module__:
            continue  # they are found where they are kept
        for call in _Calls(program, instances, uses).found:
            if isinstance(call, str):
                unclear.append(call)
            else:
                _add(patterns, *call)
    return list(patterns.values()), unclear


def _add(patterns: dict[tuple[Any, int], Found], pattern: Any, place: str, methods: set[str]) -> None:
    entry = patterns.setdefault((pattern.pattern, pattern.flags), Found(pattern))
    entry.places.add(place)
    entry.methods |= methods


def _reached(program: Program) -> Iterator[tuple[str, Any]]:
    """Yield what a module holds: globals, what is in them, attributes of classes and objects, closures."""
    seen: set[int] = set()
    todo: list[tuple[str, Any, int]] = [
        (f"{program.name}.{name}", value, 0) for name, value in vars(program.module).items()
    ]
    while todo:
        place, value, depth = todo.pop()
        if id(value) in seen or depth > 6:
            continue
        seen.add(id(value))
        yield place, value
        todo += [
            (f"{place}/{name}", each, depth + 1)
            for name, each in _within(value, program.name.partition(".")[0])
        ]


def _within(value: Any, package: str) -> Iterator[tuple[str, Any]]:
    kind = type(value)  # isinstance() would wake up lazy objects of other packages
    ours = kind.__module__.startswith(package)
    if issubclass(kind, dict):
        yield from ((str(key), each) for pair in list(value.items()) for key, each in zip(pair[:1] * 2, pair))
    elif issubclass(kind, (list, tuple, set, frozenset)):
        yield from ((str(number), each) for number, each in enumerate(value))
    elif kind is FunctionType or kind is _CACHED:
        if str(value.__module__).startswith(package):
            yield "wrapped", getattr(value, "__wrapped__", None)
            yield "defaults", getattr(value, "__defaults__", None)
            yield from (("closure", content) for content in _closed_over(value))
    elif issubclass(kind, type) and value.__module__.startswith(package):
        yield from list(vars(value).items())
    if ours:
        yield from list(getattr(value, "__dict__", {}).items())
        for owner in kind.__mro__:
            slots = owner.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                yield name, getattr(value, name, None)


def _closed_over(function: Any) -> Iterator[Any]:
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield cell.cell_contents
        except ValueError:  # noqa: PERF203 - not yet bound
            continue


class _Uses:
    """How the names of all modules are used."""

    def __init__(self, found: list[Program]) -> None:
        self._attributes: dict[str, set[str]] = {}
        self._loaded: Counter[tuple[str, str]] = Counter()
        self._returned: dict[str, set[str]] = {}
        for program in found:
            for node in ast.walk(program.tree):
                if isinstance(node, ast.Attribute):
                    self._attributes.setdefault(node.attr, set()).add("?")  # module.NAME, handed on
                    called = node.value.func if isinstance(node.value, ast.Call) else None
                    if isinstance(called, ast.Name):
                        self._returned.setdefault(called.id, set()).add(node.attr)
                    if isinstance(node.value, ast.Name):
                        self._attributes.setdefault(node.value.id, set()).add(node.attr)
                        self._loaded[program.name, node.value.id] -= 1
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                    self._loaded[program.name, node.id] += 1

    def methods_of_result(self, function: str) -> set[str]:
        """Return the methods by which the pattern that a function returns is used; all where it is kept."""
        methods = self._returned.get(function, set())
        return methods if methods and methods <= set(METHODS) else {"match", "fullmatch", "search"}

    def methods(self, place: str) -> set[str]:
        """Return the methods by which a global pattern is used; all where it is handed on."""
        module, _, name = place.rpartition(".")
        methods = self._attributes.get(name, set())
        if "/" in place or not methods or not methods <= set(METHODS) or self._loaded[module, name] > 0:
            return {"match", "fullmatch", "search", "finditer"}
        return methods


class _Calls(ast.NodeVisitor):
    """Finds the calls of `re`'s functions, and works out what they are given."""

    def __init__(self, program: Program, instances: list[Any], uses: _Uses) -> None:
        self._uses = uses
        self.found: list[Union[tuple[Any, str, set[str]], str]] = []
        self._program = program
        self._instances = instances
        self._names = {"re"}
        self._functions: dict[str, str] = {}
        self._scopes: list[ast.AST] = []
        self._chained: dict[int, str] = {}
        self.visit(program.tree)

    def visit_Import(self, node: ast.Import) -> None:
        self._names |= {alias.asname or "re" for alias in node.names if alias.name == "re"}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module == "re":
            self._functions.update({alias.asname or alias.name: alias.name for alias in node.names})

    def visit_FunctionDef(self, node: Any) -> None:
        self._scopes.append(node)
        self.generic_visit(node)
        self._scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the names that ast calls
    visit_Lambda = visit_FunctionDef  # noqa: N815
    visit_ClassDef = visit_FunctionDef  # noqa: N815

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self._chained[id(node.value)] = node.attr
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self._called(node.func)
        if name in {"compile", *METHODS} and node.args:
            self._take(node, name)
        self.generic_visit(node)

    def _called(self, called: ast.AST) -> str:
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            return called.attr if called.value.id in self._names else ""
        return self._functions.get(called.id, "") if isinstance(called, ast.Name) else ""

    def _take(self, node: ast.Call, name: str) -> None:
        place = f"{self._program.name}:{node.lineno}"
        inside = any(isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef)) for scope in self._scopes)
        if name == "compile" and not inside and self._program.module is not None:
            return  # found where it is kept
        chained = self._chained.get(id(node))
        if name != "compile":
            methods = {name}
        else:
            around = getattr(self._scopes[-1], "name", "") if self._scopes else ""
            methods = {chained} if chained in METHODS else self._uses.methods_of_result(around)
        flags: Any = [keyword.value for keyword in node.keywords if keyword.arg == "flags"]
        flags += node.args[_FLAGS_AT.get(name, 2) :][:1]
        try:
            flag = self._values(flags[0], 0)[0] if flags else 0
            for source in self._values(node.args[0], 0):
                if not isinstance(source, re.Pattern):
                    self.found.append((re.compile(source, flag), place, methods))
        except Exception as error:  # noqa: BLE001 - whatever the expression does
            self.found.append(f"{place}: {type(error).__name__}: {error}")

    def _values(self, node: ast.AST, depth: int) -> list[Any]:
        """Return the values that an expression may have."""
        assert depth < 8, "too deep"
        known: dict[str, list[Any]] = {}
        space = {} if self._program.module is None else vars(self._program.module)
        bound = {
            name.id
            for each in ast.walk(node)
            if isinstance(each, ast.comprehension)
            for name in ast.walk(each.target)
            if isinstance(name, ast.Name)
        }
        bound |= {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id not in known and each.id not in bound:
                local = self._local(each.id, depth)
                if local is not None:
                    known[each.id] = local
                elif each.id not in space and not hasattr(__import__("builtins"), each.id):
                    known[each.id] = [HOSTILE]
        code = compile(ast.Expression(node), "pattern", "eval")  # type: ignore[arg-type]
        choices: list[dict[str, Any]] = [{}]
        for name, values in known.items():
            choices = [{**choice, name: value} for choice in choices for value in values][:200]
        return [eval(code, {**space, **choice}) for choice in choices]

    def _local(self, name: str, depth: int) -> Optional[list[Any]]:
        """Return what a name of the functions around may stand for; None for one that is no local one."""
        for scope in reversed(self._scopes):
            if isinstance(scope, ast.ClassDef):
                continue
            arguments = [argument.arg for argument in ast.walk(scope.args) if isinstance(argument, ast.arg)]  # type: ignore[attr-defined]
            if name in arguments:
                return self._selves() if name in {"self", "cls"} else [HOSTILE]
            values: list[Any] = []
            for node in ast.walk(scope):
                target, value, loop = _binding(node)
                if isinstance(target, ast.Name) and target.id == name and value is not None:
                    for each in self._values(value, depth + 1):
                        values.extend(each if loop else [each])
                elif target is not None and any(
                    isinstance(part, ast.Name) and part.id == name for part in ast.walk(target)
                ):
                    values.append(HOSTILE)
            if values:
                return values
        return None

    def _selves(self) -> list[Any]:
        owner = next(scope.name for scope in reversed(self._scopes) if isinstance(scope, ast.ClassDef))
        kind = None if self._program.module is None else getattr(self._program.module, owner, None)
        return [each for each in self._instances if kind is not None and type(each) is kind] or [Unknown()]


def _binding(node: ast.AST) -> tuple[Optional[ast.AST], Optional[ast.AST], bool]:
    if isinstance(node, ast.Assign):
        return node.targets[0], node.value, False
    if isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        return node.target, node.value, False
    if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        return node.target, node.iter, True
    return None, None, False
