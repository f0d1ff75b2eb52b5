"""Paths of one shape have the same template as each of them by itself."""

from __future__ import annotations

import random
import re
import uuid
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.endpoints import shapes, templating
from recost.endpoints.shapes import shape_of
from recost.endpoints.templating import template
from tests.endpoints.corpus.measure import HELD_OUT, read_leaks, read_routes

_ANNOUNCING_TEXT: Final = """
models Models model deployments engines services triggers workflows Services users user token secrets
tenants accounts api rest rpc v1 V2 v version 2 3 1.0 2.1 me @me self Microsoft.Sql microsoft.graph.x
AUTH_a swift by-slug search settings Accounts webhooks bot1:x gpt-4o mod%65ls {id} {rest} customers;v=1
a%20b x(1) path.v1.Service
"""
ANNOUNCING: Final = _ANNOUNCING_TEXT.split()
_NAMED_TEXT: Final = """
T0123456789 t0123456789 AUTH_0123456 KEY_0123456 SERVICE_0123456 2024-01-02 2024-01-0 20240102
20240102-preview 2024-01-02-preview v20240102 V0123456 a1b2-c3d4-e5f6 order1a2-cart3b4-item5c6
order1a2_cart3b4 cloud1a2-data3b4-test5c6 api12-rest34-web56 123456 000000 12 1 0 ²³¹ ١٢٣٤٥٦ 1234567.json
1234567:cancel gpt-4o-2024-08-06 claude-3-5-sonnet-20241022 ft:gpt-4o:123456
00000000-0000-4000-8000-000000000000 cus_NffrFeUfNV2Hib0123456 SM0123456789abcdef é0123456 bot0123456
claude-3-5-sonnet-20241022-v2 bot0123456:x 1.0123456 Microsoft.0123456 rest0123456 api0123456 0123456s
"""
NAMED: Final = (*_NAMED_TEXT.split(), "\0", "\0" + "123456", "1234567\n")
TEXT: Final = st.text("abTvV0123456789-_.:;%=(){}@~é²", max_size=40)
PATHS: Final = st.lists(st.sampled_from(ANNOUNCING) | st.sampled_from(NAMED) | TEXT, max_size=15).map(
    "/".join
)


@given(st.sampled_from(["/", "", "//"]), PATHS)
def test_a_path_has_the_template_of_its_shape(start: str, path: str) -> None:
    path = start + path
    alone = templating._template(path.partition("?")[0].partition("#")[0])
    assert template(path) == alone
    assert template(shape_of(path) or path) == alone


@pytest.mark.parametrize("before", ANNOUNCING)
def test_an_identifier_anywhere_has_the_template_of_its_shape(before: str) -> None:
    for name in NAMED:
        for path in (
            f"/{before}/{name}",
            f"/{before}/{name}/v1",
            f"/{before}/{name}/{name}",
            f"/x/{before}/{name}/users/{name}",
            f"/{name}/{before}/{name}/1",
            f"/{before}//{name}/v2/{name}",
            f"/{before}/v1/{name}/settings",
        ):
            assert template(path) == templating._template(path), path


def test_documented_routes_and_leaks_have_the_template_of_their_shape() -> None:
    chance = random.Random(3)
    kinds = (
        lambda: str(chance.randrange(10**9)),
        lambda: str(uuid.UUID(int=chance.getrandbits(128))),
        lambda: f"{chance.getrandbits(96):024x}",
        lambda: f"cus_{chance.getrandbits(80):020X}",
        lambda: f"{chance.getrandbits(20):05x}-{chance.getrandbits(20):05d}-{chance.getrandbits(20):05d}",
    )
    documented = (*read_routes().values(), *read_routes(HELD_OUT).values())
    for route in (path for paths in documented for path in paths):
        for _ in range(2):
            path = re.sub(r"\{[^{}]*\}", lambda _: chance.choice(kinds)(), route)
            assert template(path) == templating._template(path), path
    for _, _, path, _ in read_leaks():
        assert template(path) == templating._template(path), path


def test_shapes_of_paths_with_identifiers_repeat() -> None:
    def found(path: str) -> set[str]:
        chance = random.Random(5)
        ids = (uuid.UUID(int=chance.getrandbits(128)) for _ in range(50))
        return {shape_of(path.format(number, identifier)) for number, identifier in enumerate(ids, 100)}

    assert len(found("/v2/things/{0}/parts/{1}")) == 1
    assert len(found("/v1/customers/cus_{1}")) == 1
    assert found("/v1/models/{1}") == {""}, "a model may have as many digits"
    assert len(found("/services/T0{0}00000/x")) == 50


def test_what_is_remembered_is_bounded() -> None:
    for number in range(5_000):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        shape_of(f"/v1/{name}/{number}/{'x' * 99}")
    known: dict[str, str] = shapes._stand_ins
    assert 0 < len(known) <= 2048
    assert max(map(len, known)) <= 64
