"""What strangers and broken clients send: refused, within bounded memory and time, while others go on."""

from __future__ import annotations

import gzip
import json
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.collector.serving import Collector, collector, command, connect, lines, make_key, window
from tests.loopback import wait_until

resource = pytest.importorskip("resource", reason="limits of processes")

MB = 1 << 20


def peak_bytes(running: Collector) -> int:
    """Return the most memory that the process has had."""
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def head(key: str, *headers: str) -> bytes:
    rest = "".join(f"{header}\r\n" for header in headers)
    text = (
        "POST /projects/shop/telemetry HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\n{rest}\r\n"
    )
    return text.encode()


def status_of(connection: socket.socket) -> int:
    return int(connection.recv(4096).split()[1])


def test_guesses_of_keys_are_refused(tmp_path: Path) -> None:
    make_key(tmp_path)
    with collector(tmp_path) as running, connect(running.port) as connection:
        with connection.makefile("rb") as responses:
            for _ in range(10):
                guesses = [f"rc-{secrets.token_hex(32)}" for _ in range(100)]
                connection.sendall(b"".join(head(guess, "Content-Length: 0") for guess in guesses))
                assert {_response(responses) for _ in guesses} == {401}
        assert running.metric('recost_collector_windows_refused_total{reason="key"}') == 1000
    assert lines(tmp_path) == []


@pytest.mark.slow
def test_ten_thousand_guesses_find_nothing_and_hold_up_nobody(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:

        def guess(number: int) -> set[int]:
            with connect(running.port) as connection, connection.makefile("rb") as responses:
                found = set()
                for _ in range(25):
                    guesses = [_like(key, number) for _ in range(100)]
                    connection.sendall(b"".join(head(each, "Content-Length: 0") for each in guesses))
                    found |= {_response(responses) for _ in guesses}
                return found

        with ThreadPoolExecutor(4) as pool:
            guessed = [pool.submit(guess, number) for number in range(4)]
            got = [running.post(key, window()).status for _ in range(30)]
            assert [each.result() for each in guessed] == [{401}] * 4
        assert got == [202] * 30
        assert running.metric('recost_collector_windows_refused_total{reason="key"}') == 10_000
    assert len(lines(tmp_path)) == 30


def _like(key: str, number: int) -> str:
    """Return a key that shares its beginning or its end with the real one, or nothing."""
    return (f"rc-{secrets.token_hex(32)}", key[:-1] + "g", key[:-8] + secrets.token_hex(4) + "0", key + "0")[
        number
    ]


def _response(responses: BinaryIO) -> int:
    status = int(responses.readline().split()[1])
    length = 0
    while (line := responses.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    responses.read(length)
    return status


def test_keys_of_other_projects_and_revoked_ones_open_nothing(tmp_path: Path) -> None:
    shop, blog = make_key(tmp_path), make_key(tmp_path, "blog")
    with collector(tmp_path, "--behind-proxy") as running:
        assert running.post(shop, window()).status == 202
        paths = ("telemetry/recent", "analytics")
        assert {running.request("GET", f"/projects/shop/{path}", blog).status for path in paths} == {404}
        assert running.post(blog, window()).status == 404
        assert running.post(blog, window(), "Shop").status == 404
        first = next(
            line.split()[0]
            for line in command("keys", "list", "--dir", tmp_path).stdout.splitlines()
            if "shop" in line
        )
        command("keys", "revoke", first, "--dir", tmp_path)
        assert wait_until(lambda: running.post(shop, window()).status == 401)
        assert {running.request("GET", f"/projects/shop/{path}", shop).status for path in paths} == {401}
        assert running.request("GET", "/metrics", shop).status == 401
        assert running.post(blog, window(), "blog").status == 202
    assert len(lines(tmp_path)) == 1


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (b"GET /", b"a" * 1024),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 1024),
        (b"GET / HTTP/1.1\r\n", b"X: y\r\n" * 128),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 128),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 1024),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", b"a" * 1024),
    ],
    ids=["path", "header", "headers", "trailers", "trailer", "extension"],
)
def test_a_head_without_end_costs_no_memory(first: bytes, part: bytes, served: tuple[Collector, str]) -> None:
    running, key = served
    before = peak_bytes(running)
    with connect(running.port) as connection:
        connection.sendall(first)
        sent = 0
        with suppress(ConnectionError, BrokenPipeError):
            while sent < 64 * MB:
                connection.sendall(part)
                sent += len(part)
        assert sent < 32 * MB  # what the two ends' buffers take is sent in vain
    assert peak_bytes(running) - before < 20 * MB
    assert running.post(key, window()).status == 202


