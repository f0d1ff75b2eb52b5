"""Calls made by APScheduler's jobs: in a pool of processes, on threads, and on the event loop."""

from __future__ import annotations

import asyncio
import importlib
import multiprocessing
import threading
from typing import Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.pool import ProcessPoolExecutor, ThreadPoolExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler

import recost
from tests.integration.runtimes._calls import aiohttp_calls, blocking_calls, blocking_clients, httpx_calls

JOBS = 4


def in_the_background(executor: Any) -> None:
    """Run jobs in the executor, then shut the scheduler down."""
    scheduler = BackgroundScheduler(executors={"default": executor}, job_defaults={"misfire_grace_time": 60})
    ended = threading.Semaphore(0)
    scheduler.add_listener(lambda _event: ended.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    for _ in range(JOBS):
        scheduler.add_job(blocking_calls)
    scheduler.start()
    for _ in range(JOBS):
        assert ended.acquire(timeout=60)
    scheduler.shutdown()


async def on_the_event_loop() -> None:
    """Run asynchronous jobs."""
    scheduler = AsyncIOScheduler(job_defaults={"misfire_grace_time": 60})
    ended = asyncio.Semaphore(0)
    scheduler.add_listener(lambda _event: ended.release(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.add_job(httpx_calls, args=[importlib.import_module("httpx")])
    scheduler.add_job(aiohttp_calls)
    scheduler.start()
    for _ in range(2):
        await ended.acquire()
    scheduler.shutdown()


if __name__ == "__main__":
    recost.init()
    blocking_clients()
    blocking_calls()
    # Processes first: a fork beside a thread at work may inherit a lock of the import system, bare, too.
    fork = multiprocessing.get_context("fork")
    in_the_background(ProcessPoolExecutor(2, {"mp_context": fork}))
    in_the_background(ThreadPoolExecutor(3))
    asyncio.run(on_the_event_loop())
