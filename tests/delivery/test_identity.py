from __future__ import annotations

import os
import re
import socket
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

import recost
from recost.delivery.delivery import Delivery
from recost.delivery.identity import Identity, new_window_id
from recost.delivery.outbox import Outbox
from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.cloud import CloudTransport
from recost.delivery.transports.memory import MemoryTransport
from recost.errors import RecostError
from recost.events import WindowSummary
from tests.api import Api
from tests.delivery.samples import window
from tests.delivery.test_delivery import Window
from tests.loopback import Loopback
from tests.scripts import run_script, windows

KEY = "rc-0123456789abcdef"


def waits(text: str = "down") -> SendError:
    return SendError(RecostError(text), Disposition.WAIT)


def test_ids_are_uuids_of_version_4_and_differ() -> None:
    found = {new_window_id() for _ in range(1000)}
    assert len(found) == 1000
    assert {uuid.UUID(each).version for each in found} == {4}
    assert {str(uuid.UUID(each)) for each in found} == found


def test_an_instance_is_this_process_and_hides_the_host() -> None:
    named = Identity("shop", clock=lambda: 12.5).identify(window(), "id")
    assert named.instance is not None
    assert (named.instance.pid, named.instance.start) == (os.getpid(), 12_500)
    assert re.fullmatch("[0-9a-f]{16}", named.instance.host)
    assert socket.gethostname() not in str(named.to_dict())
    other = Identity("bank").identify(window(), "id").instance
    again = Identity("shop").identify(window(), "id").instance
    assert other is not None
    assert again is not None
    assert other.host != named.instance.host == again.host
    assert replace(named, window_id=None, instance=None) == window()


def test_a_window_is_the_same_at_every_retry_whatever_comes_meanwhile() -> None:
    transport = MemoryTransport([waits(), waits(), waits()])
    delivery = Delivery(transport, report=lambda error: None, outbox=Outbox(max_windows=2, max_bytes=10_000))
    for _ in range(4):
        delivery.put(Window(a=1))
        delivery.pump()
    first, *_ = transport.windows
    assert transport.attempts[:4] == [first] * 4
    assert first.window_id
    assert [sum(m.request_count for m in w.metrics) for w in transport.windows] == [1, 3]
    assert len({each.window_id for each in transport.windows}) == 2


def test_each_part_of_a_refused_window_has_an_id_of_its_own() -> None:
    refused = SendError(RecostError("422"), Disposition.SPLIT)
    transport = MemoryTransport([refused, refused])
    delivery = Delivery(transport, report=lambda error: None)
    delivery.put(Window(a=1, b=2, c=4, d=8))
    delivery.pump()
    assert sum(m.request_count for w in transport.windows for m in w.metrics) == 15
    ids = [each.window_id for each in transport.attempts]
    assert len(ids) == 5
    assert len(set(ids)) == 5


def test_a_window_that_is_set_aside_keeps_its_id_until_it_is_halved() -> None:
    seen: list[WindowSummary] = []

    class Failing(MemoryTransport):
        def send(self, summary: WindowSummary, timeout_s: float) -> None:
            seen.append(summary)
            if len(summary.metrics) > 2:
                raise SendError(RecostError("500"), Disposition.WAIT, responded=True)
            super().send(summary, timeout_s)

    delivery = Delivery(Failing(), report=lambda error: None)
    delivery.put(Window(a=1, b=1, c=1))
    for _ in range(8):
        delivery.put(Window(z=1))
        delivery.pump()
    whole = [each for each in seen if len(each.metrics) == 3]
    assert len(whole) > 2
    assert whole == [whole[0]] * len(whole)
    content: dict[str, set[tuple[str, ...]]] = {}
    for each in seen:
        content.setdefault(str(each.window_id), set()).add(tuple(metric.endpoint for metric in each.metrics))
    assert all(len(contents) == 1 for contents in content.values())


def test_an_answer_that_is_lost_leads_to_the_same_body_again() -> None:
    with Api(key=KEY) as api:
        api.script("accept, reset", 503, 500)
        delivery = Delivery(
            CloudTransport(api.url, api.project, KEY, max_retries=3), report=lambda error: None
        )
        delivery.put(Window(a=1, b=2))
        delivery.pump()
        delivery.close()
        bodies = [request.body for request in api.posts]
        assert len(bodies) == 4
        assert len(set(bodies)) == 1
        assert len({each["windowId"] for each in api.windows}) == 1


def test_what_init_writes_has_an_id_and_the_process(server: Loopback, tmp_path: Path) -> None:
    program = """
        import os, sys, urllib.request
        import recost
        handle = recost.init(local_dir=sys.argv[2], project_id="shop")
        def call():
            urllib.request.urlopen(sys.argv[1] + "/plain").read()
        call(); handle.flush_blocking(); call(); handle.flush_blocking()
        if os.fork() == 0:
            call(); handle.flush_blocking()
            os._exit(0)
        os.wait()
    """
    if sys.platform == "win32":
        pytest.skip("forks")
    result = run_script(program, server.url, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    found = windows(tmp_path)
    assert len({each["windowId"] for each in found}) == len(found) == 3
    assert [len({str(each["instance"][name]) for each in found}) for name in ("host", "pid", "start")] == [
        1,
        2,
        2,
    ]
    assert {each["protocolVersion"] for each in found} == {"1.2"}


def test_importing_and_starting_load_none_of_it() -> None:
    program = """
        import sys
        before = set(sys.modules)  # a tool that measures coverage may have imported some
        import recost
        handle = recost.init(api_key="rc-1", project_id="p", base_url="http://127.0.0.1:1")
        print(*sorted({"hashlib", "socket", "uuid", "dataclasses"} & (sys.modules.keys() - before)))
        handle.dispose()
    """
    assert recost
    result = run_script(program)
    assert "hashlib" not in result.stdout.split()
    assert "uuid" not in result.stdout.split()
