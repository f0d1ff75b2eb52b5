from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from recost import DestinationStats, Stats
from recost._version import __version__
from recost.cli import main
from recost.delivery.stats_file import StatsFile
from recost.interceptors import interception
from tests.loopback import refused_port
from tests.scripts import environment, run_script
from tests.serving import serving

KEY = "rc-abcdefghijklmnop"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that does not exist yet, and no other variable of recost's, nor a proxy."""
    for name in list(os.environ):
        if name.startswith("RECOST_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path / "telemetry"
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(folder))
    return folder


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the exit code, and what was printed with its lines joined."""
    code = main(["doctor"])
    output = capsys.readouterr()
    assert output.err == ""
    return code, " ".join(output.out.split())


def test_all_is_well(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = examine(capsys)
    assert code == 0, shown
    assert f"recost {__version__}" in shown
    assert f"wrapt {importlib.metadata.version('wrapt')}" in shown
    assert f"file {clean / 'default.jsonl'}" in shown
    assert "a test summary was written, read and removed" in shown
    assert shown.endswith("Everything is in place.")
    assert not clean.exists(), "what was made for the test write is gone"


def test_a_file_of_rules_that_init_refuses(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RECOST_PROVIDERS_FILE", str(tmp_path / "none.toml"))
    code, shown = examine(capsys)
    assert code == 1
    assert "1 problem:" in shown
    assert "none.toml: it can't be read: No such file" in shown.replace("\n", "")


def test_a_variable_that_is_none_has_no_suggestion_that_is_none_either(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOST_ON_ERRORS", "x")
    _, shown = examine(capsys)
    assert "RECOST_ON_ERRORS is not a setting" in shown
    assert "RECOST_ON_ERROR?" not in shown


def test_a_folder_that_exists_is_left_as_it_was(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean.mkdir(mode=0o700)
    (clean / "default.jsonl").write_text("{}\n")
    code, shown = examine(capsys)
    assert code == 0
    assert "folder drwx------ (0700)" in shown
    assert [path.name for path in clean.iterdir()] == ["default.jsonl"]
    assert (clean / "default.jsonl").read_text() == "{}\n"


def test_clients_are_shown_with_their_versions_and_are_unpatched_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, shown = examine(capsys)
    for name in ("httpx", "urllib3", "aiohttp", "requests"):
        pytest.importorskip(name)
        assert f"{name} {importlib.metadata.version(name)} yes" in shown
    assert "http.client" in shown
    assert interception.sink is None
    assert interception.patches.names() == []


def test_clients_that_are_missing_or_broken_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "httpx2.py").write_text("raise RuntimeError('half installed')")
    (tmp_path / "aiohttp.py").write_text("# of a shape that nobody knows\n")
    done = run_script(
        f"""
        import sys
        sys.modules["httpx"] = None
        sys.path.insert(0, {str(tmp_path)!r})
        from recost.cli import main
        sys.exit(main(["doctor"]))
        """,
        env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
    )
    shown = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (1, "")
    assert "httpx" in shown.partition("not installed: ")[2].partition("httpx2:")[0].replace(",", "").split()
    assert "httpx2: it cannot be imported (RuntimeError: half installed)" in shown
    assert "aiohttp: aiohttp could not be patched (AttributeError: " in shown
    assert "2 problems:" in shown


def test_settings_are_shown_with_their_origin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_ENVIRONMENT", "staging")
    monkeypatch.setenv("RECOST_EXCLUDE_HOSTS", "a.example, b.example")
    monkeypatch.setenv("RECOST_APIKEY", "rc-typing-error")
    code, shown = examine(capsys)
    assert code == 0
    assert " environment staging environment " in shown
    assert " exclude_hosts a.example, b.example environment " in shown
    assert " max_batch_size 100 default " in shown
    assert "RECOST_APIKEY is not a setting: did you mean RECOST_API_KEY?" in shown
    assert "typing-error" not in shown


def test_bad_configuration_is_a_reason_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_PORT", "99999")
    code, shown = examine(capsys)
    assert code == 1
    assert "1 problem: - recost: local_port (from RECOST_LOCAL_PORT): got 99999, expected" in shown
    assert f"recost {__version__}" in shown, "the rest is shown all the same"


def test_a_deprecated_setting_is_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_FLUSH_INTERVAL", "2")
    code, shown = examine(capsys)
    assert code == 0
    assert "note recost: flush_interval is deprecated" in shown
    assert " flush_interval_ms 2000 environment " in shown


def test_being_switched_off_is_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_ENABLED", "false")
    code, shown = examine(capsys)
    assert code == 0
    assert "note enabled is False" in shown


def test_a_folder_that_cannot_be_made(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean.write_text("a file")
    code, shown = examine(capsys)
    assert code == 1
    assert f"recost: cannot write {clean}" in shown


def test_something_else_in_the_place_of_the_file(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (clean / "default.jsonl").mkdir(parents=True)
    code, shown = examine(capsys)
    assert code == 1
    assert f"{clean / 'default.jsonl'} is not a file" in shown


@pytest.mark.skipif(os.name != "posix", reason="links need rights there")
def test_a_symbolic_link_in_the_place_of_the_file(
    clean: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean.mkdir()
    (clean / "default.jsonl").symlink_to(tmp_path / "elsewhere")
    code, shown = examine(capsys)
    assert code == 1
    assert f"{clean / 'default.jsonl'} is a symbolic link" in shown
    assert not (tmp_path / "elsewhere").exists()


def test_a_websocket_that_nobody_serves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_TRANSPORT", "ws")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("RECOST_LOCAL_PORT", str(listener.getsockname()[1]))
        code, shown = examine(capsys)
        assert (code, "a server listens" in shown) == (0, True)
    monkeypatch.setenv("RECOST_LOCAL_PORT", str(refused_port()))
    code, shown = examine(capsys)
    assert code == 1
    assert "nothing listens at ws://127.0.0.1:" in shown
    assert "(Connection refused)" in shown


class Api:
    """Answers every request the same way, and keeps what it was asked."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.asked: list[tuple[str, str]] = []
        self.port = 0


