"""The official SDKs: each call is recorded once, under the right provider and category."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.matrix.run import ORDERS, run
from tests.integration.sdks import SDKS, missing


@pytest.mark.slow
@pytest.mark.parametrize("when", ORDERS)
@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_is_recorded_call_by_call(name: str, when: str, tmp_path: Path) -> None:
    lacking = missing(name)
    if lacking:
        pytest.skip(f"not installed on this Python: {lacking}")
    outcome = run(name, when, tmp_path)
    assert not outcome.differences, "\n".join(outcome.differences)
    assert outcome.served == outcome.recorded > 0
    assert outcome.provider_right
    assert outcome.streaming_right in {True, None}
