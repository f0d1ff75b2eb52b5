from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recost.cli import main
from recost.cli.demo.apis import APIS
from recost.cli.demo.calls import CALLS, shares
from recost.cli.demo.clients import CLIENTS, Client
from recost.cli.demo.report import Row, add_up, reconcile
from recost.cli.demo.routing import UNREACHABLE, Routing
from recost.cli.demo.runner import Runner
from recost.cli.demo.server import DemoServer, ServedRequest
from tests.scripts import environment, run_script, windows

INSTALLED = [client for client in CLIENTS if client.load() is not None]


def demo_calls() -> int:
    return sum(len(share) for share in shares(len(INSTALLED)))


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [metric for window in windows(folder) for metric in window["metrics"]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("telemetry")


@pytest.fixture(scope="module")
def shown(folder: Path) -> str:
    """What one run, in a process of its own, has printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "recost", "demo"],
        env=environment(RECOST_LOCAL_DIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of a run in this process, and no other variable of recost's."""
    for name in [name for name in os.environ if name.startswith("RECOST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECOST_LOCAL_DIR", str(tmp_path))
    return tmp_path


def test_every_call_is_accounted_for(shown: str, folder: Path) -> None:
    lines = shown.splitlines()
    assert lines[-2:] == ["Every call is accounted for.", f"File: {folder / 'demo.jsonl'}"]
    truth = demo_calls()
    assert truth >= 36
    assert f"{truth} calls, 12 failed. Recorded: {truth} calls, 12 failed." in lines[-3]
    assert sum(metric["requestCount"] for metric in metrics(folder)) == truth


def test_a_cost_that_is_not_known_is_not_shown_as_nothing(shown: str, folder: Path) -> None:
    found = metrics(folder)
    unknown = {
        (metric["provider"], metric["endpoint"], metric["method"])
        for metric in found
        if metric["unpricedCount"] and not metric["estimatedCostCents"]
    }
    lines = [line.split() for line in shown.splitlines() if line.endswith(" unknown")]
    assert {tuple(line[:3]) for line in lines} == unknown != set()
    number = sum(metric["unpricedCount"] for metric in found)
    assert f"Unknown: {number} calls without a known price, not included in the cost." in shown


def test_each_call_has_its_line(shown: str) -> None:
    labels = {client.label for client in INSTALLED}
    lines = [line for line in shown.splitlines() if line[:14].rstrip() in labels]
    assert len(lines) == demo_calls()
    assert {line[:14].rstrip() for line in lines} == labels
    assert {line[59:62] for line in lines} == {"200", "402", "429", "500", "---"}


def test_it_is_plain_text_in_80_columns(shown: str) -> None:
    assert "\x1b" not in shown
    assert shown.isascii()
    assert max(map(len, shown.splitlines()[:-1])) <= 80


def test_the_clients_are_named_with_their_versions(shown: str) -> None:
    for client in INSTALLED:
        assert f"{client.library} {client.version}".rstrip() in " ".join(shown.split())


def test_the_table_is_what_is_in_the_file(shown: str, folder: Path) -> None:
    found = metrics(folder)
    lines = [line.split() for line in shown.splitlines()]
    header = lines.index(["provider", "endpoint", "method", "calls", "errors", "p50", "p95", "bytes", "cost"])
    rows = lines[header + 2 : header + 2 + len(found)]
    assert sorted(tuple(row[:5]) for row in rows) == sorted(
        (m["provider"], m["endpoint"], m["method"], str(m["requestCount"]), str(m["errorCount"]))
        for m in found
    )
    total = lines[header + 3 + len(found)]
    cents = sum(metric["estimatedCostCents"] for metric in found)
    assert total[:3] == ["total", str(demo_calls()), str(sum(metric["errorCount"] for metric in found))]
    assert total[-1] == f"${cents / 100:.4f}"
    assert {metric["provider"] for metric in found} == {"openai", "anthropic", "stripe", "unknown"}
    assert "flat estimates" in shown


def test_a_second_run_counts_its_own_calls_only(clean: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["demo"]), main(["demo"])] == [0, 0]
    assert len({window["environment"] for window in windows(clean)}) == 2
    assert sum(metric["requestCount"] for metric in metrics(clean)) == 2 * demo_calls()


def test_a_file_that_is_rotated_is_read_all_the_same(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_LOCAL_MAX_BYTES", "10")
    assert [main(["demo"]), main(["demo"])] == [0, 0]
    assert (clean / "demo.1.jsonl").exists()


NOTHING_LEAVES = """
    import sys
    addresses = set()

    def watch(event, arguments):
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            addresses.add(arguments[1][0])
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            addresses.add(arguments[0])

    sys.addaudithook(watch)
    from recost.cli import main
    code = main(["demo"])
    print("ADDRESSES", sorted(map(str, addresses)), code)
"""


def test_nothing_leaves_the_machine_whatever_the_environment(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        url = f"http://127.0.0.1:{trap.getsockname()[1]}"
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"), url)
        done = run_script(
            NOTHING_LEAVES,
            env=environment(
                **proxies,
                RECOST_LOCAL_DIR=str(tmp_path),
                RECOST_API_KEY="rc-1234567890",
                RECOST_BASE_URL=url,
                RECOST_LOCAL_TRANSPORT="ws",
                RECOST_LOCAL_PORT=url.rpartition(":")[2],
                RECOST_ENABLED="no",
                RECOST_EXCLUDE_HOSTS="api.openai.com",
                RECOST_FLUSH_INTERVAL_MS="not a number",
            ),
        )
        assert done.stdout.splitlines()[-1] == "ADDRESSES ['127.0.0.1'] 0", done.stdout + done.stderr
        assert select.select([trap], [], [], 0)[0] == [], "somebody connected"
    assert "RECOST_API_KEY is set. The demo does not use it." in done.stdout
    assert "rc-1234567890" not in done.stdout + done.stderr
    assert sum(metric["requestCount"] for metric in metrics(tmp_path)) == demo_calls()


def test_with_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "aiohttp.py").write_text("raise RuntimeError('half installed')")
    done = run_script(
        """
        import sys
        for name in ("urllib3", "requests", "httpx", "httpx2"):
            sys.modules[name] = None
        sys.path.insert(0, sys.argv[1])
        from recost.cli import main
        sys.exit(main(["demo"]))
        """,
        tmp_path,
        env=environment(RECOST_LOCAL_DIR=str(tmp_path)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "missing  urllib3, requests, httpx, httpx2, aiohttp (not" in done.stdout
    assert sum(metric["requestCount"] for metric in metrics(tmp_path)) == 42
    assert len(metrics(tmp_path)) == 9


def test_project_and_folder_are_those_of_a_real_run(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RECOST_LOCAL_DIR")
    monkeypatch.setenv("HOME", str(clean))
    monkeypatch.setenv("USERPROFILE", str(clean))
    monkeypatch.setenv("RECOST_PROJECT_ID", "shop")
    assert main(["demo"]) == 0
    assert [path.name for path in (clean / ".recost" / "local-telemetry").iterdir()] == ["shop.jsonl"]


def test_bad_configuration_is_told_without_a_traceback(
    clean: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECOST_PROJECT_ID", "../up")
    assert main(["demo"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "project_id (from RECOST_PROJECT_ID): got '../up'" in output.err


def test_a_file_that_cannot_be_written_is_a_failure_with_its_reason(
    clean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clean / "demo.jsonl").mkdir()
    assert main(["demo"]) == 1
    output = capsys.readouterr()
    assert output.err == ""
    assert "Recorded: 0 calls, 0 failed." in output.out
    assert "NOT EVERY CALL IS ACCOUNTED FOR" in output.out
    assert f"problem: recost: cannot write {clean / 'demo.jsonl'}: it is a folder" in output.out


@pytest.mark.parametrize(
    ("calls", "errors", "complete"),
    [(3, 2, True), (2, 2, False), (4, 2, False), (3, 1, False), (3, 3, False)],
)
def test_the_account_is_of_calls_and_of_errors(calls: int, errors: int, complete: bool) -> None:
    served = [ServedRequest("api.stripe.com", "GET", "/", status) for status in (200, 402)]
    rows = [Row("stripe", "/", "GET", calls=calls, errors=errors)]
    assert reconcile(served, 1, rows)[0] is complete


def test_nothing_served_is_not_complete() -> None:
    assert reconcile([], 0, [])[0] is False


def test_rows_of_several_windows_are_added_up() -> None:
    metric = {
        "provider": "p", "endpoint": "e", "method": "GET", "requestCount": 1, "errorCount": 1,
        "p50LatencyMs": 10.0, "p95LatencyMs": 20.0, "totalRequestBytes": 3, "totalResponseBytes": 4,
        "estimatedCostCents": 0.5,
    }  # fmt: skip
    slower = {**metric, "requestCount": 3, "errorCount": 0, "p50LatencyMs": 30.0, "p95LatencyMs": 40.0}
    [row] = add_up([{"metrics": [metric]}, {"metrics": [slower]}])
    assert (row.calls, row.errors, row.size, row.cents) == (4, 1, 14, 1.0)
    assert (row.p50_ms, row.p95_ms) == (25.0, 40.0)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="the platform has no pseudo-terminals")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_is_on_a_terminal_only_and_can_be_turned_off(tmp_path: Path, no_color: str) -> None:
    ours, theirs = os.openpty()
    env = environment(RECOST_LOCAL_DIR=str(tmp_path), NO_COLOR=no_color, TERM="xterm")
    with subprocess.Popen([sys.executable, "-m", "recost", "demo"], env=env, stdout=theirs) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux's way of saying that the other side is closed
                break
            if not piece:
                break
            shown += piece
    os.close(ours)
    assert process.returncode == 0
    assert (b"\x1b[" in shown) is (no_color == "")


@pytest.mark.parametrize("client", INSTALLED, ids=lambda client: client.label)
def test_each_client_reaches_the_server_under_the_real_names(client: Client) -> None:
    with DemoServer() as server, Routing(server.port) as routing:
        statuses = asyncio.run(fetch_all(client, routing))
        assert [status for status in statuses if isinstance(status, int)] == [
            seen.status for seen in server.log
        ]
    assert sorted(
        (call.method, call.host, call.path) for call in CALLS if call.host != UNREACHABLE
    ) == sorted((seen.method, seen.host, seen.path) for seen in server.log)
    assert len([status for status in statuses if isinstance(status, Exception)]) == 1


async def fetch_all(client: Client, routing: Routing) -> list[Any]:
    """Return the status of each of `CALLS`, or what was raised."""
    statuses: list[Any] = []
    if client.asynchronous:
        async with client.session(routing) as fetch:
            for call in CALLS:
                statuses += await asyncio.gather(fetch(call), return_exceptions=True)
        return statuses
    with client.session(routing) as fetch:
        for call in CALLS:
            try:
                statuses.append(fetch(call))
            except Exception as error:  # noqa: BLE001, PERF203 - what is raised is the client's own
                statuses.append(error)
    return statuses


def test_no_other_host_is_anywhere() -> None:
    with Routing(1) as routing:
        for host in APIS:
            assert routing.address(host) == ("127.0.0.1", 1)
        with pytest.raises(OSError, match=r"unknown host 'example\.com'"):
            routing.address("example.com")
        with pytest.raises(ConnectionRefusedError):
            routing.connect(UNREACHABLE)


def test_an_unknown_path_is_not_found() -> None:
    with DemoServer() as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /v1/nothing HTTP/1.1\r\nHost: api.stripe.com\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def routed_client(library: Any, routing: Routing) -> Any:
    from recost.cli.demo.clients import httpx as adapter

    transport = type("Transport", (adapter._Transport, library.BaseTransport), {})(library, routing)
    return library.Client(transport=transport, trust_env=False)


def test_the_openai_sdk_understands_the_answers() -> None:
    openai = pytest.importorskip("openai")
    library = pytest.importorskip("httpx2" if int(openai.__version__.split(".")[0]) >= 3 else "httpx")
    with DemoServer() as server, Routing(server.port) as routing, routed_client(library, routing) as http:
        sdk = openai.OpenAI(
            api_key="sk-demo", base_url="http://api.openai.com/v1", http_client=http, max_retries=0
        )
        asked: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "?"}]}
        answer = sdk.chat.completions.create(**asked)
        pieces = list(
            sdk.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
        )
        assert answer.usage.total_tokens == pieces[-1].usage.total_tokens == 34
        text = "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
        assert text == answer.choices[0].message.content != ""
        vectors = sdk.embeddings.create(model="m", input=["a", "b"], encoding_format="float")
        assert [len(item.embedding) for item in vectors.data] == [256, 256]
        assert sdk.responses.create(model="m", input="?").output_text == text
        with pytest.raises(openai.RateLimitError) as limited:
            sdk.chat.completions.create(**{**asked, "model": "demo-rate-limited"})
        assert limited.value.code == "rate_limit_exceeded"


def test_the_anthropic_sdk_understands_the_answers() -> None:
    anthropic = pytest.importorskip("anthropic")
    library = pytest.importorskip("httpx2" if int(anthropic.__version__.split(".")[0]) >= 1 else "httpx")
    with DemoServer() as server, Routing(server.port) as routing, routed_client(library, routing) as http:
        sdk = anthropic.Anthropic(
            api_key="demo", base_url="http://api.anthropic.com", http_client=http, max_retries=0
        )
        asked: Any = {"model": "m", "max_tokens": 64, "messages": [{"role": "user", "content": "?"}]}
        answer = sdk.messages.create(**asked)
        with sdk.messages.stream(**asked) as stream:
            assert stream.get_final_text() == answer.content[0].text != ""
            assert stream.get_final_message().usage.output_tokens == answer.usage.output_tokens == 10
        with pytest.raises(anthropic.InternalServerError, match="Internal server error"):
            sdk.messages.create(**{**asked, "model": "demo-broken"})


def test_the_stripe_sdk_understands_the_answers() -> None:
    stripe = pytest.importorskip("stripe")
    requests = pytest.importorskip("requests")
    from recost.cli.demo.clients.urllib3 import routed

    with DemoServer() as server, Routing(server.port) as routing, requests.Session() as session:
        session.trust_env = False
        routed(session.get_adapter("http://").poolmanager, routing)
        sdk = stripe.StripeClient(
            "sk_test_demo",
            base_addresses={"api": "http://api.stripe.com"},
            http_client=stripe.RequestsClient(session=session),
            max_network_retries=0,
        )
        customer = sdk.v1.customers.create({"name": "Jenny Rosen"})
        assert sdk.v1.customers.retrieve(customer.id).name == "Jenny Rosen"
        assert sdk.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_visa"}).paid
        assert sdk.v1.payment_intents.create({"amount": 2000, "currency": "usd"}).amount == 2000
        with pytest.raises(stripe.CardError) as declined:
            sdk.v1.charges.create({"amount": 2000, "currency": "usd", "source": "tok_chargeDeclined"})
        assert declined.value.code == "card_declined"


def test_what_was_not_planned_is_noted_and_the_others_go_on() -> None:
    strange = Client("strange", "json", "nowhere")
    with DemoServer() as server, Routing(server.port) as routing:
        runner = Runner([strange, CLIENTS[0]], routing)
        labels = [label for label, _ in runner.run()]
    assert set(labels) == {"urllib.request"}
    [failure] = runner.failures
    assert failure.startswith("strange: ModuleNotFoundError: ")


def test_a_call_that_fails_unplanned_is_noted_and_the_next_ones_are_made() -> None:
    with DemoServer() as server:
        port = server.port
    with Routing(port) as routing:  # the server has gone
        runner = Runner([CLIENTS[0]], routing)
        events = [event for _, event in runner.run()]
    assert len(events) == 42
    assert runner.refused == 3
    assert len(runner.failures) == 39
    assert runner.failures[0].startswith(
        "urllib.request: POST http://api.openai.com/v1/chat/completions: URLError"
    )