@contextmanager
def api(status: int = 200, body: bytes = b'{"data": []}', **headers: str) -> Iterator[Api]:
    answers = Api(status, {"Content-Type": "application/json", **headers}, body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers.asked.append((self.path, self.headers.get("authorization", "")))
            self.send_response(answers.status)
            for name, value in answers.headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(answers.body)

        def log_message(self, *_: Any) -> None: ...

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        answers.port = server.server_port
        yield answers


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def ask(base_url: str) -> tuple[int, str]:
        monkeypatch.setenv("RECOST_API_KEY", KEY)
        monkeypatch.setenv("RECOST_PROJECT_ID", "my shop")
        monkeypatch.setenv("RECOST_BASE_URL", base_url)
        code, shown = examine(capsys)
        assert KEY[8:] not in shown, "the key is never shown"
        assert "api_key rc-abcde... environment " in shown
        return code, shown

    return ask


def test_the_api_knows_key_and_project(cloud: Any) -> None:
    with api() as server:
        code, shown = cloud(f"http://127.0.0.1:{server.port}/v2")
    assert code == 0
    assert "status 200: key and project are known" in shown
    assert server.asked == [("/v2/projects/my%20shop/telemetry/recent?limit=1", f"Bearer {KEY}")]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (401, "status 401: the API does not know this api_key"),
        (403, "status 403: check project_id"),
        (404, "status 404: the API does not know this project_id"),
        (418, "status 418"),
        (500, "status 500: the API has a problem"),
    ],
)
def test_the_api_refuses(cloud: Any, status: int, reason: str) -> None:
    with api(status, b'{"error": "secret-of-the-body"}', x_request_id="req_7") as server:
        code, shown = cloud(f"http://127.0.0.1:{server.port}")
    assert code == 1
    assert f"http://127.0.0.1:{server.port}: {reason}" in shown
    assert "(request req_7)" in shown
    assert "secret-of-the-body" not in shown


@pytest.mark.parametrize("status", [200, 404])
def test_a_web_page_is_not_the_api(cloud: Any, status: int) -> None:
    with api(status, b"<html>Log in</html>", Content_Type="text/html") as server:
        server.headers.pop("Content-Type")
        code, shown = cloud(f"http://127.0.0.1:{server.port}")
    assert code == 1
    assert f"status {status} with a web page: this is not the API, correct base_url" in shown


def test_other_json_is_not_the_api(cloud: Any) -> None:
    with api(200, b"[]") as server:
        code, shown = cloud(f"http://127.0.0.1:{server.port}")
    assert code == 1
    assert "status 200 without the API's JSON" in shown


def test_a_redirect_is_told_and_not_followed(cloud: Any) -> None:
    with api() as elsewhere:
        target = f"http://user:password@127.0.0.1:{elsewhere.port}/?token=x"
        with api(302, b"", Location=target) as server:
            code, shown = cloud(f"http://127.0.0.1:{server.port}")
    assert code == 1
    assert "status 302, a redirect to http://127.0.0.1, which is not followed" in shown
    assert "password" not in shown
    assert elsewhere.asked == []
    assert len(server.asked) == 1


def test_a_port_that_refuses(cloud: Any) -> None:
    code, shown = cloud(f"http://127.0.0.1:{refused_port()}")
    assert code == 1
    assert "the connection was refused: nothing listens there" in shown


