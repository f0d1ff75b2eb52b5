"""Names and values of OpenTelemetry's semantic conventions: HTTP 1.23 and later, GenAI before and after 1.37.

Sources, read on 2026-11-30:

- https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
- classic: https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-metrics.md
- inference: https://github.com/open-telemetry/semantic-conventions-genai, docs/gen-ai/client-inference.md
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final, Literal, NamedTuple, Optional, Union

from recost._patterns import LazyPattern

__all__ = [
    "DURATION_BOUNDS_S",
    "GENAI_BOUNDS_S",
    "OTHER",
    "TOKEN_BOUNDS",
    "Attributes",
    "Conventions",
    "Semconv",
    "text",
]

Semconv = Literal["classic", "inference"]
Attributes = tuple[tuple[str, Union[str, int, bool]], ...]
"""Names and values, sorted by name."""

OTHER: Final = "other"
"""Value of the attributes beyond the limit of series."""
DURATION_BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
GENAI_BOUNDS_S: Final = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
TOKEN_BOUNDS: Final = tuple(float(4**power) for power in range(14))
_METHODS: Final = "CONNECT,DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT,QUERY,TRACE"
_UNKNOWN_METHOD: Final = "_OTHER"
_UNKNOWN_ERROR: Final = "_OTHER"
_MAX_TEXT: Final = 1024

_PROVIDERS: Final = {
    "anthropic": "anthropic",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "groq": "groq",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "openai": "openai",
    "perplexity": "perplexity",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""Well-known values of ``gen_ai.provider.name`` by recost's provider. A cloud has several."""
_CLASSIC_PROVIDERS: Final = {"x_ai": "xai"}
"""Values that ``gen_ai.system`` had for the same provider."""
_OPERATIONS: Final = {
    "chat": "chat",
    "chat_completions": "chat",
    "completions": "text_completion",
    "embeddings": "embeddings",
    "responses": "chat",
}
"""Well-known values of ``gen_ai.operation.name`` by recost's endpoint."""
_OPERATION_PATHS: Final = (
    (LazyPattern(r"/chat/completions(/|$)|/v1/messages$|/v1/responses$|/converse(-stream)?$"), "chat"),
    (LazyPattern(r":(stream)?[gG]enerateContent$"), "generate_content"),
    (LazyPattern(r"/v1/completions$"), "text_completion"),
    (LazyPattern(r"/v1/embeddings$|:(batch)?[eE]mbedContents?$"), "embeddings"),
)
_CLOUDS: Final = frozenset({"aws", "azure", "gcp"})


class GenAi(NamedTuple):
    """Provider and operation of a call to a model."""

    provider: str
    operation: str


class Conventions:
    """The attributes of the series.

    Args:
        semconv: The conventions of GenAI: ``classic`` is version 1.36, ``inference`` what came after.
    """

    def __init__(self, semconv: Semconv) -> None:
        self.semconv: Final = semconv
        self._provider_key = "gen_ai.system" if semconv == "classic" else "gen_ai.provider.name"
        known = os.environ.get("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS") or _METHODS
        self._methods = frozenset(name.strip() for name in known.split(","))

    def genai(
        self, provider: str, endpoint: str, *, host: str = "", model: Optional[str] = None, used: bool = False
    ) -> Optional[GenAi]:
        """Return what a call to a model is called. None for another call.

        Args:
            provider: As recost names it.
            endpoint: As recost names it, or the path.
            host: If it is known.
            model: If it is known.
            used: True if the response reported tokens.
        """
        operation = _operation(provider, endpoint)
        if operation is None and model is None and not used:
            return None
        if operation is None:
            operation = _UNKNOWN_METHOD if "/" in endpoint else endpoint
        name = _cloud(provider, endpoint, host) if provider in _CLOUDS else _PROVIDERS.get(provider, provider)
        if self.semconv == "classic":
            name = _CLASSIC_PROVIDERS.get(name, name)
        return GenAi(text(name), text(operation))

    def of_genai(self, genai: GenAi, model: Optional[str]) -> dict[str, Union[str, int, bool]]:
        """Return the attributes of a call to a model."""
        found: dict[str, Union[str, int, bool]] = {
            self._provider_key: genai.provider,
            "gen_ai.operation.name": genai.operation,
        }
        if model is not None:
            found["gen_ai.request.model"] = text(model)
        return found

    def of_server(self, host: str, port: int) -> dict[str, Union[str, int, bool]]:
        """Return the attributes of a server."""
        return {"server.address": text(host), "server.port": port}

    def of_outcome(self, status: int) -> dict[str, Union[str, int, bool]]:
        """Return the attributes of a call that ended with an HTTP status, 0 if no response came."""
        found: dict[str, Union[str, int, bool]] = {}
        if status:
            found["http.response.status_code"] = status
        if not 0 < status < 400:
            found["error.type"] = str(status) if status else _UNKNOWN_ERROR
        return found

    def method(self, name: str) -> str:
        """Return a method as the conventions have it: ``_OTHER`` if it is not a known one."""
        return name if name in self._methods else _UNKNOWN_METHOD

    def chosen(self, tags: Collection[tuple[str, str]]) -> dict[str, Union[str, int, bool]]:
        """Return the attributes of tags."""
        return {f"recost.tag.{text(name)}": text(value) for name, value in tags}


def text(value: str) -> str:
    """Return a text that protobuf takes: of limited length, and without halves of surrogate pairs."""
    value = value[:_MAX_TEXT]
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _operation(provider: str, endpoint: str) -> Optional[str]:
    if "/" in endpoint:
        return next((name for path, name in _OPERATION_PATHS if path.search(endpoint)), None)
    if provider == "anthropic" and endpoint == "messages":
        return "chat"
    return _OPERATIONS.get(endpoint)


def _cloud(provider: str, endpoint: str, host: str) -> str:
    """Return the service of a cloud that serves models."""
    if provider == "aws":
        return "aws.bedrock"
    if provider == "azure":
        is_openai = "/openai/" in f"{endpoint}/" or host.endswith(".openai.azure.com")
        return "azure.ai.openai" if is_openai else "azure.ai.inference"
    if host.startswith("generativelanguage.") or endpoint.startswith("/v1beta/models"):
        return "gcp.gemini"
    return "gcp.vertex_ai" if "aiplatform." in host or "/publishers/" in endpoint else "gcp.gen_ai"
