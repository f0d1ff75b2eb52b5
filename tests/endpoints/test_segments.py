from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.endpoints.segments import FREE, ID, NAMED, STRICT, template_segment
from recost.endpoints.vocabulary import NUMBERED

NAMES = """
v1 v2 v1beta1 v1p1beta1 v1.0 v0.1 V2 api users customers chat completions generateContent simple_price
v1b3 v20190125 2fa 3ds @me customBiddingAlgorithms computeScope3FlightEmissions $batch delta()
chat.postMessage
Messages.json Calls.json payment_intents IncomingPhoneNumbers AvailablePhoneNumbers GetJobDetails oauth2 web3
s3 CreateS3TableIntegration hydration
sha256 base64 .well-known openid-configuration _search $metadata wp-json geocode text-to-speech
DescribeReservedInstancesModifications internationalization graphql.php -- .. _ fine_tuning
"""

MODELS = """
gpt-4o-mini gpt-4.1 gpt-3.5-turbo-0125 gpt-4o-2024-08-06 chatgpt-4o-latest o1 o3-mini
claude-sonnet-4-5-20250929
claude-3-5-sonnet-20241022 gemini-2.5-flash gemini-1.5-pro-002 gemini-2.5-flash:generateContent
text-embedding-3-small text-embedding-ada-002 whisper-1 tts-1-hd dall-e-3 mixtral-8x7b
llama-3.1-70b-instruct Llama-3.1-8B-Instruct qwen3-235b-a22b meta.llama3-1-70b-instruct-v1:0
us.anthropic.claude-3-5-sonnet-20241022-v2:0 amazon.titan-embed-text-v2:0 eleven_multilingual_v2
"""

