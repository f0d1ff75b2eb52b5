"""What each process of the fleet does: calls, each of which has a price. Also in servers and workers."""

from __future__ import annotations

import os
import sys
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import recost

__all__ = ["BATCH", "PRICE_CENTS", "start", "work"]

PRICE_CENTS: Final = Decimal("0.37")
BATCH: Final = 20
"""Calls of one of Celery's tasks."""


def start() -> recost.RecostHandle:
    """Start to record, as the environment says."""
    rule = recost.ProviderDef("127.0.0.1", "house", cost_per_request_cents=float(PRICE_CENTS))
    return recost.init(
        api_key=os.environ["FLEET_KEY"],
        project_id="shop",
        base_url=os.environ["FLEET_COLLECTOR"],
        local_dir=os.environ["FLEET_FOLDER"],
        custom_providers=[rule],
        template_paths=False,
        flush_interval_ms=1000,
        max_batch_size=200,
        max_retries=1,
        on_error=_report,
    )


def work(calls: int, kind: str, mark: str = "") -> None:
    """Make calls, and leave a file when all are made.

    Args:
        calls: Number of calls.
        kind: What makes them, for their paths.
        mark: The file. Empty: one of this process.
    """
    for number in range(calls):
        urllib.request.urlopen(f"{os.environ['FLEET_TARGET']}/plain/{kind}/{number % 7}", timeout=120).read()
        time.sleep(float(os.environ["FLEET_PAUSE_S"]))
    Path(os.environ["FLEET_MARKS"], mark or f"{kind}-{os.getpid()}").touch()


def _report(error: Any) -> None:
    with Path(os.environ["FLEET_MARKS"], "errors").open("a") as file:
        file.write(f"{error}\n")


def _others() -> bool:
    """Return whether the spool has files that others have left, or this process's own."""
    return any(Path(os.environ["FLEET_FOLDER"]).glob("*.spool"))


if __name__ == "__main__":
    handle = start()
    work(int(os.environ["FLEET_CALLS"]), "script")
    if "last" in sys.argv:
        while not handle.flush_blocking(20) or _others():
            time.sleep(0.2)
