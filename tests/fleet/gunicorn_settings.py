"""Gunicorn's settings: each worker makes its calls once it has loaded the application."""

from __future__ import annotations

import os
from typing import Any

preload_app = bool(os.environ.get("FLEET_PRELOAD"))


def post_worker_init(worker: Any) -> None:
    """Start the calls of a worker."""
    from tests.fleet.server import post_worker_init as begin

    begin(worker)
