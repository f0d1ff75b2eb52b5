"""Keeps recost's own requests out of the host application's traces."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Optional

__all__ = ["untraced"]

_CONSTANTS: Final = ("_SUPPRESS_INSTRUMENTATION_KEY", "_SUPPRESS_HTTP_INSTRUMENTATION_KEY")
# opentelemetry.instrumentation.utils also honours the bare name, from the time before the constants.
_PLAIN_KEY: Final = "suppress_instrumentation"


@contextmanager
def untraced() -> Iterator[None]:
    """Suppress OpenTelemetry's instrumentation in this context for the length of the block.

    Does nothing where the application has not imported ``opentelemetry.context`` itself, and contains
    whatever OpenTelemetry makes of it: a trace too many is better than a window too few.
    """
    otel: Any = sys.modules.get("opentelemetry.context")
    token = _attach(otel) if otel is not None else None
    try:
        yield
    finally:
        if token is not None:
            _detach(otel, token)


def _attach(otel: Any) -> Optional[Any]:
    try:
        context = otel.set_value(_PLAIN_KEY, True)
        for name in _CONSTANTS:
            key = getattr(otel, name, None)
            if key is not None:
                context = otel.set_value(key, True, context)
        return otel.attach(context)
    except Exception:  # noqa: BLE001 - a foreign library, of any version
        return None


def _detach(otel: Any, token: Any) -> None:
    try:
        otel.detach(token)
    except Exception:  # noqa: BLE001 - as above; the sending thread's context is nobody else's
        return
