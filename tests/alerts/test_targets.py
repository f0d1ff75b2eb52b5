"""What each kind of target sends: valid, bounded, and inert whatever the data says."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import recost
from recost._text import printable
from recost.alerts.model import KINDS, Message
from recost.alerts.targets import TARGETS, email, pagerduty, slack, target_kind, webhook
from recost.alerts.targets.base import SendError
from tests.alerts.receiving import http_receiver, smtp_receiver
from tests.hostile_names import HOSTILE as HOSTILE_NAMES
from tests.hostile_names import is_inert

HOSTILE = "<!channel> *x* <http://evil.example|y> &amp; \x1b[31m\r\nBcc: all@example.com @here :boom: `a`"


def message(title: str = "openai: $12 since 10:00", **changes: Any) -> Message:
    values: dict[str, Any] = {
        "id": "11111111-2222-4333-8444-555555555555",
        "subject": "anomaly-1 / openai / 2026-11-30 10:00",
        "kind": "firing",
        "title": title,
        "facts": (("provider", "openai"), ("cost", "$12")),
        "sections": (),
        "created": "2026-11-30T10:05:00Z",
    }
    return Message(**{**values, **changes})


DIGEST = message("$31.07 on 29 Nov", kind="digest", sections=(("by model", (("gpt-4o", "$20 (+3%)"),)),))
NASTY = message(
    HOSTILE, facts=((HOSTILE, HOSTILE),) * 30, sections=((HOSTILE, ((HOSTILE, HOSTILE),) * 100),) * 80
)
ALL = {"plain": message(), "digest": DIGEST, "hostile": NASTY, "long": message("x" * 10_000)}


def check_slack(body: dict[str, Any]) -> None:
    """Check the limits of https://api.slack.com/reference/block-kit/blocks."""
    assert len(body["blocks"]) <= 50
    for block in body["blocks"]:
        texts = [block["text"]] if "text" in block else block.get("fields", block.get("elements", []))
        most = {"header": 150, "section": 3000 if "text" in block else 2000, "context": 2000}[block["type"]]
        assert 1 <= len(texts) <= 10
        for text in texts:
            assert text["type"] == "plain_text"
            assert text["emoji"] is False
            assert 1 <= len(text["text"]) <= most
            assert not set("<>\r\x1b") & set(text["text"])
    assert body["mrkdwn"] is False
    assert not set("<>\n\r\x1b") & set(body["text"])


@pytest.mark.parametrize("what", ALL)
def test_slack_payloads_keep_slacks_limits(what: str) -> None:
    check_slack(slack.payload(ALL[what]))


names = st.text(max_size=300)
rows = st.lists(st.tuples(names, names), max_size=20).map(tuple)


@given(
    title=names,
    facts=rows,
    sections=st.lists(st.tuples(names, rows), max_size=5).map(tuple),
    kind=st.sampled_from(KINDS),
)
def test_any_text_is_inert(title: str, facts: Any, sections: Any, kind: Any) -> None:
    found = message(title, facts=facts, sections=sections, kind=kind)
    check_slack(slack.payload(found))
    settings = {"from": "recost@example.com", "to": ["ops@example.com"]}
    mail = email.mail(settings, found)
    assert mail["To"] == "ops@example.com"
    assert mail["Bcc"] is None
    assert len(mail["Subject"]) <= 200
    assert printable(mail.get_content().replace("\n", "")) == mail.get_content().replace("\n", "")
    json.dumps(webhook.payload(found))
    json.dumps(pagerduty.payload(found, "key"))


@pytest.mark.parametrize("what", HOSTILE_NAMES)
def test_a_hostile_name_stays_in_its_place_at_every_target(what: str) -> None:
    """A name adds no line, no header and no field, wherever it stands."""
    name = HOSTILE_NAMES[what]
    found = message(name, subject=name, facts=((name, name),), sections=((name, ((name, name),)),))
    plain = message("x", facts=(("x", "x"),), sections=(("x", (("x", "x"),)),))
    body = slack.payload(found)
    check_slack(body)
    assert [_lines(block) for block in body["blocks"]] == [_lines(b) for b in slack.payload(plain)["blocks"]]
    settings = {"from": "recost@example.com", "to": ["ops@example.com"]}
    mail, usual = email.mail(settings, found), email.mail(settings, plain)
    assert mail.keys() == usual.keys()
    assert mail.get_content().count("\n") == usual.get_content().count("\n")
    assert mail.get_content_type() == "text/plain"
    (fields, incident) = (pagerduty.payload(each, "key")["payload"] for each in (plain, found))
    assert (fields.keys(), len(incident["custom_details"])) == (incident.keys(), 1)
    assert all(is_inert(text) for text in _texts([body, incident, webhook.payload(found)]))


def _lines(block: dict[str, Any]) -> list[int]:
    texts = [block["text"]] if "text" in block else block.get("fields", block.get("elements", []))
    return [each["text"].count("\n") for each in texts]


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        yield from _texts([*content, *content.values()])
    elif isinstance(content, list):
        for each in content:
            yield from _texts(each)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "a" * 90 + ".example", "tls": "implicit"},
        {"host": "\u00e4" * 64 + ".example", "tls": "implicit"},
        {"username": "\u00e4", "password": "p"},
    ],
)
def test_a_mail_server_that_cannot_be_named_is_a_clear_error(change: dict[str, str]) -> None:
    with smtp_receiver() as receiver:
        settings = {**settings_of_mail(receiver.port, "a@example.com"), **change}
        with pytest.raises(SendError, match="SMTP"):
            target_kind("email").send(settings, message())


