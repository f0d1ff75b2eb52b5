"""A notebook in a real kernel: its first cell, with ``recost.init()``, is run again and again."""

from __future__ import annotations

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

FIRST_CELL = """
import recost
from tests.integration.runtimes._calls import blocking_calls, call, httpx_calls
handle = recost.init()
"""
THREADS = """
names = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("recost"))
assert names == ["recost-delivery", "recost-worker"], names
"""
CELLS = [
    FIRST_CELL,
    "blocking_calls()",
    FIRST_CELL,
    FIRST_CELL,
    "import httpx; await httpx_calls(httpx)",
    "%load_ext autoreload\n%autoreload 2\nblocking_calls()",
    "assert handle.flush_blocking()",
    FIRST_CELL,
    "import threading; thread = threading.Thread(target=blocking_calls); thread.start(); thread.join()",
    THREADS,
    "call('/last')",
]


def run(client: BlockingKernelClient, cell: str) -> None:
    """Run a cell; what fails there fails here."""
    shown: list[str] = []
    reply = client.execute_interactive(
        cell, output_hook=lambda message: shown.append(str(message["content"])), timeout=60
    )
    assert reply["content"]["status"] == "ok", shown
    assert not any("stderr" in text for text in shown), shown


if __name__ == "__main__":
    manager, client = start_new_kernel(startup_timeout=200)
    try:
        for cell in CELLS:
            run(client, cell)
        client.stop_channels()
    finally:
        manager.shutdown_kernel()