def test_requests_whose_responses_nobody_reads_cost_no_memory(served: tuple[Collector, str]) -> None:
    running, key = served
    before = peak_bytes(running)
    with connect(running.port) as connection:
        connection.settimeout(5)
        with suppress(ConnectionError, BrokenPipeError, socket.timeout):
            for _ in range(2000):
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
        assert running.post(key, window()).status == 202
    assert peak_bytes(running) - before < 40 * MB


@pytest.mark.parametrize("known", [True, False], ids=["a key", "no key"])
def test_a_body_of_a_gigabyte_costs_no_memory(known: bool, tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        before = peak_bytes(running)
        for how in ("Content-Length: 1073741824", "Transfer-Encoding: chunked"):
            with connect(running.port) as connection:
                connection.sendall(head(key if known else "rc-guess", how))
                part = b"x" * MB if "Length" in how else b"%x\r\n" % MB + b"x" * MB + b"\r\n"
                with suppress(ConnectionError, BrokenPipeError):
                    for _ in range(1024):
                        connection.sendall(part)
                assert status_of(connection) == (413 if known else 401)
        assert peak_bytes(running) - before < 40 * MB
        assert running.post(key, window()).status == 202


def test_a_small_body_that_unpacks_to_a_gigabyte_costs_no_memory(tmp_path: Path) -> None:
    key, packed = make_key(tmp_path), gzip.compress(b" " * (64 * MB)) * 16
    with collector(tmp_path) as running:
        before = peak_bytes(running)
        assert running.post(key, packed, Content_Encoding="gzip").status == 413
        twice = gzip.compress(packed)
        assert running.post(key, twice, Content_Encoding="gzip, gzip").status == 415
        assert running.post(key, twice, Content_Encoding="gzip").status == 422
        assert peak_bytes(running) - before < 60 * MB


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, str]]:
    """A collector that several tests share, and a key."""
    folder = tmp_path_factory.mktemp("served")
    key = make_key(folder)
    with collector(folder) as running:
        yield running, key


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 10_000, 422),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 422),
        (b"[" + b"[]," * (8 * MB // 3 - 2) + b"[]]", 413),
        (b"[" + b"0," * (4 * MB - 2) + b"0]", 413),
        (b"1" * (8 * MB), 422),
        (b"[" + b"9" * 100_000 + b"]", 422),
        (b'"' + b"\\" * (8 * MB - 2) + b'"', 422),
        (b"\xff\xfe", 422),
        (b"", 422),
    ],
    ids=[
        "arrays",
        "objects",
        "many arrays",
        "many numbers",
        "a long number",
        "digits",
        "escapes",
        "bytes",
        "none",
    ],
)
def test_bodies_that_are_dear_to_parse(body: bytes, status: int, served: tuple[Collector, str]) -> None:
    running, key = served
    before = peak_bytes(running)
    assert running.post(key, body).status == status
    assert peak_bytes(running) - before < 100 * MB
    assert running.post(key, window()).status == 202


def test_a_depth_within_the_limit_that_names_hide(served: tuple[Collector, str]) -> None:
    """Brackets in strings are not levels."""
    running, key = served
    metric = {**window()["metrics"][0], "endpoint": "[" * 5000 + '\\"{'}
    assert running.post(key, window(metrics=[metric])).status == 202


def test_a_head_without_end_is_refused(served: tuple[Collector, str]) -> None:
    running, _ = served
    with connect(running.port) as connection:
        with suppress(ConnectionError):
            connection.sendall(b"GET /health HTTP/1.1\r\n" + b"X: " + b"y" * MB)
        with suppress(ConnectionError):
            assert status_of(connection) == 400
        assert running.request("GET", "/health").status == 200