def test_a_list_that_is_too_long_says_how_many_more() -> None:
    long = message(sections=(("by model", tuple((f"m{index}", "$1") for index in range(27))),))
    assert "and 12 more" in json.dumps(slack.payload(long))


@pytest.mark.parametrize("kind", KINDS)
def test_pagerduty_events(kind: Any) -> None:
    """Check what https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ requires."""
    body = pagerduty.payload(message(kind=kind), "routing")
    assert body["routing_key"] == "routing"
    assert len(body["dedup_key"]) <= 255
    assert body["event_action"] == ("resolve" if kind == "over" else "trigger")
    if kind != "over":
        assert body["payload"]["severity"] in {"critical", "error", "warning", "info"}
        assert 0 < len(body["payload"]["summary"]) <= 1024
        assert body["payload"]["source"]
    assert body["dedup_key"] == pagerduty.payload(message(kind="firing"), "x")["dedup_key"]
    assert body["dedup_key"] != pagerduty.payload(message(subject="another"), "x")["dedup_key"]


@pytest.mark.parametrize("what", ALL)
def test_a_webhooks_body_is_as_its_schema_says(what: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(recost.__file__).parent / "schema" / "alert-1.0.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(webhook.payload(ALL[what]))


def test_a_webhook_is_signed_and_its_id_is_stable() -> None:
    with http_receiver() as receiver:
        settings = {"url": receiver.url, "secret": "s3cret"}
        for _ in range(2):
            target_kind("webhook").send(settings, message())
    first, second = receiver.posted
    assert first.json()["id"] == second.json()["id"] == message().id
    moment, value = first.headers["x-recost-signature"].split(",")
    signed = hmac.new(b"s3cret", moment[2:].encode() + b"." + first.body, hashlib.sha256).hexdigest()
    assert value == f"v1={signed}"
    assert first.headers["content-type"] == "application/json"


HTTP = ("slack", "webhook", "pagerduty")
"""Kinds of targets that are reached by a POST."""


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize("status", [301, 400, 403, 404, 429, 500, 503])
def test_only_a_2xx_is_success(kind: str, status: int) -> None:
    with http_receiver() as receiver:
        receiver.status = status
        settings = {"url": receiver.url, "routing_key": "r"}
        with pytest.raises(SendError, match=str(status)) as caught:
            target_kind(kind).send(settings, message())
        assert "secret-token" not in str(caught.value)
        receiver.status = 204
        target_kind(kind).send(settings, message())
    assert len(receiver.posted) == 1


def test_nobody_listens() -> None:
    with http_receiver() as receiver:
        url = receiver.url
    with pytest.raises(SendError, match="no connection") as caught:
        target_kind("slack").send({"url": url}, message())
    assert "secret-token" not in str(caught.value)


def settings_of_mail(port: int, *to: str) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "from": "recost <r@example.com>",
        "to": list(to),
    }


def test_a_mail_arrives() -> None:
    with smtp_receiver() as receiver:
        target_kind("email").send(settings_of_mail(receiver.port, "a@example.com", "b@example.com"), DIGEST)
    (mail,) = receiver.mails
    assert mail["Subject"] == "[recost] Digest: $31.07 on 29 Nov"
    assert mail["To"] == "a@example.com, b@example.com"
    assert mail["Message-ID"] == f"<{DIGEST.id}@example.com>"
    assert "gpt-4o" in str(mail.get_payload())


def test_a_mail_that_is_refused() -> None:
    with smtp_receiver() as receiver:
        with pytest.raises(SendError, match="SMTP"):
            target_kind("email").send(settings_of_mail(receiver.port, "refused@example.com"), message())
        with pytest.raises(SendError, match="1 of 2"):
            target_kind("email").send(
                settings_of_mail(receiver.port, "a@example.com", "refused@example.com"), message()
            )
        receiver.status = 451
        with pytest.raises(SendError, match="451"):
            target_kind("email").send(settings_of_mail(receiver.port, "a@example.com"), message())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise() -> None:
    pytest.importorskip("apprise")
    with http_receiver() as receiver:
        url = f"json://127.0.0.1:{receiver.port}/hook"
        target_kind("apprise").send({"url": url}, DIGEST)
        assert receiver.posted[0].json()["title"] == "Digest: $31.07 on 29 Nov"
        receiver.status = 500
        with pytest.raises(SendError):
            target_kind("apprise").send({"url": url}, message())
    with pytest.raises(SendError, match="know"):
        target_kind("apprise").send({"url": "nonsense"}, message())


def test_every_kind_is_described() -> None:
    page = (Path(recost.__file__).parent / "alerts" / "README.md").read_text()
    for name in TARGETS:
        assert f"| `{name}` |" in page, "add it to the table of targets"
        kind = target_kind(name)
        assert set(kind.secrets) <= {*kind.required, *kind.optional}
