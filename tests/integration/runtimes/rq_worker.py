"""An RQ worker as the page has it; run as a program it queues as many jobs as it is told."""

from __future__ import annotations

import os
import sys
from typing import Any

from redis import Redis
from rq import Queue, Worker

import recost
from tests.integration.runtimes._calls import blocking_calls, blocking_clients, call

handle = recost.init()


class RecostWorker(Worker):  # type: ignore[misc]
    def perform_job(self, *job: Any, **options: Any) -> bool:
        try:
            return super().perform_job(*job, **options)  # type: ignore[no-any-return]
        finally:
            handle.flush_blocking()


blocking_clients()  # once, in the parent of the work horses


def order() -> None:
    blocking_calls()
    call("/last")


def failing_order() -> None:
    call("/last")
    raise LookupError("mine")


if __name__ == "__main__":
    queue = Queue(connection=Redis.from_url(os.environ["RQ_REDIS_URL"]))
    for _ in range(int(sys.argv[1])):
        queue.enqueue("tests.integration.runtimes.rq_worker.order")
    queue.enqueue("tests.integration.runtimes.rq_worker.failing_order")
