"""No text makes a pattern or a template of the package take more than linear time.

What is looked at is found by `sources` and `templates`: a new pattern is covered without an edit here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patterns.sources import find_patterns, programs

LINEAR = 24
"""Times as long for eight times the text: a square takes 64 times as long, and a busy machine is no clock."""
CHECKED = "recost.pricing.price_list:"
"""Its patterns are from a file, and slow ones are refused: see tests/pricing/test_price_list.py."""
ROOT = Path(__file__).parents[2]


def measured(*arguments: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.patterns.measure", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def slow(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["growth"] is None or line["growth"] > LINEAR]


@pytest.mark.skipif(sys.platform == "win32", reason="has no timer that interrupts a pattern")
def test_every_pattern_and_template_is_linear() -> None:
    summary, *lines = measured()
    assert [place for place in summary["unclear"] if not place.startswith(CHECKED)] == []
    assert summary["patterns"] > 50
    assert summary["templates"] > 10
    assert sum(line["attacks"] for line in lines) > 10_000
    assert not slow(lines)


def test_a_published_checker_agrees() -> None:
    (refused,) = measured("--published")
    assert not refused


BAD = (
    r"(?:[ \t]*[\r\n]+)*(?:data|event)",
    r"(?:(?:[a-z]+|[a-z]{2,8}[0-9]|ec2)(?![a-z0-9])[._-]+)*\Z",
    r".*a.*a.*a.*b",
    r"[a-z]+!",
    r"\s+$",
    r"(a|aa)+$",
    r"\d+\d+\d+x",
)


@pytest.mark.skipif(sys.platform == "win32", reason="has no timer that interrupts a pattern")
@pytest.mark.slow
def test_patterns_that_are_not_linear_are_found() -> None:
    found = {line["name"] for line in slow(measured(*BAD))}
    assert [bad for bad in BAD if not any(name.startswith(f"{bad} ") for name in found)] == []


def test_patterns_are_found_wherever_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(
        "import re as regular\nfrom re import search as look\n"
        "TABLE = {'x': [regular.compile('in a table')]}\n"
        "class Shop:\n    NAME = regular.compile('of a class')\n"
        "def one(text):\n    return regular.fullmatch('in a' + ' call', text)\n"
        "def two(text):\n    for each in ('loop 1', 'loop 2'):\n        look(each, text)\n"
        "def three(glob, text):\n    return regular.match('.*'.join(glob.split('*')), text)\n"
        "def four(text):\n    pattern = '|'.join(word + '+' for word in ('a', 'b'))\n"
        "    return regular.sub(pattern, '', text)\n"
        "def five(text):\n    return regular.match(unheard_of(text), text)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found, unclear = find_patterns(programs(tmp_path / "shop", "shop"))
    texts = {each.pattern.pattern for each in found}
    assert {"in a table", "of a class", "in a call", "loop 1", "loop 2", "a+|b+"} <= texts
    assert ".*a.*a.*a.*a.*a.*b" in texts, "as hostile as it can be"
    assert [place.partition(" ")[0] for place in unclear] == ["shop:17:"]
