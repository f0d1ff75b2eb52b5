from __future__ import annotations

import pytest

from recost.delivery.transports.base import Disposition, SendError, Transport
from recost.delivery.transports.memory import MemoryTransport
from recost.errors import RecostError
from tests.delivery.samples import window


def test_windows_are_kept_in_order() -> None:
    transport: Transport = MemoryTransport()
    memory = transport
    assert isinstance(memory, MemoryTransport)
    first, second = window(), window(environment="other")
    transport.send(first, 1.0)
    transport.send(second, 1.0)
    assert memory.windows == [first, second]


def test_scripted_failures_come_in_order_and_none_lets_one_through() -> None:
    busy = SendError(RecostError("busy"), Disposition.RETRY)
    gone = SendError(RecostError("gone"), Disposition.SUSPEND)
    transport = MemoryTransport([busy, None])
    transport.fail(gone)
    with pytest.raises(SendError) as first:
        transport.send(window(), 1.0)
    transport.send(window(), 1.0)
    with pytest.raises(SendError) as third:
        transport.send(window(), 1.0)
    transport.send(window(), 1.0)
    assert (first.value, third.value) == (busy, gone)
    assert (len(transport.windows), len(transport.attempts)) == (2, 4)


def test_what_it_is_told_about_itself_is_what_it_says() -> None:
    error = RecostError("never")
    transport = MemoryTransport(gave_up=error, max_metrics=5, spacing_s=2.0)
    transport.close()
    transport.close()
    assert transport.gave_up() is error
    assert (transport.max_metrics, transport.spacing_s, transport.closed) == (5, 2.0, 2)
