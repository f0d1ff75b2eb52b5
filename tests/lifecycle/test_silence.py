"""Without an ``on_error`` nothing is silent: the first failure of each kind is a warning in the log."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.loopback import Loopback, refused_port
from tests.scripts import run_script
from tests.serving import serving

PROGRAM = """
import sys, urllib.request
import recost

url, api, folder, refused, how = sys.argv[1:]
assert "logging" not in sys.modules
if how == "logging":
    import logging
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
told = []
ample = {"shutdown_flush_timeout_ms": 20_000}  # for a busy machine
more = {"on_error": lambda error: told.append(error)} if how == "on_error" else {}

def call():
    with urllib.request.urlopen(url + "/plain") as response:
        response.read()

def fail(kind, times=1, flush_s=20.0, **options):
    print("##", kind, file=sys.stderr, flush=True)
    before = len(told)
    timing = {"flush_interval_ms": 3_600_000, "max_retries": 0, **ample}
    handle = recost.init(**{**timing, **more, **options})
    for _ in range(times):
        call()
        handle.flush_blocking(flush_s)
    handle.dispose()
    assert how != "on_error" or len(told) > before, kind

cloud = {"api_key": "rc-key", "project_id": "shop"}
fail("folder", 3, local_dir=folder + "/a-file/telemetry")
fail("refused", 3, base_url=f"http://127.0.0.1:{refused}", **cloud)
assert how == "logging" or "logging" not in sys.modules  # an import may take too long at the end of a process
waits = {"flush_s": 0.5, "shutdown_flush_timeout_ms": 1500}  # for a collector, as long as it may
fail("websocket", 2, local_transport="ws", local_port=int(refused), **waits)
for status in (401, 403, 404, 422, 500, 302, 200, 429):
    fail(str(status), base_url=f"{api}/{status}", **cloud)
budget = recost.Budget(1, on_exceed="raise", file=folder + "/damaged.json")
fail("budget", 3, local_dir=folder + "/telemetry", budgets=[budget])
print("## internal", file=sys.stderr, flush=True)
with recost.init(local_dir=folder + "/telemetry", **ample, **more) as handle:
    for _ in range(3):
        handle.report(KeyError("secret"))
print("## hostile", file=sys.stderr, flush=True)
with recost.init(local_dir=folder + "/telemetry", **ample, **more) as handle:
    handle.report(recost.RecostError("recost: a \\x1b[31mred\\n answer"))
print(len(told), "told")
"""
KINDS = {
    "folder": "cannot write",
    "refused": "refused",
    "websocket": "no collector accepted the window",
    "401": "unknown API key",
    "403": "responded with 403",
    "404": "responded with 404",
    "422": "responded with 422",
    "500": "responded with 500",
    "302": "a redirect",
    "200": "not the recost API",
    "429": "rate limit reached",
    "budget": "damaged.json",
    "internal": "internal error, KeyError",
    "hostile": "recost: a ?[31mred? answer",
}


class _Api(BaseHTTPRequestHandler):
    """Answers with the status that the path begins with."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def api() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), _Api)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def said(how: str, server: Loopback, api: str, folder: Path) -> dict[str, list[str]]:
    """Return what a program in which everything fails writes to stderr, by what fails."""
    (folder / "a-file").touch()
    (folder / "damaged.json").write_text("{")
    done = run_script(PROGRAM, server.url, api, folder, refused_port(), how)
    assert done.returncode == 0, done.stderr
    kind, lines = "", dict[str, list[str]]()
    for line in done.stderr.splitlines():
        if line.startswith("## "):
            kind = line[3:]
        else:
            lines.setdefault(kind, []).append(line)
    return lines


@pytest.mark.parametrize("how", ["no logging", "logging"])
def test_the_first_failure_of_each_kind_is_a_warning(
    how: str, server: Loopback, api: str, tmp_path: Path
) -> None:
    lines = said(how, server, api, tmp_path)
    for kind, text in KINDS.items():
        found = [line for line in lines.get(kind, []) if text in line]
        if how == "logging":
            found = [line for line in found if line.startswith("WARNING recost ")]
        assert len(found) == 1, f"{kind}: {lines.get(kind)}"
    assert "secret" not in str(lines)


def test_with_on_error_nothing_is_written(server: Loopback, api: str, tmp_path: Path) -> None:
    lines = said("on_error", server, api, tmp_path)
    # SPEC: a refused key has its lines in any case.
    assert set(lines) == {"401"}


def test_a_kind_is_what_stays_the_same() -> None:
    from recost.errors import RecostError
    from recost.lifecycle.reporting import Reporter

    logged: list[str] = []
    reporter = Reporter(None)
    reporter.notifier.post = lambda message: logged.append(str(message))  # type: ignore[method-assign]
    for text in (
        "recost: 5 calls in 1 windows could not be delivered",
        "recost: 6 calls in 2 windows could not be delivered",
        "recost: https://api.test responded with 500 (3 metrics, 9 calls)",
        "recost: https://api.test responded with 500 (4 metrics, 8 calls, request id abc-1)",
        "recost: https://api.test responded with 503 (4 metrics, 8 calls)",
    ):
        reporter(RecostError(text))
    assert len(logged) == 3
