"""The public names: what users import. A change here is a change of the contract."""

from __future__ import annotations

import inspect

import recost

PUBLIC = [
    "BUILTIN_PROVIDERS",
    "MAX_BUCKETS",
    "Aggregator",
    "Budget",
    "Cost",
    "DestinationStats",
    "FlushStatus",
    "LocalTransportMode",
    "MatchResult",
    "MetricEntry",
    "PriceCase",
    "ProviderDef",
    "ProviderRegistry",
    "RawEvent",
    "RecostAuthError",
    "RecostBudgetExceededError",
    "RecostConfig",
    "RecostError",
    "RecostFatalAuthError",
    "RecostHandle",
    "RecostRateLimitError",
    "Spend",
    "Stats",
    "TransportMode",
    "WindowSummary",
    "__version__",
    "cost_for",
    "init",
    "install",
    "is_installed",
    "provider_for",
    "tag",
    "track",
    "uninstall",
]


def test_the_public_names_are_these() -> None:
    assert sorted(recost.__all__) == sorted(PUBLIC)
    assert list(recost.__all__) == sorted(
        recost.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )
    for name in PUBLIC:
        assert hasattr(recost, name)


def test_every_public_class_and_function_is_documented() -> None:
    for name in PUBLIC:
        thing = getattr(recost, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert thing.__doc__, name


def test_the_signatures_that_users_of_0_1_call() -> None:
    event = recost.RawEvent(1.0, "GET", "http://h/p", "h", "/p", 200, 12.0, 0, 5)
    assert (event.provider, event.endpoint_category, event.error) == (None, None, False)
    entry = recost.MetricEntry("p", "e", "GET", 1, 0, 2.0, 2.0, 2.0, 0, 5, 0.5)
    summary = recost.WindowSummary("id", "test", "python", "0", 1000.0, 2000.0, (entry,))
    assert summary.protocol_version == "1.0"
    assert recost.MAX_BUCKETS == 2000
    aggregator = recost.Aggregator(
        project_id="", environment="development", sdk_version="0.0.0", max_buckets=2000
    )
    aggregator.ingest(event, cost_cents=0.0)
    assert (aggregator.size, aggregator.bucket_count, aggregator.would_overflow(event)) == (1, 1, False)
    assert aggregator.flush() is not None
    assert aggregator.flush() is None
    match = recost.ProviderRegistry().match("https://api.openai.com/v1/chat/completions?x=1")
    assert match is not None
    assert (match.provider, match.endpoint_category, match.cost_per_request_cents) == (
        "openai",
        "chat_completions",
        2.0,
    )
    assert len(recost.ProviderRegistry(custom_providers=[]).list()) == len(recost.BUILTIN_PROVIDERS)


def test_the_error_tree() -> None:
    assert issubclass(recost.RecostFatalAuthError, recost.RecostAuthError)
    assert issubclass(recost.RecostAuthError, recost.RecostError)
    assert issubclass(recost.RecostRateLimitError, recost.RecostError)
    assert issubclass(recost.RecostError, Exception)
    auth = recost.RecostAuthError(401, 3)
    assert (auth.status, auth.consecutive_failures) == (401, 3)
    fatal = recost.RecostFatalAuthError(401, 5)
    assert (fatal.status, fatal.consecutive_failures) == (401, 5)
    assert "suspended" in str(fatal)
    limited = recost.RecostRateLimitError(60_000, "https://api.recost.dev/x")
    assert (limited.retry_after_ms, limited.endpoint) == (60_000, "https://api.recost.dev/x")
