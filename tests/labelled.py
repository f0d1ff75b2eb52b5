"""Keys, their labels, and the tags of the calls that are made with them."""

from __future__ import annotations

from hashlib import sha256

from recost.testing import CapturedWindows
from tests.loopback import wait_until

__all__ = ["ALICE", "BOB", "LABELS", "STRANGER", "hash_of", "tags"]

ALICE, BOB, STRANGER = "sk-alice-Wm40Tz", "SK-bob-Qx17Ye", "sk-stranger-Ba93Fd"


def hash_of(key: str) -> str:
    """Return a key as ``key_labels`` names it."""
    return f"sha256:{sha256(key.encode()).hexdigest()}"


LABELS = {hash_of(ALICE): "alice", hash_of(BOB): "bob"}


def tags(captured: CapturedWindows) -> list[tuple[dict[str, str], int, int]]:
    """Return the tags of the calls since the last time, with their number, and the number of all calls."""

    def arrived() -> bool:
        captured.flush()
        return bool(captured)

    assert wait_until(arrived)
    found = [
        (dict(entry.tags or ()), entry.request_count)
        for window in captured
        for metric in window.metrics
        for entry in metric.tags or ()
    ]
    calls = sum(metric.request_count for window in captured for metric in window.metrics)
    untagged = calls - sum(count for _, count in found)
    captured.clear()
    assert not captured.errors
    return [*((tags, count, calls) for tags, count in found), *([({}, untagged, calls)] if untagged else [])]
