"""Mail by SMTP: plain text, over TLS unless the server is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import formatdate, parseaddr
from typing import Any, Final

from recost._text import printable
from recost.alerts.model import Message
from recost.alerts.targets.base import SendError, Settings, TargetKind, heading, shortened
from recost.checks import is_loopback

__all__ = ["KIND", "mail"]

_TIMEOUT_S: Final = 30.0
_MOST_SUBJECT: Final = 200
_MOST_LINE: Final = 500
_MOST_ADDRESS: Final = 320
"""https://www.rfc-editor.org/rfc/rfc3696#section-3"""
_MOST_PORT: Final = 65535
_SUBMISSION: Final = 587
_TLS: Final = ("starttls", "implicit", "none")


def mail(settings: Settings, message: Message) -> EmailMessage:
    """Return the mail."""
    found = EmailMessage()
    found["Subject"] = shortened(f"[recost] {heading(message)}", _MOST_SUBJECT)
    found["From"] = settings["from"]
    found["To"] = ", ".join(settings["to"])
    found["Date"] = formatdate()
    domain = parseaddr(settings["from"])[1].rpartition("@")[2]
    found["Message-ID"] = f"<{message.id}@{domain}>"
    found["Auto-Submitted"] = "auto-generated"
    found.set_content("\n".join(_lines(message)))
    return found


def _lines(message: Message) -> Iterator[str]:
    yield shortened(message.title, _MOST_LINE)
    yield ""
    yield from _table(message.facts)
    for title, rows in message.sections:
        yield from ("", shortened(title, _MOST_LINE))
        yield from _table(rows)
    yield from ("", f"recost, {message.created}")


def _table(rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    width = min(max((len(printable(label)) for label, _ in rows), default=0), 40)
    return (f"  {shortened(label, 40):<{width}}  {shortened(value, _MOST_LINE)}" for label, value in rows)


def _send(settings: Settings, message: Message) -> None:
    host, tls = settings["host"], settings.get("tls", _TLS[0])
    port = settings.get("port", {"implicit": 465, "none": 25}.get(tls, _SUBMISSION))
    context = ssl.create_default_context()
    try:
        if tls == "implicit":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=_TIMEOUT_S)
        with server:
            if tls == "starttls":
                server.starttls(context=context)
            if settings.get("username"):
                server.login(settings["username"], settings.get("password", ""))
            refused = server.send_message(mail(settings, message))
    except smtplib.SMTPResponseException as error:
        raise SendError(f"SMTP status {error.smtp_code}") from None
    except ValueError:  # a name or a credential that cannot be sent: do not quote it
        raise SendError("SMTP: the mail cannot be sent: are host, user name and password ASCII?") from None
    except (smtplib.SMTPException, OSError) as error:
        raise SendError(
            printable(f"SMTP: {getattr(error, 'strerror', None) or type(error).__name__}")
        ) from None
    if refused:
        raise SendError(f"SMTP: {len(refused)} of {len(settings['to'])} recipients were refused")


def _check(settings: Settings) -> None:
    for name in ("host", "username"):
        if not isinstance(settings.get(name, ""), str) or not settings.get(name, "").isprintable():
            raise ValueError(f"{name}: expected a text")
    port = settings.get("port", 1)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= _MOST_PORT:
        raise ValueError("port: expected 1 to 65535")
    for name in ("from", "to"):
        addresses: Any = [settings[name]] if name == "from" else settings[name]
        if not isinstance(addresses, list) or not all(map(_is_address, addresses)) or not addresses:
            raise ValueError(f"{name}: expected {'an address' if name == 'from' else 'a list of addresses'}")
    if settings.get("tls", _TLS[0]) not in _TLS:
        raise ValueError(f"tls: expected one of {', '.join(_TLS)}")
    if settings.get("tls") == "none" and not is_loopback(f"smtp://{settings['host']}"):
        raise ValueError("tls: expected starttls or implicit, except on this machine")


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or len(value) > _MOST_ADDRESS or not value.isprintable():
        return False
    return "@" in parseaddr(value)[1]


KIND: Final = TargetKind(
    _send,
    required=("host", "from", "to"),
    optional=("port", "tls", "username", "password"),
    secrets=("password",),
    check=_check,
)