def test_slow_clients_hold_up_nobody(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running:
        slow = [connect(running.port) for _ in range(100)]
        for number, connection in enumerate(slow):
            connection.sendall((head(key, "Content-Length: 1000") + b"{")[: 20 + 7 * number])
        got = [running.post(key, window()).status for _ in range(20)]
        assert got == [202] * 20
        code, said = running.stop()  # also not up its end
        assert (code, said) == (-signal.SIGTERM, "")
        for connection in slow:
            connection.close()


@pytest.mark.slow
def test_slow_clients_are_ended(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    with collector(tmp_path) as running, ExitStack() as ending:
        slow = [ending.enter_context(connect(running.port)) for _ in range(3)]
        slow[0].sendall(b"POST /projects")
        slow[1].sendall(head(key, "Content-Length: 1000") + b"{")
        trickled = 0
        for connection in slow:
            connection.settimeout(1)
        deadline = time.monotonic() + 60
        open_ones = set(slow)
        while open_ones and time.monotonic() < deadline:
            for connection in list(open_ones):
                try:
                    if connection is slow[1]:
                        connection.sendall(b" ")
                        trickled += 1
                    ended = connection.recv(4096) == b""
                except socket.timeout:
                    continue
                except ConnectionError:
                    ended = True
                if ended:
                    open_ones.discard(connection)
        assert not open_ones
        assert trickled > 5
        assert running.post(key, window()).status == 202


@contextmanager
def tiny_disk(folder: Path) -> Iterator[Path]:
    """Yield a folder on a file system of a megabyte."""
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("needs the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def check_full(running: Collector, key: str, make_room: Path) -> None:
    """Send windows until there is no room, and again when there is."""
    metrics = [{**window()["metrics"][0], "endpoint": f"{number:0500}"} for number in range(100)]
    accepted = []
    for _ in range(100):
        content = window(metrics=metrics)
        got = running.post(key, content)
        if got.status != 202:
            break
        accepted.append(content)
    assert (got.status, got.headers["retry-after"]) == (503, "5")
    assert accepted
    assert lines(running.folder) == accepted  # nothing is half written
    assert running.request("GET", "/health").status == 503
    make_room.unlink()
    assert running.post(key, content).status == 202
    assert running.request("GET", "/health").status == 200
    assert lines(running.folder) == [*accepted, content]


def test_a_full_disk(tmp_path: Path) -> None:
    with tiny_disk(tmp_path):
        key, ballast = make_key(tmp_path), tmp_path / "ballast"
        running = Collector(tmp_path)
        try:
            ballast.write_bytes(b"x" * (300 << 10))
            check_full(running, key, ballast)
        finally:
            code, said = running.stop()
    assert code == -signal.SIGTERM
    assert "No space left on device. Windows are refused until that has changed." in said
    assert "windows are stored again." in said
    assert len(said.splitlines()) <= 6


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    key = make_key(tmp_path)
    limit = 300 << 10
    running = Collector(
        tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    try:
        metrics = [{**window()["metrics"][0], "endpoint": f"{number:0500}"} for number in range(100)]
        got = [running.post(key, window(metrics=metrics)).status for _ in range(8)]
    finally:
        running.stop()
    accepted = got.index(503)
    assert got == [202] * accepted + [503] * (8 - accepted)
    assert len(lines(tmp_path)) == accepted > 0


def test_a_folder_or_file_that_cannot_be_used(tmp_path: Path) -> None:
    key, other = make_key(tmp_path), make_key(tmp_path, "blog")
    target = tmp_path / "elsewhere"
    (tmp_path / "shop.jsonl").symlink_to(target)
    running = Collector(tmp_path)
    assert running.post(key, window()).status == 503
    assert running.post(other, window(), "blog").status == 202
    running.stop()
    assert not target.exists()


def test_another_process_that_holds_the_lock_holds_up_no_other_project(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    key, other = make_key(tmp_path), make_key(tmp_path, "blog")
    running = Collector(tmp_path)
    assert running.post(key, window()).status == 202
    with (tmp_path / "shop.jsonl").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert running.post(key, window()).status == 503
        assert running.post(other, window(), "blog").status == 202
    assert running.post(key, window()).status == 202
    assert "another process holds its lock" in running.stop()[1]


def test_what_a_client_sends_reaches_neither_log_nor_response(served: tuple[Collector, str]) -> None:
    """The fixture checks at its end that the log is empty."""
    running, key = served
    marked = "\x1b]0;owned\x07secret"
    metric = {**window()["metrics"][0], "requestCount": marked}
    got = [
        running.post(key, window(metrics=[metric])),
        running.post(key, window(windowId=marked)),
        running.post(key, json.dumps({marked: 1}).encode()),
    ]
    assert [each.status for each in got] == [422] * 3
    assert not any(b"secret" in each.body for each in got)
