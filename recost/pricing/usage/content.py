"""Limits of what is kept of a captured response."""

from __future__ import annotations

from recost.captured import CapturedResponse as Content

__all__ = ["HEAD_LIMIT", "TAIL_LIMIT", "Content"]

HEAD_LIMIT = 16 * 1024
"""Bytes that are kept of the beginning of a body that is larger than both limits together."""
TAIL_LIMIT = 48 * 1024
"""Bytes that are kept of its end."""
