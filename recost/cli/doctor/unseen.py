"""A check for installed transports whose calls are not recorded."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

from recost.cli._shared.tables import Column, Table
from recost.cli.doctor.findings import CheckLines
from recost.interceptors import CLIENTS

if TYPE_CHECKING:
    from recost.cli._shared.terminal import Style

__all__ = ["UNSEEN", "Unseen", "check_unseen"]


class Unseen(NamedTuple):
    """A transport with a network stack of its own."""

    module: str
    """Name of the module."""
    distribution: str
    """Name of the distribution."""
    used_by: str
    """Libraries whose calls are not recorded."""


UNSEEN: Final = (
    Unseen("grpc", "grpcio", "google-cloud clients over gRPC, Qdrant, Milvus"),
    Unseen("grpclib", "grpclib", "gRPC with asyncio: betterproto, Modal"),
    Unseen("awscrt", "awscrt", "boto3[crt]: S3 transfers; AWS IoT"),
    Unseen("curl_cffi", "curl-cffi", "yfinance, scrapers"),
    Unseen("pycurl", "pycurl", "Celery on SQS, Tornado's curl client"),
    Unseen("primp", "primp", "ddgs (duckduckgo-search)"),
    Unseen("rnet", "rnet", "a native client"),
    Unseen("pyreqwest", "pyreqwest", "a native client"),
    Unseen("impit", "impit", "Crawlee and the Apify client"),
    Unseen("tls_client", "tls-client", "a native client"),
    Unseen("geventhttpclient", "geventhttpclient", "Locust's FastHttpUser, tritonclient"),
    Unseen("tornado", "tornado", "tornado.httpclient"),
    Unseen("treq", "treq", "Twisted"),
    Unseen("websockets", "websockets", "WebSockets: OpenAI's and Gemini's live APIs"),
    Unseen("websocket", "websocket-client", "WebSockets: Slack's socket mode, Kubernetes"),
)
"""Transports, one row each. Those that have an interceptor by now are not shown."""


def check_unseen(style: Style) -> CheckLines:
    """Find installed transports without importing them."""
    found = CheckLines()
    columns = (Column("transport", least=16), Column("version", least=7), Column("calls that it makes for"))
    rows = [row for row in UNSEEN if row.module not in CLIENTS and _installed(row)]
    table = Table(columns, [(row.distribution, _version(row), row.used_by) for row in rows])
    if table.rows:
        found.lines = table.render(style, 78).splitlines()
    return found


def _installed(row: Unseen) -> bool:
    try:
        spec = find_spec(row.module)
    except (ImportError, ValueError):  # a custom finder, or a blocked module
        return False
    return spec is not None and spec.origin is not None  # None for a plain folder of that name


def _version(row: Unseen) -> str:
    try:
        return metadata.version(row.distribution)
    except metadata.PackageNotFoundError:
        return "unknown"
