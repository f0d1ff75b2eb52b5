"""Debian's Prometheus, scraping a collector each second."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import pytest

from tests.loopback import free_port, wait_until

__all__ = ["Prometheus", "needs_prometheus", "prometheus"]

needs_prometheus = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="no prometheus: apt-get install prometheus"
)
_CONFIGURATION = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: recost
  static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  authorization: {{credentials: "{key}"}}
"""


class Prometheus:
    """The server's HTTP API."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def query(self, expression: str, at_s: Optional[float] = None) -> list[dict[str, Any]]:
        """Return the result of a query at one moment."""
        asked = {"query": expression, **({} if at_s is None else {"time": f"{at_s:.3f}"})}
        with urllib.request.urlopen(
            f"{self.url}/api/v1/query?{urllib.parse.urlencode(asked)}", timeout=30
        ) as got:
            content = json.load(got)
        assert content["status"] == "success"
        found: list[dict[str, Any]] = content["data"]["result"]
        return found

    def scalar(self, expression: str, at_s: Optional[float] = None) -> float:
        """Return the one value of a query, or 0 without any."""
        found = self.query(expression, at_s)
        assert len(found) <= 1
        return float(found[0]["value"][1]) if found else 0.0

    def scrapes(self) -> list[float]:
        """Return the times of the scrapes that succeeded."""
        found = self.query("up[1h]")
        return [at for at, value in found[0]["values"] if value == "1"] if found else []


@contextmanager
def prometheus(folder: Path, target: int, key: str) -> Iterator[Prometheus]:
    """Yield a Prometheus that scrapes a port with a key."""
    folder.mkdir()
    configuration = folder / "prometheus.yml"
    configuration.write_text(_CONFIGURATION.format(port=target, key=key))
    port = free_port()
    command = [
        "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            server = Prometheus(port)
            assert wait_until(server.is_ready, 60), (folder / "log").read_text()
            yield server
        finally:
            process.terminate()
