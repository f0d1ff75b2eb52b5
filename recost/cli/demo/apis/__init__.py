"""The APIs that the demo's server speaks, by host: answers made up, in the providers' own shape."""

from __future__ import annotations

from typing import Final

from recost.cli.demo.apis import anthropic, openai, stripe
from recost.cli.demo.apis.base import Answer, Respond, json_answer

__all__ = ["APIS", "Answer", "answer_to"]

APIS: Final[dict[str, dict[tuple[str, str], Respond]]] = {
    "api.openai.com": openai.ROUTES,
    "api.anthropic.com": anthropic.ROUTES,
    "api.stripe.com": stripe.ROUTES,
}
"""Host, and what answers a method and a path, or whatever is below that path."""


def answer_to(host: str, method: str, path: str, body: str) -> Answer:
    """Return what the API at this host answers; a 404 for a path that it does not have."""
    for (verb, prefix), respond in APIS.get(host, {}).items():
        if verb == method and (path == prefix or path.startswith(f"{prefix}/")):
            return respond(path, body)
    return json_answer({"error": {"type": "invalid_request_error", "message": "Unknown path"}}, status=404)
