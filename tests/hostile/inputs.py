"""Hostile lines, files and documents. A new one is covered by every reader with no other edit."""

from __future__ import annotations

import gzip
import random
from typing import Final, Literal, NamedTuple

from recost.wire.parsing import MAX_DEPTH, MAX_LINE_BYTES
from tests.fuzz.documents import BASELINE, BUDGETS, RULES, RULES_TOML
from tests.fuzz.lines import GOOD
from tests.fuzz.own_files import ALERT_STATE, ALERTS

CALLS: Final = 3
"""Of `GOOD`."""
Verdict = Literal["line", "metric", "fine"]


class Line(NamedTuple):
    data: bytes
    verdict: Verdict
    """What counts as bad: the line, its metric, or nothing."""


def _with(field: bytes, value: bytes, line: bytes = GOOD) -> bytes:
    start = line.index(b'"' + field + b'":') + len(field) + 3
    end = start + min(line[start:].index(mark) for mark in (b",", b"}"))
    return line[:start] + value + line[end:]


def _more(value: bytes) -> bytes:
    return GOOD[:-1] + b',"more":' + value + b"}"


_COST: Final = b"estimatedCostCents"
_START: Final = b"windowStart"
LINES: Final[dict[str, Line]] = {
    "as written": Line(GOOD, "fine"),
    "cost 1e9999999999999999999": Line(_with(_COST, b"1e9999999999999999999"), "metric"),
    "cost of 5,000 digits": Line(_with(_COST, b"1" * 5000), "metric"),
    "cost 0.(1 MB of digits)": Line(_with(_COST, b"0." + b"1" * (1 << 20)), "fine"),
    "cost of 1 MB of digits": Line(_with(_COST, b"1" * (1 << 20)), "metric"),
    "cost NaN": Line(_with(_COST, b"NaN"), "metric"),
    "cost Infinity": Line(_with(_COST, b"Infinity"), "metric"),
    "cost -1": Line(_with(_COST, b"-1"), "metric"),
    "cost 1e13": Line(_with(_COST, b"1e13"), "metric"),
    "cost as text": Line(_with(_COST, b'"600.0"'), "metric"),
    "latency 1e400": Line(_with(b"p95LatencyMs", b"1e400"), "fine"),
    "calls 2.5": Line(_with(b"requestCount", b"2.5"), "metric"),
    "calls as text": Line(_with(b"requestCount", b'"3"'), "metric"),
    "calls true": Line(_with(b"requestCount", b"true"), "metric"),
    "calls of 30 digits": Line(_with(b"requestCount", b"9" * 30), "metric"),
    "errors null": Line(_with(b"errorCount", b"null"), "metric"),
    "provider 7": Line(_with(b"provider", b"7"), "metric"),
    "NUL in a name": Line(_with(b"provider", b'"a\\u0000b"'), "fine"),
    "half a character": Line(_with(b"provider", b'"a\\ud800b"'), "line"),
    "invalid UTF-8": Line(_with(b"provider", b'"a\xffb"'), "line"),
    "unknown field 1e9999999999999999999": Line(_more(b"1e9999999999999999999"), "fine"),
    "unknown field of 1 MB of digits": Line(_more(b"9" * (1 << 20)), "fine"),
    "unknown field NaN": Line(_more(b"NaN"), "fine"),
    "nested as deep as allowed": Line(_more(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1)), "fine"),
    "nested a level deeper": Line(_more(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH), "line"),
    "nested 100,000 deep": Line(_more(b"[" * 100_000 + b"]" * 100_000), "line"),
    "objects 100,000 deep": Line(_more(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "line"),
    "100,000 brackets without end": Line(b"[" * 100_000, "line"),
    "1 MB of escaped quotes": Line(b'"' + b'\\"' * (1 << 19), "line"),
    "brackets in strings": Line(_more(b'"' + b"[{" * 100 + b'"'), "fine"),
    "year 1": Line(_with(_START, b'"0001-01-01T00:00:00.000Z"'), "line"),
    "year 1 west of UTC": Line(_with(_START, b'"0001-01-01T00:00:00+14:00"'), "line"),
    "year 9999, December": Line(_with(_START, b'"9999-12-31T23:59:59.999Z"'), "line"),
    "year 10000": Line(_with(_START, b'"10000-01-01T00:00:00.000Z"'), "line"),
    "30 February": Line(_with(_START, b'"2026-02-30T00:00:00Z"'), "line"),
    "end in year 10000": Line(_with(b"windowEnd", b'"10000-01-01T00:00:00Z"'), "fine"),
    "end before year 1": Line(_with(b"windowEnd", b'"0001-01-01T00:00:00+14:00"'), "fine"),
    "names twice": Line(GOOD[:-1] + b',"protocolVersion":"2.0","metrics":7}', "fine"),
    "version 2.0": Line(_with(b"protocolVersion", b'"2.0"'), "line"),
    "version 1.0 as a number": Line(_with(b"protocolVersion", b"1.0"), "line"),
    "a lone CR between two": Line(GOOD + b"\r" + GOOD, "line"),
    "a CR at the end": Line(GOOD + b"\r", "fine"),
    "NUL bytes": Line(b"\0" * 4096, "line"),
    "a BOM within the file": Line(b"\xef\xbb\xbf" + GOOD, "line"),
    "UTF-16": Line(GOOD.decode().encode("utf-16-le").replace(b"\n", b""), "line"),
    "models 5": Line(_more(b"5").replace(b'"models":[', b'"models":5,"was":['), "fine"),
    "metrics {}": Line(GOOD.replace(b'"metrics":[', b'"metrics":{},"was":['), "line"),
    "metrics [5]": Line(GOOD.replace(b'"metrics":[', b'"metrics":[5],"was":['), "metric"),
    "torn": Line(GOOD[:200], "line"),
    "6 MB": Line(_more(b'"' + b"x" * (6 << 20) + b'"'), "fine"),
    "the longest": Line(_more(b'"' + b"x" * (MAX_LINE_BYTES - len(_more(b'""'))) + b'"'), "fine"),
    "a byte longer": Line(_more(b'"' + b"x" * (MAX_LINE_BYTES + 1 - len(_more(b'""'))) + b'"'), "line"),
    "80 MB": Line(b"x" * (80 << 20), "line"),
}
LARGE: Final = 4 << 20
"""Lines above are tried apart, as they take time."""

