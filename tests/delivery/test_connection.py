"""The TLS context and the body of POSTs."""

from __future__ import annotations

import os
import ssl
import sys
import threading
import time
from pathlib import Path

import pytest
import trustme

from recost.delivery.transports import _http
from recost.delivery.transports._connection import tls_context
from tests.api import Api


def trusted(context: ssl.SSLContext) -> list[str]:
    return sorted(str(certificate["serialNumber"]) for certificate in context.get_ca_certs())


def made() -> ssl.SSLContext:
    tls_context.cache_clear()
    context: ssl.SSLContext = tls_context(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
    tls_context.cache_clear()
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


@pytest.mark.parametrize("file", ["", "ca.pem", "missing.pem", "garbage.pem", "empty.pem"])
@pytest.mark.parametrize("folder", ["", "certificates", "missing", "certificates:other"])
def test_it_trusts_what_the_default_context_trusts(
    file: str, folder: str, authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = authority.parent
    (root / "garbage.pem").write_text("no certificate")
    (root / "empty.pem").touch()
    (root / "certificates").mkdir()
    if file:
        monkeypatch.setenv("SSL_CERT_FILE", str(root / file))
    if folder:
        monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join(str(root / name) for name in folder.split(":")))
    ours, default = made(), ssl.create_default_context()
    assert trusted(ours) == trusted(default)
    assert (file != "ca.pem") or len(trusted(ours)) == 1
    for name in ("verify_mode", "check_hostname", "verify_flags", "options"):
        assert getattr(ours, name) == getattr(default, name)


def test_loading_many_certificates_lets_other_threads_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "many.pem"
    certificates = [trustme.CA().cert_pem.bytes() for _ in range(20)]
    file.write_bytes(b"\n".join(certificates * 30))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    ran: list[int] = []
    begun, before = threading.Event(), sys.getswitchinterval()

    def other() -> None:
        begun.set()
        while not going_on.is_set():
            ran.append(1)
            time.sleep(0)

    going_on = threading.Event()
    sys.setswitchinterval(600)  # a thread has the interpreter until it gives it away
    thread = threading.Thread(target=other)
    try:
        thread.start()
        begun.wait()
        steps = len(ran)
        context = made()
        assert len(ran) > steps
    finally:
        sys.setswitchinterval(before)
        going_on.set()
        thread.join()
    assert len(trusted(context)) == 20


def test_contexts_are_made_once(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tls_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert tls_context(str(authority), None) is tls_context(str(authority), None)
    tls_context.cache_clear()


@pytest.mark.parametrize("size", [0, 10, 65_000, 65_536, 65_537, 300_000])
def test_a_body_of_any_size_arrives_as_it_is(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    with Api() as api:
        poster = _http.Poster()
        for _ in range(2):
            response = _http.post(f"{api.url}/projects/{api.project}/telemetry", body, {}, 10.0, poster)
            assert response.status == 401
        poster.close()
        assert [request.body for request in api.posts] == [body, body]
        assert api.connections == 1
