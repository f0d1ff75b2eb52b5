from __future__ import annotations

import io
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from email.message import Message
from email.utils import formatdate
from pathlib import Path
from typing import Any, Optional

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from recost.delivery.transports.base import Disposition, SendError
from recost.delivery.transports.cloud import CloudTransport
from recost.errors import RecostAuthError, RecostError, RecostFatalAuthError, RecostRateLimitError
from tests.api import Answer, Api, Step, answer
from tests.delivery.samples import metric, window
from tests.loopback import refused_port

KEY = "rc-0123456789abcdef"
PROXIES = (
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
)


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(key=KEY) as server:
        yield server


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def cloud(api: Api, screen: io.StringIO) -> Iterator[CloudTransport]:
    transport = CloudTransport(api.url, api.project, KEY, stderr=screen)
    yield transport
    transport.close()


def failure_of(transport: CloudTransport, *metrics: Any, timeout_s: float = 5.0) -> SendError:
    with pytest.raises(SendError) as caught:
        transport.send(window(*metrics), timeout_s)
    return caught.value


def everything_about(error: Optional[BaseException]) -> str:
    """Return all that a log or an error tracker would find on an exception."""
    texts: list[str] = []
    while error is not None:
        texts += [
            repr(error),
            str(error),
            repr(vars(error)),
            "".join(traceback.format_exception_only(type(error), error)),
        ]
        if isinstance(error, SendError) and error.error is not None:
            texts += [repr(error.error), str(error.error), repr(vars(error.error))]
            assert error.error.__context__ is None
            assert error.error.__traceback__ is None
        assert error.__cause__ is None
        error = error.__context__
    return "\n".join(texts)


def test_a_window_is_accepted_as_the_contract_has_it(api: Api, cloud: CloudTransport) -> None:
    cloud.send(window(metric("chat"), metric("embeddings")), 5.0)
    assert api.problems == []
    assert api.totals() == {("openai", "chat", "POST"): (3, 1), ("openai", "embeddings", "POST"): (3, 1)}
    (request,) = api.requests
    assert request.path == "/projects/proj-1/telemetry"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["user-agent"] == "recost-python/0.2.0"
    assert "accept-encoding" not in request.headers or request.headers["accept-encoding"] == "identity"


def test_a_window_of_one_instant_is_accepted(api: Api, cloud: CloudTransport) -> None:
    cloud.send(window(window_start=1.0, window_end=1.0), 5.0)
    assert len(api.windows) == 1


def test_text_beyond_ascii_arrives(api: Api, cloud: CloudTransport) -> None:
    cloud.send(window(metric("/日本/é\ud800")), 5.0)
    assert api.metrics[0]["endpoint"] == "/日本/é?"


@pytest.mark.parametrize(
    ("step", "disposition", "words"),
    [
        (500, Disposition.RETRY, "responded with 500"),
        (502, Disposition.RETRY, "responded with 502"),
        (503, Disposition.RETRY, "responded with 503"),
        (408, Disposition.RETRY, "responded with 408"),
        ("reset", Disposition.RETRY, "reset"),
        ("close", Disposition.RETRY, "closed without a response"),
        ("garbage", Disposition.RETRY, "BadStatusLine"),
        ("accept, reset", Disposition.RETRY, "reset"),
        (400, Disposition.SPLIT, "payload"),
        (413, Disposition.SPLIT, "payload"),
        (422, Disposition.SPLIT, "payload"),
        (403, Disposition.WAIT, "project id"),
        (404, Disposition.WAIT, "project id"),
        (407, Disposition.WAIT, "proxy"),
        (405, Disposition.WAIT, "base_url"),
        ("only interim", Disposition.RETRY, "HTTPException"),
        ("switch", Disposition.WAIT, "101"),
        (200, Disposition.WAIT, "base_url"),
        (204, Disposition.WAIT, "base_url"),
        (304, Disposition.WAIT, "base_url"),
        ("html", Disposition.WAIT, "base_url"),
        ("big", Disposition.WAIT, "base_url"),
        (Answer(200, (), b'{"status": "no"}'), Disposition.WAIT, "base_url"),
        (Answer(200, (), b"[" * 60_000), Disposition.WAIT, "base_url"),
    ],
)
def test_what_becomes_of_a_window(
    api: Api, cloud: CloudTransport, step: Step, disposition: Disposition, words: str
) -> None:
    api.script(step)
    failure = failure_of(cloud, metric("a"), metric("b"))
    assert failure.disposition is disposition
    message = str(failure.error)
    assert words in message
    assert "2 metrics" in message
    assert "scripted" not in message
    assert "Welcome" not in message
    assert KEY not in everything_about(failure)
    cloud.send(window(), 5.0)  # and the next one is served


