"""``recost collector`` as a process of its own, and clients for it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Optional

from tests.scripts import NO_BYTECODE, environment

_INTERRUPTED = 130
WINDOW: dict[str, Any] = {
    "protocolVersion": "1.0",
    "environment": "production",
    "sdkLanguage": "python",
    "sdkVersion": "0.2.0",
    "windowStart": "2026-11-21T10:00:00.000Z",
    "windowEnd": "2026-11-21T10:00:30.000Z",
    "metrics": [
        {
            "provider": "openai",
            "endpoint": "chat_completions",
            "method": "POST",
            "requestCount": 3,
            "errorCount": 0,
            "totalLatencyMs": 2412.5,
            "p50LatencyMs": 801.2,
            "p95LatencyMs": 910.0,
            "totalRequestBytes": 5120,
            "totalResponseBytes": 9310,
            "estimatedCostCents": 6.0,
        }
    ],
}


def window(window_id: Optional[str] = None, **fields: Any) -> dict[str, Any]:
    """Return a window, with an id of its own unless one is given."""
    return {**WINDOW, "protocolVersion": "1.2", "windowId": window_id or str(uuid.uuid4()), **fields}


class Got(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def make_key(folder: Path, project: str = "shop", *options: object) -> str:
    """Return a new key."""
    return command("keys", "add", "--project", project, "--dir", folder, *options).stdout.strip()


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``recost collector``, which has to succeed."""
    return subprocess.run(
        [sys.executable, "-m", "recost", "collector", *map(str, arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


class Collector:
    """The command; its port is known when it is made."""

    def __init__(
        self, folder: Path, *options: object, preexec_fn: Optional[Callable[[], None]] = None
    ) -> None:
        self.folder = folder
        listen = () if "--listen" in options else ("--listen", "127.0.0.1:0")
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "recost",
                "collector",
                "--dir",
                str(folder),
                *map(str, (*listen, *options)),
            ],
            env=environment(**NO_BYTECODE) if preexec_fn else environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=preexec_fn,  # noqa: PLW1509 - starts nothing and takes no lock
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"(https?)://\S+:(\d+) ", line)
        if found is None:
            raise AssertionError((line, self.process.stderr and self.process.stderr.read()))
        self.port = int(found[2])
        self.url = f"{found[1]}://127.0.0.1:{self.port}"

    def request(
        self, method: str, path: str, key: Optional[str] = None, body: Any = None, **headers: str
    ) -> Got:
        """Send one request over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        try:
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Got(response.status, found, response.read())
        finally:
            connection.close()

    def post(self, key: str, content: Any, project: str = "shop", **headers: str) -> Got:
        """Send a window: a dict, or the bytes of a body."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {"Content_Type": "application/json", **headers}
        return self.request("POST", f"/projects/{project}/telemetry", key, body, **sent)

    def metric(self, name: str) -> float:
        """Return the value of a figure of ``/metrics``, with its labels."""
        text = self.request("GET", "/metrics").body.decode()
        (value,) = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(value)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """End it; return the exit code and what was said on stderr."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


@contextmanager
def collector(folder: Path, *options: object, **how: Any) -> Iterator[Collector]:
    """Serve a folder for the length of the block. Nothing may be said on stderr."""
    running = Collector(folder, *options, **how)
    try:
        yield running
    finally:
        # Ctrl-C, after which Python ends in order. SIGTERM is in other tests, and coverage keeps none of it.
        code, said = running.stop(signal.SIGINT) if running.process.poll() is None else (None, "")
    assert (code, said.strip()) in {(_INTERRUPTED, ""), (None, "")}, said


def lines(folder: Path, project: str = "shop") -> list[dict[str, Any]]:
    """Return the windows of a project's file, every line of which must be whole."""
    path = folder / f"{project}.jsonl"
    content = path.read_bytes() if path.exists() else b""
    assert not content or content.endswith(b"\n")
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def report(folder: Path, *arguments: object) -> dict[str, Any]:
    """Return what ``recost report --json`` says of a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "recost", "report", "--json", "--no-cache", *map(str, arguments), str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def connect(port: int) -> socket.socket:
    """Return an open connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=60)