_PACKED: Final = gzip.compress(b"".join(GOOD.replace(b"chat", b"e%d" % n) + b"\n" for n in range(2000)))
_NOISE: Final = random.Random(1).randbytes(2000)


class Packed(NamedTuple):
    data: bytes
    least: int
    """So many lines of it can be read, each of `CALLS`."""
    bad: int


PACKED: Final[dict[str, Packed]] = {
    "whole": Packed(_PACKED, 2000, 0),
    "two members": Packed(_PACKED * 2, 4000, 0),
    "zeros at the end": Packed(_PACKED + b"\0" * 512, 2000, 0),
    "cut off": Packed(_PACKED[:-30], 1900, 1),
    "cut off in the checksum": Packed(_PACKED[:-3], 1999, 1),
    "damaged in the middle": Packed(_PACKED[: len(_PACKED) // 2] + _NOISE, 500, 1),
    "something else at the end": Packed(_PACKED + _NOISE, 2000, 1),
    "no gzip": Packed(_NOISE, 0, 1),
    "the head only": Packed(_PACKED[:10], 0, 1),
    "40 MB of zeros": Packed(gzip.compress(GOOD + b"\n" + b"\0" * (40 << 20)), 1, 1),
}

_HUGE: Final = b"1e9999999999999999999"
_JSON: Final[dict[str, bytes]] = {
    "1e9999999999999999999": b'{"x":' + _HUGE + b"}",
    "a million digits": b'{"x":' + b"9" * (1 << 20) + b"}",
    "NaN": b'{"x":NaN}',
    "nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "brackets without end": b"[" * 100_000,
    "names twice": b'{"x":1,"x":2}',
    "invalid UTF-8": b'{"x":"\xff"}',
    "UTF-16": '{"x":1}'.encode("utf-16"),
    "half a character": b'{"x":"\\ud800"}',
    "NUL bytes": b"\0" * 4096,
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "torn": b'{"x":',
    "20 MB": b" " * (20 << 20),
}


def _changed(document: bytes, *changes: tuple[bytes, bytes]) -> dict[str, bytes]:
    found = {}
    for old, new in changes:
        assert old in document, old
        found[f"{old.decode()[:30]} -> {new.decode('utf-8', 'replace')[:30]}"] = document.replace(old, new)
    return found


_TOML: Final[dict[str, bytes]] = {
    "nested 10,000 deep": b"a = " + b"[" * 10_000,
    "tables 10,000 deep": b"[" + b"a." * 10_000 + b"a]",
    "tables 400,000 deep": b"[" + b"a." * 400_000 + b"a]",
    "tables 400,000 deep in quotes": b"[" + b"''." * 300_000 + b"a]",
    "a million digits": b"a = " + b"9" * (1 << 20),
    "names twice": b"a = 1\na = 2",
    "invalid UTF-8": b'a = "\xff"',
    "NUL bytes": b"\0" * 4096,
    "20 MB": b"#" * (20 << 20),
}
_HUGE_HEX: Final = b"0x" + b"f" * 9000
"""A number that Python does not write out."""
_COST_OF_BASELINE: Final = b'"cost_usd":1.5}'
DOCUMENTS: Final[dict[str, dict[str, bytes]]] = {
    "baseline": {
        **_JSON,
        **_changed(
            BASELINE,
            (_COST_OF_BASELINE, b'"cost_usd":-1.5}'), (_COST_OF_BASELINE, b'"cost_usd":' + _HUGE + b"}"),
            (_COST_OF_BASELINE, b'"cost_usd":"1.5"}'), (b'"calls":3', b'"calls":' + b"9" * 50),
            (b'"calls":3', b'"calls":-3'), (b'"calls":3', b'"calls":true'),
            (b'"until":"2026-11-20T10:00:00+00:00"', b'"until":"99999-11-20T10:00:00+00:00"'),
            (b'"until":"2026-11-20T10:00:00+00:00"', b'"until":"2026-11-20T10:00:00"'),
            (b'"by":["provider"]', b'"by":"provider"'), (b'"by":["provider"]', b'"by":[["provider"]]'),
            (b'"provider":"openai"', b'"provider":["openai"]'),
            (b'"recost_baseline":1', b'"recost_baseline":true'),
        ),
    },
    "budgets": {
        **_JSON,
        **_changed(
            BUDGETS,
            (b'"1.5"', b'"-1000000"'), (b'"1.5"', b'"1e999999999"'), (b'"1.5"', b'"NaN"'),
            (b'"1.5"', b'"Infinity"'), (b'"1.5"', b"1.5"), (b'"1.5"', b'"' + b"9" * 5000 + b'"'),
            (b'"1.5"', b"null"), (b'"day"', b'"year"'),
            (b'"2026-11-20T00:00:00+00:00"', b'"zzzz"'), (b'"2026-11-20T00:00:00+00:00"', b'""'),
            (b'"2026-11-20T00:00:00+00:00"', b'"2026-11-20T00:00:00+01:00"'),
            (b'["openai chat"]', b'"openai chat"'), (b'["openai chat"]', b"[7]"), (b'["openai chat"]', b"{}"),
        ),
    },
    "rules.json": {
        **{name: data for name, data in _JSON.items() if name != "a list"},
        **_changed(
            RULES,
            (b"0.002", _HUGE), (b"0.002", b"-1"), (b"0.002", b"NaN"), (b"0.002", b"[" * 20 + b"]" * 20),
            (b"3.5", b"9" * 5000), (b'"*.example.com"', b"7"), (b'"prices"', b'"prizes"'),
        ),
    },
    "rules.toml": {
        **_TOML,
        "torn": RULES_TOML[:60],
        **_changed(
            RULES_TOML,
            (b"2e-3", _HUGE), (b"2e-3", b"-1"), (b"2e-3", b"nan"), (b"2e-3", b"inf"), (b"3.50", b"9" * 5000),
            (b"2026-11-01", b"99999-11-01"), (b"3.50", _HUGE_HEX),
        ),
    },
    "recost.toml": {
        **_TOML,
        "torn": ALERTS[:60],
        "an escape sequence as a name": b'"\\u001b[31m" = 1',
        "an escape sequence as a setting": ALERTS.replace(b"url_env", b'"\\u001b[31m"'),
        "a setting of 1 MB": ALERTS.replace(b"url_env", b'"' + b"k" * 1_000_000 + b'"'),
        "an address of brackets": ALERTS.replace(b"a@b.example", b"(" * 100_000 + b"@b.example"),
        **_changed(
            ALERTS,
            (b'"slack"', _HUGE_HEX), (b'"budget"', _HUGE_HEX), (b'["team", "ops"]', b"[" + _HUGE_HEX + b"]"),
            (b"5.5", _HUGE_HEX), (b"5.5", _HUGE), (b"5.5", b"-1"), (b"5.5", b"nan"), (b"5.5", b"1e13"),
            (b"587", _HUGE_HEX), (b"587", b"0"), (b"587", b'"x"'), (b'"mail.example"', b"5"),
            (b'"mail.example"', b'"a\\r\\nb"'), (b'"a@b.example"', b'"a@b.example\\r\\nBcc: x@y.example"'),
            (b'url_env = "SLACK"', b"url = " + _HUGE_HEX), (b'url_env = "SLACK"', b"url = [5]"),
            (b'url_env = "SLACK"', b'url = "https://[a/x"'), (b'"Europe/Berlin"', b'"../../etc/passwd"'),
            (b'"Europe/Berlin"', b'"a\\u0000b"'), (b'"Europe/Berlin"', b"[]"), (b'"day"', b"[[1]]"),
        ),
    },
    "alert state": {
        **_JSON,
        **_changed(
            ALERT_STATE,
            (b'"1.5"', b'"NaN"'), (b'"1.5"', b'"1e999999999"'), (b'"1.5"', b"1.5"),
            (b'"level":1', b'"level":[]'), (b'"level":1', b'"level":"' + b"9" * 5000 + b'"'),
            (b'"firing"', b'"fired"'), (b'"title":"t"', b'"title":5'),
            (b'[["a","b"]],"sections"', b'[["a"]],"sections"'), (b'"version":1', b'"version":2'),
            (b'"dropped":0', b'"dropped":null'), (b'{"d":"2026-11-20"}', b"[]"),
        ),
    },
}  # fmt: skip
"""By the reader; each must be refused with the reader's own error."""
