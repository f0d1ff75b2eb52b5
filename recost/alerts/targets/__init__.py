"""One module for each kind of target. To add one: a module with ``KIND``, and a line in `TARGETS`."""

from __future__ import annotations

import importlib
from typing import Final

from recost.alerts.targets.base import TargetKind

__all__ = ["TARGETS", "target_kind"]

TARGETS: Final = {
    "slack": "recost.alerts.targets.slack",
    "webhook": "recost.alerts.targets.webhook",
    "email": "recost.alerts.targets.email",
    "pagerduty": "recost.alerts.targets.pagerduty",
    "apprise": "recost.alerts.targets.apprise",
}
"""The module of each kind."""


def target_kind(name: str) -> TargetKind:
    """Return a kind in `TARGETS`."""
    found: TargetKind = importlib.import_module(TARGETS[name]).KIND
    return found
