"""Find wording that the project avoids: ``python -m tests.phrases [PATH ...]`` prints each place.

Docstrings, comments and messages of the package are checked, and the pages. A phrase that is needed in one
place, because it is somebody else's word, stands in ``ALLOWED`` with its reason.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent

PHRASES: Final = {
    r"\b(?:told|tells?|telling)\b": "only people are told things: show, report, include, record, distinguish",
    r"\b[Ll]ikewise\b|\b[Bb]esides\b": "also",
    r"\bof (?:which|whose)\b": "two sentences",
    r"\bin vain\b": "avoidable, wasted",
    r"\b[Ff]rom which on\b|\bfurther ado\b|\bas far as\b": "say it directly",
    r"\bbut for\b": "except",
    r"\b(?:is|are|was|were) no\b(?! (?:older|longer|more|later|newer|less)\b)": "is not, missing, invalid",
    r"\bnone\b(?!\()": "missing, invalid, not set, or say which",
    r"\b[Nn]one of\b": "not any of, or name the opposite",
    r"\bodd\b": "malformed, unusual",
    r"\b(?:is|are) to (?!(?:the|a|an|one|that|this|each|every)\b)(?=[a-z]+\b)": "must, or a verb",
    r"\bsettle[sd]?\b|\bsettling\b": "name what happens: price, finish, resolve, charge, release",
    r"\b[Aa]nswer(?:s|ed|ing)?\b": "response (HTTP), reply, result",
    r"\bin force\b": "active, in use",
    r"\b(?:taken|take) (?:for|over from)\b": "treated as",
    r"\bmade out\b|\bmake out\b": "determined, recognised",
    r"\bmet for the first time\b": "new",
}
"""Pattern of a phrase in prose, and what to write instead."""

OPENING: Final = re.compile(r"(?:What|How|Whether|Have|That|Of|Which|Where|When|Who|Whose|From|Has|Is|As)\b")
"""What a docstring does not begin with."""

LONGEST_SENTENCE: Final = 30
"""Words of a sentence in a docstring or a comment. The aim is 25."""

ALLOWED: Final[dict[tuple[str, str], str]] = {
    ("recost/cli/collector/form.py", "default-src 'none'"): "a keyword of Content-Security-Policy",
    ("recost/cli/dashboard/guard.py", "default-src 'none'"): "a keyword of Content-Security-Policy",
}
"""File and text that may stand there, with the reason."""


class Finding(NamedTuple):
    """One place with a phrase to avoid."""

    file: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text!r}: {self.instead}"


class Prose(NamedTuple):
    """Text that people read."""

    line: int
    text: str
    kind: str
    """``docstring``, ``comment``, ``message`` or ``page``."""


def findings(paths: Iterable[Path]) -> Iterator[Finding]:
    """Yield every place in these files and folders."""
    for path in paths:
        for file in sorted([*path.rglob("*.py"), *path.rglob("README.md")] if path.is_dir() else [path]):
            yield from _of_file(file)


def _of_file(file: Path) -> Iterator[Finding]:
    name = file.relative_to(ROOT).as_posix()
    text = file.read_text(encoding="utf-8")
    for prose in _python(text) if file.suffix == ".py" else _page(text):
        for line, found, instead in _of_prose(prose):
            if not any(name == where and allowed in prose.text for where, allowed in ALLOWED):
                yield Finding(name, line, found, instead)


def _of_prose(prose: Prose) -> Iterator[tuple[int, str, str]]:
    plain = re.sub(r"``[^`]*``|`[^`]*`", lambda code: "x" * len(code[0]), prose.text)
    for pattern, instead in PHRASES.items():
        for match in re.finditer(pattern, plain):
            yield prose.line + plain[: match.start()].count("\n"), match[0], instead
    if prose.kind == "docstring" and OPENING.match(plain):
        yield (
            prose.line,
            prose.text[:40],
            "an imperative verb (functions), a noun phrase (modules, classes, fields)",
        )
    if prose.kind in ("docstring", "comment"):
        if ";" in plain:
            yield prose.line + plain[: plain.index(";")].count("\n"), ";", "a full stop"
        for sentence in re.split(r"(?<=[.:?!])\s+|\n\s*\n|\n\s*[-*] ", plain):
            if len(sentence.split()) > LONGEST_SENTENCE:
                yield prose.line, sentence[:40], f"at most {LONGEST_SENTENCE} words in a sentence"


def _python(text: str) -> Iterator[Prose]:
    tree = ast.parse(text)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node in docstrings:
                yield Prose(node.lineno, node.value.strip(), "docstring")
            elif " " in node.value:
                yield Prose(node.lineno, node.value, "message")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield Prose(token.start[0], token.string.lstrip("# "), "comment")


def _page(text: str) -> Iterator[Prose]:
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            yield Prose(number, line, "page")


if __name__ == "__main__":
    asked = [Path(name).resolve() for name in sys.argv[1:]] or [ROOT / "recost", ROOT / "README.md"]
    places = list(findings(asked))
    print(*places, f"{len(places)} places", sep="\n")
