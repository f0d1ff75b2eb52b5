from __future__ import annotations

from collections.abc import Iterator

import pytest

from recost.frameworks import serving
from recost.lifecycle import current_handle


@pytest.fixture(autouse=True)
def _nothing_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """No SDK runs before and after a test, and none writes into the home folder."""
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path_factory.mktemp("unexpected")))
    assert current_handle() is None
    yield
    serving.end()
    handle = current_handle()
    if handle is not None:
        handle.dispose()
