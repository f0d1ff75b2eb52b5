"""The tools that watch an application's calls: how each is installed and taken off, and what it saw.

One class per tool, named in `TOOLS`. `seen()` is asked at the end, once, and returns the path of each span.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import urlsplit

QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_RUNTIME_METRICS_ENABLED": "false",
    "DD_TRACE_HTTPLIB_ENABLED": "true",
    "DD_CIVISIBILITY_ENABLED": "false",
}
"""Environment in which ddtrace talks to nobody but its agent."""


class Tool(ABC):
    """A tool as an application uses it."""

    requires: tuple[str, ...] = ()
    """Modules."""
    remains: tuple[str, ...] = ()
    """Methods that stay wrapped when the tool has been taken off, because it has no way to unwrap them."""

    def __init__(self, telemetry: str) -> None:
        self._telemetry = telemetry
        """Where a tool that must send somewhere sends."""

    @classmethod
    def missing(cls) -> list[str]:
        """Return the modules that this Python lacks."""
        return [name for name in cls.requires if not _found(name)]

    def prepare(self) -> None:
        """Import what takes long. Patches nothing."""
        for name in self.requires:
            importlib.import_module(name)

    @abstractmethod
    def install(self) -> None: ...

    @abstractmethod
    def uninstall(self) -> None: ...

    def phase_begins(self) -> None:  # noqa: B027 - most tools need none
        """Begin what a tool's spans must be part of."""

    def phase_ends(self) -> None:  # noqa: B027
        """End it."""

    @abstractmethod
    def seen(self) -> list[str]: ...

    def crumbs(self) -> list[str]:
        """Return the path of each breadcrumb, where the tool has such."""
        return []


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False


class Recost(Tool):
    """Cloud mode: a POST for each window, to the API server of the tests. What it saw is what the API got."""

    def install(self) -> None:
        import recost

        self._errors: list[Exception] = []
        self._handle = recost.init(
            template_paths=False,  # the paths tell the phases and the clients
            api_key="rc-0123456789abcdef",
            project_id="proj-1",
            base_url=self._telemetry,
            on_error=self._errors.append,
        )

    def phase_ends(self) -> None:
        if hasattr(self, "_handle"):
            # While every other tool is still at work: it must not see the POST.
            assert self._handle.flush_blocking(20)

    def uninstall(self) -> None:
        self._handle.dispose()
        assert not self._errors, self._errors

    def seen(self) -> list[str]:
        return []  # the API server knows


class OpenTelemetry(Tool):
    """The instrumentations of the clients, each span exported into a list."""

    _MEMORY = "opentelemetry.sdk.trace.export.in_memory_span_exporter"
    _PARTS = (
        ("httpx", "HTTPXClientInstrumentor"),
        ("httpx", "HTTPX2ClientInstrumentor"),
        ("urllib3", "URLLib3Instrumentor"),
        ("requests", "RequestsInstrumentor"),
        ("aiohttp_client", "AioHttpClientInstrumentor"),
        ("urllib", "URLLibInstrumentor"),
    )
    requires = (
        "opentelemetry.sdk.trace",
        *sorted({f"opentelemetry.instrumentation.{module}" for module, _ in _PARTS}),
    )

    def prepare(self) -> None:
        super().prepare()
        importlib.import_module(self._MEMORY)

    def install(self) -> None:
        trace: Any = importlib.import_module("opentelemetry.sdk.trace")
        memory: Any = importlib.import_module(self._MEMORY)
        self._exporter = memory.InMemorySpanExporter()
        provider = trace.TracerProvider()
        provider.add_span_processor(trace.export.SimpleSpanProcessor(self._exporter))
        self._instrumentors: list[Any] = []
        for module, name in self._PARTS:
            kind = getattr(importlib.import_module(f"opentelemetry.instrumentation.{module}"), name, None)
            if kind is not None:
                self._instrumentors.append(kind())
        for instrumentor in self._instrumentors:
            instrumentor.instrument(tracer_provider=provider)

    def uninstall(self) -> None:
        for instrumentor in self._instrumentors:
            instrumentor.uninstrument()

    def seen(self) -> list[str]:
        urls = [
            (span.attributes or {}).get("url.full") or (span.attributes or {}).get("http.url") or "?"
            for span in self._exporter.get_finished_spans()
        ]
        return [urlsplit(str(url)).path for url in urls]


