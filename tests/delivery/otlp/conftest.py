from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.otlp_receiver import Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Yield a receiver that the environment names, and check that what it got follows the data model."""
    with Receiver() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found
    assert found.violations == []