IDENTIFIERS = """
1 12345 00 3.14159 12.5 1,2 2024-01-02 20240102 550e8400-e29b-41d4-a716-446655440000 deadbeef01 0xdeadbeef
550e8400e29b41d4a716446655440000 aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa abcdefabcdefabcd cus_NffrFeUfNV2Hib
ch_3MmlqpLkdIwHu7ix0Rj7GWSJ AC0123456789abcdef0123456789abcdef sk_live_51H8x user_42 order-12345 asst_abc123
NffrFeUfNVqHib XkQzVbNmWrTplKj xkqjzvbnmwrtplkj MDEyMzQ1Njc4OQ== a+b a=b a;b a,b *
eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln eyJhbGciOi.eyJzdWIi.abcdefgh jane@example.com @handle
jane%40example.com
caf%C3%A9 café %20 a%20b %252e {secret} {id}{id} 21m00Tcm4TlvDq8ikWAM T024BE7LD 192.168.0.1
gpt-4o-mini-abc123def claude-x9f8e7d6c5 12:34:56 a\x00b \ud800
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_stay(name: str) -> None:
    assert template_segment(name, False) == name


@pytest.mark.parametrize("name", MODELS.split())
def test_models_stay_where_models_are_named(name: str) -> None:
    assert template_segment(name, False, FREE, True) == name
    if any(map(str.isdigit, name)):
        assert template_segment(name, False, FREE, False) != name or name.endswith(("v2", "small", "hd"))


@pytest.mark.parametrize(
    "word", ["search", "me", "@me", "batch", "settings", "listLegacyOrganizations", "-", "v2"]
)
def test_verbs_stay_after_telling_words(word: str) -> None:
    assert template_segment(word, False, STRICT) == word


@pytest.mark.parametrize(
    "name", ["jane", "acme", "acme-corp", "hunter", "JaneDoe", "jane.doe", "summer", "grace"]
)
def test_other_words_go_after_telling_words(name: str) -> None:
    assert template_segment(name, False, STRICT) == ID
    assert template_segment(f"{name}:activate", False, STRICT) == f"{ID}:activate"


@pytest.mark.parametrize("identifier", IDENTIFIERS.split())
def test_identifiers_go(identifier: str) -> None:
    found = template_segment(identifier, False)
    assert set(found.split(":")) == {ID}, found


@pytest.mark.parametrize(
    ("segment", "wanted"),
    [
        ("SM0123456789abcdef0123456789abcdef.json", "{id}.json"),
        ("8863.json", "{id}.json"),
        ("8863.JSON", "{id}.JSON"),
        ("projects:8f14e45fceea167a", "projects:{id}"),
        ("8f14e45fceea167a:cancel", "{id}:cancel"),
        ("data.tar.gz", "{id}.gz"),
        ("jane-doe.pdf", "{id}.pdf"),
        ("jane-doe.json", "{id}.json"),
        ("cart;jsessionid=a1", "cart;{id}"),
        ("Users('bob@example.com')", "Users({id})"),
        ("documents:run", "documents:run"),
        ("bot123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", "bot{id}"),
        ("bot1:a", "bot{id}"),
        ("chat%2Dcompletions", "chat-completions"),
        ("users:7", "users:{id}"),
        ("", ""),
        ("{id}", "{id}"),
        ("x" * 65, "{id}"),
    ],
)
def test_segments_of_several_parts(segment: str, wanted: str) -> None:
    assert template_segment(segment, False) == wanted


def test_fine_tuned_models_keep_their_base() -> None:
    model = "ft:gpt-4o-mini-2024-07-18:acme:suffix:AbC123x"
    assert template_segment(model, False, FREE, True) == f"ft:gpt-4o-mini-2024-07-18:{ID}:{ID}:{ID}"
    name = "anthropic.claude-3-5-sonnet-20241022-v2"
    assert template_segment(f"{name}%3A0", False, FREE, True) == f"{name}:0"


@pytest.mark.parametrize("version", ["2010-04-01", "2024-01", "2023-05-15-preview", "1.1", "2.0"])
def test_versions_that_lead_a_path_stay(version: str) -> None:
    assert template_segment(version, True) == version
    assert template_segment(version, False) == ID


@pytest.mark.parametrize("number", ["1", "12345", "1999-01-01", "2024-13-01", "12.5", "1.123"])
def test_other_numbers_that_lead_a_path_go(number: str) -> None:
    assert template_segment(number, True) == ID


@pytest.mark.parametrize(
    "word",
    [
        "portfolio",
        "margin_mode",
        "role-assignments",
        "serviceaccount",
        "securitytoken",
        "by-puuid",
        "failover",
        "rotate-secret",
        "master-templates",
        "audit-trail",
        "perspectives",
        "top-up",
    ],
)
def test_parts_of_an_account_stay_after_persons_and_tenants(word: str) -> None:
    assert template_segment(word, False, NAMED) == word


@pytest.mark.parametrize(
    "name",
    ["open-door", "red-hat", "state-farm", "paper-street-soap", "canvas", "mark", "admin42", "newlife"],
)
def test_names_of_common_words_go_after_persons_and_tenants(name: str) -> None:
    assert template_segment(name, False, NAMED) == ID


@pytest.mark.parametrize(
    "code", ["save20", "first50", "launch2024", "best-friends", "golden-ticket", "HALFOFF"]
)
def test_codes_of_common_words_go_after_words_for_secrets(code: str) -> None:
    assert template_segment(code, False, STRICT) == ID


@pytest.mark.parametrize("method", ["lookupConfiguredPerimeter", "enableRotation", "cleanup", "cancel"])
def test_methods_after_identifiers_stay(method: str) -> None:
    assert template_segment(f"8f14e45fceea167a:{method}", False, STRICT) == f"{ID}:{method}"
    assert template_segment(f"v1:{method}", False) == f"v1:{method}"


@given(st.text(), st.booleans())
def test_any_text_comes_to_rest_after_one_pass(segment: str, first: bool) -> None:
    found = template_segment(segment, first)
    assert template_segment(found, first) == found
    assert len(found) <= 64


@given(st.text(alphabet="ab1-._~:%{}id09AZ$", max_size=70), st.booleans())
def test_likely_text_comes_to_rest_after_one_pass(segment: str, first: bool) -> None:
    found = template_segment(segment, first)
    assert template_segment(found, first) == found
    assert len(found) <= 64


@given(
    st.uuids(), st.booleans(), st.sampled_from(["", ".json", ":cancel"]), st.sampled_from(["", "req_", "a-"])
)
def test_no_uuid_survives(value: object, first: bool, suffix: str, prefix: str) -> None:
    assert template_segment(f"{prefix}{value}{suffix}", first) == ID + suffix
    assert template_segment(str(value).upper().replace("-", ""), first) == ID


@given(st.integers(min_value=0), st.booleans(), st.sampled_from(["", "user_", "order-", "x", "cus_"]))
def test_no_number_survives(value: int, first: bool, prefix: str) -> None:
    if f"{prefix}{value}" not in NUMBERED:  # x509
        assert template_segment(f"{prefix}{value}", first) == ID


@given(
    st.text(string.ascii_letters + string.digits, min_size=10, max_size=80).filter(
        lambda token: not token.isalpha() and not token[:-1].isalpha()
    ),
    st.sampled_from(["", "sk_live_", "key-"]),
)
def test_no_token_with_digits_in_it_survives(token: str, prefix: str) -> None:
    assert template_segment(prefix + token, False) == ID


@pytest.mark.parametrize(
    ("alphabet", "length", "most"),
    [
        (string.hexdigits[:16], 16, 0),
        (string.ascii_letters + string.digits, 16, 0.01),
        (string.ascii_letters + string.digits, 24, 0.001),
        (string.ascii_letters + string.digits + "-_", 22, 0.002),
        (string.ascii_letters, 24, 0.01),
        (string.ascii_uppercase + "234567", 16, 0.01),
        (string.ascii_lowercase, 24, 0.02),
        (string.ascii_lowercase, 32, 0),
    ],
)
def test_random_tokens_go(alphabet: str, length: int, most: float) -> None:
    chance = random.Random(length)
    tokens = ["".join(chance.choices(alphabet, k=length)) for _ in range(5000)]
    survivors = [token for token in tokens if template_segment(token, False) != ID]
    assert len(survivors) <= most * len(tokens), survivors[:10]


def test_what_is_remembered_is_bounded() -> None:
    for number in range(3000):
        template_segment(f"x{number}", False)
    assert template_segment.cache_info().currsize <= 1024


@given(st.text("1a2e0bv._~-", min_size=1, max_size=9), st.sampled_from(["!", "", "%", "x9x9", ":!"]))
@settings(deadline=None)
def test_pieces_in_a_row_end_at_once(piece: str, end: str) -> None:
    # A pattern that may divide the pieces in several ways would not end at all.
    segment = piece * (64 // len(piece))
    assert template_segment(segment[: 64 - len(end)] + end, False)
    assert template_segment(f"gpt-{segment}"[: 64 - len(end)] + end, False)


@pytest.mark.parametrize("piece", ["a1-", "1-", "1a-", "a-", "12-", "20240101-", "e1b-", "gpt-4o-", "%2F"])
def test_known_attacks_are_identifiers(piece: str) -> None:
    for prefix in ("", "gpt-", "claude."):
        assert template_segment((prefix + piece * 64)[:63] + "!", False) == ID
        assert template_segment(prefix + piece * 350_000, False) == ID


@pytest.mark.parametrize("text", ["my-ghp_abcdef", "token-sk_live_abc", "charge.sk_test_abc", "ghp_abcdef"])
def test_the_prefix_of_a_token_is_hidden_wherever_it_stands(text: str) -> None:
    assert template_segment(text, False) == ID
