"""The APIs of the demo's server by host, with invented responses in the providers' shapes."""

from __future__ import annotations

from typing import Final

from recost.cli.demo.apis import anthropic, openai, stripe
from recost.cli.demo.apis.base import Respond, Response, json_response

__all__ = ["APIS", "Response", "response_to"]

APIS: Final[dict[str, dict[tuple[str, str], Respond]]] = {
    "api.openai.com": openai.ROUTES,
    "api.anthropic.com": anthropic.ROUTES,
    "api.stripe.com": stripe.ROUTES,
}
"""For each host, the function that responds to a method and a path, or to paths below it."""


def response_to(host: str, method: str, path: str, body: str) -> Response:
    """Return the response of the API at a host, or 404 for an unknown path."""
    for (verb, prefix), respond in APIS.get(host, {}).items():
        if verb == method and (path == prefix or path.startswith(f"{prefix}/")):
            return respond(path, body)
    return json_response({"error": {"type": "invalid_request_error", "message": "Unknown path"}}, status=404)