@pytest.mark.parametrize("status", [403, 404, 422, 429, 500, 401])
def test_an_error_names_status_and_request_id(api: Api, cloud: CloudTransport, status: int) -> None:
    api.script(status)
    message = str(failure_of(cloud).error)
    assert str(status) in message
    assert api.requests[0].request_id in message
    assert "1 metrics" in message


@pytest.mark.parametrize(
    "step",
    [
        "accept, close",
        "interim, accept",
        Answer(202, (), b""),
        Answer(202, (), b"<html>"),
        Answer(200, (), b'{"status": "accepted"}'),
        Answer(200, (("Content-Type", "text/html; charset=klingon"),), b'{"status": "accepted"}'),
        Answer(200, (), '{"status": "accepted", "message": "reçu"}'.encode("latin-1")),
        Answer(200, (), '{"status": "accepted", "message": "reçu"}'.encode("utf-8-sig")),
        Answer(200, (), '{"status": "accepted", "message": "reçu"}'.encode("utf-16")),
        Answer(201, (), b'{"windowId": %s, "status": "accepted"}' % (b"9" * 5000)),
    ],
)
def test_accepted_is_accepted_whatever_follows(api: Api, cloud: CloudTransport, step: Step) -> None:
    api.script(step)
    cloud.send(window(), 5.0)
    assert len(api.requests) == 1


def test_an_unknown_project_is_told_apart(api: Api) -> None:
    failure = failure_of(CloudTransport(api.url, "proj-2", KEY))
    assert failure.disposition is Disposition.WAIT
    assert "check the project id" in str(failure.error)


def test_a_project_id_stays_one_segment_of_the_path(api: Api) -> None:
    api.project = "a b/../c?d#e"
    CloudTransport(api.url, api.project, KEY).send(window(), 5.0)
    assert api.requests[0].path == "/projects/a%20b%2F..%2Fc%3Fd%23e/telemetry"
    assert len(api.windows) == 1


def test_a_window_that_is_no_json_is_rejected_without_a_request(api: Api, cloud: CloudTransport) -> None:
    failure = failure_of(cloud, metric(total_latency_ms=float("nan")))
    assert failure.disposition is Disposition.REJECT
    assert isinstance(failure.error, RecostError)
    assert api.requests == []


class TestRefusedKey:
    def test_five_in_a_row_suspend(self, api: Api, screen: io.StringIO) -> None:
        cloud = CloudTransport(api.url, api.project, "rc-wrong-key-99", stderr=screen)
        failures = [failure_of(cloud) for _ in range(5)]
        assert [failure.disposition for failure in failures] == [Disposition.WAIT] * 4 + [Disposition.SUSPEND]
        errors = [failure.error for failure in failures]
        assert [type(error) for error in errors] == [RecostAuthError] * 4 + [RecostFatalAuthError]
        assert [getattr(error, "consecutive_failures", 0) for error in errors] == [1, 2, 3, 4, 5]
        lines = screen.getvalue().splitlines()
        assert len(lines) == 2
        assert "401" in lines[0]
        assert "suspended" in lines[1]
        assert "wrong-key" not in screen.getvalue()
        assert not any("wrong-key" in everything_about(failure) for failure in failures)

        after = failure_of(cloud)
        assert (after.error, after.disposition) == (None, Disposition.SUSPEND)
        assert len(api.requests) == 5

    @pytest.mark.parametrize("other", ["accept", 500, 404, 422, "reset", answer(429, retry_after=1)])
    def test_any_other_outcome_resets_the_count(self, api: Api, cloud: CloudTransport, other: Step) -> None:
        again = [other] * (other == "reset")  # a kept connection that ends is tried anew, once
        api.script(401, 401, 401, 401, other, *again, 401)
        for _ in range(4):
            failure_of(cloud)
        with suppress(SendError):
            cloud.send(window(), 5.0)
        last = failure_of(cloud)
        assert isinstance(last.error, RecostAuthError)
        assert last.error.consecutive_failures == 1
        assert last.disposition is Disposition.WAIT

    def test_the_first_line_is_printed_once(
        self, api: Api, cloud: CloudTransport, screen: io.StringIO
    ) -> None:
        api.script(401, "accept", 401, 401)
        failure_of(cloud)
        cloud.send(window(), 5.0)
        failure_of(cloud)
        failure_of(cloud)
        assert len(screen.getvalue().splitlines()) == 1

    def test_without_a_console(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", None)
        api.script(401)
        assert isinstance(failure_of(CloudTransport(api.url, api.project, KEY)).error, RecostAuthError)

    def test_with_a_console_that_is_closed(self, api: Api) -> None:
        closed = io.StringIO()
        closed.close()
        api.script(401)
        assert isinstance(
            failure_of(CloudTransport(api.url, api.project, KEY, stderr=closed)).error, RecostAuthError
        )


_HEADER_VALUES = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255)),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(lambda day: day.strftime("%a, %d %b %Y %H:%M:%S GMT")),
    st.from_regex(r"Mon, \d{1,3} Jan \d{1,6} \d\d:\d\d:\d\d [+-]\d{1,30}", fullmatch=True),
)


