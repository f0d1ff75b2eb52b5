"""Slack, by an incoming webhook: https://api.slack.com/messaging/webhooks.

Blocks have ``plain_text`` only, in which nothing is a mention, a link or a format. Notifications show
``text`` as mrkdwn. So ``&``, ``<`` and ``>`` are escaped, as Slack asks, and ``mrkdwn`` is off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from recost.alerts.model import Message
from recost.alerts.targets.base import Settings, TargetKind, checked_url, heading, post, shortened

__all__ = ["KIND", "payload"]

_MOST_HEADER: Final = 150
_MOST_TEXT: Final = 3000
_MOST_FIELD: Final = 2000
_MOST_LABEL: Final = 200
_MOST_FIELDS: Final = 10
_MOST_BLOCKS: Final = 50
"""https://api.slack.com/reference/block-kit/blocks"""
_MOST_ROWS: Final = 15


def payload(message: Message) -> dict[str, Any]:
    """Return the body of the request."""
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(_MOST_HEADER, heading(message))}]
    for start in range(0, len(message.facts), _MOST_FIELDS):
        some = message.facts[start : start + _MOST_FIELDS]
        blocks += [{"type": "section", "fields": [_field(*fact) for fact in some]}]
    for title, rows in message.sections:
        blocks += [
            {"type": "section", "text": _plain(_MOST_TEXT, shortened(title, _MOST_LABEL), *_lines(rows))}
        ]
    context = {"type": "context", "elements": [_plain(_MOST_FIELD, f"recost, {message.created}")]}
    return {
        "text": _escaped(shortened(heading(message), _MOST_TEXT)),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [*blocks[: _MOST_BLOCKS - 1], context],
    }


def _lines(rows: Sequence[tuple[str, str]]) -> Iterable[str]:
    for label, value in rows[:_MOST_ROWS]:
        yield f"{shortened(label, 80)}  {shortened(value, 80)}"
    if len(rows) > _MOST_ROWS:
        yield f"and {len(rows) - _MOST_ROWS} more"


def _field(label: str, value: str) -> dict[str, Any]:
    return _plain(_MOST_FIELD, shortened(label, _MOST_LABEL), value)


def _plain(most: int, *texts: str) -> dict[str, Any]:
    """Return a text of lines. A line break in one of them begins no line."""
    lines = "\n".join(shortened(_escaped(text), most) for text in texts)
    shown = lines if len(lines) <= most else f"{lines[: most - 1]}…"
    return {"type": "plain_text", "text": shown.strip() or "-", "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _send(settings: Settings, message: Message) -> None:
    post(settings["url"], json.dumps(payload(message)).encode(), {})


KIND: Final = TargetKind(_send, required=("url",), secrets=("url",), check=checked_url)
