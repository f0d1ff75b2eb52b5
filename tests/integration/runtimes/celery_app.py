"""A Celery application as the page has it; run as a program it queues as many tasks as it is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from celery import Celery
from celery.signals import worker_process_shutdown

import recost
from tests.integration.runtimes._calls import blocking_calls, blocking_clients, call

handle = recost.init()


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def flush(**_: object) -> None:
    arrived = handle.flush_blocking()
    print("pool process", os.getpid(), "flushed:", arrived, handle.last_flush_status, file=sys.stderr)


blocking_clients()  # once, in the parent of the workers
queue = Path(os.environ["QUEUE"])
queue.mkdir(exist_ok=True)
app = Celery("shop", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(queue),
    "data_folder_out": str(queue),
    "control_folder": str(queue / "control"),
    "polling_interval": 0.05,
}
app.conf.worker_hijack_root_logger = False


@app.task(name="order")  # type: ignore[untyped-decorator]
def order() -> None:
    blocking_calls()
    call("/last")


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        order.apply_async(ignore_result=True)
