"""A program that makes calls and writes what it saw of them: ``python -m tests.chaos.producer SETTINGS``.

SETTINGS is `Settings` as JSON. Each line on standard output is one of `Said`, also those of forked children.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = ["Said", "Settings", "say"]

_NOUNS: Final = (
    "alpha", "bravo", "delta", "echo", "golf", "hotel", "kilo", "lima", "mike", "papa", "romeo", "tango",
)  # fmt: skip
_LONGEST_PAUSE_S: Final = 0.5


@dataclass
class Settings:
    """What a program does."""

    name: str
    """Its calls go to ``/plain/{name}/…``. Those of its children, to names that begin so."""
    url: str
    client: str
    rate: float
    traits: list[str]
    end: str
    until: float
    """The time (monotonic) at which it ends."""
    lives_s: float
    """Seconds after which it ends though there is time left."""
    seed: int
    options: dict[str, Any]
    began: float = 0.0
    """The time (monotonic) at which the run began."""
    jumps: list[tuple[float, float]] = field(default_factory=list)
    bare: bool = False
    """True: without recost."""


@dataclass
class Said:
    """One line. Fields that are not meant have their defaults."""

    name: str
    error: str = ""
    """What recost reported."""
    flushed: int = -1
    """Number of calls that had been made when a flush that succeeded began."""
    failed: str = ""
    """Why a call failed."""
    held_ms: float = 0.0
    """The longest time that recost's threads held the interpreter."""
    blocked: str = ""
    """Where a call waited inside recost."""
    ended: bool = False
    """The program has nothing left to do."""


def say(line: Said) -> None:
    """Write a line whole: it is shorter than a pipe's limit."""
    text = json.dumps({**asdict(line), "error": line.error[:1000], "failed": line.failed[:500]})
    os.write(1, f"{text}\n".encode())


class _Program:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.name
        self.made = 0
        self._chance = random.Random(settings.seed)
        self._children = 0
        self._send = _sender(settings.client)
        self.heart: Any = None

    def call(self) -> None:
        """Make one call, which must succeed."""
        number = threading.get_ident()
        try:
            if self.heart is not None:
                self.heart.calling[number] = (time.monotonic(), threading.get_native_id())
            self._send(f"{self.settings.url}/plain/{self.name}/{self._chance.choice(_NOUNS)}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test fails
            say(Said(self.name, failed=repr(error)))
        finally:
            if self.heart is not None:
                self.heart.calling.pop(number, None)
        self.made += 1

    def work(self, handle: Any) -> None:
        """Make calls until the time is over."""
        settings, chance = self.settings, self._chance
        while time.monotonic() < settings.until:
            self.call()
            if "forks" in settings.traits and chance.random() < 2 / settings.rate:
                self._fork(handle)
            if handle is not None and chance.random() < 0.5 / settings.rate:
                made = self.made
                if handle.flush_blocking(chance.choice((0.05, 0.5))):
                    say(Said(self.name, flushed=made))
            time.sleep(min(chance.expovariate(settings.rate), _LONGEST_PAUSE_S))

    def work_on_threads(self, handle: Any) -> None:
        threads = [threading.Thread(target=self._other_work) for _ in range(2)]
        for thread in threads:
            thread.start()
        self.work(handle)
        for thread in threads:
            thread.join()

    def _other_work(self) -> None:
        send = _sender("http.client")
        while time.monotonic() < self.settings.until:
            try:
                send(f"{self.settings.url}/plain/{self.name}/thread")
            except Exception as error:  # noqa: BLE001 - as above
                say(Said(self.name, failed=repr(error)))
            time.sleep(self._chance.random() / self.settings.rate)

    def _fork(self, handle: Any) -> None:
        self._children += 1
        name = self.settings.name + _letters(self._children)
        if self._chance.random() < 0.5:
            process = multiprocessing.get_context("fork").Process(target=self._child, args=(name,))
            process.start()
            if self._chance.random() < 0.5:
                process.join()
            return
        pid = os.fork()
        if pid:
            if self._chance.random() < 0.5:
                os.waitpid(pid, 0)
            return
        self._child(name)
        if handle is not None and self._chance.random() < 0.5:
            handle.dispose()
            os._exit(0)
        raise SystemExit

    def _child(self, name: str) -> None:
        multiprocessing.process._children.clear()  # type: ignore[attr-defined] # they are the parent's
        self.heart = None
        self.name, self.made = name, 0
        self._chance = random.Random(name)
        self._send = _sender(self.settings.client)
        for _ in range(self._chance.randint(0, 6)):
            self.call()
            time.sleep(self._chance.random() * 0.05)


def _letters(number: int) -> str:
    return "x" + "".join("bcdfghklmn"[int(digit)] + "o" for digit in str(number))


def _sender(client: str) -> Callable[[str], Any]:
    """Return a function that sends a GET and reads the response, over connections of its own."""
    if client == "requests":
        import requests

        session = requests.Session()
        session.trust_env = False
        return lambda url: session.get(url, timeout=60).content
    if client == "httpx":
        import httpx

        own = httpx.Client(trust_env=False, timeout=60)
        return lambda url: own.get(url).content
    if client == "aiohttp":
        return _aiohttp_sender()
    if client == "http.client":
        return _http_client_sender()
    import urllib.request

    return lambda url: urllib.request.urlopen(url, timeout=60).read()


def _http_client_sender() -> Callable[[str], Any]:
    import http.client
    from urllib.parse import urlsplit

    kept: list[http.client.HTTPConnection] = []

    def send(url: str) -> bytes:
        parts = urlsplit(url)
        if not kept:
            kept.append(http.client.HTTPConnection(parts.netloc, timeout=60))
        kept[0].request("GET", parts.path)
        return kept[0].getresponse().read()

    return send


def _aiohttp_sender() -> Callable[[str], Any]:
    import asyncio

    import aiohttp

    loop = asyncio.new_event_loop()

    async def get(url: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.read()

    return lambda url: loop.run_until_complete(get(url))


def _set_clock(settings: Settings) -> None:
    """Replace the system's clock by one that is set now and then."""
    true = time.time
    jumps = sorted(settings.jumps)

    def clock() -> float:
        passed = time.monotonic() - settings.began
        return true() + next((by for at, by in reversed(jumps) if at <= passed), 0.0)

    time.time = clock


def _end(program: _Program, handle: Any) -> None:
    end = program.settings.end
    say(Said(program.name, ended=True))
    if end == "dispose" and handle is not None:
        handle.dispose()
    if end == "os._exit":
        if handle is not None:
            handle.dispose()
        os._exit(0)
    if end == "sys.exit":
        sys.exit(3)
    if end == "exception":
        raise LookupError("planned")


def main(text: str) -> None:
    settings = Settings(**json.loads(text))
    if settings.jumps:
        _set_clock(settings)
    program = _Program(settings)
    handle: Any = None
    if not settings.bare:
        import recost

        handle = recost.init(
            **settings.options, on_error=lambda error: say(Said(program.name, error=str(error)))
        )
    from tests.chaos.heart import Heart

    settings.until = min(settings.until, time.monotonic() + settings.lives_s)
    program.heart = Heart(program.name)
    program.heart.start()
    try:
        if "threads" in settings.traits:
            program.work_on_threads(handle)
        else:
            program.work(handle)
    finally:
        if program.heart is not None:  # else this is a forked child
            program.heart.stop()
    _end(program, handle)


if __name__ == "__main__":
    main(sys.argv[1])
