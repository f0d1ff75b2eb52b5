"""``recost.toml``: where alerts go, and what they are about.

[[notify]]
name = "team"
type = "slack"
url_env = "SLACK_WEBHOOK_URL"

[[alert]]
on = "anomaly"
by = "provider"
min_usd = 5
to = ["team"]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Any, Final, Optional

from recost import _secrets
from recost._documents import TomlError, parse_toml, read_document
from recost._files import reason_of
from recost._text import printable
from recost._validate import shorten, show, suggest
from recost.alerts.options import ALERTS, ZONE, Option, clock_time
from recost.alerts.targets import TARGETS, target_kind

__all__ = ["Alert", "AlertConfig", "ConfigError", "Target", "load_config"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_QUIET: Final = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
_WAYS: Final = ("env", "file", "command")
_MAX_BYTES: Final = 1 << 20
_MAX_NAME: Final = 100
"""Characters of an unknown name that are compared with the known ones."""


class ConfigError(ValueError):
    """The error of a file that cannot be used. The message names the file, the table and the setting."""


@dataclass(frozen=True)
class Target:
    """One table ``[[notify]]``."""

    name: str
    kind: str
    settings: Mapping[str, Any] = field(repr=False)
    """With its secrets."""


@dataclass(frozen=True)
class Alert:
    """One table ``[[alert]]``."""

    name: str
    on: str
    to: tuple[str, ...]
    options: Mapping[str, Any]
    """The options of its kind, with their defaults."""
    quiet: Optional[tuple[time, time]] = None
    """The time of day in which messages wait."""


@dataclass(frozen=True)
class AlertConfig:
    """The content of the file."""

    targets: Mapping[str, Target]
    alerts: tuple[Alert, ...]


def load_config(path: Path, environ: Mapping[str, str], *, secrets: bool = True) -> AlertConfig:
    """Read the file.

    Args:
        path: The file.
        environ: The environment variables that it may name.
        secrets: False to leave out secrets, so that no file is read and no command is run for them.

    Raises:
        ConfigError: It cannot be used.
    """
    text = _text(path)
    document = _parsed(path, text)
    reader = _ConfigReader(path, text, environ, secrets=secrets)
    odd = sorted(document.keys() - {"notify", "alert"})
    if odd:
        raise reader.error(None, "", f"got {show(odd[0])} at the top, expected [[notify]] and [[alert]]")
    targets: dict[str, Target] = {}
    for number, item in enumerate(reader.tables(document, "notify")):
        target = reader.target(number, item)
        if target.name in targets:
            raise reader.error(
                ("notify", number), "name", f"{show(target.name)} is the name of another target"
            )
        targets[target.name] = target
    alerts: dict[str, Alert] = {}
    for number, item in enumerate(reader.tables(document, "alert")):
        alert = reader.alert(number, item, targets)
        if alert.name in alerts:
            raise reader.error(("alert", number), "name", f"{show(alert.name)} is the name of another alert")
        alerts[alert.name] = alert
    return AlertConfig(targets, tuple(alerts.values()))


def _text(path: Path) -> str:
    try:
        return read_document(path, _MAX_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"recost: {path}: it cannot be read: {reason_of(error)}") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except TomlError as error:
        line = f", line {error.line}" if error.line else ""
        raise ConfigError(f"recost: {path}{line}: {error}") from None


_Place = Optional[tuple[str, int]]
"""The name of a table, and its number from 0."""


class _ConfigReader:
    """Reads the tables of a file, and words the errors."""

    def __init__(self, path: Path, text: str, environ: Mapping[str, str], *, secrets: bool) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._environ = environ
        self._secrets = secrets

    def error(self, place: _Place, key: str, problem: str) -> ConfigError:
        """Return an error that names the line of a setting, or of its table."""
        line = "" if place is None else f", line {self._line(*place, key)}"
        named = f"{shorten(printable(key))}: " if key else ""  # it may be an unknown one, with any characters
        return ConfigError(f"recost: {self._path}{line}: {named}{problem}")

    def _line(self, table: str, number: int, key: str) -> int:
        lines = ["".join(line.split()) for line in self._lines]
        starts = [index for index, line in enumerate(lines) if line.startswith(f"[[{table}]]")]
        if number >= len(starts):  # an inline list of tables
            return 1
        for index in range(starts[number] + 1, len(lines)):
            if not key or lines[index].startswith("["):
                break
            if lines[index].startswith((f"{key}=", f'"{key}"=', f"'{key}'=")):
                return index + 1
        return starts[number] + 1

    def tables(self, document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        """Return the tables of a name.

        Raises:
            ConfigError: They are something else.
        """
        found = document.get(name, [])
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise self.error(None, name, f"expected tables [[{name}]]")
        return found

    def target(self, number: int, item: dict[str, Any]) -> Target:
        """Return a target.

        Raises:
            ConfigError: A setting is invalid or missing.
        """
        place = ("notify", number)
        name, kind = self._name(place, item), item.get("type")
        if not isinstance(kind, str) or kind not in TARGETS:
            raise self.error(place, "type", _unknown(kind, TARGETS))
        described = target_kind(kind)
        settings = {key: value for key, value in item.items() if key not in {"name", "type"}}
        known = {*described.required, *described.optional}
        given: set[str] = set()
        for secret in described.secrets:
            if not isinstance(settings.get(secret, ""), str):
                raise self.error(place, secret, "expected a text")
            found = self._secret(place, secret, settings)
            given.update({secret} if found is not None else ())
            settings.update({secret: found} if found else {})
        self._refuse_unknown(place, settings, known)
        for key in described.required:
            if settings.get(key) in (None, "") and key not in given:
                ways = f" (or {key}_env, {key}_file, {key}_command)" * (key in described.secrets)
                raise self.error(place, "", f"missing {key}{ways}")
        if described.check is not None and all(key in settings for key in described.required):
            try:
                described.check(settings)
            except (ValueError, TypeError, AttributeError) as error:
                raise self.error(place, "", str(error)) from None
        return Target(name, kind, settings)

    def _secret(self, place: _Place, name: str, settings: dict[str, Any]) -> Optional[str]:
        """Remove the settings that give a secret, and return their values.

        Returns:
            None if the setting itself is given, or nothing. An empty text without secrets.
        """
        given = {way: settings.pop(f"{name}_{way}") for way in _WAYS if f"{name}_{way}" in settings}
        if len(given) + (name in settings) > 1:
            raise self.error(place, name, "it is given more than once")
        if not given:
            return None
        ((way, value),) = given.items()
        source = f"{name}_{way}"
        if not isinstance(value, str):
            raise self.error(place, source, f"got {show(value)}, expected a text")
        if not self._secrets:
            return ""
        try:
            if way == "env":
                found = _secrets.from_variable(value, self._environ)
            else:
                found = (_secrets.from_file if way == "file" else _secrets.from_command)(source, value)
            return _secrets.one_line(found, source)
        except _secrets.SecretError as error:
            raise self.error(place, source, str(error)) from None

    def alert(self, number: int, item: dict[str, Any], targets: Mapping[str, Target]) -> Alert:
        """Return an alert.

        Raises:
            ConfigError: A setting is invalid or missing.
        """
        place = ("alert", number)
        on = item.get("on")
        if not isinstance(on, str) or on not in ALERTS:
            raise self.error(place, "on", _unknown(on, ALERTS))
        options = {"timezone": ZONE, **ALERTS[on]}
        self._refuse_unknown(place, item, {*options, "name", "on", "to", "quiet"})
        return Alert(
            self._name(place, item) if "name" in item else f"{on}-{number + 1}",
            on,
            self._targets(place, item.get("to"), targets),
            {key: self._option(place, key, option, item) for key, option in options.items()},
            self._quiet(place, item.get("quiet")),
        )

    def _option(self, place: _Place, key: str, option: Option, item: Mapping[str, Any]) -> Any:
        if key not in item:
            if option.needed:
                raise self.error(place, "", f"missing {key}")
            return option.default
        try:
            return option.check(item[key])
        except ValueError as error:
            raise self.error(place, key, f"got {show(item[key])}, expected {error}") from None

    def _targets(self, place: _Place, value: Any, targets: Mapping[str, Target]) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.error(place, "to", "expected a list of names of [[notify]]")
        for name in value:
            if not isinstance(name, str) or name not in targets:
                raise self.error(place, "to", _unknown(name, targets))
        return tuple(value)

    def _quiet(self, place: _Place, value: Any) -> Optional[tuple[time, time]]:
        if value is None:
            return None
        found = _QUIET.fullmatch(value) if isinstance(value, str) else None
        try:
            if found is not None and found[1] != found[2]:
                return clock_time(found[1]), clock_time(found[2])
        except ValueError:
            pass
        raise self.error(place, "quiet", f"got {show(value)}, expected two times such as 22:00-07:00")

    def _name(self, place: _Place, item: Mapping[str, Any]) -> str:
        name = item.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.error(place, "name", f"got {show(name)}, expected letters, digits, '-' and '_'")
        return name

    def _refuse_unknown(self, place: _Place, item: Mapping[str, Any], known: set[str]) -> None:
        for key in item:
            if key not in known:
                raise self.error(place, key, f"unknown setting: {_hint(key, sorted(known))}")


def _unknown(given: object, known: Iterable[str]) -> str:
    return f"got {show(given)}: {_hint(given, known)}"


def _hint(given: object, known: Iterable[str]) -> str:
    return suggest(given[:_MAX_NAME] if isinstance(given, str) else "", known)
