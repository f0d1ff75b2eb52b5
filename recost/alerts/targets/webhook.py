"""A webhook of your own: JSON, signed with HMAC-SHA256.

``X-Recost-Signature: t=1764500000,v1=…`` has the time in seconds, and the HMAC of ``{t}.{body}``. ``id`` is
the same at every attempt, so that a receiver can drop repeats.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Final

from recost.alerts.model import Message
from recost.alerts.targets.base import Settings, TargetKind, checked_url, post, shortened

__all__ = ["KIND", "payload", "signature"]

_MOST: Final = 2000
VERSION: Final = "1.0"


def payload(message: Message) -> dict[str, Any]:
    """Return the body, as ``recost/schema/alert-1.0.json`` describes it."""
    return {
        "version": VERSION,
        "id": message.id,
        "subject": shortened(message.subject, _MOST),
        "kind": message.kind,
        "title": shortened(message.title, _MOST),
        "facts": [_fact(*each) for each in message.facts],
        "sections": [
            {"title": shortened(title, _MOST), "rows": [_fact(*each) for each in rows]}
            for title, rows in message.sections
        ],
        "created": message.created,
    }


def _fact(label: str, value: str) -> dict[str, str]:
    return {"label": shortened(label, _MOST), "value": shortened(value, _MOST)}


def signature(secret: str, body: bytes, moment: int) -> str:
    """Return the value of the header."""
    signed = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={signed}"


def _send(settings: Settings, message: Message) -> None:
    body = json.dumps(payload(message)).encode()
    headers = {}
    if settings.get("secret"):
        headers["X-Recost-Signature"] = signature(settings["secret"], body, int(time.time()))
    post(settings["url"], body, headers)


KIND: Final = TargetKind(
    _send, required=("url",), optional=("secret",), secrets=("url", "secret"), check=checked_url
)
