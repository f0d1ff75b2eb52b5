"""Names as strangers may choose them: each acts on some medium that it may be shown in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Final

from hypothesis import strategies as st

from recost import wire
from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary

__all__ = ["HOSTILE", "TAG", "hostile_windows", "is_inert", "names"]

HOSTILE: Final = {
    "escape sequence": "\x1b[2J\x1b]0;owned\x07red",
    "8-bit escape sequence": "\x9b31mred",
    "carriage return": "x\r### API cost: $0, within the limits",
    "line feed": "x\n### API cost: $0, within the limits",
    "line separators": "x\u2028y\u2029z\x85w\x0bv\x0cu",
    "backspaces": "99\x08\x0800",
    "right-to-left override": "gnp\u202e.exe",
    "bidirectional isolate": "\u2067abc\u2069",
    "zero-width": "a\u200bb\ufeffc",
    "tag characters": "a\U000e0041\U000e0042",
    "NUL": "\x00",
    "number in JSON": "\x001.5",
    "formula": "=cmd|'/C calc'!A0",
    "formula, plus": "+1+1",
    "formula, minus": "-2+3",
    "formula, at": "@SUM(1+1)",
    "formula behind a space": " =1+1",
    "formula behind a tab": "\t=1+1",
    "formula in full width": "\uff1d1+1",
    "quotes": "a\"b'c",
    "delimiters": "a,b;c|d\te",
    "HTML": "<img src=x onerror=alert(1)>",
    "HTML comment": "<!-- x",
    "entity": "&lt;b&gt;",
    "link": "[x](http://evil.example)",
    "image": "![x](http://evil.example/x.png)",
    "reference": "[x]: http://evil.example",
    "autolink": "http://evil.example/a www.evil.example",
    "mention": "@octocat #1",
    "emphasis": "**a** __b__ _c_ ~~d~~ `e` $f$",
    "cell": "a | b \\| c",
    "backslash": "a\\",
    "code fence": "```x",
    "SQL": "x'; COPY (SELECT 1) TO '/tmp/recost-owned' --",
    "SQL identifier": "x\" VARCHAR); COPY (SELECT 1) TO '/tmp/recost-owned'; --",
    "placeholder": "{0} %s ${HOME} {lines}",
    "rich markup": "[red]x[/red] [/]",
    "long": "x" * 5000,
    "emoji of several": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "wide": "日本電気株式会社",
}

TAG: Final = HOSTILE["SQL identifier"]
"""The name of a tag."""

names: Final = st.one_of(st.sampled_from(list(HOSTILE.values())), st.text(max_size=120))
"""What a name may be: one of those, or any text."""


def is_inert(text: str) -> bool:
    """Return whether a terminal would only show a text, line by line."""
    return all(
        character.isprintable()
        or character in "\n\u200c\u200d"
        or (character.isspace() and character == "\u3000")
        for character in text
    )


def hostile_windows(chosen: Iterable[str] = HOSTILE.values()) -> Iterator[bytes]:
    """Yield a line for each hostile name, with it wherever a line has a name."""
    start = datetime.now(timezone.utc) - timedelta(hours=1)
    for number, name in enumerate(chosen):
        began = (start + timedelta(seconds=number)).timestamp() * 1000
        entry = MetricEntry(
            name, name, name, 3, 1, 30.0, 10.0, 11.0, 1, 2, 0.5,
            unpriced_count=1, attempts=9,
            models=(ModelEntry(name, 3, 0.5, 1, 1, 1),),
            tags=(TagEntry((("route", name), (TAG, name)), 3, 1, 0.5, 1),),
        )  # fmt: skip
        yield wire.encode_window(WindowSummary("", name, "python", "0", began, began + 1, (entry,))) + b"\n"
