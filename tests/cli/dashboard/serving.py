"""``recost dashboard`` as a process of its own, and clients for it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import httpx

from tests.scripts import environment


class Dashboard:
    """The command; its URL is known when it is made."""

    def __init__(self, folder: Path, *arguments: object, options: tuple[str, ...] = ()) -> None:
        command = [sys.executable, *options, "-m", "recost", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            env=environment(RECOST_LOCAL_DIR=str(folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self.url = self._url()
        self.origin = self.url.partition("/?")[0]
        self.port = int(self.origin.rpartition(":")[2])

    def _url(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(r"http://\S+/\?token=\S+", line)
            if found is not None:
                return found[0]
        raise AssertionError(f"no URL: {self.process.stderr and self.process.stderr.read()}")

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """Yield a client that has opened the URL; its base is the page."""
        with httpx.Client(trust_env=False, timeout=30) as client:
            entrance = client.get(self.url)
            assert entrance.status_code == 200, entrance.text
            target = re.search(r'content="0; url=([^"]*)"', entrance.text)
            assert target is not None
            client.base_url = httpx.URL(f"{self.origin}/{target[1].partition('?')[0]}")
            yield client

    def stop(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and what was said on stderr."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said


@contextmanager
def dashboard(folder: Path, *arguments: object, command: str = "dashboard") -> Iterator[Dashboard]:
    """Serve a folder for the length of the block, which is to end with nothing on stderr."""
    port = ("--port", 0) if command == "dashboard" else ()
    no_open = ("--no-open",) if command == "dashboard" else ()
    served = Dashboard(folder, command, *no_open, *port, *arguments)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            ended = served.stop()
            assert ended == (130, "\n"), ended


def view(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    """Return the content of the page."""
    response = client.get("api/view", params=asked)
    assert response.status_code == 200, response.text
    content: dict[str, Any] = response.json()
    return content


def raw(port: int, head: str) -> tuple[int, dict[str, str], str]:
    """Send what clients would not; return status, headers and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    top, _, body = answer.partition("\r\n\r\n")
    first, *lines = top.split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body


def report(folder: Path, *arguments: object) -> dict[str, Any]:
    """Return what ``recost report --json`` says in a process of its own; amounts as they are written."""
    done = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json", *map(str, arguments)],
        env=environment(RECOST_LOCAL_DIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    content: dict[str, Any] = json.loads(done.stdout, parse_float=str, parse_int=str)
    return content


def change(events: Iterator[str], seen: Optional[str] = None) -> str:
    """Return the next state of the files that is told, from lines of server-sent events."""
    for line in events:
        if line.startswith("data: ") and line[6:] != seen:
            return line[6:]
    raise AssertionError("the server has ended the events")


def append(file: Path, data: bytes) -> None:
    """Append what a program writes to a file."""
    with file.open("ab") as out:
        out.write(data)
