"""A Celery application over a folder. Run as a program, it queues as many tasks as its argument says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

import recost
from tests.fleet.member import BATCH, start, work

queue = Path(os.environ["FLEET_QUEUE"])
queue.mkdir(exist_ok=True)
app = Celery("fleet", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(queue),
    "data_folder_out": str(queue),
    "control_folder": str(queue / "control"),
    "polling_interval": 0.05,
}
app.conf.worker_hijack_root_logger = False
app.conf.worker_prefetch_multiplier = 1


started: list[recost.RecostHandle] = []


@worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
def begin(**_: object) -> None:
    started.append(start())


@worker_process_shutdown.connect(weak=False)  # type: ignore[untyped-decorator]
def finish(**_: object) -> None:
    """End recost: Celery's processes run no exit hooks."""
    for handle in started:
        handle.dispose()


@app.task(name="fleet.work")  # type: ignore[untyped-decorator]
def work_once(number: int) -> None:
    work(BATCH, "task", f"task-{number}")


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        work_once.apply_async((number,), ignore_result=True)
