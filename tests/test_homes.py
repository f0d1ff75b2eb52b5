"""One home for each of the things that modules tend to write again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

PACKAGE: Final = Path(__file__).parents[1] / "recost"

HOMES: Final[dict[str, tuple[str, set[str]]]] = {
    "decimal contexts": (r"(?<![\w.])(?:decimal\.)?Context\(|\b[sg]etcontext\(", {"_money.py"}),
    "formats of dollars": (r"[\"' ({]\$\{[^}\"']*:[^}\"']*[.,]?\d*[fEg]\}", {"_money.py"}),
    "locks on files": (r"\b(?:flock|lockf|locking)\(|\bimport (?:fcntl|msvcrt)\b", {"_files.py"}),
    "files put in place of others": (r"\bos\.replace\(|\bfresh\.replace\(", {"_files.py"}),
    "new files without following links": (r"\bO_(?:EXCL|NOFOLLOW)\b", {"_files.py"}),
    "private folders": (r"\.mkdir\(|\bmakedirs\(|\bos\.f?chmod\(", {"_files.py", "_folders.py"}),
    "messages on invalid values": (r"f\".*: got .*, (?:wanted|expected) ", {"_validate.py", "config.py"}),
    "control characters": (r"\\x00-\\x1f", {"_validate.py"}),
    "hints at names": (r"\bget_close_matches\(", {"_validate.py"}),
}
"""What it is: the pattern of the code, and the modules that may have it."""

ELSEWHERE: Final[dict[tuple[str, str], str]] = {
    ("messages on invalid values", "attribution.py"): "shows the number of tags, not the tags",
    ("messages on invalid values", "frameworks/tagging.py"): "shows the kind of function, not the function",
}
"""What it is and another module that may have it, with the reason."""


def found(pattern: str) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(pattern, line):
                lines.setdefault(path.relative_to(PACKAGE).as_posix(), []).append(f"{number}: {line.strip()}")
    return lines


@pytest.mark.parametrize("what", HOMES)
def test_it_has_one_home(what: str) -> None:
    pattern, homes = HOMES[what]
    lines = found(pattern)
    assert homes <= lines.keys(), "the pattern no longer finds its home"
    elsewhere = {name for each, name in ELSEWHERE if each == what}
    assert elsewhere <= lines.keys(), "no longer needed: take it out of ELSEWHERE"
    assert {name: lines[name] for name in lines.keys() - homes - elsewhere} == {}