def test_a_name_that_does_not_resolve(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)  # a real name would have to leave this machine
    code, shown = cloud("http://api.recost.invalid")
    assert code == 1
    assert "the host's name cannot be resolved (DNS)" in shown
    assert "base_url is http://: the key can be read in transit" in shown
    assert "the key can be read in transit" in cloud("HTTP://api.recost.invalid")[1]


def test_a_host_that_is_none(cloud: Any) -> None:
    code, shown = cloud(f"http://{'x' * 70}.example")
    assert code == 1
    assert "base_url and api_key do not make a valid request" in shown


@contextmanager
def raw_server(answer: bytes, context: Any = None) -> Iterator[int]:
    """Answer one connection with these bytes, once something was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    stream = context.wrap_socket(connection, server_side=True) if context else connection
                    with stream:
                        stream.recv(65536)
                        stream.sendall(answer)
                except OSError:  # a client that does not trust us hangs up
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "closed without a response"), (b"SSH-2.0-OpenSSH\r\n", "the response is not HTTP")],
)
def test_something_that_does_not_speak_http(cloud: Any, answer: bytes, reason: str) -> None:
    with raw_server(answer) as port:
        code, shown = cloud(f"http://127.0.0.1:{port}")
    assert code == 1
    assert reason in shown


def test_something_that_does_not_speak_tls(cloud: Any) -> None:
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        code, shown = cloud(f"https://127.0.0.1:{port}")
    assert code == 1
    assert "no TLS connection: " in shown


def test_a_certificate_that_nobody_trusts(cloud: Any) -> None:
    trustme = pytest.importorskip("trustme")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with raw_server(b"", context) as port:
        code, shown = cloud(f"https://127.0.0.1:{port}")
    assert code == 1
    assert "the certificate is not trusted (TLS): " in shown


def test_the_proxy_is_shown_without_its_credentials(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with api() as proxy:
        monkeypatch.setenv("http_proxy", f"http://user:password@127.0.0.1:{proxy.port}")
        code, shown = cloud("http://api.recost.invalid")
    assert code == 0
    assert f"proxy 127.0.0.1:{proxy.port}" in shown
    assert "password" not in shown
    assert proxy.asked[0][0].startswith("http://api.recost.invalid/projects/")


def test_in_cloud_mode_the_local_folder_does_not_matter(cloud: Any, clean: Path) -> None:
    clean.write_text("a file")
    with api() as server:
        code, shown = cloud(f"http://127.0.0.1:{server.port}")
    assert code == 0
    assert "note not used in this mode: recost: cannot write" in shown


def test_lines_fit_in_80_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOST_EXCLUDE_PATTERNS", ",".join(f"pattern{number}" for number in range(40)))
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("  file")) <= 80
    assert json.dumps(lines).isascii()


def test_each_of_several_destinations_is_checked(
    clean: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOST_TRANSPORTS", "file,ws,cloud")
    monkeypatch.setenv("RECOST_API_KEY", KEY)
    monkeypatch.setenv("RECOST_PROJECT_ID", "shop")
    monkeypatch.setenv("RECOST_BASE_URL", f"http://127.0.0.1:{refused_port()}")
    monkeypatch.setenv("RECOST_LOCAL_PORT", str(refused_port()))
    code, shown = examine(capsys)
    assert code == 1
    assert "transports file, ws, cloud environment" in shown
    assert "2 problems:" in shown
    for title in ("local file", "local WebSocket", "cloud API"):
        assert f"destination: {title}" in shown


def test_the_numbers_of_running_processes_are_shown(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = DestinationStats("cloud", "error", 1, 20, 300, 4, {"rejected": 5}, ("RecostAuthError", "secret"))
    file = StatsFile(str(clean), "shop", 1_700_000_000_000.0, own_folder=False)
    file.write(Stats(326, 0, {"cloud": found}).to_dict(), time.time() * 1000)
    try:
        (clean / "x.0123456789ab01234567.stats").mkdir()
        code, shown = examine(capsys)
    finally:
        file.remove()
    assert code == 0, shown
    assert f"shop {os.getpid()} cloud error 326 0 1 20 300 5" in shown
    assert f"shop {os.getpid()}, cloud: dropped: 5 rejected" in shown
    assert f"shop {os.getpid()}, cloud: latest error: RecostAuthError" in shown
    assert f"shop {os.getpid()}, cloud: 4 calls of ended processes sent" in shown
    assert "1 file of processes in" in shown
    assert "secret" not in shown


def test_the_name_of_a_project_can_do_nothing_to_the_terminal(
    clean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = StatsFile(str(clean), "shop\x1b[31m", 1_700_000_000_000.0, own_folder=False)
    file.write(Stats(0, 0, {"file": DestinationStats("file")}).to_dict(), time.time() * 1000)
    try:
        _, shown = examine(capsys)
    finally:
        file.remove()
    assert "\x1b" not in shown
    assert f"31m {os.getpid()} file - 0" in shown
