"""Runs programs in this process, bare or recorded, and writes down all that they see."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import linecache
import os
import re
import sys
import tempfile
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

from tests.random_programs.calls import ASYNC_CALLERS, CALLERS, Seen, call_plainly
from tests.random_programs.programs import Program, Step, program

_OURS = ("recost", "wrapt")
_GROUP = 10
"""Programs that one ``recost.init()`` sees."""


def main(port: int, refused: int, first: int, last: int, mode: str) -> None:
    """Print one line of JSON for each program, and in recorded mode what was recorded of it."""
    target = Target(port, refused)
    for begin in range(first, last, _GROUP):
        seeds = range(begin, min(begin + _GROUP, last))
        if mode == "bare":
            for seed in seeds:
                print(json.dumps({"seed": seed, "seen": seen_by(program(seed), target)}), flush=True)
            continue
        for line in recorded(list(seeds), target):
            print(json.dumps(line), flush=True)


class Target:
    """Where the calls go."""

    def __init__(self, port: int, refused: int) -> None:
        self.port = port
        self.refused = refused

    def url(self, seed: int, step: Step) -> str:
        """Return the URL of a step; its path tells the program."""
        if step.answer == "badname":
            return f"http://no-such-host.invalid/p{seed}/"
        if step.answer == "refused":
            return f"http://127.0.0.1:{self.refused}/plain/p{seed}/"
        base = f"http://127.0.0.1:{self.port}"
        if step.answer == "redirect":
            return f"{base}/redirect/p{seed}/?to=/plain/p{seed}/"
        if step.answer == "redirects":
            return f"{base}/redirect/p{seed}/?to=/redirect/p{seed}/%3Fto=/plain/p{seed}/"
        name, _, rest = step.answer.partition("?")
        name, _, last = name.partition("/")
        identity = f"id={seed}.{step.number}.{os.getpid()}"
        return f"{base}/{name}/p{seed}/{last}?{rest}{'&' if rest else ''}{identity}"


def recorded(seeds: list[int], target: Target) -> Iterator[dict[str, Any]]:
    """Run programs under one ``recost.init()``; yield what they saw and what was recorded of each."""
    import recost

    events: list[Any] = []
    errors: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        handle = recost.init(
            local_dir=folder,
            capture_usage=seeds[0] // _GROUP % 2 == 0,
            on_error=lambda error: errors.append(repr(error)),
            budgets=[recost.Budget(1000, "day", on_exceed="raise")] if seeds[0] // _GROUP % 3 == 0 else [],
        )
        recost.install(events.append)
        try:
            lines = [{"seed": seed, "seen": seen_by(program(seed), target, recost)} for seed in seeds]
        finally:
            recost.uninstall()
            handle.dispose()
        counted = sum(
            metric["requestCount"]
            for path in Path(folder).glob("*.jsonl")
            for text in path.read_text().splitlines()
            for metric in json.loads(text)["metrics"]
        )
    assert not errors, errors
    assert counted == len(events), f"{counted} calls in windows, {len(events)} events"
    attempts: Counter[int] = Counter()
    for event in events:
        at = re.search(r"/p(\d+)/", event.url)
        if at is not None and urlsplit(event.url).port == target.port:
            attempts[int(at[1])] += event.attempts
    for line in lines:
        yield {**line, "attempts": attempts[line["seed"]]}  # type: ignore[index]


def seen_by(drawn: Program, target: Target, recost: Any = None) -> dict[str, Any]:
    """Run a program; return the outcome of each step, and the warnings that were shown."""
    with warnings.catch_warnings(record=True) as shown, ExitStack() as scopes:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        if recost is not None and drawn.scope != "none":
            scopes.enter_context(recost.tag(seed=drawn.seed) if drawn.scope == "tag" else recost.track())
        outcomes = asyncio.run(_run_async(drawn, target)) if drawn.is_async else _run(drawn, target)
    told = sorted(
        [each.category.__name__, _normal(str(each.message)), Path(each.filename).name, each.lineno]
        for each in shown
    )
    return {"outcomes": outcomes, "warnings": told}


def _run(drawn: Program, target: Target) -> list[Any]:
    with CALLERS[drawn.client](_hook(drawn, target)) as call:

        def one(step: Step) -> Any:
            notes: list[str] = []
            try:
                return ["returned", _body(call(step, target.url(drawn.seed, step), notes)), notes]
            except Exception as error:  # noqa: BLE001 - what is raised is what is compared
                return ["raised", _told(error), notes]

        if not drawn.at_once:
            return [one(step) for step in drawn.steps]
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, drawn.steps))


async def _run_async(drawn: Program, target: Target) -> list[Any]:
    async with ASYNC_CALLERS[drawn.client](_hook(drawn, target)) as call:

        async def one(step: Step) -> Any:
            notes: list[str] = []
            try:
                calling = call(step, target.url(drawn.seed, step), notes)
                if step.answer == "hang" and drawn.seed % 2:
                    return ["returned", _body(await asyncio.wait_for(calling, step.timeout_s / 2)), notes]
                return ["returned", _body(await calling), notes]
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the same
                return ["raised", _told(error), notes]

        if drawn.at_once:
            return list(await asyncio.gather(*map(one, drawn.steps)))
        return [await one(step) for step in drawn.steps]


def _hook(drawn: Program, target: Target) -> Any:
    """Return what a client's hooks do: note that they ran, and perhaps call the same host themselves."""
    if drawn.hooks == "none":
        return None
    url = f"http://127.0.0.1:{target.port}/plain/p{drawn.seed}/?n=10"

    def hook(notes: list[str], what: str) -> None:
        notes.append(what)
        if drawn.hooks == "calling" and what == "request":
            if drawn.seed % 2:
                thread = threading.Thread(target=call_plainly, args=(url, notes))
                thread.start()
                thread.join()
            else:
                call_plainly(url, notes)

    return hook


def _body(seen: Seen) -> Any:
    return [seen.status, len(seen.body), hashlib.sha256(seen.body).hexdigest()[:12], seen.more]


def _told(error: Optional[BaseException], depth: int = 0) -> Any:
    if error is None or depth > 8:
        return None
    frames = [
        f"{Path(frame.filename).name}:{frame.name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(f"{os.sep}{name}{os.sep}" in frame.filename for name in _OURS)
    ]
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    inner = [_told(each, depth + 1) for each in (error.__cause__, error.__context__)]
    return [kind, _normal(str(error)), frames, *inner]


def _normal(text: str) -> str:
    """Return a text without what differs between two runs of the same program."""
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    return re.sub(r"127\.0\.0\.1(, port=|:|', )\d+|port=\d+|id=[\d.]+", "HERE", text)


if __name__ == "__main__":
    linecache.clearcache()
    gc.disable()  # what a collection finishes would differ in when, not in what
    port, refused, first, last = map(int, sys.argv[1:5])
    main(port, refused, first, last, sys.argv[5])
