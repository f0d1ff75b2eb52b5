"""sendgrid: sending mail, and the raw client of its other endpoints; it goes through ``urllib.request``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked

PACKAGE = "sendgrid"
HOSTS = ("api.sendgrid.com",)
EXPECTED = {
    ("sendgrid", "send_email", "POST"): (3, 1),
    ("sendgrid", "/v3/suppression/bounces", "GET"): (1, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}


def answer(asked: Asked) -> Answer:
    """Speak like api.sendgrid.com."""
    if asked.path == "/v3/suppression/bounces":
        return Answer(b"[]")
    if b"nobody@b.example" in asked.body:
        return Answer(b'{"errors": [{"message": "no"}]}', 401)
    return Answer(b"", 202)


def use() -> None:
    """Make every call."""
    sendgrid: Any = import_module("sendgrid")
    mail_of: Any = import_module("sendgrid.helpers.mail").Mail
    refused: Any = import_module("python_http_client.exceptions").UnauthorizedError
    client = sendgrid.SendGridAPIClient("SG.test")
    for recipient in ("b@b.example", "c@b.example"):
        mail = mail_of("a@b.example", recipient, "subject", plain_text_content="text")
        assert client.send(mail).status_code == 202
    try:
        client.send(mail_of("a@b.example", "nobody@b.example", "subject", plain_text_content="text"))
    except refused as error:
        assert error.status_code == 401  # noqa: PT017 - no pytest in this process
    assert client.client.suppression.bounces.get().body == b"[]"
