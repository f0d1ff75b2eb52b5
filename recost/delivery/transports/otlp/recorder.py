"""Histograms of calls, recorded on recost's own thread as the calls are added up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final, NamedTuple, Optional, Union

from recost.delivery.transports.otlp.conventions import (
    DURATION_BOUNDS_S,
    GENAI_BOUNDS_S,
    OTHER,
    TOKEN_BOUNDS,
    Attributes,
    Conventions,
    GenAi,
    text,
)
from recost.delivery.transports.otlp.histograms import ExplicitHistogram, ExponentialHistogram, Histogram

__all__ = ["HTTP_DURATION", "OPERATION_DURATION", "FinishedCall", "Recorder", "Recordings"]

HTTP_DURATION: Final = "http.client.request.duration"
OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
_TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - the name of a metric
_INPUT_TOKENS: Final = "gen_ai.client.inference.operation.input_tokens"
_OUTPUT_TOKENS: Final = "gen_ai.client.inference.operation.output_tokens"
_BOUNDS: Final = {HTTP_DURATION: DURATION_BOUNDS_S, OPERATION_DURATION: GENAI_BOUNDS_S}

Recordings = dict[str, dict[Attributes, Histogram]]
"""Histograms by the name of the metric and by attributes."""


class FinishedCall(NamedTuple):
    """The fields of one call that histograms are made of."""

    host: str
    port: int
    method: str
    provider: str
    endpoint: str
    status: int
    """0 if no response came."""
    duration_s: float
    model: Optional[str]
    tokens: Mapping[str, int]


class Recorder:
    """The histograms of one process. Any number of threads, which hold a lock for memory operations only.

    Args:
        conventions: Names of the attributes.
        limit: Number of sets of attributes of each metric. The rest is recorded under ``other``.
        exponential: True: exponential buckets instead of the conventions' own bounds.
    """

    def __init__(self, conventions: Conventions, limit: int, *, exponential: bool) -> None:
        self._conventions = conventions
        self._limit = limit
        self._exponential = exponential
        self._keys: dict[object, tuple[Attributes, Optional[GenAi], Attributes]] = {}
        """Attributes by what they are made of: the same calls come again."""
        self.recordings: Recordings = {}
        self._lock = threading.RLock()  # a finaliser on this very thread may record a call

    def record(self, call: FinishedCall) -> None:
        """Add a call."""
        with self._lock:
            http, genai, named = self._attributes(call)
            self._add(HTTP_DURATION, http, call.duration_s)
            if genai is None:
                return
            outcome = dict(named)
            if not 0 < call.status < 400:
                outcome["error.type"] = str(call.status or "_OTHER")
            self._add(OPERATION_DURATION, tuple(sorted(outcome.items())), call.duration_s)
            for kind in ("input", "output"):
                if kind in call.tokens:
                    self._add_tokens(kind, named, call.tokens[kind])

    def take(self) -> Recordings:
        """Return all histograms, and begin new ones."""
        with self._lock:
            taken, self.recordings = self.recordings, {}
            return taken

    def put_back(self, taken: Recordings) -> None:
        """Add histograms that were taken to those that were recorded meanwhile."""
        with self._lock:
            live, self.recordings = self.recordings, taken
            for name, histograms in live.items():
                for attributes, histogram in histograms.items():
                    self._histogram(name, attributes).merge(histogram)  # type: ignore[arg-type] # of one kind

    def _add_tokens(self, kind: str, named: Attributes, number: int) -> None:
        if self._conventions.semconv == "classic":
            attributes = tuple(sorted({**dict(named), "gen_ai.token.type": kind}.items()))
            self._add(_TOKEN_USAGE, attributes, float(number))
        elif dict(named)["gen_ai.operation.name"] != "embeddings":  # those metrics are of inference
            self._add(_INPUT_TOKENS if kind == "input" else _OUTPUT_TOKENS, named, float(number))

    def _add(self, name: str, attributes: Attributes, value: float) -> None:
        self._histogram(name, attributes).record(value)

    def _histogram(self, name: str, attributes: Attributes) -> Histogram:
        known = self.recordings.setdefault(name, {})
        found = known.get(attributes)
        if found is None:
            if len(known) >= self._limit:
                attributes = (("otel.metric.overflow", True), ("server.address", OTHER))
            found = known.get(attributes)
            if found is None:
                found = known[attributes] = self._new(name)
        return found

    def _new(self, name: str) -> Histogram:
        return (
            ExponentialHistogram()
            if self._exponential
            else ExplicitHistogram(_BOUNDS.get(name, TOKEN_BOUNDS))
        )

    def _attributes(self, call: FinishedCall) -> tuple[Attributes, Optional[GenAi], Attributes]:
        key = (call.host, call.port, call.method, call.endpoint, call.status, call.model, bool(call.tokens))
        found = self._keys.get(key)
        if found is None:
            if len(self._keys) >= self._limit:
                self._keys.clear()
            found = self._keys[key] = self._attributes_of(call)
        return found

    def _attributes_of(self, call: FinishedCall) -> tuple[Attributes, Optional[GenAi], Attributes]:
        conventions = self._conventions
        server = conventions.of_server(call.host, call.port)
        http: dict[str, Union[str, int, bool]] = {
            **server,
            **conventions.of_outcome(call.status),
            "http.request.method": conventions.method(call.method),
            "recost.provider": text(call.provider),
        }
        genai = conventions.genai(
            call.provider, call.endpoint, host=call.host, model=call.model, used=bool(call.tokens)
        )
        named = {} if genai is None else {**server, **conventions.of_genai(genai, call.model)}
        return tuple(sorted(http.items())), genai, tuple(sorted(named.items()))
