from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from recost.delivery.transports._http import untraced
from recost.delivery.transports.cloud import CloudTransport
from tests.api import Api
from tests.delivery.samples import window


@pytest.fixture
def otel() -> Iterator[Any]:
    module = pytest.importorskip("opentelemetry.context")
    yield module
    assert not suppressed(module)


def suppressed(otel: Any) -> list[str]:
    """Return the keys that are set in the current context, by the part of their name that is not random."""
    return sorted({str(key).split("-")[0] for key, value in otel.get_current().items() if value is True})


def test_the_keys_are_set_for_the_block_only(otel: Any) -> None:
    with untraced():
        assert suppressed(otel) == ["suppress_http_instrumentation", "suppress_instrumentation"]
        # What opentelemetry.instrumentation.utils asks for, now and in the past.
        assert otel.get_value(otel._SUPPRESS_INSTRUMENTATION_KEY)
        assert otel.get_value("suppress_instrumentation")
    assert suppressed(otel) == []


def test_the_block_may_raise(otel: Any) -> None:
    with pytest.raises(KeyError), untraced():
        raise KeyError
    assert suppressed(otel) == []


def test_a_window_is_sent_with_the_keys_set(otel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []
    real = otel.attach

    def attach(context: Any) -> Any:
        seen.append({str(key).split("-")[0] for key, value in context.items() if value is True})
        return real(context)

    monkeypatch.setattr(otel, "attach", attach)
    with Api() as api:
        CloudTransport(api.url, api.project, api.key).send(window(), 5.0)
        assert len(api.windows) == 1
    assert seen == [{"suppress_http_instrumentation", "suppress_instrumentation"}]


@pytest.mark.parametrize("broken", ["set_value", "attach", "detach"])
def test_a_broken_opentelemetry_harms_nobody(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError

    module = SimpleNamespace(set_value=lambda *_: {}, attach=lambda _: "token", detach=lambda _: None)
    setattr(module, broken, fail)
    monkeypatch.setitem(sys.modules, "opentelemetry.context", module)
    ran = []
    with untraced():
        ran.append(True)
    assert ran == [True]


def test_nothing_is_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.context", raising=False)
    with untraced():
        assert "opentelemetry.context" not in sys.modules