class TestRateLimit:
    @pytest.mark.parametrize(
        ("retry_after", "seconds"),
        [
            (None, 60.0),
            ("7", 7.0),
            ("0", 1.0),
            ("99999", 3600.0),
            ("9" * 5000, 3600.0),
            ("-5", 60.0),
            ("soon", 60.0),
            ("1e3", 60.0),
            ("1e999", 60.0),
            ("-inf", 60.0),
            ("7, 9", 60.0),
            ("(" * 60_000, 60.0),
            ("", 60.0),
            ("Fri, 99 Foo 2026 99:99:99 GMT", 60.0),
            (formatdate(0, usegmt=True), 1.0),
            (formatdate(4102444800, usegmt=True), 3600.0),
        ],
    )
    def test_how_long_to_wait(
        self, api: Api, cloud: CloudTransport, retry_after: Optional[str], seconds: float
    ) -> None:
        api.script(answer(429, retry_after=retry_after))
        failure = failure_of(cloud)
        assert failure.disposition is Disposition.DEFER
        assert failure.retry_after_s == seconds
        assert isinstance(failure.error, RecostRateLimitError)
        assert failure.error.retry_after_ms == seconds * 1000
        assert failure.error.endpoint == f"{api.url}/projects/proj-1/telemetry"

    def test_a_date_is_read_by_the_clock_of_the_server(self, api: Api) -> None:
        cloud = CloudTransport(api.url, api.project, KEY, clock=lambda: 0.0)
        api.script(answer(429, retry_after=formatdate(time.time() + 120, usegmt=True)))
        deferral = failure_of(cloud).retry_after_s
        assert deferral is not None
        assert 100 < deferral < 140

    @given(retry_after=_HEADER_VALUES, date=_HEADER_VALUES)
    @settings(max_examples=100, deadline=None)
    def test_whatever_the_server_wants_it_is_between_a_second_and_an_hour(
        self, retry_after: str, date: str
    ) -> None:
        headers = Message()
        headers["Retry-After"], headers["Date"] = retry_after, date
        cloud = CloudTransport("https://api.test", "p", KEY)
        assert 1.0 <= cloud._deferral_s(headers) <= 3600.0

    def test_the_hourly_limit(self, api: Api, cloud: CloudTransport) -> None:
        api.hourly_limit, api.retry_after = 2, 11
        cloud.send(window(), 5.0)
        cloud.send(window(), 5.0)
        failure = failure_of(cloud)
        assert (failure.disposition, failure.retry_after_s) == (Disposition.DEFER, 11.0)
        assert len(api.windows) == 2

    def test_a_service_that_is_down_may_say_for_how_long(self, api: Api, cloud: CloudTransport) -> None:
        api.script(answer(503, retry_after=9))
        failure = failure_of(cloud)
        assert (failure.disposition, failure.retry_after_s) == (Disposition.DEFER, 9.0)
        assert not isinstance(failure.error, RecostRateLimitError)
        assert "503" in str(failure.error)


