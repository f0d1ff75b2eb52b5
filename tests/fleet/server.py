"""An application for Gunicorn whose workers make their calls in a thread, and the hook that starts it.

``FLEET_PRELOAD=1``: recost starts in the master, before it forks. Else it starts in each worker.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from tests.fleet.member import start, work

start()


def application(environ: Any, start_response: Any) -> list[bytes]:
    start_response("204 No Content", [])
    return []


def post_worker_init(worker: Any) -> None:
    """Make the calls of a worker. Gunicorn calls this where the file is its configuration."""
    del worker
    kind = "preload" if os.environ.get("FLEET_PRELOAD") else "fork"
    threading.Thread(target=work, args=(int(os.environ["FLEET_CALLS"]), kind), daemon=True).start()
