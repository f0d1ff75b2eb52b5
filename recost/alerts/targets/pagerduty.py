"""PagerDuty, by its Events API 2: https://developer.pagerduty.com/docs/events-api-v2/overview/.

All messages on one subject have one ``dedup_key``, so that the last one resolves the incident.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from recost.alerts.model import Message
from recost.alerts.targets.base import Settings, TargetKind, checked_url, post, shortened

__all__ = ["KIND", "payload"]

_URL: Final = "https://events.pagerduty.com/v2/enqueue"
_MOST_SUMMARY: Final = 1024
_MOST: Final = 500


def payload(message: Message, routing_key: str) -> dict[str, Any]:
    """Return the body of the request."""
    key = hashlib.sha256(message.subject.encode("utf-8", "surrogatepass")).hexdigest()
    if message.kind == "over":
        return {"routing_key": routing_key, "event_action": "resolve", "dedup_key": f"recost-{key}"}
    severity = {"firing": "warning", "doubled": "critical"}.get(message.kind, "info")
    details = {shortened(label, _MOST): shortened(value, _MOST) for label, value in message.facts}
    for title, rows in message.sections:
        details[shortened(title, _MOST)] = ", ".join(
            f"{shortened(a, 80)}: {shortened(b, 80)}" for a, b in rows[:10]
        )
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": f"recost-{key}",
        "payload": {
            "summary": shortened(message.title, _MOST_SUMMARY),
            "source": "recost",
            "severity": severity,
            "timestamp": message.created,
            "component": "cost",
            "custom_details": details,
        },
    }


def _send(settings: Settings, message: Message) -> None:
    body = json.dumps(payload(message, settings["routing_key"])).encode()
    post(settings.get("url") or _URL, body, {})


def _check(settings: Settings) -> None:
    if settings.get("url"):
        checked_url(settings)


KIND: Final = TargetKind(
    _send, required=("routing_key",), optional=("url",), secrets=("routing_key",), check=_check
)
