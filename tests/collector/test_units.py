"""The parts: the check of windows against the reader of lines, limits, ids, addresses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recost.cli import main
from recost.collector.keys import check_project
from recost.collector.limits import HourlyLimit
from recost.collector.server import Address, parse_address
from recost.collector.stores.appending import Position
from recost.collector.stores.ids import IDS_KEPT_S, WindowIds
from recost.collector.windows import InvalidWindowError, read_window, window_id_of
from recost.wire.parsing import parse_window
from tests.collector.serving import WINDOW, collector, lines, make_key, window
from tests.scripts import environment, run_script

FIELDS = [*WINDOW, "windowId"]
METRIC_FIELDS = list(WINDOW["metrics"][0])
LONE = '"\\ud800"'
VALUES = st.sampled_from(
    [
        *(
            "null",
            "true",
            "[]",
            "{}",
            '""',
            '" "',
            '"x"',
            LONE,
            '"\\u0000"',
            "NaN",
            "-Infinity",
            "1e999",
            "-1",
        ),
        *("0", "-0.0", "3", "3.0", "3.5", "2", "999999999999999", "1000000000000000", "1e15", "1" * 40),
        *(
            '"1.0"',
            '"1.9"',
            '"2.0"',
            '"1970-01-01T00:00:00.000Z"',
            '"9999-12-31T23:59:59.999Z"',
            '"2026-11-21"',
        ),
    ]
)


@given(
    place=st.sampled_from([(name, None) for name in FIELDS] + [(None, name) for name in METRIC_FIELDS]),
    value=VALUES,
)
def test_what_is_accepted_is_read_by_every_command(place: tuple[Any, Any], value: str) -> None:
    content = window()
    mark = "\x1b mark"
    if place[0] is not None:
        content[place[0]] = mark
    else:
        content = {**content, "metrics": [{**content["metrics"][0], place[1]: mark}]}
    body = json.dumps(content).replace(json.dumps(mark), value).encode()
    try:
        accepted = read_window(body)
    except InvalidWindowError:
        return
    found = parse_window(accepted.line)
    assert found is not None
    assert found.bad_metrics == 0
    assert (len(found.metrics), sum(metric.calls for metric in found.metrics)) == accepted[2:4]
    assert window_id_of(accepted.line) == accepted.id


@pytest.mark.parametrize(
    "fields",
    [
        {"protocolVersion": "2.0"},
        {"environment": " "},
        {"windowEnd": WINDOW["windowStart"]},
        {"windowId": "7"},
        {"metrics": []},
        {"metrics": WINDOW["metrics"] * 2},
        {"metrics": [{**WINDOW["metrics"][0], "errorCount": 4}]},
        {"metrics": [{**WINDOW["metrics"][0], "estimatedCostCents": -1}]},
        {"metrics": [{**WINDOW["metrics"][0], "provider": ""}]},
    ],
)
def test_what_breaks_the_wire_format_is_refused(fields: dict[str, Any]) -> None:
    read_window(json.dumps(window()).encode())
    with pytest.raises(InvalidWindowError) as refused:
        read_window(json.dumps(window(**fields)).encode())
    assert refused.value.status == 422


def test_a_repeated_name_is_refused() -> None:
    body = json.dumps(window()).encode()
    with pytest.raises(InvalidWindowError, match="repeated"):
        read_window(body[:-1] + b', "environment": "b"}')


def test_the_limit_is_exact_over_every_hour() -> None:
    now, most = 0.0, 5
    limit = HourlyLimit(most, lambda: now)
    admitted: list[float] = []
    for step in range(2000):
        now = step * 37.5
        wait_s = limit.admit()
        if wait_s == 0:
            admitted.append(now)
        else:
            assert wait_s == admitted[-most] + 3600 - now
    assert all(later - earlier >= 3600 for earlier, later in zip(admitted, admitted[most:]))
    assert len(admitted) >= most * math.floor(now / (3600 + 37.5 * most))


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_ids_are_kept_for_a_week_and_bounded(tmp_path: Path) -> None:
    now = 1_000_000.0
    ids = WindowIds(tmp_path / "ids", clock=lambda: now, most=5000)
    ids.add(map(key, range(3000)), [Position(7, 3, b"x")])
    assert ids.known([key(0), key(2999), key(3000)]) == {key(0), key(2999)}
    assert ids.position_in(7) == Position(7, 3, b"x")
    now += IDS_KEPT_S
    ids.add([key(3000)], [])
    assert len(ids.known([key(number) for number in range(4000)])) == 3001
    now += 1
    for number in (3001, 3002):
        ids.add([key(number)], [])
    assert ids.known([key(2999), key(3000), key(3002)]) == {key(3000), key(3002)}
    ids.add(map(key, range(10_000, 20_000)), [])
    assert len(ids.known([key(number) for number in range(20_000)])) == 5000
    assert ids.known([key(19_999)])
    ids.close()


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:9849", Address("127.0.0.1", 9849), True),
        ("127.8.8.8:0", Address("127.8.8.8", 0), True),
        ("[::1]:1", Address("::1", 1), True),
        ("localhost:1", Address("localhost", 1), True),
        ("0.0.0.0:1", Address("0.0.0.0", 1), False),
        ("[::]:1", Address("::", 1), False),
        ("recost.example.com:1", Address("recost.example.com", 1), False),
    ],
)
def test_addresses(text: str, address: Address, loopback: bool) -> None:
    assert parse_address(text) == address
    assert address.is_loopback == loopback


@pytest.mark.parametrize(
    "text", ["", "9849", ":9849", "::1:9849", "h:", "h:x", "h:65536", "h:²", "[::1]", "\x1b:1"]
)
def test_what_is_not_an_address(text: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT"):
        parse_address(text)


@pytest.mark.parametrize("name", ["", ".x", "a/b", "a\\b", "..", "nul", "a.1", "a ", "x\x1b", "ü" * 60, "a*"])
def test_projects_that_cannot_name_a_file(name: str) -> None:
    with pytest.raises(ValueError, match="invalid project"):
        check_project(name)
    assert check_project("shop-1.eu") == "shop-1.eu"


def test_a_program_with_the_sdk_over_tls(tmp_path: Path) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, part in enumerate(issued.cert_chain_pems):
        part.write_to_path(tmp_path / "cert.pem", append=number > 0)
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    folder = tmp_path / "stored"
    key_text = make_key(folder)
    options = ("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    with collector(folder, "--listen", "0.0.0.0:0", *options) as running:
        assert running.url.startswith("https://")
        program = """
        import sys, recost
        from recost.delivery.transports.cloud import CloudTransport
        metric = recost.MetricEntry("p", "e", "GET", 3, 0, 2.0, 2.0, 2.0, 0, 5, 0.5)
        window = recost.WindowSummary("", "test", "python", "0", 1000.0, 2000.0, (metric,))
        CloudTransport(sys.argv[2], "shop", sys.argv[1]).send(window, 60)
        """
        env = environment(SSL_CERT_FILE=str(tmp_path / "root.pem"))
        done = run_script(program, key_text, running.url, env=env)
        assert (done.returncode, done.stderr) == (0, "")
    assert [each["environment"] for each in lines(folder)] == ["test"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--listen", "0.0.0.0:1"], "expected --tls-cert and --tls-key, or --behind-proxy"),
        (["--tls-cert", "x"], "expected both"),
        (["--tls-cert", "/none", "--tls-key", "/none"], "cannot use /none and /none: No such file"),
        (["keys", "revoke", "\x1b[31m"], "unknown key"),
        (["keys", "add", "--project", "../x"], "invalid project"),
    ],
)
def test_what_the_command_refuses(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["collector", "--dir", str(tmp_path), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("recost: ")
    assert "\x1b" not in said
    assert len(said.splitlines()) == 1
