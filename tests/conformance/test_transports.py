"""What every transport must do: deliver each window once, in order, or raise `SendError` in time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recost.delivery import transports
from recost.delivery.transports.base import Disposition, SendError
from recost.errors import RecostError
from recost.wire import encode_window
from tests.conformance.transports import DESTINATIONS, KEY, UNREACHABLE
from tests.delivery.samples import metric, window, window_of
from tests.loopback import wait_until
from tests.schemas import check_frame

NOT_DESTINATIONS = {"base"}
every_transport = pytest.mark.parametrize("name", DESTINATIONS)


def test_each_transport_is_named_here() -> None:
    modules = {path.stem for path in Path(transports.__path__[0]).glob("[!_]*.py")}
    assert modules - NOT_DESTINATIONS == DESTINATIONS.keys()


@every_transport
def test_windows_arrive_once_in_order_and_as_they_are(name: str, tmp_path: Path) -> None:
    sent = [window(metric(f"endpoint-{index}"), metric("é\u2028\x00")) for index in range(20)]
    with DESTINATIONS[name](tmp_path) as (transport, received):
        for each in sent:
            transport.send(each, 5.0)
        assert wait_until(lambda: len(received()) >= len(sent))
        assert [check_frame(each) for each in received()] == [
            json.loads(encode_window(each)) for each in sent
        ]


@every_transport
def test_a_large_window_arrives(name: str, tmp_path: Path) -> None:
    large = window_of(900_000)
    with DESTINATIONS[name](tmp_path) as (transport, received):
        transport.send(large, 10.0)
        assert wait_until(received)
        assert received() == [json.loads(encode_window(large))]


@every_transport
def test_its_policy_is_one_that_the_delivery_can_follow(name: str, tmp_path: Path) -> None:
    with DESTINATIONS[name](tmp_path) as (transport, _):
        assert transport.retry.retries >= 0
        assert 0 <= transport.retry.first_s <= transport.retry.longest_s
        assert transport.retry.exhausted in (Disposition.WAIT, Disposition.SUSPEND)
        assert transport.spacing_s >= 0
        assert transport.max_metrics is None or transport.max_metrics >= 1


@every_transport
def test_it_is_closed_twice_and_shows_no_key(name: str, tmp_path: Path) -> None:
    with DESTINATIONS[name](tmp_path) as (transport, _):
        transport.send(window(), 5.0)
        assert KEY not in repr(transport)
        for _ in range(2):
            transport.close()


@pytest.mark.parametrize("name", UNREACHABLE)
def test_a_destination_that_cannot_be_reached_is_an_error_in_time(name: str, tmp_path: Path) -> None:
    transport = UNREACHABLE[name](tmp_path)
    with pytest.raises(SendError) as caught:
        transport.send(window(), 2.0)
    error = caught.value
    assert error.disposition in (Disposition.RETRY, Disposition.WAIT)
    assert error.error is None or isinstance(error.error, RecostError)
    assert KEY not in str(error.error)


@pytest.mark.parametrize("name", DESTINATIONS)
def test_importing_it_imports_no_client_and_no_server(name: str) -> None:
    program = f"""
import sys
import recost.delivery.transports.{name}
print(*{{"http", "websockets", "ssl", "asyncio", "requests"}}.intersection(sys.modules))
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
