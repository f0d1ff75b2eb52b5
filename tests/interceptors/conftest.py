"""Clean-up between the tests of the interceptors."""

from __future__ import annotations

import pytest

from recost.interceptors.exchange import unfinished


@pytest.fixture(autouse=True)
def _nothing_under_way() -> None:
    """Forget the calls that earlier tests have left open."""
    unfinished.clear()
