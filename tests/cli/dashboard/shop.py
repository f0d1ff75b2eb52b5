"""Windows of a shop: two days, four providers, models, tags, routes, errors, calls without a price."""

from __future__ import annotations

from recost import wire
from recost.events import MetricEntry, ModelEntry, TagEntry, WindowSummary
from tests.analytics.corpora import START

HOURS = 48


def shop() -> bytes:
    """Return the lines of the shop's file."""
    return b"".join(hour(number) for number in range(HOURS))


def hour(number: int, environment: str = "production") -> bytes:
    """Return the window of one hour."""
    tags = TagEntry((("route", "/checkout"), ("tenant", "acme" if number % 2 else "globex")), 10, 1, 2.5, 0)
    models = (ModelEntry("gpt-4o", 6, 2.0, 0, 100, 50), ModelEntry("gpt-4o-mini", 4, 0.5, 0, 100, 50))
    metrics = (
        _entry("openai", "chat_completions", 10, 1, 2.5, {"computed": 2.5}, models=models, tags=(tags,)),
        _entry("stripe", "charges", 4, 0, 1.2, {"estimated": 1.2}),
        _entry("stripe", "customers", 2, 0, 0.0012, {"estimated": 0.0012}),
        _entry("deepl", "translate", 1, 0, 0.125, {"reported": 0.125}),
        _entry("unknown", "/v1/" + "long-path/" * 12 + "{id}", 3, 0, 0.0, {}, unpriced_count=3),
    )
    start = START.timestamp() * 1000 + number * 3_600_000
    return (
        wire.encode_window(WindowSummary("", environment, "python", "0.2.0", start, start + 30_000, metrics))
        + b"\n"
    )


def _entry(
    provider: str,
    endpoint: str,
    calls: int,
    errors: int,
    cents: float,
    source: dict[str, float],
    **more: object,
) -> MetricEntry:
    latency = 120.0 * calls
    known = {"cost_source": source, **more} if source or more else more
    return MetricEntry(
        provider,
        endpoint,
        "POST",
        calls,
        errors,
        latency,
        110.0,
        240.0,
        calls * 900,
        calls * 2400,
        cents,
        **known,  # type: ignore[arg-type]
    )
