"""A Celery application over a folder; run as a program it queues tasks for two tenants."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import requests
from celery import Celery

import recost
import recost.frameworks.celery

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
recost.frameworks.celery.install(
    app, tags=lambda task: {"tenant": (task.request.headers or {}).get("tenant")}, flush_interval_ms=600_000
)


def call(name: str) -> None:
    requests.get(f"{os.environ['UPSTREAM']}/{name}").close()


@app.task(name="shop.order")  # type: ignore[untyped-decorator]
def order(number: int) -> None:
    call("order")
    with recost.tag(feature="mail"):
        call("order")
    call("order-last")


@app.task(name="shop.parcel")  # type: ignore[untyped-decorator]
def parcel(number: int) -> None:
    label.apply((number,))  # executed here and now, inside this one
    call("parcel")


@app.task(name="shop.label")  # type: ignore[untyped-decorator]
def label(number: int) -> None:
    call("label")


@app.task(name="shop.failing")  # type: ignore[untyped-decorator]
def failing(number: int) -> None:
    call("failing")
    raise LookupError


TASKS: Any = [order, parcel, failing]

if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        for task in TASKS:
            headers = {"tenant": ("acme", "globex")[number % 2]}
            task.apply_async((number,), headers=headers, ignore_result=True)
    from recost.lifecycle import current_handle

    assert current_handle() is None
