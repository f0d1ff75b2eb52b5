"""Whatever Apprise knows: Teams, Discord, Telegram and a hundred more (extra ``apprise``)."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from recost.alerts.model import Message
from recost.alerts.targets.base import SendError, Settings, TargetKind, heading, shortened

__all__ = ["KIND"]

_MOST: Final = 200


def _send(settings: Settings, message: Message) -> None:
    import apprise  # noqa: PLC0415 - takes more than a second

    target = apprise.Apprise()
    if not target.add(settings["url"]):
        raise SendError("Apprise does not know this kind of URL")
    lines = [f"{shortened(label, _MOST)}: {shortened(value, _MOST)}" for label, value in message.facts]
    for title, rows in message.sections:
        lines += [
            "",
            shortened(title, _MOST),
            *(f"{shortened(a, _MOST)}: {shortened(b, _MOST)}" for a, b in rows),
        ]
    body = "\n".join(lines) or shortened(message.title, _MOST)
    if not target.notify(
        body=body, title=shortened(heading(message), _MOST), body_format=apprise.NotifyFormat.TEXT
    ):
        raise SendError("Apprise could not deliver it")


def _check(_settings: Settings) -> None:
    if find_spec("apprise") is None:
        raise ValueError("type: apprise is not installed: pip install 'recost[apprise]'")


KIND: Final = TargetKind(_send, required=("url",), secrets=("url",), check=_check)
