"""sendgrid: sending mail, and the raw client of its other endpoints; it goes through ``urllib.request``.

It has no asynchronous client, streams nothing and tries nothing again by itself.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from tests.integration.named_hosts import Answer, Asked
from tests.integration.sdks import on_threads, refuses

PACKAGE = DISTRIBUTION = "sendgrid"
REQUIRES = ("sendgrid>=6.11",)
TRANSPORT = "urllib.request"
_GLOBAL, _EU = "api.sendgrid.com", "api.eu.sendgrid.com"
HOSTS = (_GLOBAL, _EU)
EXPECTED = {
    ("sendgrid", "send_email", "POST"): (47, 4),
    ("sendgrid", "/v3/suppression/bounces", "GET"): (1, 0),
    ("sendgrid", "/v3/suppression/bounces/{id}", "DELETE"): (1, 0),
    ("unknown", "/v3/mail/send", "POST"): (1, 0),
}
LEFT: dict[tuple[str, str, str], set[str]] = {}


def answer(asked: Asked) -> Answer:
    """Speak like api.sendgrid.com and its European twin."""
    if asked.path == "/v3/suppression/bounces":
        return Answer(b'[{"email": "b@b.example", "reason": "550"}]')
    if asked.method == "DELETE":
        return Answer(b"", 204)
    subject = json.loads(asked.body)["subject"]
    if subject == "stall":
        return Answer(stall=True)
    if subject.isdigit() and asked.repeats % 2 == 0:
        return Answer(b'{"errors": [{"message": "no"}]}', int(subject))
    return Answer(b"", 202, headers={"X-Message-Id": "m"})


def _again(send: Any, error: type[BaseException]) -> None:
    """Do what its users do about a refusal: the SDK leaves it to them."""
    refuses(send, error)
    assert send().status_code == 202


def use() -> None:
    """Make every call."""
    sendgrid: Any = import_module("sendgrid")
    mail_of: Any = import_module("sendgrid.helpers.mail").Mail
    errors: Any = import_module("python_http_client.exceptions")
    client = sendgrid.SendGridAPIClient("SG.test")

    def send(subject: str) -> Any:
        return client.send(mail_of("a@b.example", "c@b.example", subject, plain_text_content="schön"))

    assert send("hello").headers["X-Message-Id"] == "m"
    assert refuses(lambda: send("401"), errors.UnauthorizedError).status_code == 401
    _again(lambda: send("429"), errors.TooManyRequestsError)
    _again(lambda: send("500"), errors.InternalServerError)
    mail = mail_of("a@b.example", "c@b.example", "stall", plain_text_content="text").get()
    refuses(lambda: client.client.mail.send.post(request_body=mail, timeout=1), OSError)
    assert client.client.suppression.bounces.get().to_dict[0]["reason"] == "550"
    assert client.client.suppression.bounces._("b@b.example").delete().status_code == 204
    on_threads(lambda: send("hello"))
    client.set_sendgrid_data_residency("eu")
    assert send("hello").status_code == 202
