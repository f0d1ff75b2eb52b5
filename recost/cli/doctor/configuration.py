"""A check of the configuration, with the origin of each setting."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any, Final, Optional

from recost._validate import nearest
from recost.cli._shared.tables import Column, Table
from recost.cli.doctor.findings import CheckLines
from recost.config import resolve, variables
from recost.pricing.rules_file import RulesFileError, load_rules

if TYPE_CHECKING:
    from recost.cli._shared.terminal import Style
    from recost.config import Settings

__all__ = ["check_configuration"]

_SHOWN_OF_KEY: Final = 8


def check_configuration(style: Style) -> tuple[Optional[Settings], CheckLines]:
    """Resolve the configuration as ``recost.init()`` does. Return None with the problem if it is invalid."""
    found = CheckLines()
    found.notes = _unknown_variables()
    try:
        with warnings.catch_warnings(record=True) as deprecated:
            warnings.simplefilter("always")
            settings = resolve(None, {})
    except ValueError as error:
        found.problems.append(str(error))
        return None, found
    found.notes += [str(warning.message) for warning in deprecated]
    if settings.providers_file is not None:
        try:
            load_rules(settings.providers_file)
        except RulesFileError as error:
            found.problems.append(str(error))
    table = Table((Column("setting", least=29), Column("value"), Column("from", least=11)))
    for name, origin in settings.origins.items():
        table.rows.append((name, _shown(name, getattr(settings, name)), origin))
    found.lines = table.render(style, 78).splitlines()
    if not settings.enabled:
        found.notes.append("enabled is False: recost.init() does nothing, and nothing is recorded")
    return settings, found


def _shown(name: str, value: Any) -> str:
    if value is None or value == ():
        return "-"
    if name == "key_labels":
        return f"{len(value)} label{'s' * (len(value) != 1)}"
    if name == "api_key":
        return f"{value[:_SHOWN_OF_KEY]}..."
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _unknown_variables() -> list[str]:
    """Return notes on unknown environment variables, which are otherwise ignored silently."""
    known = variables()
    notes = []
    for name in sorted(os.environ):
        if name.startswith("RECOST_") and name not in known:
            near = nearest(name, known)
            notes.append(f"{name} is not a setting" + (f": did you mean {near}?" if near else ""))
    return notes