class Sentry(Tool):
    """Tracing on, each envelope kept. It can't unwrap what it has wrapped: taken off means switched off."""

    requires = ("sentry_sdk",)
    _PLACE = "sentry_sdk.integrations"
    _PARTS = (
        ("httpx", "httpx", "HttpxIntegration"),
        ("httpx2", "httpx2", "Httpx2Integration"),
        ("aiohttp", "aiohttp", "AioHttpIntegration"),
    )
    """Client, module and class. That of http.client is always on."""
    remains = (
        "httpx:Client.send",
        "httpx:AsyncClient.send",
        "httpx2:Client.send",
        "httpx2:AsyncClient.send",
        "aiohttp:ClientSession.__init__",
        "http.client:HTTPConnection.putrequest",
        "http.client:HTTPConnection.putheader",
        "http.client:HTTPConnection.endheaders",
        "http.client:HTTPConnection.getresponse",
        "http.client:HTTPResponse.*",
    )

    def _integrations(self) -> list[Any]:
        found = [(f"{self._PLACE}.{module}", name) for client, module, name in self._PARTS if _found(client)]
        return [getattr(importlib.import_module(place), name) for place, name in found if _found(place)]

    def prepare(self) -> None:
        super().prepare()
        self._integrations()

    def install(self) -> None:
        transport: Any = importlib.import_module("sentry_sdk.transport")
        envelopes: list[Any] = []

        class Kept(transport.Transport):  # type: ignore[misc]
            def capture_envelope(self, envelope: Any) -> None:
                envelopes.append(envelope)

        self._envelopes = envelopes
        self._sentry: Any = importlib.import_module("sentry_sdk")
        self._transaction: Any = None
        self._crumbs: list[Any] = []
        self._sentry.init(
            auto_enabling_integrations=False,  # a hundred modules
            integrations=[integration() for integration in self._integrations()],
            dsn="http://key@127.0.0.1:9/1",
            traces_sample_rate=1.0,
            transport=Kept,
            before_breadcrumb=self._crumb,
        )

    def _crumb(self, crumb: Any, hint: Any) -> Any:
        self._crumbs.append(crumb)
        return crumb

    def uninstall(self) -> None:
        self._sentry.get_client().close()
        self._sentry.get_global_scope().set_client(None)
        self._sentry.get_isolation_scope().set_client(None)
        self._sentry.get_current_scope().set_client(None)

    def phase_begins(self) -> None:
        if hasattr(self, "_sentry") and self._sentry.get_client().is_active():
            self._transaction = self._sentry.start_transaction(name="phase", sampled=True)
            self._transaction.__enter__()

    def phase_ends(self) -> None:
        if getattr(self, "_transaction", None) is not None:
            self._transaction.__exit__(None, None, None)
            self._transaction = None

    def _transactions(self) -> list[Any]:
        events = [envelope.get_transaction_event() for envelope in self._envelopes]
        return [event for event in events if event is not None]

    def seen(self) -> list[str]:
        spans = [span for event in self._transactions() for span in event["spans"]]
        urls = [span["data"].get("url", "?") for span in spans if span.get("op") == "http.client"]
        return [urlsplit(url).path for url in urls]

    def crumbs(self) -> list[str]:
        urls = [crumb["data"].get("url", "?") for crumb in self._crumbs if crumb.get("type") == "http"]
        return [urlsplit(url).path for url in urls]


class Datadog(Tool):
    """The integrations of the clients, each span kept by a filter and dropped."""

    requires = ("ddtrace",)
    remains = ("requests.adapters:HTTPAdapter.send",)
    """Wrapped when the integration is imported, and never unwrapped."""
    _PARTS = ("httpx", "httpx2", "requests", "urllib3", "aiohttp", "httplib")

    def prepare(self) -> None:
        os.environ.update(QUIET, DD_TRACE_AGENT_URL=self._telemetry)
        super().prepare()
        importlib.import_module("ddtrace.trace")

    def install(self) -> None:
        datadog, trace = importlib.import_module("ddtrace"), importlib.import_module("ddtrace.trace")
        spans: list[Any] = []
        base: Any = trace.TraceFilter

        class Keep(base):  # type: ignore[misc]
            def process_trace(self, trace: Any) -> None:
                spans.extend(trace)

        self._spans = spans
        trace.tracer.configure(trace_processors=[Keep()])
        datadog.patch(**dict.fromkeys(self._parts(), True))

    def _parts(self) -> list[str]:
        return [part for part in self._PARTS if part == "httplib" or part in sys.modules]

    def uninstall(self) -> None:
        for part in self._parts():
            importlib.import_module(f"ddtrace.contrib.internal.{part}.patch").unpatch()

    def seen(self) -> list[str]:
        found = []
        for span in self._spans:
            url = span.get_tag("http.url")
            if url:
                found.append(f"{span.get_tag('component')} {urlsplit(url).path}")
        return found


TOOLS: dict[str, type[Tool]] = {
    "recost": Recost,
    "opentelemetry": OpenTelemetry,
    "sentry": Sentry,
    "ddtrace": Datadog,
}
