"""What watches the calls: nothing, recost, and its peers, each set up as an application would.

Every observer counts what it has seen, so that a figure is not low because calls went unseen.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Callable, ClassVar, Final

__all__ = ["OBSERVERS", "UNSEEING", "Observer"]


class Observer:
    """Sees nothing: the bare client."""

    def __init__(self, client: str) -> None:
        """Start watching a client, by the name of its module."""

    def group(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context that a group of a hundred calls is made in."""
        return contextlib.nullcontext()

    def flush(self) -> None:
        """Finish the work that the calls so far have caused."""

    def seen(self) -> int:
        """Return the number of calls seen since the start; called once, at the end."""
        return 0


class Recost(Observer):
    """``recost.init()`` with the defaults: a local file."""

    settings: ClassVar[dict[str, Any]] = {}
    """Further arguments of ``init``."""

    def __init__(self, client: str) -> None:  # noqa: ARG002
        self._folder = tempfile.TemporaryDirectory()
        os.environ["RECOST_LOCAL_DIR"] = self._folder.name
        recost: Any = importlib.import_module("recost")
        rule = recost.ProviderDef("127.0.0.1", "local", "/v1/chat/completions", "chat_completions", 2.0)
        self._handle = recost.init(custom_providers=[rule], **self.settings)

    def flush(self) -> None:
        self._handle.flush_blocking()

    def seen(self) -> int:
        self._handle.dispose()
        lines = "".join(path.read_text() for path in Path(self._folder.name).glob("*.jsonl*")).splitlines()
        self._folder.cleanup()
        return sum(metric["requestCount"] for line in lines for metric in json.loads(line)["metrics"])


class OpenTelemetry(Observer):
    """The client's instrumentation, with the SDK's batch processor and an exporter that drops."""

    _INSTRUMENTORS: Final = {
        "httpx": ("httpx", "HTTPXClientInstrumentor"),
        "httpx2": ("httpx", "HTTPX2ClientInstrumentor"),
        "aiohttp": ("aiohttp_client", "AioHttpClientInstrumentor"),
        "requests": ("requests", "RequestsInstrumentor"),
        "urllib3": ("urllib3", "URLLib3Instrumentor"),
        "urllib.request": ("urllib", "URLLibInstrumentor"),
    }

    def __init__(self, client: str) -> None:
        trace: Any = importlib.import_module("opentelemetry.trace")
        sdk: Any = importlib.import_module("opentelemetry.sdk.trace")
        export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
        counted = self._counted = [0]

        class Dropping(export.SpanExporter):  # type: ignore[misc]
            def export(self, spans: Any) -> Any:
                counted[0] += len(spans)
                return export.SpanExportResult.SUCCESS

        self._provider = sdk.TracerProvider()
        self._provider.add_span_processor(export.BatchSpanProcessor(Dropping()))
        trace.set_tracer_provider(self._provider)
        module, name = self._INSTRUMENTORS[client]
        getattr(importlib.import_module(f"opentelemetry.instrumentation.{module}"), name)().instrument()

    def flush(self) -> None:
        self._provider.force_flush()

    def seen(self) -> int:
        self._provider.shutdown()
        return self._counted[0]


class Sentry(Observer):
    """Tracing of everything, with a transport that drops; a transaction holds a hundred calls."""

    def __init__(self, client: str) -> None:  # noqa: ARG002
        self._sdk: Any = importlib.import_module("sentry_sdk")
        transport: Any = importlib.import_module("sentry_sdk.transport")
        counted = self._counted = [0]

        class Dropping(transport.Transport):  # type: ignore[misc]
            def capture_envelope(self, envelope: Any) -> None:
                transaction = envelope.get_transaction_event()
                counted[0] += len(transaction["spans"]) if transaction else 0

        self._sdk.init(dsn="https://key@sentry.invalid/1", traces_sample_rate=1.0, transport=Dropping)

    def group(self) -> contextlib.AbstractContextManager[Any]:
        group: contextlib.AbstractContextManager[Any] = self._sdk.start_transaction(name="benchmark")
        return group

    def flush(self) -> None:
        self._sdk.flush()

    def seen(self) -> int:
        self._sdk.flush()
        return self._counted[0]


OBSERVERS: Final[dict[str, Callable[[str], Observer]]] = {
    "bare": Observer,
    "recost": Recost,
    "otel": OpenTelemetry,
    "sentry": Sentry,
    "null": Observer,
}
"""In the order of a round. ``null`` is bare once more: what is measured where nothing was added."""
UNSEEING: Final = frozenset({"bare", "null"})
