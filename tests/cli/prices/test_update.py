"""``recost prices update``, the age of the list, and what is said where there are no prices of tokens."""

from __future__ import annotations

import gc
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from recost.cli import main
from recost.cli._shared.list_age import old_list
from recost.pricing.list_place import how_to_install
from recost.pricing.price_list import MOST_BYTES, builtin_day, enveloped
from tests.loopback import refused_port
from tests.price_lists import MODEL, small_list
from tests.serving import serving

NOW = datetime.now(timezone.utc)
LONG_AGO = datetime(2025, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file in which the list is kept, in a home of its own; it isn't there yet."""
    for name in list(os.environ):
        if name.startswith("RECOST_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path / ".recost" / "prices.json"


class Lists(ThreadingHTTPServer):
    """Serves one list, or whatever else ``answer`` does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.text = small_list()
        self.asked: list[str] = []
        self.answer: Optional[Callable[[BaseHTTPRequestHandler], None]] = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that close the connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data.json"


class _Handler(BaseHTTPRequestHandler):
    server: Lists

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.answer is not None:
            self.server.answer(self)
        else:
            send(self, self.server.text.encode())

    def log_message(self, *_: Any) -> None: ...


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def lists() -> Iterator[Lists]:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")
    with serving(Lists()) as server:
        yield server


def update(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["prices", "update", *arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_the_list_is_fetched_checked_and_kept(
    lists: Lists, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = update(capsys, "--yes", "--url", lists.url)
    assert (code, err) == (0, "")
    assert f"1 model of 1 provider in {kept}" in out
    assert f"1 new: openai {MODEL}" in out
    assert "removed: " in out, "that much less than genai-prices has is worth a look"
    document = json.loads(kept.read_text())
    assert document["url"] == lists.url
    assert document["fetched"][:10] == datetime.now(timezone.utc).date().isoformat()
    assert document["providers"] == json.loads(lists.text)
    if os.name == "posix":
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    lists.text = small_list("gpt-98-mini")
    code, out, _ = update(capsys, "--yes", "--url", lists.url)
    assert code == 0
    assert out.splitlines()[1:] == ["1 new: openai gpt-98-mini", f"1 removed: openai {MODEL}"]


def test_the_file_that_the_environment_names(
    lists: Lists,
    kept: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen = tmp_path / "deep" / "er" / "list.json"
    monkeypatch.setenv("RECOST_PRICES_FILE", str(chosen))
    assert update(capsys, "--yes", "--url", lists.url)[0] == 0
    assert MODEL in chosen.read_text()
    assert not kept.exists()


def test_it_asks_first(
    lists: Lists, kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = update(capsys, "--url", lists.url)
    assert (code, out) == (2, "")
    assert "stdin is not a terminal: pass --yes" in err
    assert not lists.asked, "nor is anything asked of the network"
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    asked: list[str] = []

    def answers(text: str) -> Callable[[str], str]:
        def answer(prompt: str) -> str:
            asked.append(prompt)
            if not text:
                raise EOFError
            return text

        return answer

    for no in ("n", "nonsense", " ", ""):
        monkeypatch.setattr("builtins.input", answers(no))
        code, out, err = update(capsys, "--url", lists.url)
        assert (code, out.strip(), err) == (0, "Nothing was changed.", "")
    assert asked[0] == f"Fetch {lists.url} into {kept}? [y/N] "
    assert not lists.asked
    monkeypatch.setattr("builtins.input", answers("Yes"))
    assert update(capsys, "--url", lists.url)[0] == 0
    assert kept.exists()


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(small_list().encode())


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    piece = b" " * (1 << 20)
    for _ in range((MOST_BYTES >> 20) + 2):
        handler.wfile.write(piece)


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")


BROKEN: dict[str, tuple[Callable[[BaseHTTPRequestHandler], None], str]] = {
    "404": (lambda handler: send(handler, b"gone", 404), "status 404"),
    "500": (lambda handler: send(handler, b"", 500), "status 500"),
    "a web page": (
        lambda handler: send(handler, b"<html>Sign in</html>"),
        "invalid list: expected providers",
    ),
    "an object": (lambda handler: send(handler, b'{"fetched": "x"}'), "invalid list: expected providers"),
    "cut off in the text": (lambda handler: send(handler, b'[{"id": ]'), "it is not JSON that can be used"),
    "cut off on the way": (cut_off, "the connection was closed before the end"),
    "another object behind it": (lambda handler: send(handler, b'[], "providers": []'), "twice"),
    "nothing to use": (lambda handler: send(handler, b'[{"models": [1]}]'), "no model of its 1"),
    "empty": (lambda handler: send(handler, b""), "invalid list: expected providers"),
    "no text": (lambda handler: send(handler, b"\xff\xfe"), "the response is not UTF-8"),
    "no HTTP": (nonsense, "invalid response"),
    "too large": (endless, f"the response is larger than {MOST_BYTES >> 20} MB"),
    "a redirect into the open": (
        lambda handler: send(handler, b"", 302, Location="http://prices.example/data.json"),
        "status 302, a redirect that is not followed",
    ),
    "a redirect to a file": (
        lambda handler: send(handler, b"", 302, Location="file:///etc/passwd"),
        "status 302",
    ),
    "round and round": (lambda handler: send(handler, b"", 302, Location="/again"), "status 302"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_whatever_is_wrong_is_told_and_changes_nothing(
    what: str, lists: Lists, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.parent.mkdir()
    kept.write_text("as it was")
    lists.answer, told = BROKEN[what]
    code, out, err = update(capsys, "--yes", "--url", lists.url)
    gc.collect()  # a connection that was left open is an error of this test, not of the next one
    assert (code, out) == (2, "")
    assert err.startswith(f"recost: {lists.url}: ")
    assert told in err
    assert err.endswith("; nothing was changed\n")
    assert err.count("\n") == 1
    assert kept.read_text() == "as it was"
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_redirect_on_this_machine_is_followed(
    lists: Lists, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/moved":
            send(handler, lists.text.encode())
        else:
            send(handler, b"", 302, Location="/moved")

    lists.answer = answer
    assert update(capsys, "--yes", "--url", lists.url)[0] == 0
    assert kept.exists()


def test_without_a_network(lists: Lists, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = update(capsys, "--yes", "--url", f"http://127.0.0.1:{refused_port()}/")
    assert (code, out) == (2, "")
    assert "no connection: " in err
    assert not kept.parent.exists()


@pytest.mark.parametrize(
    "url",
    ["http://prices.example/", "file:///etc/passwd", "ftp://127.0.0.1/", "nonsense", "", "https://u:p@h/"],
)
def test_urls_from_which_nothing_is_fetched(url: str, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = update(capsys, "--yes", "--url", url)
    assert (code, out) == (2, "")
    assert ": expected " in err
    assert not kept.parent.exists()


def test_a_folder_that_cannot_be_written(
    lists: Lists, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.parent.write_text("a file")
    code, _, err = update(capsys, "--yes", "--url", lists.url)
    assert code == 2
    assert f"cannot write {kept}: " in err


def test_a_setting_that_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RECOST_PRICES_FILE", "~nobody-of-that-name/x")
    code, _, err = update(capsys, "--yes")
    assert code == 2
    assert "prices_file (from RECOST_PRICES_FILE)" in err


def test_without_genai_prices(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    code, out, err = update(capsys, "--yes")
    assert (code, out) == (2, "")
    assert how_to_install() in err
    code = main(["doctor"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "genai-prices not installed" in shown
    assert f"capture_usage=True has no price of tokens: {how_to_install()}" in shown
    assert old_list(NOW.date()) is None


@pytest.fixture
def _prices() -> None:
    pytest.importorskip("genai_prices", reason="genai-prices is not installed")


def examine(capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["doctor"])
    return code, " ".join(capsys.readouterr().out.split())


@pytest.mark.usefixtures("_prices")
def test_the_doctor_tells_which_list_is_used_and_how_old_it_is(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, shown = examine(capsys)
    assert code == 0
    own = r"list that of genai-prices age its latest price is of \d{4}-\d\d-\d\d \(\d+ days? ago\)"
    assert re.search(rf"genai-prices \d+\.\d+\.\d+ {own}", shown)
    kept.parent.mkdir()
    kept.write_text(enveloped(small_list(), NOW, "u"))
    shown = examine(capsys)[1]
    assert f"file {kept} list 1 models age fetched on {NOW.date()} (0 days ago)" in " ".join(shown.split())
    kept.write_text(enveloped(small_list(), LONG_AGO, "u"))
    shown = examine(capsys)[1]
    assert f"{kept} is older than the list of genai-prices, and not used" in shown
    monkeypatch.setenv("RECOST_PRICES_FILE", str(kept))
    code, shown = examine(capsys)
    assert code == 0
    assert "age fetched on 2025-01-01 (" in shown
    assert "note the list is old: 'recost prices update' fetches the latest" in shown
    kept.write_text("[")
    code, shown = examine(capsys)
    assert code == 1
    assert "the list of genai-prices is used in its place" in shown


@pytest.mark.usefixtures("_prices")
def test_an_old_list_is_told(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builtin = builtin_day(NOW.date())
    assert builtin is not None
    assert not builtin.fetched
    assert old_list(builtin.day) is None
    later = builtin_day(builtin.day + timedelta(1000))
    assert later is not None
    assert old_list(later.day + timedelta(60)) is None
    assert old_list(later.day + timedelta(61)) == (
        f"the list of prices is old, its latest price is of {later.day} (61 days ago): "
        "'recost prices update' fetches the latest"
    )
    kept.parent.mkdir()
    kept.write_text(enveloped(small_list(), NOW, "u"))
    assert old_list(NOW.date()) is None
    kept.write_text(enveloped(small_list(), LONG_AGO, "u"))
    assert old_list(builtin.day) is None, "genai-prices has a newer one"
    monkeypatch.setenv("RECOST_PRICES_FILE", str(kept))
    assert "fetched on 2025-01-01" in (old_list(builtin.day) or "")
    monkeypatch.setenv("RECOST_PRICES_FILE", "~nobody-of-that-name/x")
    assert old_list(builtin.day) is None, "a report is made whatever other settings say"


@pytest.mark.usefixtures("_prices")
def test_the_report_says_so_where_the_list_matters(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("duckdb")
    from tests.analytics.test_store import line

    kept.parent.mkdir()
    kept.write_text(enveloped(small_list(), LONG_AGO, "u"))
    monkeypatch.setenv("RECOST_PRICES_FILE", str(kept))
    file = tmp_path / "shop.jsonl"
    note = "prices the list of prices is old, fetched on 2025-01-01"

    def reported(window: bytes) -> str:
        file.write_bytes(window)
        assert main(["report", str(file)]) == 0
        return " ".join(capsys.readouterr().out.split())

    unpriced = line(1, 10).replace(
        b'"estimatedCostCents":0.25', b'"estimatedCostCents":0.25,"unpricedCount":3'
    )
    assert note in reported(unpriced)
    assert note not in reported(line(1, 10)), "no price in there is from a list"
    kept.write_text(enveloped(small_list(), NOW, "u"))
    assert "the list of prices" not in reported(unpriced)
