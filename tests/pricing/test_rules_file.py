from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.pricing.model import PathCase, PriceCase, ProviderDef
from recost.pricing.rules_file import RulesFileError, json_positions, load_rules

try:
    import tomllib
except ImportError:
    tomllib = None  # type: ignore[assignment]

needs_toml = pytest.mark.skipif(
    sys.version_info < (3, 11),
    reason="Python has a reader of TOML since 3.11; tomli is not installed for tests",
)

TOML = """\
# Ours.
[[providers]]
host_pattern = "*.proxy.example.com"
provider = "proxy"
usd_per_gb = 3.50
failed_calls_billed = true
price_date = 2026-11-30

[[providers]]
host_pattern = "api.example.com"
provider = "example"
endpoint_category = "translate"
usage = "deepl"
usd_per_unit = { characters = 0.000015 }
free_units.characters = 500000

[[providers.prices]]
path = "/v1/*/render"
method = "POST"
usd_per_call = 1e-3
leaves_out = ["plan"]

[[providers.path_cases]]
contains = "/special"
endpoint_category = "special"
cost_per_request_cents = 2.5
"""

RULES = (
    ProviderDef(
        "*.proxy.example.com",
        "proxy",
        failed_calls_billed=True,
        usd_per_gb=Decimal("3.50"),
        price_date="2026-11-30",
    ),
    ProviderDef(
        "api.example.com",
        "example",
        endpoint_category="translate",
        usage="deepl",
        usd_per_unit={"characters": Decimal("0.000015")},
        free_units={"characters": Decimal(500_000)},
        prices=(
            PriceCase(
                path="/v1/*/render", method="POST", usd_per_call=Decimal("0.001"), leaves_out=("plan",)
            ),
        ),
        path_cases=(PathCase("/special", "special", 2.5),),
    ),
)


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@needs_toml
def test_toml(tmp_path: Path) -> None:
    assert load_rules(written(tmp_path, "rules.toml", TOML)) == RULES
    assert load_rules(str(written(tmp_path, "RULES.TOML", TOML))) == RULES


def test_json(tmp_path: Path) -> None:
    document: list[Any] = [
        {
            "host_pattern": "*.proxy.example.com",
            "provider": "proxy",
            "failed_calls_billed": True,
            "usd_per_gb": 3.5,
            "price_date": "2026-11-30",
        },
        {
            "host_pattern": "api.example.com",
            "provider": "example",
            "endpoint_category": "translate",
            "usage": "deepl",
            "usd_per_unit": {"characters": 0.000015},
            "free_units": {"characters": 500000},
            "prices": [
                {"path": "/v1/*/render", "method": "POST", "usd_per_call": 0.001, "leaves_out": ["plan"]}
            ],
            "path_cases": [
                {"contains": "/special", "endpoint_category": "special", "cost_per_request_cents": 2.5}
            ],
        },
    ]
    assert load_rules(written(tmp_path, "a.json", json.dumps({"providers": document}))) == RULES
    assert load_rules(written(tmp_path, "b.json", "\ufeff" + json.dumps(document, indent=2))) == RULES
    assert load_rules(written(tmp_path, "c.json", "[]")) == ()


def test_amounts_are_exact(tmp_path: Path) -> None:
    rule = '[{"host_pattern": "h", "provider": "p", "usd_per_call": 0.12345678901234567890123}]'
    (found,) = load_rules(written(tmp_path, "a.json", rule))
    assert found.usd_per_call == Decimal("0.12345678901234567890123")


BAD_TOML = [
    ('leaves_out = ["plan"]', 'leaves_out = "plan"', 21, "providers[1].prices[0].leaves_out: got 'plan', "),
    (
        "usd_per_gb = 3.50",
        "usd_per_gb = -3.50",
        5,
        "providers[0].usd_per_gb: got Decimal('-3.50'), ",
    ),
    ("usd_per_gb = 3.50", "usd_per_gb = 3.50.1", 5, "it is not TOML: "),
    ('provider = "proxy"', "", 2, "providers[0]: provider is missing"),
    ('provider = "example"', 'provder = "example"', 11, "invalid field: did you mean 'provider'?"),
    (
        "characters = 0.000015",
        "characters = -1",
        14,
        "providers[1].usd_per_unit.characters: got -1, ",
    ),
    ("free_units.characters", "free_units.Characters", 15, "providers[1].free_units: got 'Characters'"),
    ('path = "/v1/*/render"', 'path = "v1"', 18, "providers[1].prices[0].path: got 'v1', expected "),
    ('method = "POST"', 'method = "post"', 19, "providers[1].prices[0].method: got 'post', expected "),
    ('contains = "/special"', 'contains = ""', 24, "providers[1].path_cases[0].contains: got '', expected "),
    ('contains = "/special"', "", 23, "providers[1].path_cases[0]: contains is missing"),
    ("# Ours.", "other = 1", 0, "got 'other' at the top, expected 'providers' only"),
    (
        'host_pattern = "api.example.com"',
        'host_pattern = "https://api.example.com"',
        10,
        "host_pattern: got ",
    ),
]