class TestRedirect:
    @pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 306, 307, 308, 399])
    def test_the_key_goes_nowhere_else(self, api: Api, cloud: CloudTransport, status: int) -> None:
        with Api(key=KEY) as elsewhere:
            target = f"http://me:secret@localhost:{elsewhere.port}/projects/proj-1/telemetry?token=abc"
            api.script(answer(status, location=target))
            failure = failure_of(cloud)
            assert elsewhere.requests == []
        assert failure.disposition is Disposition.WAIT
        message = str(failure.error)
        assert "redirect to localhost, which is not followed" in message
        assert "secret" not in message
        assert "token" not in message

    @pytest.mark.parametrize("status", [200, 201, 307, 308, 401])
    def test_no_header_makes_a_second_request(self, api: Api, cloud: CloudTransport, status: int) -> None:
        headers = (("Location", "/projects/proj-1/telemetry"), ("Refresh", f"0; url={api.url}/else"))
        api.script(Answer(status, headers))
        failure_of(cloud)
        assert len(api.requests) == 1

    @pytest.mark.parametrize("location", ["/else", "http://[::1", "", "http://ho st\x7f/", "//" + "h" * 5000])
    def test_strange_targets(self, api: Api, cloud: CloudTransport, location: str) -> None:
        api.script(answer(302, location=location))
        failure = failure_of(cloud)
        assert "redirect" in str(failure.error)
        assert len(str(failure.error)) < 700


class TestTime:
    @pytest.mark.parametrize("step", ["hang", "trickle"])
    def test_a_server_that_does_not_finish_is_left(self, api: Api, cloud: CloudTransport, step: str) -> None:
        api.script(step)
        failure = failure_of(cloud, timeout_s=0.4)
        assert failure.disposition is Disposition.RETRY
        assert "no response in time" in str(failure.error)
        assert not api.release.is_set()

    def test_a_body_that_does_not_finish_keeps_nobody(self) -> None:
        def answer_slowly() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 99\r\n\r\n{")
                left.wait(30)

        left = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=answer_slowly, daemon=True)
            thread.start()
            cloud = CloudTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", "p", KEY)
            cloud.send(window(), 0.5)  # returns: the status is what counts
            left.set()
            thread.join(5)
        assert not thread.is_alive()

    def test_a_server_that_never_accepts(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            port = listener.getsockname()[1]
            cloud = CloudTransport(f"http://127.0.0.1:{port}", "p", KEY)
            failure = failure_of(cloud, timeout_s=0.3)
        assert failure.disposition is Disposition.RETRY

    def test_a_server_that_does_not_read(self) -> None:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            cloud = CloudTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", "p", KEY)
            failure = failure_of(cloud, metric("e" * 8_000_000), timeout_s=0.5)
        assert failure.disposition is Disposition.RETRY
        assert "no response in time" in str(failure.error)

    def test_nobody_there(self) -> None:
        failure = failure_of(CloudTransport(f"http://127.0.0.1:{refused_port()}", "p", KEY))
        assert failure.disposition is Disposition.RETRY
        assert "refused" in str(failure.error)

    def test_a_host_without_an_address(self) -> None:
        failure = failure_of(CloudTransport("http://nowhere.invalid", "p", KEY))
        assert failure.disposition is Disposition.RETRY

    def test_the_next_address_gets_its_turn(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        dead = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", refused_port()))
        live = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", api.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: [dead, live])
        CloudTransport("http://two.test", api.project, KEY).send(window(), 5.0)
        assert len(api.windows) == 1


def test_an_answer_that_comes_before_the_body_is_read_is_heard() -> None:
    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        cloud = CloudTransport(f"http://127.0.0.1:{listener.getsockname()[1]}", "p", KEY)
        failure = failure_of(cloud, metric("e" * 20_000_000))
        thread.join(5)
    assert failure.disposition is Disposition.SPLIT
    assert "413" in str(failure.error)


class TestCredentials:
    def test_repr_shows_at_most_eight_characters(self) -> None:
        shown = repr(CloudTransport("https://me:pw@api.test/x?y=z", "p", KEY))
        assert shown == "CloudTransport('https://api.test/x/projects/p/telemetry', api_key='rc-01234…')"
        assert "rc-ab" not in repr(CloudTransport("https://api.test", "p", "rc-ab"))

    def test_userinfo_is_neither_sent_nor_shown(self, api: Api) -> None:
        cloud = CloudTransport(f"http://me:hunter2@127.0.0.1:{api.port}", api.project, KEY)
        cloud.send(window(), 5.0)
        api.script(500)
        assert "hunter2" not in everything_about(failure_of(cloud))
        assert api.requests[0].headers["host"] == f"127.0.0.1:{api.port}"

    @pytest.mark.parametrize("key", ["rc-line\nbreak", "rc-€", "rc-a b", "", "rc-nul\0"])
    def test_a_key_that_cannot_be_sent(self, key: str) -> None:
        with pytest.raises(ValueError, match="api_key has characters") as caught:
            CloudTransport("https://api.test", "p", key)
        assert len(key) < 4 or key not in str(caught.value)

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://me:hunter2@host/",
            "me:hunter2@host",
            "http://",
            "http://host:99999",
            "http://[::1",
            "http://a b/",
            "http://127.0.0.1%2eevil.test",
            "http://" + "é" * 80,
        ],
    )
    def test_a_base_url_that_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match="base_url must be") as caught:
            CloudTransport(url, "p", KEY)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_a_server_that_echoes_the_key(self, api: Api, cloud: CloudTransport) -> None:
        api.script(
            Answer(500, (("x-request-id", KEY),), KEY.encode()),
            Answer(302, (("Location", f"http://{KEY}.test/"), ("X-Key", KEY))),
        )
        assert KEY not in everything_about(failure_of(cloud))
        assert KEY not in everything_about(failure_of(cloud))

    def test_a_request_id_is_cleaned_and_cut(self, api: Api, cloud: CloudTransport) -> None:
        api.script(Answer(500, (("X-Request-Id", "a\x1b[31m" + "b" * 500),)))
        api.requests.clear()
        message = str(failure_of(cloud).error)
        assert "\x1b" not in message
        assert len(message) < 300

    def test_the_key_is_in_no_exception_that_the_network_causes(self) -> None:
        for url in (f"http://127.0.0.1:{refused_port()}", "http://nowhere.invalid", "https://127.0.0.1:1"):
            assert KEY not in everything_about(failure_of(CloudTransport(url, "p", KEY)))


