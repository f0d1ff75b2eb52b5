"""Secrets wherever a call can have one, and a search for them in everything that recost leaves behind."""

from __future__ import annotations

import base64
import gc
import logging
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.integration.clients import Call


@dataclass(frozen=True)
class Secret:
    """A text that must not be found, nor a telling part of it."""

    where: str
    text: str
    parts: tuple[str, ...] = ()
    """What of it is searched for; the whole when there are none."""

    def markers(self) -> set[str]:
        """Return what is searched for, also as clients encode it."""
        return {form for part in self.parts or (self.text,) for form in (part, quote(part, safe=""))}


HEADER = Secret("header", "hdr-Qm7xPz41vKcW")
AUTHORIZATION = Secret("authorization", "tok-Rk29LmVx80Yd")
COOKIE = Secret("cookie", "cke-Wb63HnTj57Us")
BODY = Secret("body", "bdy-Xc84GoFi20Vt")
QUERY = Secret("query", "qry-Zd15JpEl93Kw")
FRAGMENT = Secret("fragment", "frg-Ae76SqDh48Mn")
USER = Secret("user", "usr-Bf37TrCg61Lo")
PASSWORD = Secret("password", "pwd-Ch98UsBf24Kp")
PROXY_USER = Secret("proxy user", "pxu-Di59VtAe85Jq")
PROXY_PASSWORD = Secret("proxy password", "pxp-Ej20WuZd46Ir")

IN_PATHS = (
    Secret("secret key", "sk_live_51HqTfR8vNcB2mXw9LzKd", ("51HqTf", "9LzKd")),
    Secret("customer", "cus_NffrFeUfNV2Hib", ("NffrFe", "NV2Hib")),
    Secret("UUID", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", ("3f2504e0", "0305e82c3301")),
    Secret("bot token", "bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", ("110201543", "AAHdqT", "ALDsaw")),
    Secret("e-mail address", "jane.doe.private@mail.example", ("jane.doe.private", "doe.private")),
    Secret(
        "JWT",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5OTg4Nzc2NiJ9.dBjftJeZ4CVPmB92K27uhbUJU1p1r",
        ("eyJhbGci", "eyJzdWIi", "dBjftJeZ"),
    ),
    Secret("hex", "9e107d9d372bb6826bd81d3542a419d6", ("9e107d9d", "42a419d6")),
    Secret("base64", "c2VjcmV0LXZhbHVlLWluLWEtcGF0aA==", ("c2VjcmV0", "cGF0aA")),
    Secret("base64 for URLs", "Vf_7pQ-k2LmX9sR4tYwZ8bNcD1eGhJ3u", ("Vf_7pQ", "GhJ3u")),
    Secret("GitHub token", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", ("16C7e42F", "47Ae178B4a")),
    Secret("AWS key", "AKIAIOSFODNN7EXAMPLE", ("IOSFODNN7",)),
    Secret(
        "Slack webhook",
        "T0290ABCD/B0481EFGH/mXq7RtYp3LsVk9WzNb2Jc8Hd",
        ("T0290ABCD", "B0481EFGH", "mXq7RtYp"),
    ),
    Secret("Slack token", "xoxb-2048-1024-Kd8WmPq3ZxYt7LnVbRfCsJhG", ("Kd8WmPq3", "CsJhG")),
    Secret("number", "4929123456781234", ("49291234", "56781234")),
)

EVERYWHERE = (
    HEADER,
    AUTHORIZATION,
    COOKIE,
    BODY,
    QUERY,
    FRAGMENT,
    USER,
    PASSWORD,
    PROXY_USER,
    PROXY_PASSWORD,
)


def secret_calls(base: str, folder: str = "plain") -> Iterator[Call]:
    """Return calls with a secret in every place, one for each shape of secret in a path."""
    for secret in IN_PATHS:
        path = f"{folder}/items/{quote(secret.text, safe='/:@=')}/lines"
        yield Call(
            "POST",
            f"{base}/{path}?key={QUERY.text}&n=10#{FRAGMENT.text}",
            body=f"password={BODY.text}".encode(),
            headers={
                "X-Api-Key": HEADER.text,
                "Authorization": f"Bearer {AUTHORIZATION.text}",
                "Cookie": f"session={COOKIE.text}",
            },
            timeout_s=5,
        )


def with_userinfo(url: str) -> str:
    """Return the URL with a user's name and password."""
    return url.replace("://", f"://{USER.text}:{PASSWORD.text}@")


class Trail:
    """Everything that recost leaves behind, in text, by where it was found."""

    def __init__(self, secrets: Iterable[Secret] = (*EVERYWHERE, *IN_PATHS)) -> None:
        self._markers = {marker.lower(): secret.where for secret in secrets for marker in secret.markers()}
        for pair in ((USER, PASSWORD), (PROXY_USER, PROXY_PASSWORD)):
            basic = base64.b64encode(f"{pair[0].text}:{pair[1].text}".encode()).decode()
            self._markers[basic.lower()] = f"{pair[0].where} and {pair[1].where}, as Basic"
        self.texts: list[tuple[str, str]] = []

    def add(self, where: str, text: str) -> None:
        self.texts.append((where, text))

    def add_files(self, folder: Path) -> None:
        """Add every file's name and content."""
        for path in folder.rglob("*"):
            self.add("file name", str(path))
            if path.is_file():
                self.add("file", path.read_bytes().decode("latin-1"))

    def add_errors(self, errors: Iterable[BaseException]) -> None:
        """Add all that an error tracker would take from an error."""
        for error in errors:
            self.add("error", str(error))
            self.add("error's repr", repr(error))
            self.add("error's arguments", repr(error.args))
            self.add("error's attributes", repr(vars(error)))
            self.add("error's cause", repr(error.__cause__))
            self.add("error's context", repr(error.__context__))
            lines = traceback.format_exception(type(error), error, error.__traceback__)
            self.add("error's traceback", "".join(lines))

    def add_records(self, records: Iterable[logging.LogRecord]) -> None:
        """Add log records, formatted and as structured logging takes them."""
        for record in records:
            self.add("log", record.getMessage())
            self.add("log record", repr(vars(record)))

    def add_objects(self) -> None:
        """Add the `repr` of every live object whose class is recost's."""
        for thing in gc.get_objects():
            module = str(type(thing).__module__)
            # The commands are no part of a host.
            if module.partition(".")[0] == "recost" and not module.startswith("recost.cli."):
                self.add(f"repr of {type(thing).__name__}", repr(thing))

    def found(self) -> set[str]:
        """Return which secrets occur where."""
        return {
            f"{secret} in {where}: {text[:300]}"
            for where, text in self.texts
            for marker, secret in self._markers.items()
            if marker in text.lower()
        }