@needs_toml
@pytest.mark.parametrize(("given", "instead", "line", "problem"), BAD_TOML)
def test_errors_in_toml_name_the_line(
    tmp_path: Path, given: str, instead: str, line: int, problem: str
) -> None:
    assert given in TOML
    path = written(tmp_path, "rules.toml", TOML.replace(given, instead))
    with pytest.raises(RulesFileError) as refusal:
        load_rules(path)
    where = f"{path}, line {line}: " if line else f"{path}: "
    assert str(refusal.value).startswith(f"recost: providers_file: {where}")
    assert problem in str(refusal.value)
    assert refusal.value.line == line


JSON_LINES = """{"providers": [
  {"host_pattern": "a.example", "provider": "a"},
  {"host_pattern": "b.example",
   "provider": "b",
   "prices": [{"path": "/x"},
              {"path": "/y",
               "usd_per_call": 1}]
  }
]}"""


@pytest.mark.parametrize(
    ("given", "instead", "line", "problem"),
    [
        ('"usd_per_call": 1', '"usd_per_call": -1', 7, "providers[1].prices[1].usd_per_call: got -1"),
        ('"/y"', '"y"', 6, "providers[1].prices[1].path: got 'y'"),
        ('"b",', '" ",', 4, "providers[1].provider: got ' '"),
        ('"a"}', "7}", 2, "providers[0].provider: got 7"),
        ('"provider": "b",', '"provider": "b"', 5, "it is not JSON: "),
        ('{"path": "/x"}', "1", 5, "providers[1].prices[0]: expected a table of fields"),
        ('"prices": [', '"pieces": [', 5, "invalid field: did you mean 'prices'?"),
        ("-", "-", 0, ""),
    ],
)
def test_errors_in_json_name_the_line(
    tmp_path: Path, given: str, instead: str, line: int, problem: str
) -> None:
    path = written(tmp_path, "rules.json", JSON_LINES.replace(given, instead))
    if given == instead:
        assert [rule.provider for rule in load_rules(path)] == ["a", "b"]
        return
    with pytest.raises(RulesFileError) as refusal:
        load_rules(path)
    assert str(refusal.value).startswith(f"recost: providers_file: {path}, line {line}: ")
    assert problem in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.yaml", b"providers: []", "its name must end in .toml or .json"),
        ("a.json", b"\xff\xfe\x00", "it is not UTF-8"),
        ("a.json", b"{}", "expected a list of rules under 'providers'"),
        ("a.json", b"7", "expected a list of rules under 'providers'"),
        ("a.json", b'{"providers": {}}', "expected a list of rules under 'providers'"),
        ("a.json", b'[{"host_pattern": "h", "provider": "p", "usd_per_call": NaN}]', "NaN is not a number"),
        ("a.json", b"[" * 100_000, "it is not JSON"),
        ("a.json", b"[1]", "providers[0]: expected a table of fields"),
        ("a.json", b'[{"host_pattern": "h", "provider": "p", "prices": {}}]', "expected a list of tables"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RulesFileError, match="recost: providers_file: ") as refusal:
        load_rules(tmp_path / name)
    assert problem in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RulesFileError, match="it can't be read: "):
        load_rules(tmp_path / "none.json")
    with pytest.raises(RulesFileError, match="it can't be read: "):
        load_rules(tmp_path)


def test_toml_without_a_reader_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tomllib", None)
    monkeypatch.setitem(sys.modules, "tomli", None)
    with pytest.raises(RulesFileError, match="pip install tomli"):
        load_rules(written(tmp_path, "rules.toml", TOML))


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3), max_size=4
    )
)
def test_every_object_of_a_list_is_found(objects: list[dict[str, Any]]) -> None:
    for indent in (None, 2):
        text = json.dumps({"providers": objects}, indent=indent)
        spans = json_positions(text).spans
        assert [json.loads(text[start:end]) for start, end in spans] == objects