class TestProxy:
    def test_a_proxy_of_the_environment_is_used(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", f"http://user:hunter2@127.0.0.1:{api.port}")
        api.script(202)
        CloudTransport("http://api.recost.test", "p", KEY).send(window(), 5.0)
        (request,) = api.requests
        assert request.headers["host"] == "api.recost.test"
        assert request.headers["proxy-authorization"].startswith("Basic ")

    def test_no_proxy_is_honoured(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{refused_port()}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        CloudTransport(api.url, api.project, KEY).send(window(), 5.0)
        assert len(api.windows) == 1

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_a_proxy_that_refuses(self, api: Api, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
        monkeypatch.setenv(f"{scheme}_proxy", f"http://user:hunter2@127.0.0.1:{api.port}")
        api.script(407)
        failure = failure_of(CloudTransport(f"{scheme}://api.recost.test", "p", KEY))
        assert "hunter2" not in everything_about(failure)
        assert KEY not in everything_about(failure)
        # The server has no CONNECT and says 501.
        assert ("407" if scheme == "http" else "the proxy responded with 501") in str(failure.error)

    def test_a_proxy_of_an_unknown_kind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "socks5://user:hunter2@127.0.0.1:1")
        failure = failure_of(CloudTransport("http://api.recost.test", "p", KEY))
        assert "scheme" in str(failure.error)
        assert "hunter2" not in everything_about(failure)


class TestTls:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def secure(self, authority: trustme.CA) -> Iterator[Api]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        with Api(key=KEY, tls=context) as server:
            yield server

    def test_the_trust_of_the_system_counts(
        self, secure: Api, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        CloudTransport(secure.url, secure.project, KEY).send(window(), 5.0)
        assert len(secure.windows) == 1

    def test_an_unknown_certificate_is_refused_and_the_key_kept(self, secure: Api) -> None:
        failure = failure_of(CloudTransport(secure.url, secure.project, KEY))
        assert "certificate is not trusted" in str(failure.error)
        assert failure.disposition is Disposition.RETRY
        assert secure.requests == []

    def test_a_handshake_that_never_ends(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            cloud = CloudTransport(f"https://127.0.0.1:{listener.getsockname()[1]}", "p", KEY)
            failure = failure_of(cloud, timeout_s=0.4)
        assert "no response in time" in str(failure.error)

    def test_plain_http_behind_an_https_url(self, api: Api) -> None:
        failure = failure_of(CloudTransport(api.url.replace("http:", "https:"), api.project, KEY))
        assert failure.disposition is Disposition.RETRY
        assert re.search(r"SSL|wrong version", str(failure.error))

    def test_an_application_that_trusts_everybody_does_not_make_us(
        self, secure: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_unverified_context)
        failure = failure_of(CloudTransport(secure.url, secure.project, KEY))
        assert "certificate is not trusted" in str(failure.error)
        assert secure.requests == []

    def test_one_context_and_one_connection_serve_all(
        self, secure: Api, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        made = []
        create = ssl.create_default_context

        def counted(*args: Any, **kwargs: Any) -> ssl.SSLContext:
            made.append(args)
            return create(*args, **kwargs)

        monkeypatch.setattr(ssl, "create_default_context", counted)
        cloud = CloudTransport(secure.url, secure.project, KEY)
        for _ in range(5):
            cloud.send(window(), 5.0)
        assert len(made) == 1
        assert (len(secure.windows), secure.connections) == (5, 1)
        cloud.close()


class TestConnection:
    def test_it_is_kept_between_windows(self, api: Api, cloud: CloudTransport) -> None:
        for _ in range(5):
            cloud.send(window(), 5.0)
        assert (len(api.windows), api.connections) == (5, 1)
        cloud.close()
        cloud.send(window(), 5.0)
        assert (len(api.windows), api.connections) == (6, 2)

    @pytest.mark.parametrize("step", ["accept, close", "html", "big", "garbage", "reset", "only interim"])
    def test_what_ends_oddly_is_not_used_again(self, api: Api, cloud: CloudTransport, step: str) -> None:
        api.script(step)
        with suppress(SendError):
            cloud.send(window(), 5.0)
        cloud.send(window(), 5.0)
        assert api.connections == (1 if step == "html" else 2)

    def test_one_that_the_server_closes_meanwhile_is_replaced(self, api: Api, cloud: CloudTransport) -> None:
        cloud.send(window(), 5.0)
        api.hang_up()
        cloud.send(window(), 5.0)
        assert (len(api.windows), api.connections) == (2, 2)

    def test_one_that_ends_at_the_next_request_is_tried_anew_once(
        self, api: Api, cloud: CloudTransport
    ) -> None:
        cloud.send(window(), 5.0)
        api.script("close")
        cloud.send(window(), 5.0)
        assert (len(api.windows), len(api.posts), api.connections) == (2, 3, 2)
        api.script("close", "close")
        assert failure_of(cloud).disposition is Disposition.RETRY
        assert len(api.posts) == 5

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
    def test_a_forked_child_has_one_of_its_own(self, api: Api, cloud: CloudTransport) -> None:
        cloud.send(window(), 5.0)
        child = os.fork()
        if not child:
            try:
                cloud.send(window(), 5.0)
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        cloud.send(window(), 5.0)
        assert (len(api.windows), api.connections) == (3, 2)


def test_ipv6() -> None:
    try:
        server = Api(key=KEY, host="::1").start()
    except OSError:
        pytest.skip("no IPv6 here")
    try:
        CloudTransport(server.url, server.project, KEY).send(window(), 5.0)
        assert len(server.windows) == 1
    finally:
        server.stop()


def test_the_policy() -> None:
    cloud = CloudTransport("https://api.test/", "p", KEY, max_retries=7, max_metrics=10)
    assert (cloud.retry.retries, cloud.retry.exhausted) == (7, Disposition.WAIT)
    assert (cloud.spacing_s, cloud.max_metrics) == (5.0, 10)
    assert cloud.gave_up() is None
    cloud.close()
    cloud.close()


def test_importing_it_imports_no_http_client() -> None:
    code = (
        "import sys, recost.delivery.transports.cloud\n"
        "print({'http.client', 'urllib.request'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "set()"
