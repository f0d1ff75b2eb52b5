"""Targets of all that reads rules, baselines and budgets: an error of their own, or a result."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

from recost._documents import parse_json, read_document
from recost.analytics.gate import BaselineError, parse_baseline
from recost.budgets.store import StateFile
from recost.errors import RecostError
from recost.pricing.registry import ProviderRegistry
from recost.pricing.rules_file import RulesFileError, load_rules

BASELINE: Final = (
    b'{"recost_baseline":1,"version":"0.2.0","written":"2026-11-20T10:00:00+00:00","since":null,'
    b'"until":"2026-11-20T10:00:00+00:00","filters":{"provider":[],"tag":["a=b"]},"by":["provider"],'
    b'"total":{"calls":3,"unpriced":0,"cost_usd":1.5},"groups":[{"provider":"openai","cost_usd":1.5}]}'
)
BUDGETS: Final = (
    b'{"format":"recost budgets 1","budgets":{"llm":{"per":"day","period":"2026-11-20T00:00:00+00:00",'
    b'"spent_usd":"1.5","targets":["openai chat"]},"all":{"per":"total","period":"","spent_usd":"0"}}}'
)
RULES: Final = (
    b'{"providers":[{"host_pattern":"*.example.com","provider":"proxy","usd_per_gb":3.5,'
    b'"prices":[{"path":"/v1/*/render","usd_per_call":0.002}]}]}'
)
RULES_TOML: Final = (
    b'[[providers]]\nhost_pattern = "*.example.com"\nprovider = "proxy"\nusd_per_gb = 3.50\n'
    b"price_date = 2026-11-01\n"
    b'[[providers.prices]]\npath = "/v1/*/render"\nusd_per_call = 2e-3\n'
)
_folder: Final = Path(tempfile.mkdtemp(prefix="recost-fuzz-"))


def _written(name: str, data: bytes) -> Path:
    path = _folder / name
    path.write_bytes(data)
    return path


def baseline(data: bytes) -> None:
    try:
        text = read_document(_written("baseline.json", data))
        content = parse_json(text)
    except ValueError:
        return
    try:
        found = parse_baseline(content, "baseline.json")
    except BaselineError:
        return
    assert found.cost_usd >= 0
    assert found.calls >= 0
    assert all(isinstance(amount, Decimal) for amount in found.groups.values())


def budgets(data: bytes) -> None:
    path = _written("budgets.json", data)
    try:
        found = StateFile(str(path)).read()
    except RecostError:
        return
    for entry in found.values():
        assert entry.spent >= 0
        assert len(f"{entry.spent:f}") < 300


def _rules(suffix: str) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        path = _written(f"rules{suffix}", data)
        try:
            rules = load_rules(path)
        except RulesFileError:
            return
        ProviderRegistry(rules).match("https://api.example.com/v1/x/render")

    return run


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "baseline": baseline,
    "budgets": budgets,
    "rules-json": _rules(".json"),
    "rules-toml": _rules(".toml"),
}
_HUGE: Final = (b'{"x":1e9999999999999999999}', b"[" * 50, b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"NaN")
SEEDS: Final = {
    "baseline": (BASELINE, *_HUGE),
    "budgets": (BUDGETS, *_HUGE),
    "rules-json": (RULES, *_HUGE),
    "rules-toml": (RULES_TOML, b"a = [[[[1]]]]", b"a = 1e999999", b"a.b.c = 1979-05-27T07:32:00Z"),
}
