"""A browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any, Optional

import pytest


def chromium() -> Optional[str]:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a screen; not beyond the module, as playwright holds the thread's loop."""
    path = chromium()
    if path is None:
        pytest.skip("no chromium: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        # As root, which containers are, it has no sandbox.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()
