from __future__ import annotations

import json
import re
import sys
from datetime import date
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest

from recost.cli import main
from recost.cli.prices.listing import list_prices, unit_price
from recost.pricing.model import ProviderDef
from recost.pricing.registry import ProviderRegistry

needs_genai = pytest.mark.skipif(find_spec("genai_prices") is None, reason="genai-prices is not installed")


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["prices", *arguments])
    output = capsys.readouterr()
    assert max(map(len, output.out.splitlines()), default=0) <= 90
    return code, output.out, " ".join(output.out.split()) or output.err


def test_all_prices_fit_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = shown(capsys)
    assert code == 0
    lines = out.splitlines()
    wide = [line for line in lines if len(line) > 80 and " " in line.strip()]
    assert wide == [], "only a source that is one long word may be wider"
    assert lines[0] == "openai"
    for provider in {rule.provider for rule in ProviderRegistry().list()}:
        assert provider in lines


def test_one_provider(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, joined = shown(capsys, "--provider", "Twilio")
    assert code == 0
    assert out.splitlines()[:3] == [
        "twilio",
        "  api.twilio.com/2010-04-01/Accounts/*/Messages.json  POST",
        out.splitlines()[2],
    ]
    assert "$0.0083 per segment" in joined
    assert "$0.0079 per SMS (estimate)" in joined
    assert "an estimate, without: country, carrier_fees" in joined
    assert joined.count("an estimate, without") == 1, "a flat estimate is one of all"
    assert "[1] 2026-11-21 https://www.twilio.com/en-us/sms/pricing/us" in joined
    assert "openai" not in joined


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = shown(capsys, "--provider", "pinecone", "--json")
    assert code == 0
    found = json.loads(out)
    assert {
        "provider": "pinecone",
        "where": "*.pinecone.io/query",
        "method": None,
        "unit": "read_units",
        "usd": "0.000016",
        "source": "https://www.pinecone.io/pricing/ (serverless, Standard, us-east-1)",
        "date": "2026-11-29",
        "builtin": True,
    }.items() <= next(
        price for price in found if price["unit"] == "read_units" and "query" in price["where"]
    ).items()


def test_prices_that_are_not_in_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert "exact cost in the response" in shown(capsys, "--provider", "xai")[2]
    assert "by model tokens (x-ai)" in shown(capsys, "--provider", "xai")[2]
    assert "unknown yours to give" in shown(capsys, "--provider", "elevenlabs")[2]


def test_a_provider_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, problem = shown(capsys, "--provider", "qqq")
    assert (code, out) == (2, "")
    assert "unknown provider 'qqq': expected one of " in problem
    assert "anthropic" in problem


def test_the_age_of_a_price() -> None:
    rule = ProviderDef("h.example", "h", usd_per_call=Decimal(1), price_date="2025-12", price_source="s")
    (price,) = list_prices(ProviderRegistry([rule]), "h", date(2026, 11, 21))
    assert (price.age_months, price.builtin, price.usd) == (11, False, Decimal(1))


@needs_genai
def test_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, joined = shown(capsys, "--model", "gpt-4o-mini", "--provider", "openai")
    assert code == 0
    assert "openai gpt-4o-mini input_tokens $0.15 /1M" in joined
    code, out, _ = shown(capsys, "--model", "gpt-5.4", "--provider", "openai", "--json")
    found = next(
        price for price in json.loads(out) if price["unit"] == "input_tokens" and price["model"] == "gpt-5.4"
    )
    assert (found["usd"], found["per"]) == ("2.5", 1_000_000)
    assert found["tiers"] == [{"above_tokens": 272_000, "usd": "5"}]
    assert shown(capsys, "--model", "no-such-model")[0] == 2


def test_a_model_without_genai_prices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    monkeypatch.setitem(sys.modules, "genai_prices.data", None)
    code, _, problem = shown(capsys, "--model", "gpt-4o")
    assert code == 2
    assert "pip install 'recost[prices]'" in problem


def test_check_a_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, joined = shown(
        capsys, "check", "https://user:secret@api.openai.com:443/v1/embeddings?key=secret"
    )
    assert code == 0
    assert "secret" not in out
    assert out.startswith("POST api.openai.com/v1/embeddings\n")
    assert "rule number 2 of" in joined
    assert "built in. The first match decides" in joined
    assert "host api.openai.com: the same name" in joined
    assert "path begins with /v1/embeddings" in joined
    assert "endpoint embeddings" in joined
    assert "usage read from the response, with capture_usage=True, as 'openai'" in joined
    order = [
        "the cost reported in the response",
        "genai-prices, provider 'openai'",
        "the flat estimate of $0.1 per 1,000 calls",
    ]
    assert sorted(order, key=joined.index) == order


def test_check_a_case(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-2-lite-v1%3A0/converse"
    code, _, joined = shown(capsys, "check", url)
    assert code == 0
    assert "host *.amazonaws.com: bedrock-runtime.us-east-1.amazonaws.com is below it" in joined
    assert "host bedrock-runtime*.*.amazonaws.com" in joined
    assert "model 'us.amazon.nova-2-lite-v1:0' from the path" in joined
    assert "flat estimate" not in joined
    assert "otherwise the cost is unknown (not 0)" in joined


def test_check_names_what_a_price_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    code, _, joined = shown(capsys, "check", url)
    assert code == 0
    assert "an estimate, without: country, carrier_fees" in joined
    assert "without:" not in shown(capsys, "check", "https://api.openai.com/v1/embeddings")[2]


def test_check_by_method(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://bucket.s3.eu-west-1.amazonaws.com/key"
    assert "$0.005 per 1,000 calls" in shown(capsys, "check", url, "--method", "put")[2]
    assert "$0.4 per 1M calls" in shown(capsys, "check", url, "--method", "GET")[2]
    assert "$0 per call" in shown(capsys, "check", url, "--method", "DELETE")[2]


def test_check_a_host_that_nobody_knows(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, joined = shown(capsys, "check", "https://nobody.example/x")
    assert code == 1
    assert "rule no rule matches: provider unknown, cost unknown" in joined


@pytest.mark.parametrize("url", ["nonsense", "http://", "http://[::1", ""])
def test_check_what_is_no_url(capsys: pytest.CaptureFixture[str], url: str) -> None:
    code, _, problem = shown(capsys, "check", url)
    assert code == 2
    assert "expected https://host/path" in problem


def test_the_rules_that_init_has(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"host_pattern": "api.openai.com", "provider": "mine", "usd_per_call": 0.25}]')
    monkeypatch.setenv("RECOST_PROVIDERS_FILE", str(rules))
    code, _, joined = shown(capsys, "check", "https://api.openai.com/v1/x")
    assert (code, "custom price: $0.25 per call" in joined) == (0, True)


def test_rules_of_ones_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"host_pattern": "api.openai.com", "provider": "mine", "usd_per_call": 0.25}]')
    code, _, joined = shown(capsys, "--rules", str(rules), "--provider", "mine")
    assert code == 0
    assert "mine api.openai.com (yours) $0.25 per call" in joined
    code, _, joined = shown(capsys, "--rules", str(rules), "check", "https://api.openai.com/v1/x")
    assert "rule number 1 of" in joined
    assert "custom, before the built-in ones" in joined
    assert "custom price: $0.25 per call" in joined
    rules.write_text("[\n{}]")
    code, out, problem = shown(capsys, "--rules", str(rules))
    assert (code, out) == (2, "")
    assert "line 2: providers[0]: host_pattern, provider is missing" in problem


@pytest.mark.parametrize(
    ("unit", "usd", "words"),
    [
        ("web_searches", "0.01", "$0.01 per web search"),
        ("pages", "0.01", "$0.01 per page"),
        ("call (estimate)", "0.0001", "$0.1 per 1,000 calls (estimate)"),
        ("dall-e-3.1024x1024.hd.images", "0.08", "$0.08 per image of dall-e-3.1024x1024.hd"),
        ("GB down", "0.09", "$0.09 per GB down"),
        ("amount_usd", "0.029", "$0.029 per dollar charged"),
    ],
)
def test_units_in_words(unit: str, usd: str, words: str) -> None:
    assert " ".join(unit_price(Decimal(usd), unit)) == words


def test_the_day_of_a_price(capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(r"per segment +2026-11-21  \[1\]", shown(capsys, "--provider", "twilio")[1])


def test_rules_before_and_after_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text('[{"host_pattern": "x.example", "provider": "mine", "usd_per_call": 0.25}]')
    url = ("check", "https://x.example/")
    before = shown(capsys, "--rules", str(rules), *url)
    assert before == shown(capsys, *url, "--rules", str(rules))
    assert "$0.25 per call" in before[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "check", "https://x.example/"], "--json has no effect with check"),
        (["--provider", "openai", "check", "https://x.example/"], "--provider has no effect with check"),
        (["--json", "update"], "--json has no effect with update"),
        (["--rules", "x.toml", "--model", "gpt"], "--rules has no effect with --model"),
    ],
)
def test_options_without_effect(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, problem = shown(capsys, *arguments)
    assert (code, out) == (2, "")
    assert words in problem
