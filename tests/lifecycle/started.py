"""A program with recost and several destinations, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recost
from recost.lifecycle import current_handle
from tests.api import Api

__all__ = ["KEY", "api", "dispose", "started"]

KEY = "rc-0123456789abcdef"


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as found:
        yield found
        found.release.set()


@pytest.fixture(autouse=True)
def dispose() -> Iterator[None]:
    yield
    handle = current_handle()
    if handle is not None:
        handle.dispose()


def started(api: Api, folder: Path, **options: Any) -> recost.RecostHandle:
    """Call ``recost.init()`` with the cloud on loopback."""
    given = {
        "api_key": KEY,
        "project_id": "proj-1",
        "base_url": api.url,
        "local_dir": str(folder),
        "max_retries": 0,
        **options,
    }
    return recost.init(**given)
