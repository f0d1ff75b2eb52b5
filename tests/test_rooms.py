"""Rules of the package's layout that import-linter has no contract for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
LONGEST_MODULE: Final = 400


def _modules() -> Iterator[tuple[str, str, Path]]:
    """Yield name, package and file of each module."""
    for file in sorted((ROOT / "recost").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        package = ".".join(parts[:-1])
        yield (package if parts[-1] == "__init__" else ".".join(parts)), package, file


def test_no_module_imports_a_private_name_of_another_package() -> None:
    found = []
    for name, package, file in _modules():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("recost."):
                continue
            assert node.module is not None
            for imported in (f"{node.module}.{alias.name}".split(".") for alias in node.names):
                # Beside ``recost`` itself, whose private modules are the package's foundations.
                private = next((i for i, part in enumerate(imported) if i > 1 and _is_private(part)), None)
                if private is not None and ".".join(imported[:private]) not in (
                    name,
                    package,
                    *_parents(package),
                ):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}: {'.'.join(imported)}")
    assert not found, "\n".join(found)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _parents(package: str) -> list[str]:
    parts = package.split(".")
    return [".".join(parts[:length]) for length in range(2, len(parts))]


def test_no_module_is_too_long_to_read() -> None:
    lines = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, _, file in _modules()}

    assert {name: count for name, count in lines.items() if count > LONGEST_MODULE} == {}


def test_no_process_that_can_write_no_whole_file_keeps_bytecode() -> None:
    """CPython keeps half of a module's bytecode then, and each process after it fails at its import."""
    files = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    limiting = {file: text for file in files if "RLIMIT_FSIZE" in (text := file.read_text(encoding="utf-8"))}

    assert limiting
    by_helper = ("NO_BYTECODE", "dont_write_bytecode", "preexec_fn=lambda: resource.setrlimit")
    assert [file for file, text in limiting.items() if not any(word in text for word in by_helper)] == []
