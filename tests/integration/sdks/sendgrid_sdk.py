"""sendgrid: sending mail, and the raw client of its other endpoints; it goes through ``urllib.request``."""

from __future__ import annotations

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
    import sendgrid
    from python_http_client.exceptions import UnauthorizedError
    from sendgrid.helpers.mail import Mail

    client = sendgrid.SendGridAPIClient("SG.test")
    for recipient in ("b@b.example", "c@b.example"):
        mail = Mail("a@b.example", recipient, "subject", plain_text_content="text")
        assert client.send(mail).status_code == 202
    try:
        client.send(Mail("a@b.example", "nobody@b.example", "subject", plain_text_content="text"))
    except UnauthorizedError as error:
        assert error.status_code == 401  # noqa: PT017 - no pytest in this process
    assert client.client.suppression.bounces.get().body == b"[]"
